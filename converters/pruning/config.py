"""PruneConfig: everything that decides what a pruning run comes to. No heavy imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from edge_effnet.config_files import ConfigFile, refuse_out_of_range
from edge_effnet.data.sources import SIGNS
from edge_effnet.errors import UsageProblem

Measure = Literal["macs", "params", "size", "latency", "zeros"]
Importance = Literal["taylor", "magnitude", "bn-scale"]
Allocation = Literal["measured", "uniform"]
Recovery = Literal["teacher", "labels", "both", "none"]
MEASURES: tuple[str, ...] = get_args(Measure)
IMPORTANCES: tuple[str, ...] = get_args(Importance)
ALLOCATIONS: tuple[str, ...] = get_args(Allocation)
RECOVERIES: tuple[str, ...] = get_args(Recovery)


@dataclass(frozen=True)
class PruneConfig:
    """What a run is told.

    Attributes:
        variant: a row's name, or a variant file.
        weights: as in ``convert``.
        data: pictures to learn from: labelled or not, or ``signs``.
        val, val_share: pictures that judge: a second source, or this share held out.
        measure, target: what the network may cost: a share of what it costs now (at most 1),
            or an amount: multiply-adds, parameters, bytes of the float file, milliseconds.
            Of ``zeros`` it is the share of single weights to go: unstructured pruning.
        importance: which channels leave.
        allocation: how widths are found: by measured sensitivity, or one share for all.
        multiple: of channels that a narrowed layer keeps.
        block: outputs whose weights for one input go to zero together.
        steps: the target is approached in so many cuts, with recovery after each.
        recovery: from the unpruned network's answers, from labels, from both, or none.
        epochs: of recovery, over all steps; the last step has half of them or more.
        learning_rate: at its peak.
        batch_size: pictures per step.
        pictures: that importance and sensitivity are measured on.
        resolution: side of the input; None takes what the weights were trained at.
        seed: of everything random.

    Raises:
        UsageProblem: a value out of range.
    """

    variant: str
    data: str
    measure: Measure
    target: float
    weights: str = "auto"
    val: str | None = None
    val_share: float = 0.2
    importance: Importance = "taylor"
    allocation: Allocation = "measured"
    multiple: int = 8
    block: int = 1
    steps: int = 2
    recovery: Recovery = "teacher"
    epochs: int = 10
    learning_rate: float = 3e-4
    batch_size: int = 32
    pictures: int = 256
    resolution: int | None = None
    seed: int = 0
    strict: bool = False

    def __post_init__(self) -> None:
        refuse_out_of_range(self, _RANGES)
        if self.val is not None and self.data == SIGNS:
            raise UsageProblem(
                "--val is for photos; signs are judged on freshly drawn ones",
                found=f"--data {SIGNS} and --val {self.val}",
                fix="leave --val out",
            )
        if self.measure == "zeros" and not self.target < 1:
            raise UsageProblem(
                "--unstructured is a share of the weights",
                found=f"{self.target:g}",
                expected="above 0 and below 1",
                fix="for example --unstructured 0.8",
            )

    @property
    def relative(self) -> bool:
        """Whether the target is a share."""
        return self.target <= 1 and self.measure != "latency"

    def epochs_of(self, step: int) -> int:
        """Epochs of recovery after cut ``step``, from 1: the last step gets what is left of
        half of them, the others share the rest."""
        if self.recovery == "none":
            return 0
        early = self.epochs // 2 // max(1, self.steps - 1) if self.steps > 1 else 0
        return early if step < self.steps else self.epochs - early * (self.steps - 1)

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values, with format and version."""
        return CONFIG_FILE.to_json(self)


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("target", 1e-9, float("inf")),
    ("val_share", 0.01, 0.9),
    ("multiple", 1, 64),
    ("block", 1, 64),
    ("steps", 1, 20),
    ("epochs", 0, 10_000),
    ("learning_rate", 1e-8, 10),
    ("batch_size", 1, 4096),
    ("pictures", 16, 100_000),
)

CONFIG_FILE = ConfigFile(PruneConfig, "prune.json", "edge-effnet pruning", 1, "pruning config")
