"""What TensorFlow would run when it loads a SavedModel is refused before it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from converters.float_model.keras_files.reader import read_keras_model
from edge_effnet.errors import ModelError
from tests.converters.float_model.saved_model.conftest import Export, tensorflow_network


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


def test_an_initializer_that_would_run_is_refused_unrun(tmp_path: Path) -> None:
    import tensorflow as tf

    written = tmp_path / "written.txt"

    class Resource(tf.saved_model.experimental.TrackableResource):  # type: ignore[misc, name-defined]
        def _create_resource(self) -> Any:
            return tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.float32)

        def _initialize(self) -> None:
            tf.print("written", output_stream=f"file://{written}")

    network = tensorflow_network(tf, tf.float32, lambda x: x / 255.0)
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

    network = tensorflow_network(tf, tf.float32, lambda x: x / 255.0)
    tf.saved_model.save(network, str(tmp_path / "saved"), signatures=network.answer)
    file = tmp_path / "saved" / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    saved.meta_graphs[0].object_graph_def.nodes.add().resource.device = "CPU"
    file.write_bytes(saved.SerializeToString())
    with pytest.raises(ModelError, match=r"holds more than a network; found resource"):
        read_keras_model(tmp_path / "saved", resolution=None)


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
