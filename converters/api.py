"""Converting and comparing from a program of your own; see ``converters``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal

from converters.accuracy.limits import Limits
from converters.config import ConvertConfig
from converters.conversion import Conversion, files_to_write
from converters.float_model.baselines import BASELINES
from converters.float_model.choice import ModelChoice
from converters.frigate.source import at_its_size
from converters.pipeline import convert as run
from converters.quantization.recipes import RECIPES, QuantRecipe
from edge_effnet.errors import UsageProblem
from edge_effnet.files.outputs import claimed
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.metrics import Comparison, compare_predictions
from edge_effnet.model_files import identify
from edge_effnet.runtime.evaluating.plan import plan_evaluation
from edge_effnet.stages import StartStage, no_progress
from edge_effnet.system.cores import available_cores
from edge_effnet.tflite.editor import Interface

_ENDINGS = (".tflite", ".lite", ".keras", ".h5", ".hdf5", ".zip")
Progress = Callable[[str, int, int | None], None]
"""Told the name of a stage, the steps done and the steps in all (None: not known)."""


def convert(
    model: str | PathLike[str],
    *,
    out: str | PathLike[str],
    data: str | PathLike[str] | None = None,
    calibration: str | PathLike[str] | None = None,
    recipes: Sequence[str] = ("int8",),
    max_drop: float | None = None,
    min_agreement: float | None = None,
    max_class_drop: float | None = None,
    fallback: Literal["float16", "weights8"] | None = None,
    allow_float: int = 0,
    full_integer: bool = False,
    teachable: bool = False,
    target: Literal["frigate"] | None = None,
    weights: str = "auto",
    runs: str | PathLike[str] = "runs",
    resolution: int | None = None,
    labels: Sequence[str] | None = None,
    preprocess: str | None = None,
    head: str | None = None,
    threshold: float | None = None,
    interface: Interface = "uint8",
    calibration_images: int = 200,
    evaluation_images: int | None = None,
    qat_steps: int | None = None,
    qat_labels: bool = False,
    seed: int = 0,
    threads: int | None = None,
    strict: bool = False,
    force: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
) -> Conversion:
    """Quantize a float model and compare the ``.tflite`` files with it on the same images.

    Does what ``edge-effnet convert`` does, pruning apart; each argument is the option of that
    name.

    Args:
        model: a variant (``"b0"``, ``"lite0"``, the path of a variant file), a baseline
            (``"mobilenetv3"``), or the path of a ``.keras`` or float ``.tflite``.
        out: folder of the files, made where it is missing.
        data: labelled evaluation images: a folder with one folder for each class, a CSV file, or
            ``"signs"``. Without ``calibration`` some of them calibrate.
        calibration: images that set the ranges; labels are not needed. Without both, images are
            generated.
        recipes: names of the table: ``int8``, ``edgetpu``, ``int16x8``, ``dynamic``, ``weights8``,
            ``float16``.
        max_drop, min_agreement, max_class_drop: limits, in points, percent and points. With one
            of them and the one recipe ``int8`` or ``edgetpu``, strategies are tried in order
            until the file keeps it.
        fallback: with a limit: the recipe to write where no int8 file keeps it, ``float16`` or
            ``weights8``: smaller, but no faster than float.
        allow_float: with a limit: tensors that may be computed in float at last.
        full_integer: keep no operator of the int8 file in float, even where 8 bits are too few
            for the first ones.
        teachable: keep the last layer of the ``edgetpu`` file in float and out of what is
            compiled, so that it can be exchanged later.
        target: ``--for``: ``"frigate"`` writes the folder ``out`` as Frigate reads it, of a float
            model (of a file that was taught, the command does).
        weights: of a variant or baseline: ``auto``, ``imagenet``, ``demo``, ``random`` or a file.
        labels: names of the classes in index order; by default the model's own.
        preprocess: such as ``"mean=127.5,std=127.5"``; by default the model's own.
        threads: cores to use; all by default.
        force: replace files, and write the nearest one where no limit is kept.
        progress: see ``Progress``.

    Returns:
        What was made, the float file first, each with its comparison.

    Raises:
        UsageProblem: arguments that do not go together.
        ModelError, WeightsError, DataError, OutputError, MissingExtra: as the command says.
        LimitMissed: no file keeps the limits, and nothing was written.

    Example:
        >>> conversion = converters.convert("b0", weights="demo", out="models")
        >>> [made.path.name for made in conversion.made]
        ['b0-float32.tflite', 'b0-int8.tflite']
    """
    text, is_file = str(model), _is_model(Path(model))
    baseline = text in BASELINES and not is_file
    choice = ModelChoice(
        variant=None if is_file or baseline else text,
        file=Path(model) if is_file else None,
        baseline=text if baseline else None,
        weights=weights,
        runs=Path(runs),
        resolution=resolution,
        labels=tuple(labels) if labels is not None else None,
        preprocess=preprocess,
        head=HeadChoice(head, threshold),
    )
    config = ConvertConfig(
        out=Path(out),
        recipes=tuple(map(_recipe, recipes)),
        interface=interface,
        data=Path(data) if data is not None else None,
        calibration=Path(calibration) if calibration is not None else None,
        calibration_images=calibration_images,
        evaluation_images=evaluation_images,
        seed=seed,
        workers=threads or available_cores(),
        strict=strict,
        force=force,
        limits=Limits(max_drop, min_agreement, max_class_drop) or None,
        fallback=fallback,
        allow_float=allow_float,
        full_integer=full_integer,
        teachable=teachable,
        target=target,
        qat_steps=qat_steps,
        qat_labels=qat_labels,
        resume=resume,
    )
    if target == "frigate":
        choice = at_its_size(choice)
    files = files_to_write(choice.name, config, choice.file)
    with claimed({"out": files}, {}, overwrite=force):
        conversion = run(choice.open(), config, _stages(progress))
    if not conversion.made and conversion.search and (missed := conversion.search.missed()):
        raise missed
    if conversion.edgetpu and conversion.edgetpu.refused:
        raise conversion.edgetpu.refused
    return conversion


def compare(
    reference: str | PathLike[str],
    candidate: str | PathLike[str],
    data: str | PathLike[str],
    *,
    labels: Sequence[str] | None = None,
    preprocess: str | None = None,
    head: str | None = None,
    threshold: float | None = None,
    threads: int | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Compare two models on the same images, as ``edge-effnet compare`` does.

    Images that a model was trained on are left out where there are others.

    Args:
        reference, candidate: ``.tflite`` files, float and int8, say.
        data: a folder with one folder for each class, a CSV file, or a flat folder of images,
            which gives the agreement alone.
        labels, preprocess, head, threshold: of both models; by default their own.
        threads: cores to use; all by default.
        strict: refuse unreadable images instead of leaving them out.

    Raises:
        ModelError, DataError: a file or the images cannot be used.

    Example:
        >>> comparison = converters.compare("b0-float32.tflite", "b0-int8.tflite", "val.csv")
        >>> comparison.agreement_percent, comparison.paired.drop_points
        (97.6, 0.4)
    """
    plan = plan_evaluation(
        [Path(reference), Path(candidate)],
        Path(data),
        labels=tuple(labels) if labels is not None else None,
        preprocess=preprocess,
        head=HeadChoice(head, threshold),
        flat=True,
        stage=_stages(progress),
    )
    done = _stages(progress)("comparing", len(plan.dataset))
    ours, theirs = plan.predict(
        workers=threads, strict=strict, progress=lambda count, _: done(count)
    )
    found = compare_predictions(ours, theirs)
    return found if plan.evaluation_set.is_evidence else found.without_evidence()


def _recipe(name: str) -> QuantRecipe:
    if name not in RECIPES:
        raise UsageProblem(
            f"there is no recipe {name!r}",
            expected=f"one of {', '.join(RECIPES)}",
            fix='recipes=("int8",)',
        )
    return RECIPES[name]


def _stages(progress: Progress | None) -> StartStage:
    if progress is None:
        return no_progress
    return lambda name, steps: lambda done: progress(name, done, steps)


def _is_model(path: Path) -> bool:
    """Whether this is a model file, rather than the name or the file of a variant."""
    if path.suffix.lower() in _ENDINGS:
        return True
    return path.exists() and "convert" in identify(path).kind.uses
