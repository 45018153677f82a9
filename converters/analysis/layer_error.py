"""LayerError by layer: what an integer model makes of a float one, and which tensor costs most.

Four questions for each tensor both files have: how near its values come to float's after all
the rounding before it, how much of its 256 codes it uses, what the answer would lose if this
tensor alone were stored as the integer file stores it, and, for the costliest, what would be
won if it alone stayed float. The first grows towards the end of any network; the last two tell
the culprits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.analysis.left_float import changes_left_float, stored_range
from converters.tflite_graph.activations import Image, collect_activations, logits
from converters.tflite_graph.error_metrics import error_share, stored_in_int8
from converters.tflite_graph.segments import logit_names
from converters.tflite_graph.subgraph import SubgraphExtractor, cut_behind
from converters.tflite_graph.tensor_probe import TensorProbe, probe_tensors
from edge_effnet.errors import ModelError
from edge_effnet.stages import OnProgress
from edge_effnet.tflite.reader import Structure, Tensor, parse_structure

# Values compared per tensor and image, evenly spread.
_SAMPLED_VALUES = 4096
_CODES = 256


@dataclass(frozen=True)
class LayerError:
    """One tensor of the float model and its stored twin.

    Attributes:
        tensor: its full name in both files; ``operator`` makes it.
        range: what the integer file can hold, in real units.
        snr_db: signal to quantization noise of its values, all errors before it included.
        codes_used_percent: of the 256 codes, those between the lowest and highest seen.
        clipped_percent: of float's values, those outside the range.
        alone_percent: energy of the answer's change, of the answer's own, when this tensor
            alone is stored in 8 bits; ``alone_flipped`` counts the images whose answer turns.
        left_float_percent: change of the whole model's answer error when the tensor is never
            rounded (-10: a tenth less); None where that was not tried.
    """

    tensor: str
    operator: str
    range: tuple[float, float]
    snr_db: float
    codes_used_percent: float
    clipped_percent: float
    alone_percent: float
    alone_flipped: int
    left_float_percent: float | None = None

    @property
    def name(self) -> str:
        """The last layer in the tensor's name: what ``model.summary()`` calls it."""
        last = self.tensor.split(";")[0].split(":")[0].split("/")
        layers = [part for part in last if not part.startswith(("functional", "batchnorm"))]
        named = layers[-2] if len(layers) > 1 else layers[-1]
        return named.removesuffix("_1")


def operator_name(layer: LayerError) -> str:
    """``DEPTHWISE_CONV_2D`` as ``depthwise``."""
    return layer.operator.lower().replace("_2d", "").replace("depthwise_conv", "depthwise")


@dataclass(frozen=True)
class LayerErrors:
    """All layers, the costliest first.

    Attributes:
        answer_percent: energy of the integer model's answer error, of the answer's own.
        images: how many were used.
    """

    layers: tuple[LayerError, ...]
    answer_percent: float
    images: int

    def to_json(self) -> dict[str, Any]:
        return {
            "format": "edge-effnet layers",
            "version": 1,
            "pictures": self.images,
            "answer_percent": self.answer_percent,
            "layers": [{"name": layer.name, **vars(layer)} for layer in self.layers],
        }


def measure_layers(
    model: bytes,
    quantized: bytes,
    images: Sequence[Image],
    *,
    inputs: Sequence[Image] | None = None,
    float_trials: int,
    workers: int,
    progress: OnProgress = lambda _done, _all: None,
) -> LayerErrors:
    """Compare an integer model with the float model it was made from.

    Args:
        model: float, ``quantized``: int8 activations, with the tensor names of ``model``.
        images: real-valued inputs, each height x width x 3.
        inputs: of the integer model, where those are others.
        float_trials: how many of the costliest tensors are tried in float.
        progress: told (tensors done, tensors in all).

    Raises:
        ModelError: not such a pair.
    """
    structure, own = (
        parse_structure(model, "the reference"),
        parse_structure(quantized, "the candidate"),
    )
    twins = _twins(structure, own)
    inputs = images if inputs is None else inputs
    values = _values(model, quantized, twins, (images, inputs), workers)
    indices = {tensor.name: index for index, tensor in enumerate(structure.tensors)}
    answer = indices[logit_names(structure)[0]]
    extractor = SubgraphExtractor(model, structure, answer)
    reference = logits(model, structure, images, workers=workers)
    makers = {operator.outputs[0]: operator.name for operator in structure.operators}
    stored = dict(twins)
    done, steps = 0, len(twins) + float_trials

    def reducer(index: int, tensor: TensorProbe) -> tuple[float, float]:
        nonlocal done
        low, high = stored_range(stored[index])
        done += 1
        progress(done, steps)
        return tensor.error_and_flips(lambda found: stored_in_int8(found, low, high))

    # What no part of the answer depends on changes nothing.
    measurable = [i for i in stored if i == answer or cut_behind(structure, i, answer).rear]
    changes = probe_tensors(extractor, measurable, images, reference, reducer, workers=workers)
    change = dict(zip(measurable, changes, strict=True))
    layers = []
    for (index, twin), measured in zip(twins, values, strict=True):
        share, flipped = change.get(index, (0.0, 0.0))
        layers.append(
            LayerError(
                structure.tensors[index].name,
                makers[index],
                stored_range(twin),
                *measured,
                alone_percent=100 * share,
                alone_flipped=round(flipped * len(images)),
            )
        )
    layers.sort(key=lambda layer: -layer.alone_percent)
    error = error_share(reference, logits(quantized, structure, inputs, workers=workers))
    saved = changes_left_float(
        model,
        structure,
        own,
        [layer.tensor for layer in layers[:float_trials]],
        reference,
        images,
        workers=workers,
    )
    progress(steps, steps)
    tried = [
        LayerError(**{**vars(layer), "left_float_percent": change})
        for layer, change in zip(layers, saved, strict=False)
    ]
    return LayerErrors((*tried, *layers[len(tried) :]), 100 * error, len(images))


