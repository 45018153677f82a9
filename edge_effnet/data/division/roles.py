"""The images of a training run, by what they are for: to learn from and to evaluate on.

``split.divide`` is the algorithm; here it is applied to training, and in
``converters.calibration.images`` to conversion.

A folder that holds ``train`` and ``val`` is divided already; of anything else a share of each
class is held out. No image stands on both sides, nor a near-duplicate of it, and those that a
network was trained on are evaluated on only where there are too few others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import divide, leakage
from edge_effnet.data.division.trained_on import EvaluationSet, Steps, leave_out_trained, trained_on
from edge_effnet.data.folders import both_parts
from edge_effnet.errors import DataError
from edge_effnet.plurals import counted, plural
from edge_effnet.stages import Advance


def source_paths(data: str, val: str | None) -> tuple[Path, Path | None]:
    """(to learn from, to evaluate on): as told, or the parts of a data set in one folder."""
    source = Path(data).expanduser()
    if val is not None:
        return source, Path(val).expanduser()
    return both_parts(source) or (source, None)


@dataclass(frozen=True)
class Roles:
    """A data set divided by what its images are for.

    Attributes:
        notices: what the user should know.
    """

    training: Dataset
    evaluation: Dataset
    notices: tuple[str, ...] = ()


def assign_roles(
    dataset: Dataset,
    validation: Dataset | None,
    *,
    share: float,
    seed: int,
    steps: Steps = (),
    fewest: int = 1,
    advance: Advance | None = None,
) -> Roles:
    """Decide which images are learned from and which are evaluated on.

    Args:
        validation: images to evaluate on; None holds ``share`` of each class out.
        steps: of the network: images it was trained on are not evaluated on, unless fewer than
            ``fewest`` others are left.

    Raises:
        DataError: the same images on both sides.
    """
    if validation is None:
        known = leave_out_trained(dataset, steps)
        barred = trained_on(dataset, steps) if _enough(known, fewest) else None
        division = divide(dataset, share, seed, barred=barred, advance=advance)
        notices = (*_trained_line(known, dataset, fewest), *division.notices)
        return Roles(division.rest, division.evaluation, notices)
    kept, notices = _without_shared(validation, dataset)
    known = leave_out_trained(kept, steps)
    notices += _trained_line(known, validation, fewest)
    evaluation = known.dataset if _enough(known, fewest) else kept
    first, *more = evaluation.lines()
    return Roles(dataset, evaluation, (f"validated on {first}", *more, *notices))


def _without_shared(validation: Dataset, dataset: Dataset) -> tuple[Dataset, tuple[str, ...]]:
    refuse_same_source(dataset, validation)
    pairs = leakage(dataset, validation)
    if not pairs:
        return validation, ()
    shared, count = {path for _, path in pairs}, len(validation)
    if len(shared) == count:
        found = f"all {counted(count, 'image')} of {validation.source}"
        raise _same_images(f"{found} in {dataset.source} too")
    one, other = pairs[0]
    line = (
        f"{len(shared)} of {counted(count, 'validation image')} "
        f"{plural(len(shared), 'stands', 'stand')} "
        f"in the training data too and {plural(len(shared), 'was', 'were')} left out of validation "
        f"(first: {other} = {one})"
    )
    kept = tuple(sample for sample in validation.samples if sample.path not in shared)
    return replace(validation, samples=kept), (line,)


def refuse_same_source(dataset: Dataset, validation: Dataset) -> None:
    """Raise DataError where both are read from one place."""
    if Path(validation.source).samefile(dataset.source):
        raise _same_images(validation.source)


def _same_images(found: str) -> DataError:
    return DataError(
        "--data and --val are the same images, so validation would prove nothing",
        found=found,
        fix="give other images, or leave --val out: a share of --data is then held out",
    )


def _enough(known: EvaluationSet, fewest: int) -> bool:
    return known.is_evidence and len(known.dataset) >= fewest


def _trained_line(known: EvaluationSet, source: Dataset, fewest: int) -> tuple[str, ...]:
    if not known.trained:
        return ()
    line = (
        f"the network was trained on {known.trained} of {counted(known.images, 'image')} of "
        f"{source.source} (or on near-duplicates)"
    )
    if _enough(known, fewest):
        return (f"{line}: validation leaves them out",)
    return (f"no evidence: {line}, and too few others are left: give some with --val",)
