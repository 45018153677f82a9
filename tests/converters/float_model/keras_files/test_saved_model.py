"""SavedModel folders through the signature they serve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.float_model.keras_files.reader import read_keras_model
from edge_effnet.errors import ModelError
from tests.converters.float_model.keras_files.conftest import Pixels, answers

Export = Callable[..., Any]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """A network with Flatten, whose shapes name the batch, as a SavedModel in ``saved``."""

    def make(batch: int | None = None, side: int | None = 32, outputs: int = 1) -> Any:
        import keras

        source = keras.Input((side, side, 3), batch)
        x = keras.layers.Conv2D(4, 3, strides=4)(keras.layers.Rescaling(1 / 255)(source))
        x = keras.layers.Flatten()(x) if side else keras.layers.GlobalMaxPooling2D()(x)
        ends = [keras.layers.Dense(3, activation="softmax")(x) for _ in range(outputs)]
        network = keras.Model(source, ends[0] if outputs == 1 else ends)
        network.export(tmp_path / "saved", verbose=False)
        return network

    return make


@pytest.mark.parametrize("batch", [None, 2])
def test_batch_is_1_and_variables_are_constants(
    batch: int | None, export: Export, tmp_path: Path, pixels: Pixels
) -> None:
    network = export(batch)
    read = read_keras_model(tmp_path / "saved", resolution=None)
    np.testing.assert_allclose(answers(read.model, pixels), network(pixels), atol=1e-4)
    names = {operator.name for operator in read.structure.operators}
    assert not names & {"VAR_HANDLE", "READ_VARIABLE", "SHAPE", "PACK", "STRIDED_SLICE"}
    assert read.origin["file"] == "saved"
    assert read.found is not None
    assert read.found.reason == "a rescaling inside the network"


def test_an_open_size_takes_the_resolution(export: Export, tmp_path: Path) -> None:
    export(side=None)
    read = read_keras_model(tmp_path / "saved", resolution=48)
    assert read.structure.tensors[read.structure.inputs[0]].shape == (1, 48, 48, 3)
    with pytest.raises(ModelError, match=r"images of any size.*saved --resolution 224 --int8"):
        read_keras_model(tmp_path / "saved", resolution=None)


def test_two_outputs_are_refused_by_name(export: Export, tmp_path: Path) -> None:
    export(outputs=2)
    with pytest.raises(ModelError, match=r"saved has 2 outputs; found output_0, output_1"):
        read_keras_model(tmp_path / "saved", resolution=None)


@pytest.mark.parametrize("name", ["MyCustomOp", "WriteFile"])
def test_operators_that_are_not_tensorflows_are_named(
    name: str, export: Export, tmp_path: Path
) -> None:
    export()
    file = tmp_path / "saved" / "saved_model.pb"
    node = b"\x0a" + bytes([2 + len(b"odd") + 2 + len(name)])
    node += b"\x0a\x03odd\x12" + bytes([len(name)]) + name.encode()
    graph = b"\x12" + bytes([len(node)]) + node  # a MetaGraphDef's graph_def with one node
    file.write_bytes(file.read_bytes() + b"\x12" + bytes([len(graph)]) + graph)
    with pytest.raises(ModelError, match=f"operators that cannot be converted; found {name}"):
        read_keras_model(tmp_path / "saved", resolution=None)


def _module(tf: Any, dtype: Any, first: Callable[[Any], Any]) -> Any:
    """A network of TensorFlow's own functions."""

    class Network(tf.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            random = np.random.default_rng(1)
            self.kernel = tf.Variable(random.normal(0, 0.1, (3, 3, 3, 4)).astype(np.float32))

        @tf.function(input_signature=[tf.TensorSpec((None, 32, 32, 3), dtype)])
        def answer(self, image: Any) -> Any:
            features = tf.nn.relu(tf.nn.conv2d(first(image), self.kernel, 2, "SAME"))
            return tf.nn.softmax(tf.reduce_mean(features, [1, 2]))

    return Network()


def test_an_initializer_that_would_run_is_refused_unrun(tmp_path: Path) -> None:
    import tensorflow as tf

    written = tmp_path / "written.txt"

    class Resource(tf.saved_model.experimental.TrackableResource):  # type: ignore[misc, name-defined]
        def _create_resource(self) -> Any:
            return tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.float32)

        def _initialize(self) -> None:
            tf.print("written", output_stream=f"file://{written}")

    network = _module(tf, tf.float32, lambda x: x / 255.0)
    network.resource = Resource()
    _ = network.resource.resource_handle
    tf.saved_model.save(network, str(tmp_path / "saved"), signatures=network.answer)
    written.unlink(missing_ok=True)
    with pytest.raises(ModelError, match=r"cannot be converted; found MutableHashTableV2, PrintV2"):
        read_keras_model(tmp_path / "saved", resolution=None)
    assert not written.exists()


