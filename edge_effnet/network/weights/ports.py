"""Weights of networks that were ported to PyTorch, by the names of our layers."""

from __future__ import annotations

from pathlib import Path

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import WeightsError
from edge_effnet.files.damage import DAMAGE
from edge_effnet.files.limits import WEIGHTS_BYTES
from edge_effnet.files.read import open_file, read_bytes
from edge_effnet.network.weights.files import LayerWeights
from edge_effnet.network.weights.pytorch_file import is_pytorch_file, read_pytorch_state
from edge_effnet.network.weights.pytorch_names import layer_weights, naming_of


def is_port(path: Path) -> bool:
    """Whether a file begins as PyTorch's do."""
    with open_file(path) as file:
        return is_pytorch_file(file.read(16))


def read_port(path: Path, spec: VariantSpec) -> LayerWeights:
    """The weights of a variant from a file of PyTorch's.

    Raises:
        WeightsError: missing, damaged, above the limit, or of another network.
    """
    content = read_bytes(path, WEIGHTS_BYTES)
    try:
        state = read_pytorch_state(content)
    except DAMAGE as error:
        raise WeightsError(
            f"{path} is damaged",
            found=str(error),
            expected="a file of weights that PyTorch wrote",
            fix="install or download it again",
        ) from error
    naming = naming_of(state)
    if naming is None:
        raise WeightsError(
            f"{path} holds no EfficientNet that is known",
            found=", ".join(list(state)[:2]) or "nothing",
            expected=f"the weights of {spec.name}",
            fix="give the file that was made for this network",
        )
    return layer_weights(state, spec, naming)
