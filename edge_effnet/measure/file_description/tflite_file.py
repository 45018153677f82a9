"""A ``.tflite`` file, alone or in a zip archive: what it is for and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edge_effnet.artifact import Artifact, read_artifact, split_archive
from edge_effnet.data.label_files import choose_names
from edge_effnet.data.labels import listed
from edge_effnet.errors import EdgeEffnetError, ModelError
from edge_effnet.heads.head import Head, find_head, numbers
from edge_effnet.heads.tasks import open_size, refuse_other_tasks
from edge_effnet.heads.thresholds import ClassThreshold
from edge_effnet.heads.unknown import Unknown
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.measure.file_description.description import (
    FileDescription,
    convert_command,
    image_text,
    packed_facts,
    size_text,
)
from edge_effnet.measure.finding import Finding
from edge_effnet.measure.storage import Storage, integer_layers, storage_of, stored_text
from edge_effnet.model_files import ModelFile
from edge_effnet.plugins import PARTS, load
from edge_effnet.runtime.edgetpu import is_compiled
from edge_effnet.runtime.input_pixels.file_evidence import found_text
from edge_effnet.runtime.input_pixels.known import InputPixels, input_pixels
from edge_effnet.runtime.input_pixels.teachable_machine import is_teachable_machine
from edge_effnet.tflite.channel_order import channels_first, channels_last, ends_channels_last
from edge_effnet.tflite.origin import read_origin
from edge_effnet.tflite.reader import Structure, is_model_file, read_model_bytes

_FLOAT_EXPORT = (
    "in Teachable Machine: Export Model > Tensorflow Lite > Floating point, then "
    "edge-effnet convert --model model_unquant.tflite --int8"
)

_INTEGER = ("int8", "int8-answer", "int8-part", "int16x8")  # convert makes no such file anew


@dataclass(frozen=True)
class _Classifier:
    """What an image classifier expects and answers."""

    head: Head
    pixels: InputPixels


def describe_tflite(found: ModelFile) -> FileDescription:
    """Describe a TFLite file.

    Raises:
        ModelError: it is damaged.
    """
    path = found.path
    artifact = read_artifact(path)
    structure = artifact.structure
    storage = storage_of(structure)
    compiled = is_compiled(structure)
    title = "a TFLite model compiled for the Edge TPU" if compiled else found.kind.title
    size = size_text(path.stat().st_size)
    facts = [
        (
            "file",
            ", ".join(filter(None, (title, None if compiled else stored_text(structure), size))),
        )
    ]
    facts += packed_facts(found)
    if maker := _maker(found, artifact):
        facts.append(("made by", maker))
    if structure.inputs:
        facts.append(("input", _inputs(structure)))
    try:
        classifier = _classifier(path, artifact)
    except EdgeEffnetError as error:
        ends = (structure.tensors[index] for index in structure.outputs)
        answers = "; ".join(f"{list(end.shape)} {end.dtype}" for end in ends)
        facts += [("answer", answers)] if answers else []
        problem = Finding("task", False, error.what, error.fix)
        runs = bool(structure.operators and structure.outputs) and not _unfixed(structure)
        return FileDescription(path, found.kind.code, tuple(facts), (problem,), runs=runs)
    label_fact, label_problem = _labels(path, artifact, classifier.head)
    facts += [("photos", _pixels(classifier.pixels)), _answer(classifier.head), label_fact]
    if artifact.card is not None and artifact.card.thresholds:
        facts.append(("threshold", _thresholds(artifact.card.thresholds)))
    if artifact.card is not None and artifact.card.unknown is not None:
        facts.append(("unknown", _unknown(artifact.card.unknown)))
    command = None if compiled else _command(path, structure, storage, classifier, artifact)
    problems = tuple(
        replace(problem, fix=command or problem.fix) if problem.fix else problem
        for problem in (*_problems(structure, classifier), *label_problem)
    )
    if command and storage not in _INTEGER and (refused := _refusal(structure, path)):
        command, problems = None, (*problems, refused)
    return FileDescription(
        path,
        found.kind.code,
        tuple(facts),
        problems,
        command,
        extra="convert",
        runs=not _unfixed(structure),
    )


def _refusal(structure: Structure, path: Path) -> Finding | None:
    """What ``convert`` would refuse a float file for, asked of the converter itself."""
    try:
        load(PARTS["doctor TFLITE"])(structure, path)
    except ModelError as error:
        what = f"{error.what}: {error.found}" if error.found else error.what
        return Finding("operators", False, what, error.fix)
    return None


def _maker(found: ModelFile, artifact: Artifact) -> str | None:
    card, structure = artifact.card, artifact.structure
    if card is not None:
        done = ", ".join(str(step.get("step")) for step in card.steps)
        return f"edge-effnet {card.tool.get('edge-effnet', '')}".strip() + (done and f": {done}")
    origin = read_origin(split_archive(read_model_bytes(found.path), str(found.path))[0], structure)
    tool = found.maker or ("Teachable Machine" if is_teachable_machine(structure) else None)
    return origin.line(tool)


def _inputs(structure: Structure) -> str:
    """What goes in, in words where it is an image."""
    said = []
    for index in structure.inputs:
        tensor = structure.tensors[index]
        shape = tensor.open_shape or tensor.shape
        if len(shape) == 4 and (shape[3] in (1, 3) or channels_first(shape)):
            order = ", channels first" if channels_first(shape) else ""
            batch = f", {shape[0]} at a time" if shape[0] > 1 else ""
            said.append(f"{image_text(*channels_last(shape)[1:])}, {tensor.dtype}{order}{batch}")
        else:
            said.append(f"{list(shape)} {tensor.dtype}")
    return "; ".join(said)


def _classifier(path: Path, artifact: Artifact) -> _Classifier:
    """Raises EdgeEffnetError where it is no classifier of images."""
    artifact = _turned(artifact)
    structure, card = artifact.structure, artifact.card
    refuse_other_tasks(structure, path.name)
    shape = structure.tensors[structure.inputs[0]].shape
    if len(shape) != 4 or shape[3] not in (1, 3):
        raise ModelError(
            f"{path.name} does not take an image", fix="give a model that classifies images"
        )
    head = find_head(structure, path.name, stated=card.head if card else None)
    return _Classifier(head, input_pixels(path, artifact))


def _turned(artifact: Artifact) -> Artifact:
    """A file with the shape that ``convert`` gives its input."""
    structure = artifact.structure
    tensors = list(structure.tensors)
    for index in structure.inputs:
        one = tensors[index]
        tensors[index] = replace(
            one, shape=channels_last(one.shape), open_shape=channels_last(one.open_shape)
        )
    return replace(artifact, structure=replace(structure, tensors=tuple(tensors)))


def _pixels(pixels: InputPixels) -> str:
    if not pixels.known:
        return "the file does not say how they become the input"
    found = pixels.evidence.found if pixels.evidence else None
    return found_text(found or FoundPreprocess(pixels.settings, "its model card"))


def _answer(head: Head) -> tuple[str, str]:
    what = {"classes": "classes", "labels": "labels, each true or not", "value": "numbers"}
    counted = "a number" if head.classes == 1 else f"{head.classes} {what[head.task]}"
    return "answer", f"{counted} ({head.kind})"


def _labels(
    path: Path, artifact: Artifact, head: Head
) -> tuple[tuple[str, str], tuple[Finding, ...]]:
    names, file = choose_names(None, artifact.labels, path, head)
    if names is not None and tuple(names) != numbers(len(names)):
        shown = listed((name.split(",")[0] for name in names), 6)
        return ("labels", f"{shown} (from {file.source or 'inside the file'})"), ()
    problem = (Finding("labels", False, file.notice),) if file.notice else ()
    return ("labels", "none: the classes are numbers; --labels FILE names them"), problem


def _thresholds(kept: Mapping[str, ClassThreshold]) -> str:
    """From which score on an image is taken for a class, and what that was chosen for."""
    return "; ".join(
        f"{name} from {one.threshold:.6g} on ({one.measure} of {100 * one.share:.4g} %, chosen "
        f"with {one.chosen_with})"
        for name, one in kept.items()
    )


def _unknown(rule: Unknown) -> str:
    """When an image is like none that was taught, and what that was chosen for."""
    if not rule.images:
        return "never: too few photos were taught to choose a threshold"
    return (
        f"a similarity to the photos taught under {rule.threshold:.3f} (chosen to lose "
        f"{100 * rule.lost_share:.4g} % of photos like them, with {rule.images})"
    )


def _unfixed(structure: Structure) -> bool:
    shape = structure.tensors[structure.inputs[0]].shape if structure.inputs else (1,)
    return open_size(structure) or (len(shape) == 4 and shape[0] != 1)


def _problems(structure: Structure, classifier: _Classifier) -> Iterator[Finding]:
    evidence = classifier.pixels.evidence
    for warning in evidence.warnings if evidence else ():
        said, cut, _ = warning.partition("; convert its float export")
        yield Finding("input-range", False, said, _FLOAT_EXPORT if cut else None)
    if channels_first(structure.tensors[structure.inputs[0]].shape):
        what = "its images come with the channels first, which classify and camera do not take"
        again = "export it with channels last: litert_torch.to_channel_last_io, or onnx2tf"
        yield Finding("channels-first", False, what, again)
    if open_size(structure):
        yield Finding("open-size", False, "it leaves the size of its images open")
    elif _unfixed(structure):
        count = structure.tensors[structure.inputs[0]].shape[0]
        yield Finding("batch", False, f"it takes {count} images at once, and none alone")


def _float_sibling(path: Path) -> Path | None:
    """The float file that a quantized one lies beside, by the names of Teachable Machine and of
    ``convert``."""
    stem = path.stem
    names = ["model_unquant.tflite"] if stem == "model" else []
    names += [f"{stem.rpartition('-')[0]}-float32.tflite"] if "-" in stem else []
    found = (path.with_name(name) for name in names)
    return next((one for one in found if one != path and is_model_file(one)), None)


def _command(
    path: Path,
    structure: Structure,
    storage: Storage,
    classifier: _Classifier,
    artifact: Artifact,
) -> str | None:
    """The command that makes it faster or right; None where nothing has to be done."""
    sibling = _float_sibling(path)
    if storage in _INTEGER:
        evidence = classifier.pixels.evidence
        integer, layers = integer_layers(structure)  # of int16, none
        if 2 * integer >= layers and not (evidence is not None and evidence.warnings):
            return None
        return convert_command(sibling, "--calibration PHOTOS") if sibling else None
    if artifact.card is not None and storage != "float32" and sibling is not None:
        return convert_command(sibling, "--calibration PHOTOS")
    if not ends_channels_last(structure):
        return None
    options = ["--resolution 224"] if open_size(structure) else []
    told = classifier.pixels.known
    options.append("--calibration PHOTOS" if told else "--data PHOTOS")
    return convert_command(path, *options)
