"""From the options of ``edge-effnet camera`` to the models that answer, and their settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_effnet.camera.answering import FeedModels
from edge_effnet.camera.answers import NONE, unknown_name
from edge_effnet.camera.frames import Region, parse_region
from edge_effnet.camera.settings import Pace, SessionSettings
from edge_effnet.camera.setup.options import CameraOptions
from edge_effnet.camera.sources.kinds import find_kind
from edge_effnet.data.demo import demo_model
from edge_effnet.data.division.trained_on import records
from edge_effnet.data.given_labels import read_labels
from edge_effnet.errors import ModelError, UsageProblem
from edge_effnet.files.read import content_hash
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.measure.storage import storage_of
from edge_effnet.metrics import HashedFile
from edge_effnet.runtime.classifier import Classifier, common_names, open_classifier
from edge_effnet.runtime.evaluating.pixels import settle_pixels
from edge_effnet.spelling import read_duration
from edge_effnet.system.cores import available_cores

DEFAULT_SMOOTH_S = 0.3
FileStates = tuple[tuple[int, int, int] | None, ...]

_CAMERA = re.compile(r"[0-9]{1,3}|picamera2?(:[0-9]+)?|/dev/.*", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z]+:/", re.IGNORECASE)  # a path keeps one of the two slashes


@dataclass(frozen=True)
class Models:
    """The models of a run.

    Attributes:
        labels: of both.
        names: the same, where somebody named the classes.
    """

    model: Classifier
    reference: Classifier | None
    labels: tuple[str, ...]
    names: tuple[str, ...] | None


def open_models(options: CameraOptions) -> Models:
    """Open one model or two.

    Raises:
        ModelError: a file that is no classifier, two of different labels, or no model at all.
    """
    shown = Path(options.source) if options.source else None
    names = read_labels(options.labels, shown) if options.labels else None
    threads = options.threads or max(1, available_cores() - 1)

    def opened(path: Path) -> Classifier:
        if meant := _source_meant(path):
            raise ModelError(
                meant,
                expected="a .tflite file",
                fix="give the model first, and its frames behind --source",
            )
        return open_classifier(
            path,
            labels=names,
            preprocess=options.preprocess,
            head=HeadChoice(options.head),
            threads=threads,
            ask=False,
            in_memory=True,
        )

    model = opened(options.model or demo_model())
    _refuse_for_values(model, options)
    if options.compare is None:
        (model,) = _fed([model])
        return Models(model, None, model.labels, model.names)
    reference = opened(options.compare)
    names = common_names([reference, model])
    reference, model = _fed([reference, model])
    return Models(model, reference, names or model.labels, names)


def _source_meant(path: Path) -> str | None:
    """What to say of a model that is what ``--source`` takes; None where it may be a model."""
    if path.is_dir():
        return f"{path} is a folder, not a model; did you mean --source {path}?"
    if path.is_file():
        return None
    if _CAMERA.fullmatch(str(path)):
        return f"{path} is a camera, not a model; did you mean --source {path}?"
    if _ADDRESS.match(str(path)):  # not repeated: it may hold a password
        return "an address is no model; did you mean --source ADDRESS?"
    return None


def _fed(models: Sequence[Classifier]) -> list[Classifier]:
    """The same, those of one network with one preprocessing, as ``compare`` does it."""
    pixels = settle_pixels(models)
    return [replace(model, pixels=one) for model, one in zip(models, pixels, strict=True)]


def _refuse_for_values(model: Classifier, options: CameraOptions) -> None:
    asked = (
        ("--threshold", options.threshold is not None),
        ("--on", bool(options.on)),
        ("--pin", bool(options.pin)),
        ("--save", bool(options.save)),
        ("--save-differences", options.save_differences is not None),
        ("--collect", options.collect is not None),
    )
    if model.head.task == "labels" and options.collect is not None:
        raise UsageProblem(
            f"--collect keeps photos of one class each, and {model.path.name} answers several",
            found=f"a {model.head.kind} head",
            expected="a model that answers one class",
            fix="leave --collect out; --save LABEL keeps frames with a label",
        )
    names = [name for name, given in asked if given]
    if model.head.task == "value" and names:
        raise UsageProblem(
            f"{' and '.join(names)} mean nothing for {model.path.name}",
            found="a model that answers a value, and neither classes nor labels",
            fix=f"leave {names[0]} out, and read the values from --jsonl -",
        )


def _kind(reference: Classifier | None) -> str:
    stored = storage_of(reference.pixels.structure) if reference else "float32"
    return "float" if stored == "float32" else stored


def read_settings(source: str, models: Models, options: CameraOptions) -> SessionSettings:
    """What the options mean for this source.

    Raises:
        UsageProblem: a region outside the frame.
        DataError: no such source.
    """
    paced = find_kind(source).paced
    every_frame = paced == "never" or (options.every_frame and paced == "by its rate")
    every_s = read_duration(options.every, "--every") if options.every else None
    if every_s is not None and every_frame:
        raise UsageProblem(
            "--every means nothing where every frame is answered",
            found="--every-frame" if options.every_frame else f"images in {source}",
            expected="a camera, a stream, or a video file at its own pace",
            fix="leave --every out, or --every-frame",
        )
    still = paced == "never" or every_s is not None
    default_smooth_s = 0.0 if still else DEFAULT_SMOOTH_S
    return SessionSettings(
        labels=models.labels,
        model_name=models.model.path.name,
        reference_name=models.reference.path.name if models.reference else None,
        reference_kind=_kind(models.reference),
        pace=Pace(every_frame=every_frame, loop=options.loop),
        region=parse_region(options.roi) if options.roi else Region(),
        fps=1 / every_s if every_s else options.fps,
        every_s=every_s,
        max_temp_c=options.max_temp,
        smooth_s=default_smooth_s if options.smooth is None else options.smooth,
        threshold=options.threshold,
        none=NONE if models.model.head.task == "labels" else unknown_name(models.labels),
        top=options.top,
        compare_every=options.compare_every,
    )


def open_feed_models(source: str, options: CameraOptions) -> tuple[FeedModels, Models]:
    """What answers to the frames of a source, and the same as opened files.

    Raises:
        As ``open_models`` and ``read_settings``.
        ModelError: a file was replaced while it was opened.
    """
    before = file_states(options)
    models = open_models(options)
    opened = [one for one in (models.model, models.reference) if one is not None]
    steps = [step for one in opened if one.card for step in one.card.steps]
    files = tuple(
        HashedFile(one.path, content_hash(one.path), one.path.stat().st_size) for one in opened
    )
    settings = read_settings(source, models, options)
    if file_states(options) != before:
        raise ModelError("a model was replaced while it was opened", fix="start it again")
    return FeedModels(settings, models.model, models.reference, records(steps), files), models


def file_states(options: CameraOptions) -> FileStates:
    """By which it is known that ``--model`` or ``--compare`` were replaced; None for one that is
    not there."""
    return tuple(_state_of(path) for path in (options.model, options.compare) if path is not None)


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
