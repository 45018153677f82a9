"""Which float model a conversion begins with. Light: ``convert --help`` comes through here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from converters.float_model.baselines import BASELINES
from edge_effnet.config_files import option
from edge_effnet.errors import UsageProblem
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.ui.quantities import OneOf

if TYPE_CHECKING:
    from converters.float_model.source import Source

_SUFFIX = re.compile("[-_]float32$")  # ours, and onnx2tf's


def model_name(path: Path) -> str:
    """What a user's model is called, and the stem of the files made from it."""
    named = path if path.stem.strip(".") else path.resolve()
    return _SUFFIX.sub("", named.stem)


@dataclass(frozen=True)
class ModelChoice:
    """Exactly one of a variant, a file and a baseline, and how it is read.

    Attributes:
        variant: a name of the table or the path of a variant file.
        file: a user's own float model, of any kind that ``from_file`` reads.
        baseline: a name of the table of baselines.
        weights: ``auto``, ``imagenet``, ``demo``, ``random`` or the path of a file.
        runs: folder of the training runs, where ``auto`` looks first.
        resolution: side of the input in pixels; None for the weights' own.
        labels: names in index order; None for the model's own.
        preprocess: as ``parse_preprocess`` reads it; None for the model's own.
        head: what its answer means, where the file does not say.

    Raises:
        UsageProblem: none or several of the three are given.
    """

    variant: str | None = field(
        default=None,
        metadata=option(
            "b0…b7, lite0…4, edgetpu-s|m|l, v2-…, or a variant file.", metavar="NAME|FILE"
        ),
    )
    file: Path | None = field(
        default=None,
        metadata=option(
            "Your own model instead: .keras, .h5, SavedModel folder, .tflite in float, "
            "float16 or dynamic range, or a zip archive with one.",
            flag="--model",
        ),
    )
    baseline: str | None = field(
        default=None,
        metadata=option(
            f"To see what EfficientNet brings: a network of keras.applications instead, "
            f"{', '.join(BASELINES)}.",
            metavar="NAME",
            kind=OneOf(tuple(BASELINES)),
        ),
    )
    weights: str = field(
        default="auto",
        metadata=option(
            "auto: the newest trained checkpoint, else ImageNet, else the demo weights. FILE: "
            "a checkpoint, Keras's .h5 or .keras, timm's .safetensors.",
            metavar="auto|imagenet|demo|random|FILE",
        ),
    )
    runs: Path = field(
        default=Path("runs"), metadata=option("Where your training runs lie, for --weights auto.")
    )
    resolution: int | None = field(
        default=None,
        metadata=option(
            "Side of the input in pixels: smaller is faster, and less often right.  "
            "[default: the weights' own]",
            metavar="PIXELS",
            kind=click.IntRange(8, 1024),
        ),
    )
    labels: tuple[str, ...] | None = None
    preprocess: str | None = field(
        default=None,
        metadata=option(
            "How an image becomes input: unit (pixels / 255), tf (-1 to 1), torch, caffe, raw, "
            "standardize, or mean=127.5,std=127.5; fit=squash|crop|pad; channels=rgb|bgr|grey; "
            "resize=area|linear.",
            metavar="SPEC",
        ),
    )
    head: HeadChoice | None = None

    def __post_init__(self) -> None:
        options = {"variant": self.variant, "model": self.file, "baseline": self.baseline}
        given = [f"--{name}" for name, value in options.items() if value is not None]
        if len(given) != 1:
            raise UsageProblem(
                "convert takes one of a variant, a model and a baseline",
                found=" and ".join(given) or "none",
                fix="for example: edge-effnet convert --variant b0 --int8",
            )

    @property
    def name(self) -> str:
        """Stem of the files made from it.

        Raises:
            UsageProblem: no such variant.
        """
        if self.baseline is not None:
            return self.baseline
        if self.file is not None:
            return model_name(self.file)
        from edge_effnet.architecture.files import find_variant

        return find_variant(self.variant or "").name

    def open(self) -> Source:
        """Read or export it; a variant or a baseline needs the ``train`` extra.

        What needs TensorFlow happens in a process that ends, unless this one has loaded it.

        Raises:
            ModelError, WeightsError, DataError, UsageProblem, MissingExtra: see ``from_file``,
                ``from_variant`` and ``from_baseline``.
        """
        from converters.float_model.apart import open_apart, worth_it

        apart = open_apart(self) if self._needs_tensorflow() and worth_it() else None
        return apart or self.open_here()

    def _needs_tensorflow(self) -> bool:
        from edge_effnet.model_files import identify

        if self.file is None:
            return True
        kind = identify(self.file).kind
        return "convert" in kind.uses and not kind.code.startswith("tflite")

    def open_here(self) -> Source:
        """The same in this process."""
        from converters.float_model.file_source import from_file
        from converters.float_model.variant_source import from_variant
        from edge_effnet.architecture.files import find_variant

        if self.file is not None:
            return from_file(
                self.file,
                labels=self.labels,
                preprocess=self.preprocess,
                head=self.head,
                resolution=self.resolution,
            )
        if self.baseline is not None:
            from converters.float_model.baseline_source import from_baseline

            return from_baseline(
                BASELINES[self.baseline],
                weights=self.weights,
                resolution=self.resolution,
                labels=self.labels,
                preprocess=self.preprocess,
            )
        return from_variant(
            find_variant(self.variant or ""),
            weights=self.weights,
            runs=self.runs,
            resolution=self.resolution,
            labels=self.labels,
            preprocess=self.preprocess,
            head=self.head,
        )
