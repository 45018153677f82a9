"""What one ``.tflite`` alone tells of how pixels become its input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge_effnet.errors import ModelError
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocess_text import (
    normalization_name,
    parse_preprocess,
    preprocess_text,
    settings_said,
)
from edge_effnet.image.preprocessing import Pixels, Preprocess, foreign_preprocess
from edge_effnet.plurals import plural
from edge_effnet.runtime.input_pixels.evidence import FEWEST_PHOTOS, Evidence
from edge_effnet.runtime.input_pixels.input_tensor import by_quantization
from edge_effnet.runtime.input_pixels.rescaling import by_rescaling
from edge_effnet.runtime.input_pixels.suggestion import likely_ways, unlikely
from edge_effnet.runtime.input_pixels.teachable_machine import by_teachable_machine
from edge_effnet.runtime.input_pixels.ways import (
    describe,
    describe_fit,
    describe_scaling,
    same_scaling,
    with_scaling,
)
from edge_effnet.tflite.reader import Structure


def evidence_of(
    model: bytes,
    structure: Structure,
    *,
    stated: Preprocess | None = None,
    found: FoundPreprocess | None = None,
) -> Evidence:
    """What the file tells: its metadata, Teachable Machine's names, the quantization of its input
    or a rescaling inside it; an ``open`` one where it tells nothing.

    Args:
        structure: with one input of height x width x 1 or 3 channels.
        stated: by the file's TFLite metadata.
        found: by whoever read the file, such as from the layers of a Keras model.
    """
    base = foreign_preprocess(*structure.tensors[structure.inputs[0]].shape[1:])
    if stated is not None:
        return Evidence(stated, "its TFLite metadata", "stated")
    if found is not None:
        known = found.settings.fit != base.fit  # Teachable Machine
        return Evidence(
            found.settings, found.reason, "inferred", fit_known=known, channels_known=known
        )
    evidence = by_teachable_machine(structure, base) or by_quantization(structure, base)
    if evidence is not None:
        return evidence
    return by_rescaling(model, structure, base) or Evidence(base, "", "open")


def with_told(evidence: Evidence, text: str) -> Evidence | Preprocess:
    """What the user's ``--preprocess`` makes of it: all settings, or, where it leaves the scaling
    out, the same evidence with another fit or other channels.

    Of mean and std alone, the other is what the file says.

    Raises:
        UsageProblem: the text is not understood.
    """
    said = settings_said(text)
    if {"mean", "std"} <= said or (said & {"mean", "std"} and evidence.strength == "open"):
        return parse_preprocess(text, with_scaling(evidence.settings, "raw"))
    settings = parse_preprocess(text, evidence.settings)
    if said & {"mean", "std"}:
        return settings
    reason = f"{evidence.reason}, with {text} as --preprocess says" if evidence.reason else ""
    return replace(
        evidence,
        settings=settings,
        reason=reason,
        fit_known=evidence.fit_known or "fit" in said,
        channels_known=evidence.channels_known or "channels" in said,
    )


def contradiction(evidence: Evidence, told: Preprocess) -> str | None:
    """A line where the file says another scaling than the user."""
    said = evidence.settings
    if evidence.strength == "open" or same_scaling(said, told):
        return None
    return (
        f"--preprocess says that {describe(told)}, and {evidence.reason} says that {describe(said)}"
    )


def unlikely_line(model: bytes, structure: Structure, told: Preprocess) -> str | None:
    """A line where statistics of the network speak against what the user says of its input."""
    likelier = unlikely(model, structure, told)
    if likelier is None:
        return None
    name = normalization_name(likelier) or preprocess_text(likelier)
    return (
        f"--preprocess says that {describe(told)}, and so the network's values leave the range "
        f"that its layers expect: --preprocess {name} is likelier"
    )


def found_line(name: str, found: FoundPreprocess) -> str:
    """The line that a command prints."""
    return f"{name}: {found_text(found)}"


def found_text(found: FoundPreprocess) -> str:
    """How pixels become the input and from what that was found."""
    if not found.default_fit:
        return f"{describe(found.settings)}: found from {found.reason}"
    return (
        f"{describe_scaling(found.settings)}: found from {found.reason}; the photo is "
        f"{describe_fit(found.settings)}, as nothing says otherwise"
    )


def ask_how(
    name: str,
    model: bytes,
    structure: Structure,
    base: Preprocess,
    *,
    photos: Sequence[Pixels] = (),
    tried: int = 0,
) -> ModelError:
    """The refusal of a file that does not say, with the likely answer first.

    Args:
        photos: like those that the network will see, without labels.
        tried: labelled photos that did not tell either.
    """
    likely, *others = likely_ways(model, structure, base, photos)
    names = ", ".join(normalization_name(way) or preprocess_text(way) for way in others)
    found = "neither a model card nor TFLite metadata"
    if tried >= FEWEST_PHOTOS:
        found += f", and {tried} labelled photos are answered no better than chance may explain"
        hint = "check that the labels are in the network's order, or give more photos"
    elif tried:
        are = plural(tried, "photo is", "photos are")
        found += f", and {tried} labelled {are} too few: {FEWEST_PHOTOS} are needed"
        hint = "or give more labelled photos, which tell it"
    else:
        hint = "labelled photos tell it (--data of evaluate and convert)"
    return ModelError(
        f"{name} does not say how pixels become its input",
        found=found,
        expected="to be told with --preprocess",
        fix=f"--preprocess {normalization_name(likely)} is likely ({describe(likely)}), "
        f"else one of {names}; {hint}",
    )
