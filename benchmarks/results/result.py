"""A benchmark's result: versioned JSON with raw samples, environment and verdicts.

Every table, ratio and plot is drawn from this and nothing else, so that what was measured on
another machine, or last year, is read the same way. The schema is ``assets/result.schema.json``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks.results.schema import first_fault, load_schema
from edge_effnet.errors import DataError
from edge_effnet.measure.delegate import Delegation
from edge_effnet.measure.environment import Environment
from edge_effnet.measure.probe import Probe
from edge_effnet.measure.statistics import Ratio, Spread, spread
from edge_effnet.measure.validity import Validity

FORMAT = "edge-effnet/benchmark"
VERSION = 1
SCHEMA = "result.schema.json"
_DECIMALS = 5  # of a millisecond: 10 ns, finer than the clock


def rounded(samples_ms: Iterable[float]) -> tuple[float, ...]:
    """Samples as they are kept: without digits that mean nothing and double a file's size."""
    return tuple(round(value, _DECIMALS) for value in samples_ms)


@dataclass(frozen=True)
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
    size_bytes: int
    threads: int
    delegate: bool
    fresh: Probe | None
    warmup_rounds: int
    samples_ms: tuple[float, ...]
    decode_ms: tuple[float, ...]
    preprocess_ms: tuple[float, ...]
    postprocess_ms: tuple[float, ...]
    delegation: Delegation | None
    operator_ms: tuple[tuple[str, int, float], ...] | None
    notice: str | None
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
            **asdict(self),
            "spread": self.spread.to_json(),
            "verdict": self.verdict.to_json(),
        }

    @staticmethod
    def from_json(raw: Mapping[str, Any]) -> Case:
        left, operators = raw.get("delegation"), raw.get("operator_ms")
        return Case(
            name=raw["name"],
            file=raw["file"],
            sha256=raw["sha256"],
            size_bytes=raw["size_bytes"],
            threads=raw["threads"],
            delegate=raw["delegate"],
            fresh=Probe(**raw["fresh"]) if raw.get("fresh") else None,
            warmup_rounds=raw.get("warmup_rounds", 0),
            samples_ms=tuple(raw["samples_ms"]),
            decode_ms=tuple(raw.get("decode_ms", ())),
            preprocess_ms=tuple(raw.get("preprocess_ms", ())),
            postprocess_ms=tuple(raw.get("postprocess_ms", ())),
            delegation=Delegation(**{**left, "left": tuple(map(tuple, left["left"]))})
            if left
            else None,
            operator_ms=None if operators is None else tuple(map(tuple, operators)),
            notice=raw.get("notice"),
            verdict=Validity.from_json(raw["verdict"]),
        )


@dataclass(frozen=True)
class CaseRatio:
    """Median of case ``case`` over the median of case ``base``, both indices."""

    case: int
    base: int
    ratio: Ratio


@dataclass(frozen=True)
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
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    timeline: tuple[Mapping[str, Any], ...]
    verdict: Validity
    cases: tuple[Case, ...]
    ratios: tuple[CaseRatio, ...]
    accuracy: Mapping[str, Any] | None = None

    @property
    def valid(self) -> bool:
        return self.verdict.valid and all(case.verdict.valid for case in self.cases)

    @property
    def timed(self) -> bool:
        """Whether its times and memory are a device's: an emulated CPU has answers, no speed."""
        return not self.environment.emulated

    def with_accuracy(self, accuracy: Mapping[str, Any] | None) -> Result:
        return replace(self, accuracy=accuracy)

    def accuracy_of(self, case: Case) -> Mapping[str, Any] | None:
        """The accuracy entry of a case's model."""
        models = (self.accuracy or {}).get("models", ())
        return next((entry for entry in models if entry["sha256"] == case.sha256), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "made": self.made,
            "tool": self.tool,
            "device": self.device,
            "settings": dict(self.settings),
            "environment": self.environment.to_json(),
            "before": dict(self.before),
            "after": dict(self.after),
            "timeline": [dict(entry) for entry in self.timeline],
            "verdict": self.verdict.to_json(),
            "cases": [case.to_json() for case in self.cases],
            "ratios": [
                {"case": entry.case, "base": entry.base, **asdict(entry.ratio)}
                for entry in self.ratios
            ],
            "accuracy": None if self.accuracy is None else dict(self.accuracy),
        }


def parse_result(raw: Any, name: str) -> Result:
    """Read one result from JSON; ``name`` is used in errors.

    Raises:
        DataError: not a result, of a newer version, or against the schema.
    """
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else type(raw).__name__
        raise DataError(
            f"{name} is not a benchmark result",
            found=repr(found),
            expected=f"a document of the format {FORMAT!r}",
            fix="make one: edge-effnet bench MODEL --json FILE",
        )
    if isinstance(raw.get("version"), int) and raw["version"] > VERSION:
        raise DataError(
            f"{name} was made by a newer edge-effnet",
            found=f"result version {raw['version']}",
            expected=f"at most {VERSION}",
            fix="pip install --upgrade edge-effnet",
        )
    fault = first_fault(raw, load_schema(SCHEMA))
    if fault is None:
        places = [entry[key] for entry in raw["ratios"] for key in ("case", "base")]
        if any(place >= len(raw["cases"]) for place in places):
            fault = "a ratio names a case that is not there"
    if fault is not None:
        raise DataError(f"{name} is damaged", found=fault, fix="measure again")
    return Result(
        **{name: raw[name] for name in ("made", "tool", "device", "settings", "before", "after")},
        environment=Environment.from_json(raw["environment"]),
        timeline=tuple(raw.get("timeline", ())),
        verdict=Validity.from_json(raw["verdict"]),
        cases=tuple(Case.from_json(case) for case in raw["cases"]),
        ratios=tuple(
            CaseRatio(
                entry["case"], entry["base"], Ratio(entry["value"], entry["low"], entry["high"])
            )
            for entry in raw["ratios"]
        ),
        accuracy=raw.get("accuracy"),
    )
