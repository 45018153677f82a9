"""The conversion from end to end: float model, pictures, recipes, proof, files.

Everything is made in a scratch folder and judged there; files appear under their own names
only at the end, whole and with the measured figures in their cards.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from converters.flatfile import Interface, add_metadata
from converters.gate import Gate
from converters.guard import Climb, climb
from converters.images import SIGNS, Pictures, choose_pictures
from converters.ladder import Rung, Workshop
from converters.quantize import quantize
from converters.ranges import ROLE_METHODS, Ranges, choose_ranges, collect_statistics
from converters.recipes import FLOAT32, RECIPES, QuantRecipe
from converters.source import Source
from edge_effnet import __version__
from edge_effnet.artifact import LABELS_NAME, Card, write_artifact
from edge_effnet.data.listing import Dataset, content_hash
from edge_effnet.errors import DataError, OutputError
from edge_effnet.files import refuse_existing
from edge_effnet.measure.latency import interleaved_latency
from edge_effnet.metrics import Comparison, compare_predictions
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.runtime.evaluation import predict_many
from edge_effnet.tflite_metadata import METADATA_NAME, write_metadata

StartStage = Callable[[str, int | None], Callable[[int], None]]
"""Told the name of a stage and its number of steps (None: unknown); answers with the
function to call with the steps done."""


def no_progress(_name: str, _steps: int | None) -> Callable[[int], None]:
    """A stage that tells nobody."""
    return lambda _count: None


@dataclass(frozen=True)
class Settings:
    """What the user asked for.

    Attributes:
        data, calibration: images that judge and that calibrate, or None.
        calibration_count, evaluation_count: how many of them at most.
        workers: cores to use.
        gate: limits that the int8 file must keep; None writes whatever comes out.
        resume: take over rungs that an earlier run measured.
    """

    out: Path
    recipes: tuple[QuantRecipe, ...]
    interface: Interface = "uint8"
    data: Path | None = None
    calibration: Path | None = None
    calibration_count: int = 200
    evaluation_count: int | None = None
    seed: int = 0
    workers: int = 1
    strict: bool = False
    force: bool = False
    gate: Gate | None = None
    resume: bool = False


@dataclass(frozen=True)
class Made:
    """One written file.

    Attributes:
        comparison: against the float file; None for the float file itself.
        latency_ms: median of one inference on one core, interleaved with the others.
    """

    recipe: str
    path: Path
    size_bytes: int
    latency_ms: float
    comparison: Comparison | None


@dataclass(frozen=True)
class Conversion:
    """What came out: the float file first, then one file for each recipe.

    Attributes:
        made: empty where a limit was missed and so nothing was written.
        climb: the rungs that were tried, where limits were set.
    """

    made: tuple[Made, ...]
    pictures: Pictures
    source: Source
    climb: Climb | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "format": "edge-effnet conversion",
            "version": 1,
            "weights": dict(self.source.weights),
            "calibration": self.pictures.calibration.describe(),
            "evaluation": "generated pictures" if self.pictures.generated else "labelled images",
            "warnings": list(self.pictures.warnings),
            "ladder": self.climb.to_json() if self.climb else None,
            "models": [
                {
                    "recipe": made.recipe,
                    "file": str(made.path),
                    "size_bytes": made.size_bytes,
                    "size_ratio": made.size_bytes / self.made[0].size_bytes,
                    "latency_ms": made.latency_ms,
                    "latency_ratio": made.latency_ms / self.made[0].latency_ms,
                    "comparison": made.comparison.to_json() if made.comparison else None,
                }
                for made in self.made
            ],
        }


def output_paths(name: str, settings: Settings) -> dict[str, Path]:
    """Where each recipe's file goes: ``OUT/NAME-RECIPE.tflite``."""
    recipes = [FLOAT32, *(recipe.name for recipe in settings.recipes)]
    return {recipe: settings.out / f"{name}-{recipe}.tflite" for recipe in recipes}


def refuse_outputs(name: str, settings: Settings, own_file: Path | None) -> None:
    """Refuse before any work what could not be written after it.

    Raises:
        OutputError: a file exists, or the folder cannot be made or written.
    """
    for path in output_paths(name, settings).values():
        if not _same_file(path, own_file):
            refuse_existing(path, overwrite=settings.force)
    with _scratch(settings.out):
        pass


