"""Names the layer that costs an int8 file most, where its answers are too far from float's."""

from __future__ import annotations

from collections.abc import Sequence

from converters.analysis.layer_error import LayerError, measure_layers, operator_name
from converters.config import ConvertConfig
from converters.conversion import ConvertedFile
from converters.quantization.candidates import Candidate, Context
from edge_effnet.errors import ModelError
from edge_effnet.stages import StartStage

# Percent of the images: what an ordinary int8 file keeps.
NEAR_ENOUGH = 95.0
_IMAGES = 8


def layer_notes(
    made: Sequence[ConvertedFile],
    candidates: Sequence[Candidate],
    context: Context,
    config: ConvertConfig,
    stage: StartStage,
) -> tuple[str, ...]:
    """A line for each int8 file that answers too many images otherwise.

    Args:
        made, candidates: the files of the recipes, compared with float on photos (generated
            images tell no layer's cost on them), and what is in them, in the same order.
    """
    notes = []
    for file, candidate in zip(made, candidates, strict=True):
        agreement = file.comparison.agreement_percent if file.comparison else None
        if agreement is None or agreement >= NEAR_ENOUGH:
            continue
        if not candidate.recipe.full_integer or context.calibration.kind != "images":
            continue
        layer = _costliest(candidate, context, stage)
        if layer is not None:
            notes.append(_line(file, agreement, layer, config))
    return tuple(notes)


def _costliest(candidate: Candidate, context: Context, stage: StartStage) -> LayerError | None:
    """None where the file has other tensors than float."""
    done = stage("finding the costliest layer", None)
    try:
        errors = measure_layers(
            context.model,
            candidate.model,
            context.images(_IMAGES),
            float_trials=0,
            workers=context.workers,
        )
    except ModelError:
        return None
    finally:
        done(1)
    return errors.layers[0]


def _line(file: ConvertedFile, agreement: float, layer: LayerError, config: ConvertConfig) -> str:
    line = (
        f"{file.path.name} agrees with float on {agreement:.1f} % of the images. The layer that "
        f"costs most is {layer.name} ({operator_name(layer)}): an error of "
        f"{layer.alone_percent:.2g} % when it alone is in 8 bits (all layers: compare --layers)"
    )
    if config.full_integer or file.recipe == "edgetpu" or config.allow_float:
        return line
    return f"{line}; beside a limit, --allow-float 4 keeps the worst in float"
