"""What a model is for where it is no image classifier, told from its inputs and outputs.

Detectors, segmenters and networks with several outputs are refused by name, before any work, by
the shapes of their ends and the names of their operators.

Sources of the shapes: the outputs of TFLite_Detection_PostProcess, of Ultralytics' YOLO exports
(v5: three anchors a cell, v8: one; cells of 8, 16 and 32 pixels) and of Edge Impulse's FOMO (a
softmax for each cell of 8 pixels).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from shlex import quote

from edge_effnet.errors import ModelError
from edge_effnet.tflite.channel_order import channels_first, ends_channels_last
from edge_effnet.tflite.reader import Structure

Shape = Sequence[int]

_DETECTION = "TFLite_Detection_PostProcess"
_CELLS = (8, 16, 32)  # sides of YOLO's cells in pixels
_FOMO_CELL = 8
_BOX = 4  # numbers that describe a box
_POSE = [17, 3]  # points of a body, with row, column and score: MoveNet
_ONE_VECTOR = "one vector of scores, or one number"
_CLASSIFIER = "give a model that classifies whole images"


def refuse_other_tasks(structure: Structure, name: str) -> None:
    """Refuse a ``.tflite`` that does not answer one image with one vector of scores.

    Args:
        name: of the model, for errors.

    Raises:
        ModelError: names what the model is.
    """
    inputs = [structure.tensors[index].shape for index in structure.inputs]
    outputs = [structure.tensors[index].shape for index in structure.outputs]
    operators = {operator.name for operator in structure.operators}
    if not inputs or not outputs:
        raise ModelError(
            f"{name} has no {'output' if inputs else 'input'}",
            expected="one image in, one vector of scores out",
            fix="convert or copy it again",
        )
    shown = ", ".join(str(list(shape)) for shape in outputs)
    if any(_DETECTION in operator for operator in operators) or _has_boxes(outputs):
        _refuse(f"{name} is an object detector (SSD), not a classifier", f"outputs {shown}")
    if len(inputs) != 1:
        taken = ", ".join(str(list(shape)) for shape in inputs)
        _refuse(f"{name} takes {len(inputs)} inputs", taken, "one image")
    if len(outputs) > 1:
        raise ModelError(
            f"{name} has {len(outputs)} outputs",
            found=shown,
            expected=_ONE_VECTOR,
            fix="export the one you need: keras.Model(model.input, model.outputs[0])",
        )
    task = _task(inputs[0], outputs[0], operators)
    if task is not None:
        _refuse(f"{name} {task}", f"output {list(outputs[0])}")


def _refuse(what: str, found: str, expected: str = _ONE_VECTOR) -> None:
    raise ModelError(what, found=found, expected=expected, fix=_CLASSIFIER)


def _has_boxes(outputs: Sequence[Shape]) -> bool:
    """Whether one of several outputs holds boxes: [1, N, 4]."""
    return len(outputs) > 1 and any(
        len(shape) == 3 and shape[2] == _BOX and shape[1] > 1 for shape in outputs
    )


def _task(image: Shape, output: Shape, operators: Collection[str]) -> str | None:
    """What the one output answers, as a predicate; None for a vector of scores."""
    answer = list(output[1:]) if len(output) > 1 else list(output)
    if sum(side != 1 for side in answer) <= 1:
        return None
    sides = list(image[1:3]) if len(image) == 4 else [0, 0]
    if answer[-2:] == _POSE:
        return "finds the points of a body, and classifies nothing"
    if answer[:2] == sides and len(answer) == 2:
        return "is a segmenter: it answers for each pixel"
    if len(answer) == 2:
        rows, numbers = max(answer), min(answer)
        cells = sum((sides[0] // cell) * (sides[1] // cell) for cell in _CELLS)
        if numbers > _BOX and rows in {cells, 3 * cells}:
            return "is an object detector (YOLO), not a classifier"
        if numbers > _BOX and rows > 20 * numbers:
            return "seems to be an object detector (boxes and their scores), not a classifier"
        return "answers a sequence or a table, not one vector of scores"
    if len(answer) == 3:
        rows, columns, channels = answer
        if [rows, columns] == sides and channels == image[3] and "SOFTMAX" not in operators:
            return "makes an image of an image, and classifies nothing"
        if 0 < sides[0] <= 4 * rows:
            return "is a segmenter: it answers for each pixel"
        if [rows * _FOMO_CELL, columns * _FOMO_CELL] == sides and "SOFTMAX" in operators:
            return "is an object detector (Edge Impulse's FOMO), not a classifier"
    return "answers for each cell of a grid, as detectors do, not for the whole image"


def refuse_unfixed_input(structure: Structure, name: str) -> None:
    """Refuse to run a ``.tflite`` whose image size is left open, which reads as one pixel, whose
    batch is not 1, or whose images come with the channels first.

    Raises:
        ModelError: with the command that fixes it.
    """
    tensor = structure.tensors[structure.inputs[0]]
    if channels_first(tensor.shape):
        raise ModelError(
            f"{name} takes images with the channels first",
            found=f"input shape {list(tensor.shape)}",
            expected="[1, height, width, 3], or 1 at the end for grey images",
            fix=f"edge-effnet convert --model {quote(name)} --int8 --data PHOTOS turns them"
            if ends_channels_last(structure) and not is_quantized(structure)
            else "export it with channels last: litert_torch.to_channel_last_io, or onnx2tf",
        )
    any_size = open_size(structure)
    if len(tensor.shape) != 4 or not (any_size or tensor.shape[0] != 1):
        return
    fix = "export it again with a batch of 1 and a fixed image size"
    if not is_quantized(structure):
        fix = (
            f"with the side that it was trained on: {size_command(name)}"
            if any_size
            else f"edge-effnet convert --model {quote(name)} --int8 --data PHOTOS"
        )
    raise ModelError(
        f"{name} leaves the size of its images open"
        if any_size
        else f"{name} takes {tensor.shape[0]} images at once",
        found=f"input shape {list(tensor.open_shape if any_size else tensor.shape)}",
        expected="one image of a fixed height and width",
        fix=fix,
    )


def size_command(name: str) -> str:
    """The command that converts a float model of any image size; 224 is an example."""
    return f"edge-effnet convert --model {quote(name)} --resolution 224 --int8 --data PHOTOS"


def open_size(structure: Structure) -> bool:
    """Whether height or width of the first input may be anything."""
    shape = structure.tensors[structure.inputs[0]].open_shape if structure.inputs else ()
    return len(shape) == 4 and min(shape[1:3]) < 0


def is_quantized(structure: Structure) -> bool:
    """Whether activations are integers: a full-integer file, and one that is it in part."""
    return bool(integer_activations(structure))


def integer_activations(structure: Structure) -> Counter[str]:
    """How many inputs and results of operators there are of each quantized type; the input and the
    output of a network that computes in float between them are none."""
    tensors, ends = structure.tensors, set[int]()
    computed = {index for operator in structure.operators for index in operator.outputs}
    for operator in structure.operators:
        if operator.name == "DEQUANTIZE":
            ends |= set(operator.inputs) & set(structure.inputs)
        elif operator.name == "QUANTIZE":
            ends |= set(operator.outputs) & set(structure.outputs)
    return Counter(
        tensors[index].dtype
        for index in (computed | set(structure.inputs)) - ends
        if tensors[index].scales and tensors[index].dtype in {"int8", "uint8", "int16"}
    )