def convert(source: Source, settings: Settings, stage: StartStage = no_progress) -> Conversion:
    """Make, judge and write every file.

    Raises:
        DataError, ModelError: see ``choose_pictures`` and ``quantize``.
        OutputError: something cannot be written; then nothing is.
    """
    with _scratch(settings.out) as scratch:
        done = stage("choosing pictures", None)
        if source.weights.get("kind") == "demo" and not (settings.data or settings.calibration):
            settings = replace(settings, data=SIGNS)  # what the demo weights were trained on
        pictures = choose_pictures(
            source.how,
            data=settings.data,
            calibration=settings.calibration,
            labels=source.labels,
            count=settings.calibration_count,
            evaluation_count=settings.evaluation_count,
            seed=settings.seed,
            strict=settings.strict,
            scratch=scratch,
        )
        done(1)
        labels = _labels(source, pictures)
        outcome = _climb(source, settings, pictures, labels, scratch, stage)
        rung = None
        if outcome is None:
            models = _make_models(source, settings, pictures, stage)
        else:
            if outcome.missed() and not settings.force:
                return Conversion((), pictures, source, outcome)
            rung, pictures = outcome.best.rung, replace(pictures, evaluation=outcome.confirmation)
            models = {
                FLOAT32: _with_metadata(source.model, source, FLOAT32),
                rung.recipe: _with_metadata(outcome.model, source, rung.recipe),
            }
        targets = {name: settings.out / f"{source.name}-{name}.tflite" for name in models}
        for name in models.keys() - output_paths(source.name, settings).keys():
            # The ladder ended on a recipe that nobody named, so nobody looked before.
            refuse_existing(targets[name], overwrite=settings.force)
        files = {name: scratch / targets[name].name for name in models}
        cards = {name: _card(source, settings, pictures, name, labels, rung) for name in models}
        for name, model in models.items():
            write_artifact(files[name], model, cards[name], overwrite=True)
        comparisons = _judge(list(files.values()), pictures.evaluation, settings, stage)
        latencies = _time(list(files.values()), stage)
        made = []
        for (name, model), comparison, latency_ms in zip(
            models.items(), comparisons, latencies, strict=True
        ):
            card = replace(cards[name], measured=_measured(comparison, pictures))
            write_artifact(targets[name], model, card, overwrite=True)
            size_bytes = targets[name].stat().st_size
            made.append(Made(name, targets[name], size_bytes, latency_ms, comparison))
    return Conversion(tuple(made), pictures, source, outcome)


def _climb(
    source: Source,
    settings: Settings,
    pictures: Pictures,
    labels: tuple[str, ...],
    scratch: Path,
    stage: StartStage,
) -> Climb | None:
    """Try the ladder where limits were set."""
    gate, evaluation = settings.gate, pictures.evaluation
    if gate is None:
        return None
    if pictures.generated:
        evaluation = _unlabelled(pictures)
        gate = gate.without_labels()

    def write(rung: Rung, model: bytes) -> Path:
        path = scratch / f"rung-{rung.name}.tflite"
        card = _card(source, settings, pictures, rung.recipe, labels, rung)
        write_artifact(path, _with_metadata(model, source, rung.recipe), card, overwrite=True)
        return path

    reference = scratch / "reference.tflite"
    card = _card(source, settings, pictures, FLOAT32, labels)
    write_artifact(reference, _with_metadata(source.model, source, FLOAT32), card)
    return climb(
        gate,
        evaluation,
        Workshop(
            source.model,
            source.structure,
            pictures.calibration,
            settings.interface,
            settings.workers,
        ),
        reference,
        write,
        cache=settings.out / f"{source.name}-rungs.json",
        resume=settings.resume,
        seed=settings.seed,
        stage=stage,
    )


def _unlabelled(pictures: Pictures) -> Dataset:
    """The calibration photos that do not calibrate: they can judge agreement.

    Raises:
        DataError: there are none.
    """
    if not pictures.spare:
        raise DataError(
            "a limit needs photos that judge it",
            found="generated pictures only"
            if pictures.calibration.images is None
            else "no more photos than those that calibrate",
            expected="photos that do not calibrate",
            fix="add --data DIR|CSV with labelled photos, or more photos to --calibration",
        )
    return Dataset(pictures.spare, (), "the calibration photos left over")


def _make_models(
    source: Source, settings: Settings, pictures: Pictures, stage: StartStage
) -> dict[str, bytes]:
    ranges: Ranges = {}
    if any(recipe.calibrated for recipe in settings.recipes):
        ranges = _measure_ranges(source, settings, pictures, stage)
    models = {FLOAT32: source.model}
    done = stage("quantizing", len(settings.recipes))
    for count, recipe in enumerate(settings.recipes, start=1):
        models[recipe.name] = quantize(source.model, recipe, ranges, settings.interface)
        done(count)
    return {name: _with_metadata(model, source, name) for name, model in models.items()}


def _measure_ranges(
    source: Source, settings: Settings, pictures: Pictures, stage: StartStage
) -> Ranges:
    calibration, count = pictures.calibration, 0
    done = stage("calibrating", len(calibration))

    def step() -> None:
        nonlocal count
        count += 1
        done(count)

    statistics = collect_statistics(
        source.model, source.structure, calibration, workers=settings.workers, progress=step
    )
    return choose_ranges(statistics, source.structure, calibration, source.model)