def _twins(structure: Structure, quantized: Structure) -> list[tuple[int, Tensor]]:
    """Indices of the float model's activations, with what stores them in the integer one."""
    stored = {tensor.name: tensor for tensor in quantized.tensors if tensor.scales}
    twins = [
        (operator.outputs[0], stored[name])
        for operator in structure.operators
        if (name := structure.tensors[operator.outputs[0]].name) in stored
        and stored[name].dtype == "int8"
        and operator.name != "SOFTMAX"
    ]
    floats = all(structure.tensors[op.outputs[0]].dtype == "float32" for op in structure.operators)
    if not floats or logit_names(structure)[0] not in {tensor.name for tensor in quantized.tensors}:
        raise ModelError(
            "these two files cannot be compared layer by layer",
            found="a reference that is not float32"
            if not floats
            else "tensors of other names in the candidate",
            expected="a float32 file and the int8 file made from it",
            fix="give NAME-float32.tflite and NAME-int8.tflite of one conversion",
        )
    if not twins:
        raise ModelError(
            "the candidate stores no activation in 8 bits: there is nothing to see in its layers",
            found="float activations",
            fix="give the int8 file",
        )
    return twins


def _values(
    model: bytes,
    quantized: bytes,
    twins: Sequence[tuple[int, Tensor]],
    images: tuple[Sequence[Image], Sequence[Image]],
    workers: int,
) -> list[tuple[float, float, float]]:
    """Of each tensor: signal to noise in dB, percent of codes used, percent clipped.

    Args:
        images: as the float and as the integer model takes them.
    """
    own = {t.name: i for i, t in enumerate(parse_structure(quantized, "the candidate").tensors)}
    kinds = [twin for _, twin in twins]

    def sample(_: int, __: int, values: NDArray[Any]) -> NDArray[Any]:
        return _spread(values)

    truth = collect_activations(
        model, [index for index, _ in twins], images[0], sample, workers=workers
    )
    sums = np.zeros((len(twins), 4))
    codes = np.tile([[127, -128]], (len(twins), 1))

    def compare(image: int, place: int, values: NDArray[Any]) -> tuple[list[float], list[int]]:
        reference, kind = truth[image][place], kinds[place]
        low, high = stored_range(kind)
        real = (_spread(values).astype(np.float32) - kind.zero_points[0]) * kind.scales[0]
        outside = (reference < low - kind.scales[0]) | (reference > high + kind.scales[0])
        row = [(reference**2).sum(), ((reference - real) ** 2).sum(), outside.sum(), real.size]
        return row, [values.min(), values.max()]

    tensors = [own[twin.name] for twin in kinds]
    for found in collect_activations(quantized, tensors, images[1], compare, workers=workers):
        sums += np.array([row for row, _ in found])
        ends = np.array([ends for _, ends in found])
        codes[:, 0] = np.minimum(codes[:, 0], ends[:, 0])
        codes[:, 1] = np.maximum(codes[:, 1], ends[:, 1])
    power, lost, outside, count = np.maximum(sums.T, 1e-12)
    return [
        (float(snr), float(used), float(clipped))
        for snr, used, clipped in zip(
            10 * np.log10(power / lost),
            100 * (codes[:, 1] - codes[:, 0] + 1) / _CODES,
            100 * np.round(outside) / count,
            strict=True,
        )
    ]


def _spread(values: NDArray[Any]) -> NDArray[Any]:
    """Values at an odd stride, so that all channels and places have their turn; a copy."""
    flat = values.reshape(-1)
    return flat[:: max(1, flat.size // _SAMPLED_VALUES) | 1].copy()
