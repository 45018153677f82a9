"""A run that goes on from another one with more images: ``train --from RUN``.

It begins with that run's network, and with its classes in their order; new classes follow. Images
keep their side (see ``data.division.kept_sides``). Both networks are asked about the same
validation images: the one before in the beginning, the one of now after each epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.architecture.files import find_variant
from edge_effnet.data.division.trained_on import MOST, records
from edge_effnet.data.pipeline import answers_of
from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.files.write import write_json_file
from edge_effnet.metrics.two_models.previous import Against, compare_with_before
from edge_effnet.network.weights.resolve import ResolvedWeights
from edge_effnet.stages import Advance
from edge_effnet.training.cluster.group import ALONE, Group
from edge_effnet.training.config import (
    CONFIG_FILE,
    EPOCHS_AFTER_RANDOM,
    TrainConfig,
    default_learning_rate,
)
from edge_effnet.training.data.lists import TrainingImages
from edge_effnet.training.initialize import find_weights
from edge_effnet.training.run_folder.files import BEST_FILE, COMPARED_FILE, TrainingRun

if TYPE_CHECKING:
    import keras

COMPARED_FORMAT, COMPARED_VERSION = "edge-effnet/compared", 1
# What the run before was told of these was for its own beginning.
_ANEW = (
    "weights",
    "epochs",
    "learning_rate",
    "warmup_epochs",
    "learn_head",
    "batch_norm",
    "progressive",
    "teacher",
    "temperature",
    "teacher_share",
    "unlabelled",
)


def follow_up_config(given: Mapping[str, Any]) -> TrainConfig:
    """The config of a run that goes on from ``given["previous"]``: that run's, but for how a run
    begins.

    Args:
        given: fields that the user named.

    Raises:
        DataError: that is no training run, or it has no weights to go on from.
        WeightsError: its checkpoint cannot be read.
        UsageProblem: another network is asked for, or values that do not go together.
    """
    folder = Path(given["previous"]).expanduser()
    old = _config_of(folder)
    if given.get("variant", old.variant) != old.variant:
        raise UsageProblem(
            "--from goes on with the network of its run",
            found=f"--variant {given['variant']}, while {folder} is of {old.variant}",
            fix="leave --variant out, or --from",
        )
    # As they were: what suited drawn signs suits photos of them.
    same = {"augment": old.chosen_augment, "flip": old.flips}
    defaults = TrainConfig(old.data)
    anew = {name: getattr(defaults, name) for name in _ANEW}
    config = replace(old, **anew | same | dict(given))
    return _after_random(config, given) if _began_with_random_weights(folder, old) else config


def _after_random(config: TrainConfig, given: Mapping[str, Any]) -> TrainConfig:
    """What was never trained on other images has features for its own classes alone: it must learn
    them as in the beginning.

    At a fine-tuning rate a narrow network with three new signs beside five stayed at 83 %, at this
    rate it came to 95.6 % (docs/research/tried.md).
    """
    rate = default_learning_rate(config.optimizer, config.chosen_batch_size, from_scratch=True)
    how: dict[str, Any] = {
        "epochs": EPOCHS_AFTER_RANDOM,
        "learning_rate": rate,
        "batch_norm": "train",
    }
    return replace(config, **{name: value for name, value in how.items() if name not in given})


def _began_with_random_weights(folder: Path, old: TrainConfig) -> bool:
    """Whether the first of the runs that followed each other did. Those before the last one may be
    gone: the checkpoint keeps the configs of all."""
    if old.previous is None:
        return old.from_scratch
    for step in reversed(_weights_of(folder, old).steps):
        config = step.get("config")
        if not isinstance(config, Mapping) or config.get("previous") is None:
            return isinstance(config, Mapping) and config.get("weights") == "random"
    return False


def _config_of(folder: Path) -> TrainConfig:
    if not (folder / CONFIG_FILE.name).is_file():
        found = f"no {CONFIG_FILE.name} in it" if folder.is_dir() else "nothing there"
        raise DataError(
            f"{folder} is not the folder of a training run",
            found="a file" if folder.is_file() else found,
            expected=f"{CONFIG_FILE.name} and {BEST_FILE}, as edge-effnet train writes them",
            fix="give such a folder, for example --from runs/b0-photos",
        )
    return CONFIG_FILE.read(folder)


def _weights_of(folder: Path, old: TrainConfig) -> ResolvedWeights:
    path = folder / BEST_FILE
    if not path.is_file():
        raise DataError(
            f"{folder} has no weights to go on from",
            found=f"no {BEST_FILE}: it was stopped before its first epoch was done",
            fix=f"finish it first: edge-effnet train --resume {folder}",
        )
    return find_weights(find_variant(old.variant), str(path))


def weights_before(config: TrainConfig) -> ResolvedWeights:
    """The best weights of the run that a config goes on from.

    Raises:
        DataError: it has none, or does not say its classes or which images it used.
        UsageProblem: another resolution is asked for.
        WeightsError: its checkpoint cannot be read.
    """
    folder = Path(config.previous or "").expanduser()
    old, path = _config_of(folder), folder / BEST_FILE
    weights = _weights_of(folder, config)
    if config.chosen_resolution not in (None, weights.resolution):
        asked, fix = f"--resolution {config.resolution}", "leave --resolution out"
        if config.sizes:
            asked, fix = f"--progressive {config.progressive}", f"end it with {weights.resolution}"
        raise UsageProblem(
            "--from goes on at the resolution of its run",
            found=f"{asked}, while {folder} has {weights.resolution}",
            fix=fix,
        )
    known = records(weights.steps)
    own = records(weights.steps[-1:])
    if weights.labels is None or not (own or old.on_signs):
        what = "its classes" if weights.labels is None else "which images it used"
        raise _unknown(folder, f"{path.name} does not say {what}", path)
    if not all(one.complete for one in known):
        found = f"{path.name} keeps {MOST:,} images a side at most, and it used more"
        raise _unknown(folder, found, path)
    return weights


def _unknown(folder: Path, found: str, path: Path) -> DataError:
    return DataError(
        f"{folder} cannot be gone on from: which images must stay held out is not known",
        found=found,
        expected="the classes and a record of every image",
        fix=f"start a new run that divides all images anew: edge-effnet train --weights {path}",
    )


def wrong_before(
    model: keras.Model,
    run: TrainingRun,
    images: TrainingImages,
    *,
    workers: int,
    advance: Advance,
    group: Group = ALONE,
) -> list[int]:
    """The validation images, by their index, that the network before answers wrong.

    Args:
        model: as the run begins: the network before, its classes first among the logits.
        group: of workers with the same model, each of which asks it about its share.
    """
    classes = len(run.known_labels or ())
    answers, truth = answers_of(
        lambda batch: np.asarray(model.predict_on_batch(batch.astype(np.float32)))[:, :classes],
        group.subset(images.val),
        side=run.side,
        workers=workers,
        advance=advance,
    )
    wrong = group.gather(answers.argmax(axis=1) != truth, len(images.val))
    return np.flatnonzero(wrong).tolist()


def compare_runs(
    run: TrainingRun, images: TrainingImages, wrong: list[int], right: NDArray[np.bool_]
) -> Against:
    """The network before against the one of now, kept in the run folder.

    Args:
        wrong: see ``wrong_before``.
        right: whether each validation image is right now, (images,).

    Raises:
        OutputError: the folder cannot be written.
    """
    was = np.ones(len(right), np.bool_)
    was[wrong] = False
    labels = run.lists.labels
    against = compare_with_before(
        str(run.config.previous),
        [labels[label] for label in images.val.labels],
        was,
        right,
        before=run.known_labels or (),
        after=labels,
        epoch_chosen_on_these_images=run.config.chosen_epochs > 0,
    )
    document = {"format": COMPARED_FORMAT, "version": COMPARED_VERSION, **against.to_json("run")}
    write_json_file(run.folder / COMPARED_FILE, document)
    return against
