"""``compare --layers``: the layer that costs most is named, measured and drawn."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from converters.analysis.layer_error import LayerErrors, measure_layers
from converters.analysis.layer_error_plot import ROWS, layer_error_plot
from converters.commands.compare_layers import compare_layers
from converters.quantization.mixed_precision import kept_in_float
from converters.quantization.quantizer import operator_types, quantize
from converters.quantization.recipes import RECIPES
from edge_effnet.artifact import Card, write_artifact
from edge_effnet.data.listing import load_dataset
from edge_effnet.errors import ModelError
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.plots import PALETTE
from edge_effnet.tflite.editor import has_old_operator_codes, pack_tree, read_tree
from edge_effnet.tflite.reader import parse_structure
from tests.conftest import RunCommand
from tests.converters.conftest import CLASSES, SIDE, TinyModel

INT8 = RECIPES["int8"]


def spoiled(tiny: TinyModel) -> tuple[str, bytes]:
    """An int8 model with a tensor whose range is fifty times too wide."""
    name = next(
        tiny.structure.tensors[op.outputs[0]].name
        for op in tiny.structure.operators
        if "se_excite" in tiny.structure.tensors[op.outputs[0]].name
    )
    low, high = tiny.ranges[name]
    ranges = {**tiny.ranges, name: (50 * low, 50 * high)}
    return name, quantize(tiny.model, INT8, ranges, "uint8")


@pytest.fixture(scope="module")
def found(tiny: TinyModel) -> tuple[str, LayerErrors]:
    name, small = spoiled(tiny)
    images = list(islice(tiny.calibration.inputs(), 4))
    return name, measure_layers(tiny.model, small, images, float_trials=1, workers=2)


def test_the_spoiled_layer_comes_first(found: tuple[str, LayerErrors]) -> None:
    name, errors = found
    worst = errors.layers[0]
    assert worst.tensor == name
    assert "se_excite" in worst.name
    assert worst.operator == "MUL"
    assert worst.codes_used_percent < 5
    assert worst.alone_percent > 2 * errors.layers[1].alone_percent
    # Never rounding it undoes most of the damage.
    assert worst.left_float_percent is not None
    assert worst.left_float_percent < -20
    assert all(layer.left_float_percent is None for layer in errors.layers[1:])
    assert all(0 < layer.codes_used_percent <= 100 for layer in errors.layers)


def words_of(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)  # noqa: S314 (our own)
    return [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_plot_names_the_costliest_layers_worst_first(found: tuple[str, LayerErrors]) -> None:
    _, errors = found
    assert len(errors.layers) > ROWS
    words = words_of(layer_error_plot(errors, "a < b", ".svg"))
    assert "a < b" in words
    names = [word for word in words if word.endswith(")") and "(--json" not in word]
    assert len(names) == ROWS
    assert names[0] == f"{errors.layers[0].name} (mul)"
    assert names[-1].startswith(errors.layers[ROWS - 1].name)
    assert any(f"{len(errors.layers) - ROWS} layer" in word for word in words)


def test_the_plot_of_few_layers_is_whole_as_svg_and_png(found: tuple[str, LayerErrors]) -> None:
    _, errors = found
    few = replace(errors, layers=errors.layers[:3])
    svg = layer_error_plot(few, "three", ".svg")
    assert b"more come" not in svg
    assert svg.count(b"answers changed</title>") == 3
    image = cv2.imdecode(np.frombuffer(layer_error_plot(few, "three", ".PNG"), np.uint8), 1)
    assert image is not None
    for place, flipped in enumerate({layer.alone_flipped > 0 for layer in few.layers}):
        red, green, blue = bytes.fromhex(PALETTE[int(flipped)][1:])
        assert (image == (blue, green, red)).all(axis=2).any(), place


def test_what_stays_float_is_that_and_nothing_else(tiny: TinyModel) -> None:
    name, _ = spoiled(tiny)
    kept = kept_in_float(tiny.structure, [name])
    mixed = quantize(tiny.model, INT8, tiny.ranges, "uint8", left_float=kept)
    structure = parse_structure(mixed, "mixed")
    assert operator_types(structure, kept) == {}
    assert set(operator_types(structure)) == {"MUL", "CONV_2D", "QUANTIZE", "DEQUANTIZE"}
    assert next(t for t in structure.tensors if t.name == name).dtype == "float32"


def test_two_models_of_no_kin_are_refused(tiny: TinyModel) -> None:
    images = list(islice(tiny.calibration.inputs(), 1))
    with pytest.raises(ModelError, match="no activation in 8 bits"):
        measure_layers(tiny.model, tiny.model, images, float_trials=0, workers=1)
    _, small = spoiled(tiny)
    with pytest.raises(ModelError, match="layer by layer"):
        measure_layers(small, small, images, float_trials=0, workers=1)


def test_compare_prints_and_writes_the_layers(
    tiny: TinyModel, photos: Path, edge_effnet: RunCommand, tmp_path: Path
) -> None:
    name, small = spoiled(tiny)
    card = Card("tiny", tuple(f"class{i}" for i in range(CLASSES)), Preprocess(SIDE, SIDE))
    for stem, model in (("float32", tiny.model), ("int8", small)):
        write_artifact(tmp_path / f"tiny-{stem}.tflite", model, replace(card, name=stem))
    ended = edge_effnet(
        "compare", tmp_path / "tiny-float32.tflite", tmp_path / "tiny-int8.tflite",
        "--data", photos, "--layers", "--plot", tmp_path / "l.png", "--json", tmp_path / "l.json",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "costliest first" in ended.stdout
    layers = json.loads((tmp_path / "l.json").read_text())["layers"]["layers"]
    assert layers[0]["tensor"] == name
    assert layers[0]["name"] in ended.stdout
    assert (tmp_path / "l.png").read_bytes().startswith(b"\x89PNG")
    for extra, missing in ((("other.svg",), "--layers"), (("other.jpg", "--layers"), ".svg or")):
        name, *options = extra
        refused = edge_effnet(
            "compare", tmp_path / "tiny-float32.tflite", tmp_path / "tiny-int8.tflite",
            "--data", photos, "--plot", tmp_path / name, *options,
        )  # fmt: skip
        assert refused.returncode == 2
        assert missing in refused.stderr


def test_the_reference_may_be_the_users_own_old_file(
    tiny: TinyModel, photos: Path, tmp_path: Path
) -> None:
    name, small = spoiled(tiny)
    _, tree = read_tree(tiny.model)
    for code in tree.operatorCodes:
        code.deprecatedBuiltinCode, code.builtinCode = code.builtinCode, 0
    old = tmp_path / "old.tflite"
    old.write_bytes(pack_tree(tree))
    assert has_old_operator_codes(old.read_bytes())
    (tmp_path / "int8.tflite").write_bytes(small)
    found = compare_layers(
        old,
        tmp_path / "int8.tflite",
        load_dataset(photos),
        (Preprocess(SIDE, SIDE), Preprocess(SIDE, SIDE)),
        workers=1,
        plot=None,
        table=False,
        overwrite=False,
    )
    assert found["layers"][0]["tensor"] == name
    assert found["layers"][0]["left_float_percent"] is not None
