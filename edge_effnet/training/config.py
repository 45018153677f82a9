"""TrainConfig: everything that decides the result of a training run. No heavy imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from edge_effnet.config_files import ConfigFile, refuse_out_of_range
from edge_effnet.data.sources import SIGNS
from edge_effnet.errors import UsageProblem

Optimizer = Literal["adamw", "rmsprop"]
Augment = Literal["none", "light", "randaugment"]
Precision = Literal["auto", "on", "off"]
BatchNorm = Literal["auto", "train", "frozen"]
OPTIMIZERS: tuple[str, ...] = get_args(Optimizer)
AUGMENTS: tuple[str, ...] = get_args(Augment)
PRECISIONS: tuple[str, ...] = get_args(Precision)
BATCH_NORMS: tuple[str, ...] = get_args(BatchNorm)

# (optimizer, from random weights) -> learning rate for 32 images per step. AdamW's were tried on
# Imagenette photos and on signs. RMSprop's are not tuned: from scratch it is the paper's 0.256
# per 4096 images, and for fine-tuning a hundredth of that.
LEARNING_RATE_PER_32 = {
    ("adamw", True): 2e-3,
    ("adamw", False): 1e-4,
    ("rmsprop", True): 2e-3,
    ("rmsprop", False): 2e-5,
}
SIGNS_RESOLUTION = 96


@dataclass(frozen=True)
class TrainConfig:
    """What a run is told. ``None`` means: chosen by the data and the weights (see properties).

    Attributes:
        data: a folder per class, a CSV file, or ``signs``.
        variant: a row's name, or a variant file.
        weights: auto, imagenet, demo, random, or a file.
        resolution: side of the input in pixels.
        val, val_share: a second source, for validation only; without it this share of ``data``
            is held out per class.
        epochs: of fine-tuning (or of all, from random weights).
        batch_size: images per step.
        optimizer: adamw, or rmsprop with the settings of the paper.
        learning_rate: at its peak, for this batch size.
        weight_decay: decoupled, of kernels only.
        warmup_epochs: epochs in which the learning rate rises from 0, before its cosine.
        label_smoothing: share of the truth spread over all classes.
        drop_connect, dropout: of stochastic depth and before the classifier; the row's own
            if None.
        augment: of the training images.
        flip: mirror half of the training images; off for ``signs``, where left is not right.
        min_crop: smallest share of an image's area that a training crop keeps.
        mixup, cutmix: alpha of the Beta distribution; 0 turns it off.
        ema: decay of a moving average of the weights, which is then evaluated and saved.
        class_weights: weigh images so that every class counts the same.
        batch_norm: ``frozen`` keeps the statistics of the loaded weights, ``train`` learns them.
        mixed_precision: bfloat16; ``auto`` only where there is an accelerator.
        patience: epochs without a better validation accuracy (of equal ones, loss) before
            stopping; 0 never stops.
        head_epochs: passes over the features in which the classifier alone is learned first.
        signs_train, signs_val: images rendered per epoch and for validation.
        half: write best.h5 with float16 kernels.
        seed: of everything random.
        strict: refuse unreadable images instead of skipping them.

    Raises:
        UsageProblem: a value out of range.
    """

    data: str
    variant: str = "b0"
    weights: str = "auto"
    resolution: int | None = None
    val: str | None = None
    val_share: float = 0.2
    epochs: int | None = None
    batch_size: int = 32
    optimizer: Optimizer = "adamw"
    learning_rate: float | None = None
    weight_decay: float = 0.01
    warmup_epochs: float = 1.0
    label_smoothing: float = 0.1
    drop_connect: float | None = None
    dropout: float | None = None
    augment: Augment | None = None
    flip: bool | None = None
    min_crop: float = 0.35
    mixup: float = 0.0
    cutmix: float = 0.0
    ema: float = 0.0
    class_weights: bool = False
    mixed_precision: Precision = "auto"
    batch_norm: BatchNorm = "auto"
    patience: int = 8
    head_epochs: int | None = None
    signs_train: int = 6000
    signs_val: int = 1000
    half: bool = False
    strict: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        refuse_out_of_range(self, _RANGES)
        for name, choices in _CHOICES:
            if getattr(self, name) is not None and getattr(self, name) not in choices:
                raise UsageProblem(
                    f"--{name.replace('_', '-')} is unknown",
                    found=repr(getattr(self, name)),
                    expected=f"one of {', '.join(choices)}",
                    fix="choose one of these",
                )
        if self.val is not None and self.on_signs:
            raise UsageProblem(
                "--val is for photos; signs are validated on freshly drawn ones",
                found=f"--data signs and --val {self.val}",
                fix="leave --val out, and evaluate on photos afterwards",
            )
        if self.batch_norm == "frozen" and self.from_scratch:
            raise UsageProblem(
                "batch normalization cannot be frozen before it has learned anything",
                found="--batch-norm frozen with --weights random",
                fix="leave --batch-norm out",
            )

    @property
    def on_signs(self) -> bool:
        return self.data == SIGNS

    @property
    def from_scratch(self) -> bool:
        return self.weights == "random"

    @property
    def chosen_epochs(self) -> int:
        return (30 if self.from_scratch else 8) if self.epochs is None else self.epochs

    @property
    def chosen_head_epochs(self) -> int:
        return (0 if self.from_scratch else 10) if self.head_epochs is None else self.head_epochs

    @property
    def peak_learning_rate(self) -> float:
        if self.learning_rate is not None:
            return self.learning_rate
        return LEARNING_RATE_PER_32[self.optimizer, self.from_scratch] * self.batch_size / 32

    @property
    def chosen_augment(self) -> Augment:
        """Signs are drawn with every distortion a camera adds, and anew in every epoch."""
        return self.augment or ("none" if self.on_signs else "light")

    @property
    def flips(self) -> bool:
        return (not self.on_signs) if self.flip is None else self.flip

    @property
    def freezes_batch_norm(self) -> bool:
        if self.batch_norm == "auto":
            return not self.from_scratch
        return self.batch_norm == "frozen"

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values, with format and version."""
        return CONFIG_FILE.to_json(self)


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("resolution", 16, 1024),
    ("val_share", 0.01, 0.9),
    ("epochs", 0, 10_000),
    ("batch_size", 1, 4096),
    ("learning_rate", 1e-8, 1e6),
    ("weight_decay", 0, 1),
    ("warmup_epochs", 0, 100),
    ("label_smoothing", 0, 0.9),
    ("drop_connect", 0, 0.9),
    ("dropout", 0, 0.9),
    ("min_crop", 0.05, 1),
    ("mixup", 0, 10),
    ("cutmix", 0, 10),
    ("ema", 0, 0.99999),
    ("patience", 0, 10_000),
    ("head_epochs", 0, 10_000),
    ("signs_train", 64, 10_000_000),
    ("signs_val", 16, 1_000_000),
    ("seed", 0, 2**31 - 1),
)
_CHOICES = (
    ("optimizer", OPTIMIZERS),
    ("augment", AUGMENTS),
    ("mixed_precision", PRECISIONS),
    ("batch_norm", BATCH_NORMS),
)

CONFIG_FILE = ConfigFile(TrainConfig, "config.json", "edge-effnet training", 1, "training config")
