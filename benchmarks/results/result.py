"""A benchmark's result: versioned JSON with raw samples, environment and validity.

Every table, ratio and plot is drawn from this and nothing else, so that what was measured on
another machine, or last year, is read the same way. The classes are the schema: fields with a
default may be missing in a file.
"""

# Annotations are not postponed here: of those, cattrs would not see what ``Annotated`` says.

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, NotRequired, TypedDict

from edge_effnet.documents import AtLeast, Fits, Malformed, structure, unstructure
from edge_effnet.errors import DataError
from edge_effnet.measure.delegation import Delegation
from edge_effnet.measure.environment import Environment
from edge_effnet.measure.probe import Probe
from edge_effnet.measure.statistics import Ratio, Spread, spread
from edge_effnet.measure.validity import Validity

FORMAT = "edge-effnet/benchmark"
VERSION = 1
_DECIMALS = 5  # of a millisecond: 10 ns, finer than the clock

Milliseconds = Annotated[float, AtLeast(0)]
Count = Annotated[int, AtLeast(0)]


def rounded(samples_ms: Iterable[float]) -> tuple[float, ...]:
    """Samples as they are kept: without digits that mean nothing and double a file's size."""
    return tuple(round(value, _DECIMALS) for value in samples_ms)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One model with one setting.

    Attributes:
        name: for people; unlike any other model's of the same result.
        fresh: load, first inference and memory in a process of its own; None where no such
            process could be had.
        samples_ms: steady state, in the order taken.
        decode_ms, preprocess_ms, postprocess_ms: samples; empty for what is no classifier.
        delegation: None where the runtime does not tell.
        operator_ms: (type, count, milliseconds) by a native tool; None without one.
        notice: how it runs, where that needs saying.
    """

    name: str
    file: str
    sha256: str
    size_bytes: Count
    threads: Annotated[int, AtLeast(1)]
    delegate: bool
    fresh: Probe | None = None
    warmup_rounds: Count = 0
    samples_ms: Annotated[tuple[Milliseconds, ...], AtLeast(1)]
    decode_ms: tuple[Milliseconds, ...] = ()
    preprocess_ms: tuple[Milliseconds, ...] = ()
    postprocess_ms: tuple[Milliseconds, ...] = ()
    delegation: Delegation | None = None
    operator_ms: tuple[tuple[str, int, float], ...] | None = None
    notice: str | None = None
    verdict: Validity

    @property
    def setting(self) -> str:
        """``2 threads, no delegate``; empty for the usual one."""
        parts = [f"{self.threads} threads"] if self.threads > 1 else []
        return ", ".join(parts + ([] if self.delegate else ["no delegate"]))

    @property
    def title(self) -> str:
        return f"{self.name} ({self.setting})" if self.setting else self.name

    @property
    def spread(self) -> Spread:
        return spread(self.samples_ms)

    def to_json(self) -> dict[str, Any]:
        return {
            **unstructure(self),
            "spread": unstructure(self.spread),
            "verdict": self.verdict.to_json(),
        }


@dataclass(frozen=True)
class CaseRatio(Ratio):
    """Median of case ``case`` over the median of case ``base``, both indices."""

    case: Count
    base: Count


class StateFigures(TypedDict):
    """What is read of the machine's state; it holds more (``SystemState``)."""

    governors: list[str]
    frequency_mhz: float | None
    temperature_c: float | None
    throttled: int | None


class StatePoint(TypedDict):
    """The state a number of seconds after the beginning."""

    seconds: float
    temperature_c: NotRequired[float | None]
    frequency_mhz: NotRequired[float | None]


class AccuracyFigures(TypedDict):
    """What every ``accuracy`` holds; see ``benchmarks.accuracy``."""

    source: str
    images: int
    reference: int
    models: list[dict[str, Any]]
    comparisons: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measurement of several cases on one machine.

    Attributes:
        made: ISO 8601 time, UTC.
        before, after: the machine's state around the timed part.
        timeline: state while ``--sustained`` ran: seconds, temperature, clock.
        verdict: of the machine; each case has one of its own besides.
        accuracy: see ``benchmarks.accuracy``; None without ``--data``.
    """

    made: str
    tool: str
    device: str
    settings: Mapping[str, Any]
    environment: Environment
    before: Annotated[Mapping[str, Any], Fits(StateFigures)]
    after: Annotated[Mapping[str, Any], Fits(StateFigures)]
    timeline: tuple[Annotated[Mapping[str, Any], Fits(StatePoint)], ...] = ()
    verdict: Validity
    cases: Annotated[tuple[Case, ...], AtLeast(1)]
    ratios: tuple[CaseRatio, ...]
    accuracy: Annotated[Mapping[str, Any], Fits(AccuracyFigures)] | None = None

    @property
    def valid(self) -> bool:
        return self.verdict.valid and all(case.verdict.valid for case in self.cases)

    @property
    def timed(self) -> bool:
        """Whether its times and memory are a device's: an emulated CPU has answers, no speed."""
        return not self.environment.emulated

    def with_accuracy(self, accuracy: Mapping[str, Any] | None) -> "Result":
        return replace(self, accuracy=accuracy)

    def accuracy_of(self, case: Case) -> Mapping[str, Any] | None:
        """The accuracy entry of a case's model."""
        models = (self.accuracy or {}).get("models", ())
        return next((entry for entry in models if entry["sha256"] == case.sha256), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            **unstructure(self),
            "verdict": self.verdict.to_json(),
            "cases": [case.to_json() for case in self.cases],
        }


def parse_result(raw: Any, name: str) -> Result:
    """Read one result from JSON; ``name`` is used in errors.

    Raises:
        DataError: not a result, of a newer version, or damaged.
    """
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else type(raw).__name__
        raise DataError(
            f"{name} is not a benchmark result",
            found=repr(found),
            expected=f"a document of the format {FORMAT!r}",
            fix="make one: edge-effnet bench MODEL --json FILE",
        )
    refuse_newer(raw, name, VERSION)
    try:
        result = structure(raw, Result)
        indices = [index for entry in result.ratios for index in (entry.case, entry.base)]
        if any(index >= len(result.cases) for index in indices):
            raise Malformed("ratios: one names a case that is not there")
    except Malformed as error:
        raise DataError(f"{name} is damaged", found=str(error), fix="measure again") from error
    return result


def refuse_newer(raw: Mapping[str, Any], name: str, newest: int) -> None:
    """Refuse a document of a version that this tool does not know.

    Raises:
        DataError: it is newer.
    """
    version = raw.get("version")
    if isinstance(version, int) and version > newest:
        raise DataError(
            f"{name} was made by a newer edge-effnet",
            found=f"version {version}",
            expected=f"at most {newest}",
            fix="pip install --upgrade edge-effnet",
        )
