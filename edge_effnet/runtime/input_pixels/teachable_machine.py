"""Teachable Machine's exports, which are told by the names in the file.

Its page shows the camera's central square and feeds pixels / 127.5 - 1
(googlecreativelab/teachablemachine-community, libraries/image).
"""

from __future__ import annotations

import re
from dataclasses import replace

from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.runtime.input_pixels.input_tensor import (
    by_quantization,
    input_format,
    tensor_range,
)
from edge_effnet.runtime.input_pixels.ways import with_scaling
from edge_effnet.tflite.reader import Structure

_INPUT = re.compile(r"(serving_default_)?sequential_\d+_input(:0)?")
_LAYER = re.compile(r"\bdense_Dense\d+\b")


def is_teachable_machine(structure: Structure) -> bool:
    """Whether Teachable Machine made the file."""
    return (
        len(structure.inputs) == 1
        and _INPUT.fullmatch(structure.tensors[structure.inputs[0]].name) is not None
        and any(_LAYER.search(tensor.name) for tensor in structure.tensors)
    )


def by_teachable_machine(structure: Structure, base: Preprocess) -> Evidence | None:
    """What Teachable Machine does to photos; None for a file of others.

    A quantized file of the wrong range gets pixels as its own programs hand them, unchanged: cut
    to the range it holds they are answered worse (agreement with float 80 instead of 85 %).
    """
    if base.channels == "grey" or not is_teachable_machine(structure):
        return None
    settings = replace(with_scaling(base, "tf"), fit="crop", crop=1.0)
    held = tensor_range(input_format(structure))
    reason = "the way Teachable Machine exports"
    warnings: tuple[str, ...] = ()
    if held is not None and held[0] > -0.5:  # 3 of 10 such files
        if (stored := by_quantization(structure, base)) is not None:
            settings = replace(stored.settings, fit="crop", crop=1.0)
            reason = "Teachable Machine's names and the range of its input tensor"
        warnings = (
            f"its input tensor holds {held[0]:.3g}…{held[1]:.3g}, and the network was trained on "
            "-1…1: Teachable Machine quantized it with the wrong range, which costs accuracy; "
            "convert its float export instead: edge-effnet convert --model model_unquant.tflite "
            "--int8",
        )
    return Evidence(settings, reason, "inferred", warnings, True, True)
