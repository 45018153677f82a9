"""Weights of networks that were ported to PyTorch, by the names of our layers."""

from __future__ import annotations

from pathlib import Path

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import WeightsError
from edge_effnet.files.damage import DAMAGE
from edge_effnet.files.limits import WEIGHTS_BYTES
from edge_effnet.files.read import open_file, read_bytes
from edge_effnet.network.weights.files import Array, LayerWeights, refuse_not_finite
from edge_effnet.network.weights.pytorch.pytorch_file import is_pytorch_file, read_pytorch_state
from edge_effnet.network.weights.pytorch.pytorch_names import layer_weights, naming_of
from edge_effnet.network.weights.pytorch.safetensors_file import is_safetensors, read_safetensors


def is_port(path: Path) -> bool:
    """Whether a file begins as PyTorch's or safetensors files do."""
    with open_file(path) as file:
        start = file.read(16)
    return is_pytorch_file(start) or is_safetensors(path)


def read_port(path: Path, spec: VariantSpec) -> LayerWeights:
    """The weights of a variant from such a file.

    Raises:
        WeightsError: missing, damaged, above the limit, of another network, or with values that
            are not numbers.
    """
    state = read_safetensors(path) if is_safetensors(path) else _pytorch_state(path)
    naming = naming_of(state)
    if naming is None:
        raise WeightsError(
            f"{path} holds no EfficientNet that is known",
            found=", ".join(list(state)[:2]) or "nothing",
            expected=f"the weights of {spec.name}",
            fix="give the file that was made for this network",
        )
    found = layer_weights(state, spec, naming)
    refuse_not_finite(path, found)
    return found


def _pytorch_state(path: Path) -> dict[str, Array]:
    content = read_bytes(path, WEIGHTS_BYTES)
    try:
        return read_pytorch_state(content)
    except DAMAGE as error:
        raise WeightsError(
            f"{path} is damaged",
            found=str(error),
            expected="a file of weights that PyTorch wrote",
            fix="install or download it again",
        ) from error