def _with_metadata(model: bytes, source: Source, recipe: str) -> bytes:
    low = tuple((0 - m) / s for m, s in zip(source.how.mean, source.how.std, strict=False))
    high = tuple((255 - m) / s for m, s in zip(source.how.mean, source.how.std, strict=False))
    content = write_metadata(
        name=f"{source.name} {recipe}",
        description="Image classifier made by edge-effnet; see model_card.json in this file.",
        version=__version__,
        labels_file=LABELS_NAME,
        mean=source.how.mean,
        std=source.how.std,
        input_range=(min(low), max(high)),
    )
    return add_metadata(model, {METADATA_NAME: content})


def _card(
    source: Source,
    settings: Settings,
    pictures: Pictures,
    name: str,
    labels: tuple[str, ...],
    rung: Rung | None = None,
) -> Card:
    steps = list(source.steps)
    recipe = RECIPES.get(name)
    if recipe is not None:
        step: dict[str, Any] = {
            "step": "quantized",
            "recipe": asdict(recipe),
            "by": f"ai-edge-quantizer {metadata.version('ai-edge-quantizer')}",
        }
        if recipe.calibrated:
            step["calibration"] = pictures.calibration.describe()
            step["ranges"] = {
                "methods": dict(ROLE_METHODS) if rung is None else rung.ranges,
                "pinned": "input; logits not clipped",
            }
        if rung is not None:
            step["rung"] = asdict(rung)
        if recipe.full_integer:
            step["interface"] = settings.interface
        steps.append(step)
    return Card(
        name=f"{source.name}-{name}",
        labels=labels,
        preprocess=source.how,
        variant=source.variant,
        weights=source.weights,
        steps=tuple(steps),
        tool={"edge-effnet": __version__},
    )


def _judge(
    files: Sequence[Path], evaluation: Dataset, settings: Settings, stage: StartStage
) -> list[Comparison | None]:
    if len(files) == 1:
        return [None]
    done = stage("comparing", len(evaluation))
    reference, *candidates = predict_many(
        files,
        evaluation,
        workers=settings.workers,
        strict=settings.strict,
        progress=lambda count, _: done(count),
    )
    return [None, *(compare_predictions(reference, candidate) for candidate in candidates)]


def _time(files: Sequence[Path], stage: StartStage) -> list[float]:
    """Median milliseconds of one inference on one core, the files in turn."""
    done = stage("timing", None)
    calls = []
    for file in files:
        classifier = open_classifier(file)
        tensor = classifier.tensor(
            np.full((classifier.how.height, classifier.how.width, 3), 128, np.uint8)
        )
        calls.append(lambda ask=classifier.scores_of_input, given=tensor: ask(given))
    latencies = [latency.median_ms for latency in interleaved_latency(calls, min_seconds=1.5)]
    done(1)
    return latencies


def _measured(comparison: Comparison | None, pictures: Pictures) -> dict[str, Any] | None:
    if comparison is None:
        return None
    full = comparison.to_json()
    kept = (
        "n",
        "agreement",
        "agreement_interval",
        "drop_points",
        "drop_interval_points",
        "mcnemar_p",
    )
    digest = hashlib.sha256()
    for sample in pictures.evaluation.samples:
        digest.update(bytes.fromhex(content_hash(sample.path)))
    return {
        "data": "generated pictures: no evidence of accuracy"
        if pictures.generated
        else Path(pictures.evaluation.source).name,
        "data_sha256": digest.hexdigest(),
        **{key: full[key] for key in kept if key in full},
        **{
            role: {key: full[role][key] for key in ("top1", "top5") if key in full[role]}
            for role in ("reference", "candidate")
        },
    }


def _labels(source: Source, pictures: Pictures) -> tuple[str, ...]:
    """The labels that were given, else the data's own class names, else numbers.

    Raises:
        DataError: nobody named the classes and the data has another number of them.
    """
    if source.labels is not None:
        return source.labels
    if pictures.generated:
        return tuple(map(str, range(source.classes)))
    names = pictures.evaluation.labels
    if len(names) != source.classes:
        raise DataError(
            f"the classes of {pictures.evaluation.source} are not the network's",
            found=f"{len(names)} classes",
            expected=f"{source.classes}, the width of its classifier",
            fix="name the network's classes with --labels FILE, one per line in index order",
        )
    return names


def _same_file(path: Path, other: Path | None) -> bool:
    return other is not None and path.exists() and other.exists() and path.samefile(other)


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A hidden folder beside the results: same disk, so its space is the results' space."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".edge-effnet-", dir=out)
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written",
            found=error.strerror or str(error),
            expected="a folder you may write to",
            fix="choose another with --out",
        ) from error
    with folder as name:
        yield Path(name)
