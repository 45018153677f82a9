"""TrainConfig: everything that decides the result of a training run. No heavy imports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from edge_effnet.config_files import ConfigFile, option, refuse_bad_values
from edge_effnet.data.signs.option import SIGNS
from edge_effnet.training.contradictions import refuse_contradictions
from edge_effnet.training.image_sizes.stages import parse_sizes

Optimizer = Literal["adamw", "rmsprop"]
Augment = Literal["none", "light", "randaugment"]
Precision = Literal["auto", "on", "off"]
BatchNorm = Literal["auto", "train", "frozen"]

# (optimizer, from random weights) -> learning rate for 32 images per step. AdamW's were tried on
# Imagenette photos and on signs. RMSprop's are not tuned: from scratch it is the paper's 0.256
# per 4096 images, and for fine-tuning a hundredth of that.
LEARNING_RATE_PER_32 = {
    ("adamw", True): 2e-3,
    ("adamw", False): 1e-4,
    ("rmsprop", True): 2e-3,
    ("rmsprop", False): 2e-5,
}
EPOCHS, EPOCHS_FROM_RANDOM = 8, 30
# Of a run with --from whose network began with random weights.
EPOCHS_AFTER_RANDOM = 20
BATCH_SIZE = 32
SIGNS_RESOLUTION = 96
_OVERFITTING, _OWN = "Against overfitting:", ".  [default: the variant's]"
# Of the temperatures 1, 2, 5 and 10 that Hinton et al. 2015 (arXiv:1503.02531) tried, 2 was the
# best (section 4); and labels want "a considerably lower weight" than the teacher (section 2).
TEMPERATURE, TEACHER_SHARE = 2.0, 0.9


@dataclass(frozen=True)
class TrainConfig:
    """What a run is told. ``None`` means: chosen by the data and the weights (see properties).

    Raises:
        UsageProblem: a value out of range, or two that do not go together.
    """

    data: str = field(
        metadata=option(
            "A folder per class, a CSV file, or signs: rendered.", metavar="DIR|CSV|signs"
        )
    )
    variant: str = field(
        default="b0",
        metadata=option(
            "b0…b7, lite0…4, edgetpu-s|m|l, v2-…, or a variant file.", metavar="NAME|FILE"
        ),
    )
    weights: str = field(
        default="auto",
        metadata=option(
            "What to start from. auto: ImageNet, else the demo weights. FILE: a checkpoint, "
            "Keras's .h5 or .keras, timm's .safetensors.",
            metavar="auto|imagenet|demo|random|FILE",
        ),
    )
    previous: str | None = field(
        default=None,
        metadata=option(
            "Go on from the network of another run with more images: its classes, new ones, and "
            "the same images held out.",
            metavar="RUN",
            flag="--from",
        ),
    )
    resolution: int | None = field(
        default=None,
        metadata=option(
            "Input's side in pixels; smaller is faster.  [default: the weights' own]", 16, 1024
        ),
    )
    progressive: str | None = field(
        default=None,
        metadata=option(
            "To try in long runs on large images: sides that rise in equal numbers of epochs, and "
            "augmentation with them, as 96:160:224; the last is the network's.",
            metavar="PX:PX…",
        ),
    )
    teacher: str | None = field(
        default=None,
        metadata=option(
            "To try with a small network: learn from a large one's scores too. A checkpoint or run "
            "folder, .keras, a float .tflite, or a variant: its newest checkpoint.",
            metavar="FILE|VARIANT",
        ),
    )
    temperature: float = field(
        default=TEMPERATURE,
        metadata=option("Where the teacher is too sure: higher softens its scores more.", 0.1, 100),
    )
    teacher_share: float = field(
        default=TEACHER_SHARE,
        metadata=option(
            "Where labels are better than the teacher: its weight against them.", 0, 1, share=True
        ),
    )
    unlabelled: str | None = field(
        default=None,
        metadata=option(
            "With --teacher: more images, of which it alone teaches.", metavar="DIR|CSV"
        ),
    )
    val: str | None = field(
        default=None, metadata=option("Validation from another source.", metavar="DIR|CSV")
    )
    val_share: float = field(
        default=0.2,
        metadata=option("Without --val: share of each class held out.", 0.01, 0.9, share=True),
    )
    epochs: int | None = field(
        default=None,
        metadata=option(
            f"Epochs of fine-tuning.  [default: {EPOCHS}; from random weights "
            f"{EPOCHS_FROM_RANDOM}; --from a run that had begun with these {EPOCHS_AFTER_RANDOM}]",
            0,
            10_000,
        ),
    )
    batch_size: int | None = field(
        default=None,
        metadata=option(
            f"Where memory is short: fewer images per step.  [default: {BATCH_SIZE}; with "
            "--progressive more while images are small]",
            1,
            4096,
        ),
    )
    optimizer: Optimizer = field(
        default="adamw",
        metadata=option("To train as the paper did: RMSprop with its settings, in place of AdamW."),
    )
    learning_rate: float | None = field(
        default=None,
        metadata=option(
            "Where the loss rises or hardly falls: another peak learning rate.  "
            "[default for AdamW and 32 images per step: "
            f"{LEARNING_RATE_PER_32['adamw', False]:g}; from random weights, and --from a run that "
            f"had begun with these, {LEARNING_RATE_PER_32['adamw', True]:g}]",
            1e-8,
            1e6,
        ),
    )
    weight_decay: float = field(
        default=0.01,
        metadata=option(f"{_OVERFITTING} decoupled decay of the weights of kernels.", 0, 1),
    )
    warmup_epochs: float = field(
        default=1.0,
        metadata=option("Where training begins badly: epochs until the rate peaks.", 0, 100),
    )
    label_smoothing: float = field(
        default=0.1,
        metadata=option(
            "Where labels may be wrong: share of each spread over all.", 0, 0.9, share=True
        ),
    )
    drop_connect: float | None = field(
        default=None,
        metadata=option(
            f"{_OVERFITTING} stochastic depth of the last block{_OWN}", 0, 0.9, share=True
        ),
    )
    dropout: float | None = field(
        default=None,
        metadata=option(f"{_OVERFITTING} dropout before the classifier{_OWN}", 0, 0.9, share=True),
    )
    augment: Augment | None = field(
        default=None,
        metadata=option("With few photos: vary each more.  [default: light; for signs none]"),
    )
    flip: bool | None = field(
        default=None,
        metadata=option("Mirror half the images; not where left and right differ, as on signs."),
    )
    min_crop: float = field(
        default=0.35,
        metadata=option(
            "Where small things count: least share of the image in a crop.", 0.05, 1, share=True
        ),
    )
    mixup: float = field(
        default=0.0,
        metadata=option(f"{_OVERFITTING} blend two images; mixup's alpha, 0 is off.", 0, 10),
    )
    cutmix: float = field(
        default=0.0,
        metadata=option(f"{_OVERFITTING} paste one into another; cutmix's alpha, 0 is off.", 0, 10),
    )
    ema: float = field(
        default=0.0,
        metadata=option(
            "Where validation jumps: decay, as 0.999, of averaged weights.", 0, 0.99999, share=True
        ),
    )
    class_weights: bool = field(
        default=False,
        metadata=option("Where some classes have few photos: every class counts the same."),
    )
    mixed_precision: Precision = field(
        default="auto", metadata=option("Faster on a GPU or TPU: bfloat16; auto: there alone.")
    )
    batch_norm: BatchNorm = field(
        default="auto",
        metadata=option(
            "Where your images are unlike those of the weights: train batch normalization too; "
            "auto: frozen, unless from random weights."
        ),
    )
    patience: int = field(
        default=8,
        metadata=option("Stop after so many epochs without improvement; 0: never.", 0, 10_000),
    )
    learn_head: bool | None = field(
        default=None,
        metadata=option(
            "Whether the last layer is learned alone first.  [default: yes; random weights: no]"
        ),
    )
    signs_train: int = field(
        default=6000,
        metadata=option("With --data signs: signs rendered per epoch.", 64, 10_000_000),
    )
    signs_val: int = field(
        default=1000,
        metadata=option("With --data signs: signs rendered for validation.", 16, 1_000_000),
    )
    half: bool = field(
        default=False,
        metadata=option("For a smaller file: write best.h5 with float16 kernels, half the size."),
    )
    strict: bool = field(
        default=False,
        metadata=option("Where none may be missing: refuse unreadable images, not skip them."),
    )
    seed: int = field(
        default=0, metadata=option("Random seed: another one shows what is chance.", 0, 2**31 - 1)
    )

    def __post_init__(self) -> None:
        refuse_bad_values(self)
        refuse_contradictions(self)

    @property
    def on_signs(self) -> bool:
        return self.data == SIGNS

    @property
    def from_scratch(self) -> bool:
        return self.weights == "random"

    @property
    def chosen_epochs(self) -> int:
        if self.epochs is not None:
            return self.epochs
        return EPOCHS_FROM_RANDOM if self.from_scratch else EPOCHS

    @property
    def chosen_batch_size(self) -> int:
        """Images per step, of images of the network's own size."""
        return self.batch_size or BATCH_SIZE

    @property
    def sizes(self) -> tuple[int, ...] | None:
        """Sides of the images as they grow, the network's own last; None where they do not."""
        return None if self.progressive is None else parse_sizes(self.progressive)

    @property
    def chosen_resolution(self) -> int | None:
        """The side that was asked for, by itself or as the last one; None where none was."""
        return self.sizes[-1] if self.sizes else self.resolution

    @property
    def learns_head(self) -> bool:
        return (not self.from_scratch) if self.learn_head is None else self.learn_head

    @property
    def peak_learning_rate(self) -> float:
        if self.learning_rate is not None:
            return self.learning_rate
        return default_learning_rate(
            self.optimizer, self.chosen_batch_size, from_scratch=self.from_scratch
        )

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


def default_learning_rate(optimizer: Optimizer, batch_size: int, *, from_scratch: bool) -> float:
    """The peak learning rate where none is given."""
    return LEARNING_RATE_PER_32[optimizer, from_scratch] * batch_size / 32


def _learn_head(epochs: int | None) -> dict[str, Any]:
    """What stood for it in version 0.2: epochs of the last layer alone."""
    return {} if epochs is None else {"learn_head": epochs > 0}


CONFIG_FILE = ConfigFile(
    TrainConfig,
    "config.json",
    "edge-effnet training",
    1,
    "training config",
    replaced={"head_epochs": _learn_head},
)
