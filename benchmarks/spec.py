"""What a user wants measured: the one value that every device's way of measuring takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from edge_effnet.config_files import option
from edge_effnet.documents import unstructure
from edge_effnet.errors import UsageProblem
from edge_effnet.heads.kinds import HeadChoice

MIN_ROUNDS = 10


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


def _thread_counts(value: str | tuple[int, ...]) -> tuple[int, ...]:
    return parse_threads(value) if isinstance(value, str) else value


@dataclass(frozen=True)
class BenchSpec:
    """One measurement; its fields are options of ``bench``, or of several commands.

    Attributes:
        models: files, the first or the first float one being what others are compared with.
        seconds: for slow models it takes more, so that there are at least ``MIN_ROUNDS``.
        head, threshold: what the answers mean, where the models do not tell; see ``HeadChoice``.
    """

    models: tuple[Path, ...]
    threads: tuple[int, ...] = field(
        default=(1,),
        metadata=option("Measure with each of these.", metavar="N,…", kind=_thread_counts),
    )
    seconds: float = field(
        default=5.0,
        metadata=option(
            "Where intervals are too wide: time of inferences for each model and setting.",
            kind=click.FloatRange(0.05, 3600),
        ),
    )
    without_delegate: bool = field(
        default=False,
        metadata=option(
            "For programs that run without the XNNPACK delegate: also measure so.",
            flag="--no-delegate",
        ),
    )
    data: Path | None = field(
        default=None, metadata=option("Images, to measure accuracy as well.", metavar="DIR|CSV")
    )
    images: int | None = field(
        default=None,
        metadata=option(
            "Where --data takes too long: use N of its images.  [default: all]",
            metavar="N",
            kind=click.IntRange(1),
        ),
    )
    labels: Path | None = None
    preprocess: str | None = None
    head: str | None = None
    threshold: float | None = None
    sustained_minutes: float | None = field(
        default=None,
        metadata=option(
            "Measure for so many minutes in all, to see what heat does.",
            metavar="MIN",
            flag="--sustained",
            kind=click.FloatRange(0.01, 24 * 60),
        ),
    )
    native_tool: Path | None = field(
        default=None,
        metadata=option(
            "To learn which types of operators take the time: TFLite's benchmark_model.",
            metavar="PATH",
        ),
    )
    seed: int = field(
        default=0,
        metadata=option(
            "Random seed: the same one makes the same inputs again.", kind=click.IntRange(0)
        ),
    )
    wheels: Path | None = field(
        default=None,
        metadata=option(
            "For a Pi without internet: a folder of the packages for it, which pip download fills "
            "here; push --help shows how.",
            metavar="DIR",
        ),
    )

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
