"""PruneConfig: everything that decides what a pruning run comes to. No heavy imports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from edge_effnet.config_files import ConfigFile, option, refuse_bad_values
from edge_effnet.data.signs.option import SIGNS
from edge_effnet.errors import UsageProblem

Measure = Literal["macs", "params", "size", "latency", "zeros"]
Importance = Literal["taylor", "magnitude", "bn-scale"]
Allocation = Literal["measured", "uniform"]
FineTuningSource = Literal["teacher", "labels", "both", "none"]


@dataclass(frozen=True)
class PruneConfig:
    """What a run is told.

    Attributes:
        measure, target: what the network may cost: a share of what it costs now (at most 1),
            or an amount: multiply-adds, parameters, bytes of the float file, milliseconds.
            Of ``zeros`` it is the share of single weights to go: unstructured pruning.
        steps: the target is approached in so many slicings, with fine-tuning after each.
        epochs: of fine-tuning, over all steps; the last step has half of them or more.

    Raises:
        UsageProblem: a value out of range, or two that do not go together.
    """

    variant: str = field(
        metadata=option("b0…b7, lite0…4, v2-…, or a variant file.", metavar="NAME|FILE")
    )
    data: str = field(
        metadata=option("Images to fine-tune on; labels or none.", metavar="DIR|CSV|signs")
    )
    measure: Measure
    target: float = field(metadata=option("What it may cost.", 1e-9, float("inf")))
    weights: str = field(
        default="auto",
        metadata=option(
            "As in convert: the newest checkpoint, else ImageNet, else the demo weights.",
            metavar="auto|imagenet|demo|FILE",
        ),
    )
    val: str | None = field(
        default=None,
        metadata=option("Validation images.  [default: a share of --data]", metavar="DIR|CSV"),
    )
    val_share: float = field(
        default=0.2,
        metadata=option(
            "Without --val: share of each class held out for validation.", 0.01, 0.9, share=True
        ),
    )
    importance: Importance = field(
        default="taylor",
        metadata=option(
            "To compare methods: how important a channel is; the least important leave."
        ),
    )
    allocation: Allocation = field(
        default="measured",
        metadata=option(
            "To compare methods: widths by measured sensitivity, or one share for all."
        ),
    )
    multiple: int = field(
        default=8,
        metadata=option(
            "For a chip that computes channels in blocks: keep a multiple of this; 16 for the Edge "
            "TPU.",
            1,
            64,
        ),
    )
    block: int = field(
        default=1,
        metadata=option(
            "With --unstructured, for kernels that skip blocks: zero so many weights together.",
            1,
            64,
        ),
    )
    steps: int = field(
        default=2,
        metadata=option(
            "Where accuracy falls too far: more steps, with fine-tuning after each.", 1, 20
        ),
    )
    recovery: FineTuningSource = field(
        default="teacher",
        metadata=option(
            "What teaches: the unpruned network's answers (no labels needed), labels, or both; "
            "none skips it.",
            flag="--fine-tune-on",
        ),
    )
    epochs: int = field(
        default=10,
        metadata=option(
            "Epochs of fine-tuning, over all steps: fewer take less time, more may bring back "
            "accuracy.",
            0,
            10_000,
        ),
    )
    learning_rate: float = field(
        default=3e-4,
        metadata=option(
            "Where the loss rises or hardly falls: another peak learning rate.", 1e-8, 10
        ),
    )
    batch_size: int = field(
        default=32, metadata=option("Where memory is short: fewer images per step.", 1, 4096)
    )
    pictures: int = field(
        default=256,
        metadata=option(
            "Fewer take less time: images that importance is measured on.",
            16,
            100_000,
            flag="--importance-images",
        ),
    )
    resolution: int | None = field(
        default=None,
        metadata=option(
            "Side of the input in pixels: smaller is faster, and less often right.  "
            "[default: the weights' own]",
            16,
            1024,
        ),
    )
    seed: int = field(
        default=0, metadata=option("Random seed: another one shows what is chance.", 0, 2**31 - 1)
    )
    strict: bool = field(
        default=False,
        metadata=option(
            "Where no image may be missing: refuse unreadable ones instead of skipping them."
        ),
    )

    def __post_init__(self) -> None:
        refuse_bad_values(self)
        if self.val is not None and self.data == SIGNS:
            raise UsageProblem(
                "--val is for photos; signs are evaluated on freshly rendered ones",
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
        """Epochs of fine-tuning after step ``step``, from 1: the last step gets what is left of
        half of them, the others share the rest."""
        if self.recovery == "none":
            return 0
        early = self.epochs // 2 // max(1, self.steps - 1) if self.steps > 1 else 0
        return early if step < self.steps else self.epochs - early * (self.steps - 1)

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values, with format and version."""
        return CONFIG_FILE.to_json(self)


CONFIG_FILE = ConfigFile(PruneConfig, "prune.json", "edge-effnet pruning", 1, "pruning config")
