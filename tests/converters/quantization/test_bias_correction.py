"""Biases that undo a mean error."""

from itertools import islice

import numpy as np
import pytest

from converters.accuracy.strategies import STRATEGIES
from converters.calibration.ranges import tensor_roles
from converters.quantization import quantizer
from converters.quantization.bias_correction import correct_bias
from converters.quantization.candidates import Context, run_steps
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.activations import collect_activations, logits
from converters.tflite_graph.error_metrics import typical_share
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import TinyModel, signal_to_noise

INT8 = RECIPES["int8"]


@pytest.mark.parametrize("interface", ["int8", "uint8"])
def test_corrected_channels_answer_as_float_on_average(tiny: TinyModel, interface: str) -> None:
    images = list(islice(tiny.calibration.inputs(), 8))
    small = quantize(tiny.model, INT8, tiny.ranges, interface)  # type: ignore[arg-type]
    corrected = correct_bias(tiny.model, small, images, workers=2)
    assert parse_structure(corrected, "corrected") == parse_structure(small, "small")
    changed = np.frombuffer(small, np.uint8) != np.frombuffer(corrected, np.uint8)
    assert 0 < changed.sum() < 0.1 * len(small)  # bias bytes only

    roles = tensor_roles(tiny.structure)

    def projection_bias(model: bytes) -> float:
        """Largest mean error of a channel of the projections, in quantization steps."""
        structure = parse_structure(model, "model")
        places = {tensor.name: index for index, tensor in enumerate(structure.tensors)}
        worst = 0.0
        for operator in tiny.structure.operators:
            index = operator.outputs[0]
            tensor = tiny.structure.tensors[index]
            if operator.name != "CONV_2D" or roles[tensor.name] != "linear":
                continue
            own = structure.tensors[places[tensor.name]]
            means = [
                collect_activations(
                    data,
                    [place],
                    images,
                    lambda _, __, values: values.reshape(-1, values.shape[-1]).mean(axis=0),
                    workers=2,
                )
                for data, place in ((tiny.model, index), (model, places[tensor.name]))
            ]
            expected = np.mean(means[0], axis=0)[0] / own.scales[0] + own.zero_points[0]
            worst = max(worst, float(np.abs(np.mean(means[1], axis=0)[0] - expected).max()))
        return worst

    # A correction is drawn towards zero where so few images disagree.
    assert projection_bias(corrected) < 0.6 * projection_bias(small)


def test_one_image_that_shouts_decides_nothing(tiny: TinyModel) -> None:
    """Fifty times as bright as pixels can be: every range cuts it."""
    images = list(islice(tiny.calibration.inputs(), 11))
    small = quantize(tiny.model, INT8, tiny.ranges, "float32")
    plain, beside = (
        correct_bias(tiny.model, small, given, workers=2)
        for given in (images, [*images, 50 * images[0]])
    )
    expected, *answers = (
        logits(model, tiny.structure, images, workers=2) for model in (tiny.model, plain, beside)
    )
    ours, theirs = (signal_to_noise(expected, answer) for answer in answers)
    assert abs(ours - theirs) < 0.5


def test_a_correction_is_kept_only_where_it_helps(tiny: TinyModel) -> None:
    context = Context(tiny.model, tiny.structure, tiny.calibration, "int8", 2)
    images = list(tiny.calibration.inputs())
    expected = logits(tiny.model, tiny.structure, images, workers=2)
    steps = next(row.steps for row in STRATEGIES if row.name == "bias")
    uncorrected = steps[: steps.index(quantizer.apply) + 1]
    before, after = (
        typical_share(
            expected,
            logits(
                run_steps(made_by, context.start("int8"), context).model,
                tiny.structure,
                images,
                workers=2,
            ),
        )
        for made_by in (uncorrected, steps)
    )
    assert after <= before
