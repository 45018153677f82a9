"""What is no image classifier is refused by what it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_effnet.errors import ModelError
from edge_effnet.heads.tasks import open_size, refuse_other_tasks, refuse_unfixed_input
from edge_effnet.tflite.reader import Operator, Structure, Tensor, read_structure

IMAGE = (1, 320, 320, 3)


def network(
    inputs: Sequence[Sequence[int]], outputs: Sequence[Sequence[int]], *operators: str
) -> Structure:
    """Inputs and outputs of these shapes, and operators of these names."""
    shapes = [*inputs, *outputs]
    tensors = tuple(Tensor("", tuple(shape), "float32", (), (), 0, 0) for shape in shapes)
    made = tuple(Operator(place, name, 1, (), ()) for place, name in enumerate(operators))
    ends = tuple(range(len(inputs))), tuple(range(len(inputs), len(shapes)))
    return Structure(made, tensors, *ends, {})


@pytest.mark.parametrize(
    ("outputs", "operators", "what"),
    [
        ([], (), "has no output"),
        ([(1, 10, 4), (1, 10), (1, 10), (1,)], ("CUSTOM:TFLite_Detection_PostProcess",), "SSD"),
        ([(1, 1917, 4), (1, 1917, 91)], (), "SSD"),
        ([(1, 3), (1, 2)], ("SOFTMAX",), "has 2 outputs"),
        ([(1, 6300, 85)], (), "YOLO"),
        ([(1, 84, 2100)], (), "YOLO"),
        ([(1, 9000, 7)], (), "seems to be an object detector"),
        ([(1, 24, 37)], ("SOFTMAX",), "a sequence"),
        ([(1, 320, 320, 21)], ("SOFTMAX",), "segmenter"),
        ([(1, 160, 160, 2)], (), "segmenter"),
        ([(1, 320, 320, 3)], ("TANH",), "makes an image"),
        ([(1, 40, 40, 5)], ("SOFTMAX",), "FOMO"),
        ([(1, 10, 10, 5)], ("SOFTMAX",), "each cell of a grid"),
        ([(1, 320, 320)], ("ARG_MAX",), "segmenter"),
        ([(1, 1, 17, 3)], (), "points of a body"),
    ],
)
def test_it_is_named(outputs: Sequence[Sequence[int]], operators: Sequence[str], what: str) -> None:
    with pytest.raises(ModelError, match=what):
        refuse_other_tasks(network([IMAGE], outputs, *operators), "net.tflite")


@pytest.mark.parametrize("output", [(1, 5), (5,), (1, 1), (1, 1, 1, 1000), (32, 5), (), (1, 1, 6)])
def test_a_vector_of_scores_is_taken(output: Sequence[int]) -> None:
    refuse_other_tasks(network([IMAGE], [output], "SOFTMAX"), "net.tflite")


def test_two_images_are_too_many() -> None:
    with pytest.raises(ModelError, match="takes 2 inputs"):
        refuse_other_tasks(network([IMAGE, IMAGE], [(1, 5)]), "net.tflite")


def test_the_detector_of_edge_impulse(reference: Path) -> None:
    structure = read_structure(reference / "wild" / "edgeimpulse_detector.tflite")
    with pytest.raises(ModelError, match="FOMO"):
        refuse_other_tasks(structure, "edgeimpulse_detector.tflite")


def _taking(
    shape: tuple[int, ...], open_shape: tuple[int, ...] = (), dtype: str = "float32"
) -> Structure:
    scales = () if dtype == "float32" else (0.1,)
    tensor = Tensor("image", shape, dtype, scales, (), 0, 0, open_shape)
    return Structure((), (tensor,), (0,), (), {})


def test_an_open_image_size_is_refused_with_the_command_that_fixes_it() -> None:
    structure = _taking((1, 1, 1, 3), (-1, -1, -1, 3))
    with pytest.raises(ModelError, match=r"convert --model net\.tflite --resolution 224 --int8"):
        refuse_unfixed_input(structure, "net.tflite")


def test_quantized_with_an_open_size_is_sent_to_no_command_that_refuses_it() -> None:
    structure = _taking((1, 1, 1, 3), (-1, -1, -1, 3), "int8")
    with pytest.raises(ModelError) as refused:
        refuse_unfixed_input(structure, "net.tflite")
    assert "edge-effnet" not in refused.value.fix


def test_an_open_batch_is_no_open_size() -> None:
    assert not open_size(_taking((1, 8, 8, 3), (-1, 8, 8, 3)))
    refuse_unfixed_input(_taking((1, 8, 8, 3), (-1, 8, 8, 3)), "net.tflite")


def test_a_batch_is_refused_with_the_command_that_takes_it_out() -> None:
    with pytest.raises(ModelError, match=r"takes 32 images.*convert --model net\.tflite --int8"):
        refuse_unfixed_input(_taking((32, 8, 8, 3)), "net.tflite")


def test_one_image_of_a_fixed_size_is_taken() -> None:
    refuse_unfixed_input(_taking((1, 8, 8, 3)), "net.tflite")
