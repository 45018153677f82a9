"""What ``--teacher`` names, opened: a checkpoint of ours, a run folder, a model file, a variant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.architecture.files import find_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.data.division.trained_on import trained_on
from edge_effnet.data.labels import imagenet_labels, listed
from edge_effnet.errors import DataError, ModelError, UsageProblem, WeightsError
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.network.backend import keras_module
from edge_effnet.network.weights.checkpoint import peek, stored_variant
from edge_effnet.network.weights.resolve import (
    DEFAULT_RUNS,
    IMAGENET_CLASSES,
    ResolvedWeights,
    load,
    resolve_weights,
)
from edge_effnet.plugins import PARTS
from edge_effnet.plugins import load as load_part
from edge_effnet.runs import refuse_changed
from edge_effnet.stages import StartStage, no_progress
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.lists import ImageLists
from edge_effnet.training.initialize import has_accelerator
from edge_effnet.training.run_folder.files import BEST_FILE
from edge_effnet.training.teacher.teacher import Teacher, TeacherScores, columns_of


def find_teacher(
    config: TrainConfig,
    *,
    before: Mapping[str, Any] | None = None,
    workers: int,
    stage: StartStage = no_progress,
) -> Teacher | None:
    """Open the teacher of a run; None of a run without one.

    Args:
        before: of a run that is resumed, ``Teacher.origin`` and the ``path`` of its teacher.

    Raises:
        UsageProblem: there is no such file and no such variant.
        WeightsError, ModelError: it cannot be read, or is quantized.
        DataError: a run folder without weights, or nothing tells how pixels become its input.
    """
    if config.teacher is None:
        return None
    done = stage("opening the teacher", None)
    if before is not None:
        teacher = _again(config, before, workers, stage)
    else:
        teacher = _named(config.teacher, config, workers, stage)
    done(1)
    return teacher


def _named(name: str, config: TrainConfig, workers: int, stage: StartStage) -> Teacher:
    path = Path(name).expanduser()
    if path.is_dir() and (path / "config.json").is_file():
        path = path / BEST_FILE
        if not path.is_file():
            raise DataError(
                f"{name} has no weights to learn from",
                found=f"no {BEST_FILE}",
                fix=f"finish it first: edge-effnet train --resume {name}",
            )
    if path.exists():
        return _of_file(path, config, workers, stage)
    try:
        spec = find_variant(name)
    except UsageProblem as error:
        raise UsageProblem(
            f"there is no teacher {name}",
            found="neither a file nor a variant",
            expected="a checkpoint, a run folder, .keras, a float .tflite, or a variant",
            fix="check the path; edge-effnet variants lists the variants",
        ) from error
    return _of_weights(resolve_weights(spec, "auto", runs=DEFAULT_RUNS))


def _again(
    config: TrainConfig, before: Mapping[str, Any], workers: int, stage: StartStage
) -> Teacher:
    """The teacher that an interrupted run had: of a variant not the newest run of now."""
    kind, path = str(before["kind"]), Path(before["path"])
    if kind in ("imagenet", "demo"):
        return _of_weights(resolve_weights(find_variant(str(config.teacher)), kind))
    if not path.exists():
        raise DataError(
            f"the teacher {path} is gone, from which this run learns",
            found="no such file",
            fix="put it back, or start a new run",
        )
    return _of_file(path, config, workers, stage)


def refuse_other_teacher(folder: Path, teacher: Teacher | None, before: Mapping[str, Any]) -> None:
    """Raise UsageProblem where the teacher of a resumed run has changed on disk."""
    if teacher is None:
        return
    refuse_changed(
        folder,
        {"teacher": before.get("sha256")},
        {"teacher": teacher.origin.get("sha256")},
        said={"teacher": f"the teacher {teacher.name} is another file now"},
        expected="the same teacher",
        fix="put it back, or start a new run",
    )


def _of_file(path: Path, config: TrainConfig, workers: int, stage: StartStage) -> Teacher:
    spec = _own_variant(path)
    if spec is not None:
        return _of_weights(resolve_weights(spec, str(path)))
    found: Teacher = load_part(PARTS["train --teacher"])(
        path, data=None if config.on_signs else Path(config.data), workers=workers, stage=stage
    )
    return found


def _own_variant(path: Path) -> VariantSpec | None:
    """The network of a checkpoint of ours; None of any other file."""
    try:
        metadata = None if path.is_dir() else peek(path).metadata
    except (WeightsError, ModelError):  # no weight file: a model, or what will be refused by name
        return None
    return None if metadata is None else stored_variant(metadata)


def _of_weights(weights: ResolvedWeights) -> Teacher:
    if weights.path is None:
        raise WeightsError("a teacher needs trained weights", fix="give a checkpoint")
    keras, spec = keras_module(), weights.spec
    labels, classes = weights.labels, weights.classes or IMAGENET_CLASSES
    if labels is None and classes == IMAGENET_CLASSES:
        labels = imagenet_labels()
    side = weights.resolution or spec.resolution
    network = load(weights, resolution=side, classes=classes, classifier_activation=None)
    network.trainable = False
    network.compile(jit_compile=has_accelerator() or keras.config.backend() == "jax")
    named = f"{spec.name} at {side} px"
    return Teacher(
        name=f"{weights.path} ({named})",
        path=weights.path,
        labels=labels,
        classes=classes,
        preprocess=Preprocess(side, side),
        answer=lambda ready: np.asarray(network.predict_on_batch(ready), np.float32),
        origin={**weights.origin, "variant": spec.name},
        steps=weights.steps,
        notices=(weights.notice.replace("using ", "teacher: ", 1).split(" (--weights")[0],)
        if weights.notice
        else (),
    )


def scores_of(
    teacher: Teacher | None,
    config: TrainConfig,
    lists: ImageLists,
    say: Callable[[str], None] = lambda _line: None,
) -> TeacherScores | None:
    """The teacher's scores for the classes of a run; None without one.

    Args:
        say: called with what the user should know.

    Raises:
        DataError: it was not trained on these classes.
    """
    if teacher is None:
        return None
    columns = columns_of(teacher, lists.labels, lists.source)
    say(f"learning from {teacher.name}")
    for line in teacher.notices:
        say(line)
    if teacher.labels is None:
        say(f"{teacher.name} names no classes: taken to be in the order {listed(lists.labels)}")
    if config.previous is not None and (warning := _seen_by(teacher, lists)):
        say(warning)
    varied = config.chosen_augment != "none" or config.on_signs
    mixed = config.mixup > 0 or config.cutmix > 0
    return TeacherScores(teacher, columns, repeating=not (varied or mixed))


def _seen_by(teacher: Teacher, lists: ImageLists) -> str | None:
    """What --from cannot change, whose images keep their side: a teacher that learned from images
    that are validated on. Any other run leaves them out of validation."""
    seen = None if lists.val is None else trained_on(lists.val, teacher.steps)
    if seen is None or lists.val is None:
        return None
    return (
        f"the teacher learned from {int(seen.sum())} of the {len(lists.val)} images that are "
        "validated on: its figure, and what is learned from it, look better than they are"
    )
