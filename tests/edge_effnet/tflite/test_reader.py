"""Reading a model file's structure: right on real files, and never anything but ModelError."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_effnet.artifact import split_archive
from edge_effnet.errors import ModelError
from edge_effnet.files.limits import MODEL_BYTES
from edge_effnet.tflite.metadata import METADATA_NAME, read_normalization, write_metadata
from edge_effnet.tflite.reader import (
    DTYPES,
    Structure,
    parse_structure,
    read_model_bytes,
    read_structure,
)
from tests.edge_effnet.conftest import model_bytes

MakeModel = Callable[..., Path]
COLOURS = model_bytes(np.eye(3, dtype=np.float32))


def parses(data: bytes) -> bool:
    """Any exception but ModelError is a failure."""
    try:
        parse_structure(data, "damaged")
    except ModelError:
        return False
    return True


def test_a_small_model(colour_model: MakeModel) -> None:
    structure = read_structure(colour_model())
    assert [operator.name for operator in structure.operators] == [
        "MEAN", "FULLY_CONNECTED", "SOFTMAX"
    ]  # fmt: skip
    image, scores = (structure.tensors[i] for i in (*structure.inputs, *structure.outputs))
    assert (image.name, image.shape, image.dtype) == ("image", (1, 4, 4, 3), "float32")
    assert (scores.elements, scores.constant_bytes, scores.scales) == (3, 0, ())
    weights = structure.tensors[structure.operators[1].inputs[1]]
    assert weights.constant_bytes == 36
    assert structure.operators[1].inputs[2] == -1  # no bias


@pytest.mark.parametrize(
    ("name", "operators", "kind"),
    [
        ("deeplabv3_mnv2_dm05_pascal_quant/model.tflite", 72, "uint8"),
        ("keras_lstm_mnist_ptq/model.tflite", 6, "uint8"),
        ("mobilenet_edgetpu_0.75_224_post_training_quant/model.tflite", 79, "uint8"),
        ("mobilenet_v1_0.25_128_quant/model.tflite", 31, "uint8"),
        ("mobilenet_v2_1.0_224_quant/model.tflite", 66, "uint8"),
        ("movenet_single_pose_lightning_ptq/model.tflite", None, "uint8"),
    ],
)
def test_real_files_agree_with_the_generated_reader(
    reference: Path, name: str, operators: int | None, kind: str
) -> None:
    path = reference / "edgetpu" / name
    structure = read_structure(path)
    assert operators is None or len(structure.operators) == operators
    assert structure.tensors[structure.inputs[0]].dtype == kind
    assert_as_generated(structure, path.read_bytes())


def test_the_flowers_file_agrees_with_the_generated_reader(reference: Path) -> None:
    path = reference / "models" / "lite0_flowers5_modelmaker_int8.tflite"
    structure = read_structure(path)
    assert_as_generated(structure, path.read_bytes())
    assert read_normalization(structure.metadata[METADATA_NAME]) == ((0.0,), (255.0,))


def assert_as_generated(structure: Structure, data: bytes) -> None:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(data, 0)
    graph = model.Subgraphs(0)
    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    assert graph.OperatorsLength() == len(structure.operators)
    assert graph.TensorsLength() == len(structure.tensors)
    for operator in structure.operators:
        theirs = graph.Operators(operator.index)
        code = model.OperatorCodes(theirs.OpcodeIndex())
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        assert operator.name.partition(":")[0] == names[number]
        assert operator.version == code.Version()
        assert operator.inputs == tuple(theirs.InputsAsNumpy())
        assert operator.outputs == tuple(theirs.OutputsAsNumpy())
    for index, tensor in enumerate(structure.tensors):
        theirs = graph.Tensors(index)
        assert tensor.name.encode() == theirs.Name()
        assert tensor.shape == tuple(_values(theirs.ShapeAsNumpy()))
        assert getattr(schema.TensorType, tensor.dtype.upper()) == theirs.Type()
        assert tensor.constant_bytes == model.Buffers(theirs.Buffer()).DataLength()
        if quantization := theirs.Quantization():
            assert tensor.scales == tuple(_values(quantization.ScaleAsNumpy()))
            assert tensor.zero_points == tuple(_values(quantization.ZeroPointAsNumpy()))
            assert tensor.channel_axis == quantization.QuantizedDimension()


def _values(array: Any) -> list[Any]:
    return array.tolist() if isinstance(array, np.ndarray) else []


def test_the_tables_are_the_schemas() -> None:
    from ai_edge_litert import schema_py_generated as schema

    from edge_effnet.tflite import reader as tflite_file

    for enumeration, ours in (
        (schema.BuiltinOperator, tflite_file._OPERATORS),
        (schema.TensorType, [dtype.upper() for dtype in DTYPES]),
    ):
        theirs = {v: n for n, v in vars(enumeration).items() if isinstance(v, int)}
        known = {number: name for number, name in theirs.items() if number < len(ours)}
        assert known == dict(enumerate(ours))


def test_a_compiled_file_shows_its_one_operator(reference: Path) -> None:
    path = reference / "edgetpu" / "mobilenet_v1_0.25_128_quant" / "compiled_edgetpu.tflite"
    assert Counter(op.name for op in read_structure(path).operators) == {
        "CUSTOM:edgetpu-custom-op": 1
    }


def test_a_cut_off_model_is_refused_wherever_it_is_cut() -> None:
    assert parses(COLOURS)
    assert not any(parses(COLOURS[:length]) for length in range(len(COLOURS)))


def test_a_large_model_cut_off_is_refused(reference: Path) -> None:
    path = reference / "edgetpu" / "mobilenet_v1_0.25_128_quant" / "model.tflite"
    data, files = split_archive(path.read_bytes())
    assert list(files) == ["imagenet_labels.txt"]
    assert parses(data)
    lengths = (*range(8, len(data), 9973), *range(len(data) - 64, len(data)))
    assert not any(parses(data[:length]) for length in lengths)


@given(st.lists(st.tuples(st.integers(8, len(COLOURS) - 1), st.integers(0, 255)), min_size=1))
@settings(max_examples=400, deadline=None)
def test_flipped_bytes_are_refused_or_parse(changes: list[tuple[int, int]]) -> None:
    data = bytearray(COLOURS)
    for place, value in changes:
        data[place] = value
    parses(bytes(data))


def test_flipped_bytes_of_a_large_model(reference: Path) -> None:
    data = bytearray((reference / "models" / "lite0_flowers5_modelmaker_int8.tflite").read_bytes())
    random = np.random.default_rng(5)
    for _ in range(150):
        places = random.integers(8, 1024, 3)
        before = [data[place] for place in places]
        for place in places:
            data[place] = random.integers(256)
        parses(bytes(data))
        for place, value in zip(places[::-1], before[::-1], strict=True):
            data[place] = value


@given(st.binary(max_size=400))
def test_noise_with_the_right_identifier(noise: bytes) -> None:
    parses(noise[:4].ljust(4, b"\x08") + b"TFL3" + noise[4:])


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.tflite"
    path.write_text("these are words")
    with pytest.raises(ModelError, match="is a text file, not a model; expected"):
        read_model_bytes(path)
    with pytest.raises(ModelError, match="cannot be read; found No such file"):
        read_model_bytes(tmp_path / "missing.tflite")


def test_more_bytes_than_the_limit_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    path.write_bytes(bytes(4) + b"TFL3")
    os.truncate(path, MODEL_BYTES.default + 1)
    with pytest.raises(ModelError, match=r"large.tflite has more than the limit for model files"):
        read_structure(path)


def test_metadata_round_trip() -> None:
    def written(mean: tuple[float, ...], std: tuple[float, ...]) -> bytes:
        return write_metadata(
            name="b0",
            description="",
            version="1",
            labels_file="labels.txt",
            mean=mean,
            std=std,
            input_range=(-1.0, 1.0),
        )

    assert read_normalization(written((127.5,), (128.0,))) == ((127.5,), (128.0,))
    assert read_normalization(written((1, 2, 3), (4, 5, 6))) == ((1, 2, 3), (4, 5, 6))
    # What cannot be used says nothing: the user is then asked for --preprocess.
    assert read_normalization(written((127.5,), (0.0,))) is None
    assert read_normalization(written((1.0, 2.0), (1.0,))) is None
    whole = written((127.5,), (128.0,))
    for length in range(len(whole)):
        read_normalization(whole[:length])


def test_tensors_that_share_an_endless_vector_are_not_unfolded() -> None:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    many = 40_000  # that many shapes of that many sides, in 400 kB
    builder = flatbuffers.Builder(1024)
    shape = builder.CreateNumpyVector(np.ones(many, np.int32))
    schema.TensorStart(builder)
    schema.TensorAddShape(builder, shape)
    tensor = schema.TensorEnd(builder)
    schema.SubGraphStartTensorsVector(builder, many)
    for _ in range(many):
        builder.PrependUOffsetTRelative(tensor)
    tensors = builder.EndVector()
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    graph = schema.SubGraphEnd(builder)
    schema.ModelStartSubgraphsVector(builder, 1)
    builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    schema.BufferStart(builder)
    buffer = schema.BufferEnd(builder)
    schema.ModelStartBuffersVector(builder, 1)
    builder.PrependUOffsetTRelative(buffer)
    buffers = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    schema.ModelAddBuffers(builder, buffers)
    builder.Finish(schema.ModelEnd(builder), file_identifier=b"TFL3")
    with pytest.raises(ModelError, match="damaged"):
        parse_structure(bytes(builder.Output()), "endless")
