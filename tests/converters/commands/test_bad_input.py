"""What ``convert`` says of inputs that no int8 file can be made from, or hardly."""

import re
from pathlib import Path

import numpy as np
import pytest

from converters.accuracy.strategies import applicable_strategies
from converters.calibration.representative import choose_calibration
from converters.quantization.candidates import Context
from converters.quantization.quantizer import operator_types
from converters.tflite_graph.activations import open_with_all_tensors
from edge_effnet.artifact import Card, write_artifact
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError, ModelError
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.editor import pack_tree, read_tree, writable_constant
from edge_effnet.tflite.reader import parse_structure
from tests.conftest import Cli, RunCommand
from tests.converters.conftest import CLASSES, SIDE, TinyModel, write_image


def with_custom_operator(model: bytes) -> bytes:
    schema, tree = read_tree(model)
    code = next(c for c in tree.operatorCodes if c.builtinCode == schema.BuiltinOperator.LOGISTIC)
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b"Mystery"
    return pack_tree(tree)


def with_nan(model: bytes) -> bytes:
    """One value of the first kernel is not a number."""
    changed = bytearray(model)
    structure = parse_structure(model, "tiny")
    kernel = next(op.inputs[1] for op in structure.operators if op.name == "CONV_2D")
    writable_constant(changed, kernel).view(np.float32)[3] = np.nan
    return bytes(changed)


def written(model: bytes, folder: Path) -> Path:
    path = folder / "tiny-float32.tflite"
    labels = tuple(f"class{index}" for index in range(CLASSES))
    write_artifact(path, model, Card("tiny", labels, Preprocess(SIDE, SIDE)))
    return path


def test_a_custom_operator_is_named(tiny: TinyModel) -> None:
    with pytest.raises(ModelError, match="Mystery"):
        open_with_all_tensors(with_custom_operator(tiny.model))


def test_convert_ends_with_one_line_and_no_file(
    tiny: TinyModel, photos: Path, edge_effnet: RunCommand, tmp_path: Path
) -> None:
    path = written(with_custom_operator(tiny.model), tmp_path)
    out = tmp_path / "out"
    ended = edge_effnet("convert", "--model", path, "--int8", "--data", photos, "--out", out)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert re.search(r"error: .*Mystery", ended.stderr)
    assert not out.exists()


@pytest.mark.parametrize("recipe", ["--int8", "--float16"])
def test_weights_that_are_no_numbers_are_refused_before_any_work(
    recipe: str, tiny: TinyModel, edge_effnet: RunCommand, tmp_path: Path
) -> None:
    path, out = written(with_nan(tiny.model), tmp_path), tmp_path / "out"
    ended = edge_effnet("convert", "--model", path, recipe, "--out", out)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert re.search(r"error: the weights of tiny are not all numbers; found .* 1 of", ended.stderr)
    assert "choosing images" not in ended.stderr
    assert not out.exists()


def test_images_of_one_colour_are_refused(tmp_path: Path) -> None:
    for grey in (10, 90, 200):
        write_image(tmp_path / f"{grey}.png", np.full((40, 40, 3), grey, np.uint8))
    with pytest.raises(DataError, match="3 images, each of one colour"):
        choose_calibration(load_images(tmp_path), Preprocess(32, 32), count=3, seed=0)


def test_one_image_calibrates_every_strategy(tiny: TinyModel, photos: Path) -> None:
    one = load_images(photos / "class0")
    calibration, _ = choose_calibration(one, Preprocess(SIDE, SIDE), count=1, seed=0)
    assert len(calibration) == 1
    context = Context(tiny.model, tiny.structure, calibration, "uint8", workers=2)
    strategies = applicable_strategies(allow_float=2, training=None)
    assert [row.name for row in strategies][-1] == "float2"
    made = {row.name: row.make(context).model for row in strategies}
    answer = operator_types(parse_structure(made["bias"], "bias"))
    assert answer == dict.fromkeys(("DEQUANTIZE", "MEAN", "FULLY_CONNECTED", "MUL", "SOFTMAX"), 1)
    left = operator_types(parse_structure(made["float2"], "float2"))
    assert left.keys() > answer.keys()


@pytest.mark.parametrize("option", [("--allow-float", 2), ("--fallback", "float16")])
def test_a_last_resort_needs_a_limit(edge_effnet: RunCommand, option: tuple[object, ...]) -> None:
    ended = edge_effnet("convert", "--variant", "b0", "--int8", *option)
    assert ended.returncode == 2
    assert "--max-drop" in ended.stderr


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--weights8", "--full-integer"), "--full-integer is for --int8"),
        (
            ("--int8", "--full-integer", "--allow-float", "2", "--min-agreement", "99"),
            "keeps nothing in float",
        ),
        (
            ("--int8", "--full-integer", "--fallback", "float16", "--min-agreement", "99"),
            "--full-integer wants a file that computes in integers",
        ),
    ],
)
def test_full_integer_needs_an_integer_recipe(
    cli: Cli, tmp_path: Path, options: tuple[str, ...], line: str
) -> None:
    code, _, err = cli("convert", "--variant", "b0", *options, "--out", tmp_path / "out")
    assert code == 2
    assert line in err
