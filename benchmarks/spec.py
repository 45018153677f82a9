"""What a user wants measured: the one value that every device's way of measuring takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.documents import unstructure
from edge_effnet.errors import UsageProblem
from edge_effnet.heads.kinds import HeadChoice

MIN_ROUNDS = 10


@dataclass(frozen=True)
class BenchSpec:
    """One measurement.

    Attributes:
        models: files, the first or the first float one being what others are compared with.
        threads: every model is measured with each of these numbers.
        seconds: of timed inferences for each model and setting; more for slow models, so that
            there are at least ``MIN_ROUNDS``.
        without_delegate: also measure without the XNNPACK delegate.
        data: labelled images for accuracy, or None.
        images: how many of them at most, None for all.
        head, threshold: what the answers mean, where the models do not tell; see ``HeadChoice``.
        sustained_minutes: measure for so long, to see heat; None for the time budget.
        native_tool: path of TFLite's ``benchmark_model``, for the time of each operator type.
        seed: of inputs and intervals.
        wheels: a folder of them, for a device that builds its own environment offline.
    """

    models: tuple[Path, ...]
    threads: tuple[int, ...] = (1,)
    seconds: float = 5.0
    without_delegate: bool = False
    data: Path | None = None
    images: int | None = None
    labels: Path | None = None
    preprocess: str | None = None
    head: str | None = None
    threshold: float | None = None
    sustained_minutes: float | None = None
    native_tool: Path | None = None
    seed: int = 0
    wheels: Path | None = None

    def __post_init__(self) -> None:
        names = [str(path.resolve()) for path in self.models]
        if len(set(names)) < len(names):
            raise UsageProblem("a model is named twice", fix="name each model once")
        if len(set(self.threads)) < len(self.threads) or not self.threads:
            raise UsageProblem(
                "--threads names a number twice, or none",
                found=",".join(map(str, self.threads)),
                fix="for example --threads 1,2,4",
            )

    @property
    def head_choice(self) -> HeadChoice:
        return HeadChoice(self.head, self.threshold)

    @property
    def settings(self) -> tuple[tuple[int, bool], ...]:
        """(threads, delegate) pairs each model is measured with."""
        modes = (True, False) if self.without_delegate else (True,)
        return tuple((count, mode) for mode in modes for count in self.threads)

    @property
    def names(self) -> tuple[str, ...]:
        """For people: each model's file name without suffix, with as many folders before it as
        tell it from the others (``run7/best`` and ``run8/best``)."""
        parts = [path.resolve().with_suffix("").parts for path in self.models]
        depth = 1
        while len({part[-depth:] for part in parts}) < len(parts):
            depth += 1
        return tuple("/".join(part[-depth:]) for part in parts)

    @property
    def budget_seconds(self) -> float:
        """Of timed inferences in all."""
        if self.sustained_minutes is not None:
            return 60 * self.sustained_minutes
        return self.seconds * len(self.models) * len(self.settings)

    def to_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = unstructure(self)
        return fields


def parse_threads(text: str) -> tuple[int, ...]:
    """Read ``--threads 1,2,4``.

    Raises:
        UsageProblem: not numbers from 1 to 256.
    """
    try:
        counts = tuple(int(part) for part in text.split(","))
    except ValueError:
        counts = ()
    if not counts or not all(1 <= count <= 256 for count in counts):
        raise UsageProblem(
            "--threads is not understood",
            found=repr(text),
            expected="whole numbers from 1, joined by commas",
            fix="for example --threads 1,2,4",
        )
    return counts