def test_a_lookup_table_is_refused(tmp_path: Path) -> None:
    """Its operators have a state; the object alone is enough."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    network = _module(tf, tf.float32, lambda x: x / 255.0)
    tf.saved_model.save(network, str(tmp_path / "saved"), signatures=network.answer)
    file = tmp_path / "saved" / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    saved.meta_graphs[0].object_graph_def.nodes.add().resource.device = "CPU"
    file.write_bytes(saved.SerializeToString())
    with pytest.raises(ModelError, match=r"holds more than a network; found resource"):
        read_keras_model(tmp_path / "saved", resolution=None)


def test_constants_beside_the_network(tmp_path: Path, pixels: Pixels) -> None:
    """Given statistics are constants beside the network."""
    import keras

    layers = keras.layers
    steps = [
        layers.Normalization(mean=[100.0, 110, 120], variance=[900.0, 1000, 1100]),
        layers.Conv2D(4, 3, activation="gelu"),
        layers.BatchNormalization(),
        layers.SpatialDropout2D(0.2),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.5),
        layers.Dense(3),
    ]
    network = keras.Sequential([keras.Input((32, 32, 3)), *steps])
    network.export(tmp_path / "saved", verbose=False)
    read = read_keras_model(tmp_path / "saved", resolution=None)
    expected = network(pixels, training=False)
    np.testing.assert_allclose(answers(read.model, pixels), expected, atol=1e-4)


def test_what_tensorflow_1_runs_at_the_start_writes_nothing(tmp_path: Path) -> None:
    import tensorflow as tf

    v1, written = tf.compat.v1, tmp_path / "written"
    with v1.Graph().as_default(), v1.Session() as session:
        image = v1.placeholder(tf.float32, (None, 32, 32, 3))
        scores = tf.reduce_mean(image, [1, 2])
        start = tf.raw_ops.SaveV2(
            prefix=str(written), tensor_names=["a"], shape_and_slices=[""], tensors=[1.0]
        )
        builder = v1.saved_model.builder.SavedModelBuilder(str(tmp_path / "saved"))
        signature = v1.saved_model.predict_signature_def({"image": image}, {"scores": scores})
        builder.add_meta_graph_and_variables(
            session, ["serve"], {"serving_default": signature}, main_op=start
        )
        builder.save()
    with pytest.raises(ModelError, match="operators that cannot be converted; found SaveV2"):
        read_keras_model(tmp_path / "saved", resolution=None)
    assert not list(tmp_path.glob("written*"))


def test_pixels_of_uint8(tmp_path: Path, pixels: Pixels) -> None:
    import tensorflow as tf

    network = _module(tf, tf.uint8, lambda x: tf.cast(x, tf.float32) / 255.0)
    tf.saved_model.save(network, str(tmp_path / "saved"), signatures=network.answer)
    read = read_keras_model(tmp_path / "saved", resolution=None)
    whole = pixels.astype(np.uint8)
    found = answers(read.model, whole.astype(np.float32))
    np.testing.assert_allclose(found, network.answer(whole), atol=1e-5)


def test_integers_that_are_computed_with(tmp_path: Path) -> None:
    import tensorflow as tf

    network = _module(tf, tf.uint8, lambda x: tf.cast(x // 2, tf.float32))
    tf.saved_model.save(network, str(tmp_path / "saved"), signatures=network.answer)
    with pytest.raises(ModelError, match=r"computes with the integers.*FloorDiv of uint8"):
        read_keras_model(tmp_path / "saved", resolution=None)


@pytest.mark.parametrize("damage", ["cut", "no variables"])
def test_a_damaged_folder(damage: str, export: Export, tmp_path: Path) -> None:
    export()
    if damage == "cut":
        file = tmp_path / "saved" / "saved_model.pb"
        file.write_bytes(file.read_bytes()[:-700])
    else:
        for file in (tmp_path / "saved" / "variables").iterdir():
            file.unlink()
    with pytest.raises(ModelError, match="cannot be loaded as a SavedModel"):
        read_keras_model(tmp_path / "saved", resolution=None)


def test_operators_that_tflite_does_not_have_are_named_with_the_folder(tmp_path: Path) -> None:
    import keras

    tf = keras.src.utils.module_utils.tensorflow
    folder = tmp_path / "flexible"
    image = tf.TensorSpec([1, 8, 8, 3], tf.float32)
    call = tf.function(lambda x: {"y": tf.raw_ops.Erfinv(x=x / 300)[:, 0, 0]}, [image])
    tf.saved_model.save(tf.Module(), str(folder), call.get_concrete_function())
    with pytest.raises(ModelError, match=r"flexible: the network cannot be expressed.*Erfinv"):
        read_keras_model(folder, resolution=None)
