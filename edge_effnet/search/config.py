"""SearchConfig: everything that decides what a search comes to. No heavy imports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edge_effnet.architecture.scaling import PHI_MAX, PHI_MIN
from edge_effnet.config_files import ConfigFile, option, refuse_bad_values
from edge_effnet.data.signs.option import SIGNS
from edge_effnet.errors import UsageProblem
from edge_effnet.search.points.grid import LEAST_FINENESS, MOST_FINENESS
from edge_effnet.ui.quantities import Amount

DEFAULT_PHI = -4.0
_AMOUNT = Amount()


@dataclass(frozen=True)
class SearchConfig:
    """What a search is told.

    Raises:
        UsageProblem: a value out of range, or two that do not go together.
    """

    data: str = field(
        metadata=option(
            "A folder per class, a CSV file, or signs: rendered.", metavar="DIR|CSV|signs"
        )
    )
    val: str | None = field(
        default=None,
        metadata=option(
            "Held-out images from another source: half of them choose, half confirm.",
            metavar="DIR|CSV",
        ),
    )
    phi: float | None = field(
        default=None,
        metadata=option(
            "Size of the networks: 0 is the base, -1 about half its multiply-adds.  "
            f"[default: {DEFAULT_PHI:g}, or what the budgets allow]",
            PHI_MIN,
            PHI_MAX,
        ),
    )
    budget_macs: float | None = field(
        default=None,
        metadata=option("Multiply-adds for one image, e.g. 0.05G.", metavar="N", kind=_AMOUNT),
    )
    budget_size: float | None = field(
        default=None,
        metadata=option("Size of the int8 file, e.g. 1MB.", metavar="BYTES", kind=_AMOUNT),
    )
    budget_memory: float | None = field(
        default=None,
        metadata=option("Peak int8 activations, e.g. 500KB.", metavar="BYTES", kind=_AMOUNT),
    )
    budget_latency_ms: float | None = field(
        default=None,
        metadata=option(
            "Latency of the int8 file at most: measured here, on one core.", 1e-3, 1e6, metavar="MS"
        ),
    )
    base_variant: str = field(
        default="b0", metadata=option("The network of phi 0.", metavar="NAME|FILE")
    )
    resolution: int | None = field(
        default=None,
        metadata=option(
            "Side of the base's input in pixels: smaller trains faster.  [default: the base's own]",
            16,
            1024,
        ),
    )
    grid: int = field(
        default=6,
        metadata=option(
            "Fineness of the grid: 4 makes 3 points, 5 makes 6, 6 makes 10, 7 makes 15; B0's "
            "coefficients are added.",
            LEAST_FINENESS,
            MOST_FINENESS,
        ),
    )
    epochs: int = field(
        default=16, metadata=option("Epochs of a trial that goes to the end.", 1, 10_000)
    )
    seeds: int = field(
        default=3,
        metadata=option("Trainings of each finalist: fewer show less.", 1, 100),
    )
    finalists: int = field(
        default=2,
        metadata=option(
            "Where two are too few: points that are trained to the end, besides B0's.", 1, 100
        ),
    )
    val_share: float = field(
        default=0.3,
        metadata=option("Without --val: share of each class held out.", 0.02, 0.9, share=True),
    )
    batch_size: int = field(
        default=32, metadata=option("Where memory is short: fewer images per step.", 1, 4096)
    )
    learning_rate: float | None = field(
        default=None,
        metadata=option(
            "Where the loss rises or hardly falls: another peak learning rate.  "
            "[default: as in train]",
            1e-8,
            1e6,
        ),
    )
    signs_train: int = field(
        default=6000,
        metadata=option("With --data signs: signs rendered per epoch.", 64, 10_000_000),
    )
    signs_val: int = field(
        default=1000,
        metadata=option(
            "With --data signs: signs to choose on, and as many to confirm on.", 16, 1_000_000
        ),
    )
    strict: bool = field(
        default=False,
        metadata=option("Where none may be missing: refuse unreadable images, not skip them."),
    )
    seed: int = field(
        default=0, metadata=option("Random seed: another one shows what is chance.", 0, 2**31 - 101)
    )

    def __post_init__(self) -> None:
        refuse_bad_values(self)
        if self.val is not None and self.on_signs:
            raise UsageProblem(
                "--val is for photos; signs are validated on freshly drawn ones",
                found=f"--data signs and --val {self.val}",
                fix="leave --val out",
            )

    @property
    def on_signs(self) -> bool:
        return self.data == SIGNS

    @property
    def budgets(self) -> dict[str, float]:
        """The budgets that are counted, not measured."""
        asked = {
            "macs": self.budget_macs,
            "size": self.budget_size,
            "memory": self.budget_memory,
        }
        return {name: limit for name, limit in asked.items() if limit is not None}

    @property
    def chosen_phi(self) -> float | None:
        """The largest phi; None where the budgets alone decide."""
        if self.phi is None and not self.budgets and self.budget_latency_ms is None:
            return DEFAULT_PHI
        return self.phi

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values, with format and version."""
        return CONFIG_FILE.to_json(self)


CONFIG_FILE = ConfigFile(SearchConfig, "search.json", "edge-effnet search settings", 1, "search")
