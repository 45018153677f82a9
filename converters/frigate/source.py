"""A float model as Frigate will feed it, and the refusal of one that it cannot read."""

from __future__ import annotations

from dataclasses import replace

from converters.float_model.choice import ModelChoice
from converters.float_model.source import Source
from edge_effnet.errors import ModelError, UsageProblem
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocess_text import parse_preprocess, preprocess_text
from edge_effnet.image.preprocessing import Preprocess

SIDE = 224
"""Pixels of the square that Frigate makes of a region."""
FED = "fit=squash,resize=linear"
"""How it does so, in the words of ``--preprocess``."""


def at_its_size(choice: ModelChoice) -> ModelChoice:
    """The same model with Frigate's input size, where it is built here.

    Raises:
        UsageProblem: another resolution was asked for.
    """
    if choice.resolution not in (None, SIDE):
        raise UsageProblem(
            f"Frigate feeds {SIDE}x{SIDE} pixels",
            found=f"--resolution {choice.resolution}",
            fix="leave --resolution out",
        )
    return choice if choice.file is not None else replace(choice, resolution=SIDE)


def as_fed(source: Source) -> Source:
    """The source with Frigate's preprocessing, and a line where it was made for another.

    Args:
        source: with its preprocessing settled.

    Raises:
        ModelError: its answer or its input is none that Frigate reads.
    """
    settings = source.preprocess
    refuse_other_answers(source.name, source.head)
    refuse_other_input(source.name, settings)
    fed = parse_preprocess(FED, settings)
    notices = source.notices
    if fed.fit != settings.fit:
        notices += (
            f"{source.name} was made for {preprocess_text(settings)}; Frigate squashes its region "
            f"to {SIDE}x{SIDE}, and so do calibration and evaluation here",
        )
    unpruned = source.unpruned and as_fed(source.unpruned)
    return replace(source, preprocess=fed, notices=notices, unpruned=unpruned, thresholds={})


def refuse_other_answers(name: str, head: Head) -> None:
    """Raise ModelError where a model's answer is no probability for each class."""
    if head.kind == "softmax":
        return
    raise ModelError(
        f"{name} answers what Frigate does not read",
        found=f"a {head.kind} head with {head.outputs} "
        + ("output" if head.outputs == 1 else "outputs"),
        expected="a probability for each of two or more classes: a softmax at the end, which "
        "Frigate divides by its sum",
        fix="train or export it with a softmax of one output for each class",
    )


def refuse_other_input(name: str, settings: Preprocess) -> None:
    """Raise ModelError where bytes of 224x224 RGB pixels are not what a model takes."""
    if (settings.height, settings.width) != (SIDE, SIDE):
        raise ModelError(
            f"{name} does not take the {SIDE}x{SIDE} pixels that Frigate feeds",
            found=f"{settings.width}x{settings.height}",
            fix=f"train or export it with a side of {SIDE}, or give a variant with --weights",
        )
    several = len({*zip(settings.mean, settings.std, strict=False)}) > 1 or len(
        settings.mean
    ) != len(settings.std)
    if settings.channels != "rgb" or settings.standardize or several:
        raise ModelError(
            f"{name} does not take pixels as Frigate feeds them",
            found=f"--preprocess {preprocess_text(settings)}",
            expected="RGB pixels with at most one mean and one deviation for all channels: Frigate "
            "hands over 0-255 and normalizes nothing",
            fix="put the normalization into the network where it is trained",
        )
