"""What a conversion is asked for. Light: ``convert --help`` comes through here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import click

from converters.accuracy.limits import Limits
from converters.frigate.folder import classifier_name
from converters.quantization.qat.config import MOST_PASSES, MOST_STEPS
from converters.quantization.recipes import RECIPES, QuantRecipe
from edge_effnet.config_files import option
from edge_effnet.errors import UsageProblem
from edge_effnet.ui.quantities import OneOf

_COUNT = click.IntRange(1)


def asked_recipes(names: Sequence[str], target: str | None) -> tuple[QuantRecipe, ...]:
    """The recipes of these names; what another program reads has one of its own."""
    return tuple(RECIPES[name] for name in names or (("int8",) if target else ()))


@dataclass(frozen=True)
class ConvertConfig:
    """How a float model is converted, and what the files must keep.

    Attributes:
        data, calibration: evaluation images and calibration images, or None.
        calibration_images, evaluation_images: how many of them at most; None for all.
        workers: cores to use.
        limits: what the int8 file must keep; None writes whatever comes out.
        fallback: a recipe without int8 kernels, written where no int8 file keeps the limits.
        allow_float: tensors that may stay float where no full-integer strategy fits.
        full_integer: no operator of the int8 file computes in float.
        target: the program that reads the file, where that decides how it is fed and written.
        teachable: the answer of the Edge TPU's file computes in float, behind what is compiled.
        qat_steps: of quantization-aware training; None for the default.
        qat_labels: whether the calibration images' labels teach there too.
        resume: take over what an earlier run measured and learned.

    Raises:
        UsageProblem: options that do not go together.
    """

    out: Path = field(default=Path(), metadata=option("Folder for the files."))
    recipes: tuple[QuantRecipe, ...] = ()
    data: Path | None = field(
        default=None,
        metadata=option(
            "Labelled evaluation images; without --calibration some of them calibrate.",
            metavar="DIR|CSV|signs",
        ),
    )
    calibration: Path | None = field(
        default=None,
        metadata=option(
            "Images like those it will meet, 100 to 300, to set the ranges of int8; no labels.",
            metavar="DIR|CSV|signs",
        ),
    )
    calibration_images: int = field(
        default=200,
        metadata=option(
            "Fewer take less time: calibrate with at most N images.", metavar="N", kind=_COUNT
        ),
    )
    evaluation_images: int | None = field(
        default=None,
        metadata=option(
            "Fewer take less time and prove less: evaluate on at most N images.  [default: all]",
            metavar="N",
            flag="--eval-images",
            kind=_COUNT,
        ),
    )
    strict: bool = field(
        default=False,
        metadata=option(
            "Where no image may be missing: refuse unreadable ones instead of skipping them."
        ),
    )
    seed: int = field(
        default=0,
        metadata=option(
            "Random seed: another one shows what is chance.", metavar="N", kind=click.IntRange(0)
        ),
    )
    limits: Limits | None = None
    fallback: Literal["float16", "weights8"] | None = field(
        default=None,
        metadata=option(
            "Where a smaller file is better than none: write this if no int8 file keeps the "
            "limits; no faster than float.",
            kind=OneOf(("float16", "weights8")),
        ),
    )
    allow_float: int = field(
        default=0,
        metadata=option(
            "Where int8 misses the limit by little: try with the N costliest tensors in float too, "
            "before training. Not for the Edge TPU.",
            metavar="N",
            kind=click.IntRange(0),
        ),
    )
    qat_steps: int | None = field(
        default=None,
        metadata=option(
            "Where quantization-aware training (QAT), the last try, takes too long or ends too "
            f"early: its steps.  [default: {MOST_PASSES} passes over the images, {MOST_STEPS} "
            "steps at most]",
            metavar="N",
            kind=_COUNT,
        ),
    )
    qat_labels: bool = field(
        default=False,
        metadata=option(
            "Where the float network is often wrong: QAT also learns from the labels of the "
            "calibration images."
        ),
    )
    resume: bool = field(
        default=False,
        metadata=option(
            "After a stop, or with another limit: reuse the trials and QAT state of an earlier run "
            "in --out."
        ),
    )
    interface: Literal["uint8", "int8", "float32"] = field(
        default="uint8",
        metadata=option(
            "Where a program wants another input and output of the int8 file; uint8 takes camera "
            "pixels as they are.",
            flag="--io",
        ),
    )
    full_integer: bool = field(
        default=False,
        metadata=option(
            "With --int8, for a chip that computes no float: keep no operator in float, even where "
            "8 bits are too few for the first ones (else those stay float, and the report says "
            "what either costs)."
        ),
    )
    teachable: bool = field(
        default=False,
        metadata=option(
            "With --edgetpu, where classes will change: keep the last layer in float and out of "
            "what is compiled, so that it can be exchanged later. It runs on the CPU."
        ),
    )
    target: Literal["frigate"] | None = field(
        default=None,
        metadata=option(
            "Write what this program reads, measured as it feeds it. frigate: OUT is a folder "
            "with model.tflite, labelmap.txt and its configuration (--int8, 224 px, squashed).",
            flag="--for",
            kind=OneOf(("frigate",)),
        ),
    )
    workers: int = 1
    force: bool = False

    def __post_init__(self) -> None:
        self._refuse_bad_full_integer()
        self._refuse_bad_teachable()
        self._refuse_bad_target()
        if self.limits is None:
            self._refuse_options_of_limits()
            return
        asked = [recipe.name for recipe in self.recipes]
        if asked not in (["int8"], ["edgetpu"]):
            raise UsageProblem(
                "limits are for one file, --int8 or --edgetpu",
                found=" and ".join(f"--{name}" for name in asked) or "no recipe",
                fix="for example: convert --variant b0 --int8 --max-drop 0.5 --data photos/",
            )
        if self.allow_float and self.recipes[0].edge_tpu:
            raise UsageProblem(
                "the Edge TPU computes nothing in float",
                found="--allow-float beside --edgetpu",
                fix="leave it out: each tensor in float would end the part that runs there",
            )
        if self.fallback and (self.recipes[0].edge_tpu or self.full_integer):
            flag = "--edgetpu" if self.recipes[0].edge_tpu else "--full-integer"
            raise UsageProblem(
                f"{flag} wants a file that computes in integers",
                found=f"--fallback {self.fallback} beside it, which computes in float",
                fix="leave one of them out",
            )
        if self.limits.max_class_drop_points is not None and self.data is None:
            raise UsageProblem(
                "--max-class-drop needs to know the classes of the images",
                found="no --data",
                fix="add --data DIR|CSV with labelled photos",
            )
        if self.qat_labels and not (self.calibration or self.data):
            raise UsageProblem(
                "--qat-labels needs labelled images to calibrate with",
                found="neither --calibration nor --data",
                fix="add --data DIR|CSV with labelled photos",
            )

    def _refuse_bad_full_integer(self) -> None:
        if not self.full_integer:
            return
        if self.allow_float:
            raise UsageProblem(
                "--full-integer keeps nothing in float",
                found="--allow-float beside it",
                fix="leave one of them out",
            )
        if not any(recipe.full_integer for recipe in self.recipes):
            raise UsageProblem(
                "--full-integer is for --int8",
                found=" and ".join(f"--{recipe.name}" for recipe in self.recipes) or "no recipe",
                fix="add --int8, or leave it out",
            )

    def _refuse_bad_teachable(self) -> None:
        if not self.teachable:
            return
        if not any(recipe.edge_tpu for recipe in self.recipes):
            raise UsageProblem(
                "--teachable is for --edgetpu",
                found=" and ".join(f"--{recipe.name}" for recipe in self.recipes) or "no recipe",
                fix="add --edgetpu, or leave it out: the last layer of any other file can be "
                "exchanged as it is",
            )
        if self.full_integer:
            raise UsageProblem(
                "--full-integer keeps nothing in float",
                found="--teachable beside it, which keeps the last layer in float",
                fix="leave one of them out",
            )

    def _refuse_bad_target(self) -> None:
        if self.target is None:
            return
        classifier_name(self.out)
        others = [f"--{one.name}" for one in self.recipes if one.name != "int8"]
        others += [f"--io {self.interface}"] if self.interface != "uint8" else []
        others += [f"--fallback {self.fallback}"] if self.fallback else []
        if others or not self.recipes:
            raise UsageProblem(
                f"--for {self.target} writes one file, int8 with bytes in and out",
                found=" and ".join(others) or "no recipe",
                expected="--int8, which needs not be said",
                fix="leave the others out",
            )

    def _refuse_options_of_limits(self) -> None:
        for name in ("fallback", "allow_float", "qat_steps", "qat_labels"):
            if getattr(self, name):
                raise UsageProblem(
                    f"--{name.replace('_', '-')} is for a limit that nothing simpler keeps",
                    found="no limit",
                    fix="add --max-drop POINTS or --min-agreement PERCENT",
                )
