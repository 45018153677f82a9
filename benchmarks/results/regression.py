"""Two results of the same device: has anything become slower?

A case has regressed when its median grew by more than the limit *and* the interval of the
ratio lies above 1, so that noise alone does not stop a merge. Growth over the limit that the
samples do not prove is reported as unclear and stops nothing: measure longer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from benchmarks.results.result import Case, Result
from edge_effnet.errors import DataError
from edge_effnet.measure.statistics import Ratio, independent_ratio

Kind = Literal["regressed", "unclear", "same", "faster", "missing", "new"]


@dataclass(frozen=True)
class RegressionRow:
    """One case in both results; a side is None where the case is not there.

    Attributes:
        ratio: new median over old.
        changed: what else differs, in words (another file content, another runtime).
    """

    title: str
    kind: Kind
    old_ms: float | None
    new_ms: float | None
    ratio: Ratio | None
    changed: str | None


@dataclass(frozen=True)
class Regression:
    """The outcome; ``device_differences`` is empty where the devices are the same."""

    limit: float
    rows: tuple[RegressionRow, ...]
    device_differences: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def regressed(self) -> tuple[RegressionRow, ...]:
        return tuple(row for row in self.rows if row.kind == "regressed")

    def to_json(self) -> dict[str, Any]:
        return {
            "format": "edge-effnet/regression",
            "version": 1,
            "regressed": [row.title for row in self.regressed],
            **asdict(self),
        }


def regress(
    old: Result, new: Result, *, limit: float, other_device: bool = False, seed: int = 0
) -> Regression:
    """Compare medians case by case: same file name, threads and delegate.

    Args:
        limit: the growth of a median that is allowed, 0.05 for 5 %.
        other_device: compare although the devices differ.

    Raises:
        DataError: the devices differ, or no case is in both.
    """
    differences = device_differences(old, new)
    if differences and not other_device:
        raise DataError(
            "the two results are of different devices",
            found="; ".join(differences),
            expected="the same board, CPU and cores",
            fix="measure both on one device, or add --other-device to compare all the same",
        )
    theirs = {_key(case): case for case in old.cases}
    ours = {_key(case): case for case in new.cases}
    if not theirs.keys() & ours.keys():
        raise DataError(
            "the two results have no model in common",
            found=f"{', '.join(c.title for c in old.cases[:3])} and "
            f"{', '.join(c.title for c in new.cases[:3])}",
            expected="the same file names, threads and delegate",
            fix="measure the same models",
        )
    rows = [_row(theirs.get(key), ours.get(key), limit, seed) for key in {**theirs, **ours}]
    return Regression(limit, tuple(rows), tuple(differences), tuple(_warnings(old, new)))


def device_differences(old: Result, new: Result) -> list[str]:
    """What differs between the machines, in words; the runtime is allowed to."""
    before, after = old.environment.identity(), new.environment.identity()
    lines = [
        f"{name} {_words(before[name])} became {_words(after[name])}"
        for name in before
        if before[name] != after[name]
    ]
    return (
        [f"device {old.device} became {new.device}", *lines] if old.device != new.device else lines
    )


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _key(case: Case) -> tuple[str, int, bool]:
    return case.name, case.threads, case.delegate


def _row(old: Case | None, new: Case | None, limit: float, seed: int) -> RegressionRow:
    if old is None or new is None:
        only = old or new
        assert only is not None  # noqa: S101 (keys come from one of the two)
        median = only.spread.p50_ms
        if new is None:
            return RegressionRow(only.title, "missing", median, None, None, None)
        return RegressionRow(only.title, "new", None, median, None, None)
    ratio = independent_ratio(new.samples_ms, old.samples_ms, seed=seed)
    changed = None if old.sha256 == new.sha256 else "another file content"
    return RegressionRow(
        new.title, _kind(ratio, limit), old.spread.p50_ms, new.spread.p50_ms, ratio, changed
    )


def _kind(ratio: Ratio, limit: float) -> Kind:
    if ratio.value > 1 + limit:
        return "regressed" if ratio.low > 1 else "unclear"
    if ratio.value < 1 / (1 + limit) and ratio.high < 1:
        return "faster"
    return "same"


def _warnings(old: Result, new: Result) -> list[str]:
    lines = [
        f"the {age} result is not valid: {remark.what}"
        for age, result in (("old", old), ("new", new))
        for remark in _problems(result)[:3]
    ]
    if old.environment.runtime != new.environment.runtime:
        lines.append(
            f"the runtime went from {old.environment.runtime} to {new.environment.runtime}"
        )
    return lines


def _problems(result: Result) -> list[Any]:
    found = [*result.verdict.problems]
    for case in result.cases:
        found += case.verdict.problems
    return found
