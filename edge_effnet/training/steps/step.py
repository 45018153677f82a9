"""The training step, of one worker and of many.

It is written here and not left to Keras, whose own fails under several machines; the same step
runs on one. Each worker computes the gradients of its rows of the global batch, weighted by their
part of it. Their sum over all workers is the gradient of the global batch, which every worker then
applies to its own copy of the network: equal weights plus equal gradients stay equal weights. So
variables, optimizer, moving averages and checkpoints are those of a single machine.

TensorFlow's ``MultiWorkerMirroredStrategy`` connects the workers and sums; nothing else of it is
used. With another backend of Keras there is one worker, and the step is Keras's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.network.backend import keras_module
from edge_effnet.system.native_log import native_output_hidden
from edge_effnet.training.cluster.group import ALONE, Group, WorkerLost
from edge_effnet.training.cluster.members import Member
from edge_effnet.training.cluster.shares import Share

if TYPE_CHECKING:
    import keras

T = TypeVar("T")
_SILENT_SECONDS = 60

Step = Callable[[Float32Array, Float32Array, "Float32Array | None"], tuple[float, float]]
"""Takes images (rows x side x side x 3), what the compiled loss takes as the truth (rows x
classes, or twice as many with a teacher), and a weight per image; changes the network; answers
with the loss and the share of right answers of the global batch."""


def right_labels(truth: Any, logits: Any) -> Any:
    """Whether the best logit of each image is that of its truth, both (images, classes): float32
    0 or 1, (images,)."""
    ops = keras_module().ops
    return ops.cast(ops.equal(ops.argmax(truth, -1), ops.argmax(logits, -1)), "float32")


def training_step(
    model: keras.Model,
    *,
    share: Share,
    right: Callable[[Any, Any], Any] = right_labels,
    group: Group = ALONE,
) -> Step:
    """The step of a compiled model.

    Args:
        share: this worker's rows of the global batch.
        right: whether each image is answered right, from the truth that the step is given and the
            logits.

    Raises (when the step is called):
        WorkerLost: a worker no longer answers.
    """
    if keras_module().config.backend() != "tensorflow":
        return _step_of_keras(model)
    import tensorflow as tf

    variables, optimizer = model.trainable_variables, model.optimizer

    def gradients(images: Any, truth: Any, weights: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = model.compute_loss(images, truth, logits, weights, training=True)
            # A mean over the share's rows, which Keras has divided by the number of workers too.
            loss = tf.cast(loss, tf.float32) * tf.distribute.get_strategy().num_replicas_in_sync
            loss *= share.part
            scaled = optimizer.scale_loss(loss)
        found = tape.gradient(scaled, variables, unconnected_gradients="zero")
        return group.reduce([*found, loss, tf.reduce_sum(right(truth, logits)) / share.total])

    # Plain Python that Keras traces: TensorFlow need not rewrite it, and would say what it cannot.
    @tf.function(autograph=False, jit_compile=bool(model.jit_compile) and group.count == 1)  # type: ignore[untyped-decorator]
    def apply(images: Any, truth: Any, weights: Any) -> tuple[Any, Any]:
        *found, loss, accuracy = group.run(lambda: gradients(images, truth, weights))
        optimizer.apply(found, variables)
        return loss, accuracy

    def step(
        images: Float32Array, truth: Float32Array, weights: Float32Array | None
    ) -> tuple[float, float]:
        given = [None if one is None else tf.convert_to_tensor(one) for one in (truth, weights)]
        with _answering(group):
            loss, accuracy = apply(tf.convert_to_tensor(images), *given)
            return float(loss), float(accuracy)

    return step


def _step_of_keras(model: keras.Model) -> Step:
    def step(
        images: Float32Array, truth: Float32Array, weights: Float32Array | None
    ) -> tuple[float, float]:
        logs = model.train_on_batch(images, truth, sample_weight=weights, return_dict=True)
        return float(logs["loss"]), float(logs["accuracy"])

    return step


def join_group(member: Member) -> Group:
    """Connect this process with the other workers; to be called before TensorFlow does anything.

    Raises:
        EdgeEffnetError: the backend of Keras is another one.
    """
    keras = keras_module()
    if keras.config.backend() != "tensorflow":
        raise EdgeEffnetError(
            "several workers train with TensorFlow only",
            found=f"KERAS_BACKEND={keras.config.backend()}",
            fix="unset KERAS_BACKEND",
        )
    import tensorflow as tf

    class Connected(Group):
        index = member.index
        count = member.count

        def __init__(self) -> None:
            devices = tf.config.list_physical_devices("GPU")
            if len(devices) > 1:  # one worker, one share
                tf.config.set_visible_devices(devices[:1], "GPU")
            _be_patient()
            self._strategy = tf.distribute.MultiWorkerMirroredStrategy()
            self._functions: dict[Any, Any] = {}

        def run(self, function: Callable[[], T]) -> T:
            return self._strategy.run(function)  # type: ignore[no-any-return]

        def reduce(self, tensors: Sequence[Any]) -> list[Any]:
            """As one vector: hundreds of small sums would each wait for the network."""
            flat = tf.concat([tf.reshape(tf.cast(one, tf.float32), [-1]) for one in tensors], 0)
            total = sum_in_replica(flat)
            parts = tf.split(total, [one.shape.num_elements() for one in tensors])
            return [
                tf.cast(tf.reshape(part, one.shape), one.dtype)
                for part, one in zip(parts, tensors, strict=True)
            ]

        def sum(self, values: NDArray[Any]) -> NDArray[Any]:
            kind = np.float32 if values.dtype == np.float32 else np.float64
            with _answering(self):
                tensor = tf.convert_to_tensor(np.asarray(values, kind))
                return np.asarray(self._function_for(tensor)(tensor))

        def _function_for(self, tensor: Any) -> Any:
            """One for each shape: many shapes are no mistake here, as TensorFlow would say."""
            key = (tensor.dtype, tuple(tensor.shape))
            if key not in self._functions:
                self._functions[key] = tf.function(
                    lambda values: self._strategy.run(lambda: sum_in_replica(values))
                )
            return self._functions[key]

    # It reports every sum at its first use, and takes sums of many shapes for a mistake.
    tf.get_logger().setLevel("ERROR")
    with native_output_hidden():
        return Connected()


def _be_patient() -> None:
    """Give up a worker that is silent for a minute, not for ten seconds: a busy machine is silent
    for longer than that. A worker that ends is noticed at once. There is no public setting.
    """
    from tensorflow.python.eager import context

    here = context.context()
    here.configure_coordination_service = partial(
        here.configure_coordination_service, heartbeat_timeout_in_ms=1000 * _SILENT_SECONDS
    )


def sum_in_replica(values: Any) -> Any:
    """A tensor summed over all workers; within ``Group.run``."""
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(values))


@contextmanager
def _answering(group: Group) -> Iterator[None]:
    """Say what it means where TensorFlow's sum over the workers fails."""
    if group.count == 1:
        yield
        return
    import tensorflow as tf

    names = "Unavailable Aborted Cancelled DeadlineExceeded FailedPrecondition Internal".split()
    lost = tuple(getattr(tf.errors, f"{name}Error") for name in names)
    try:
        yield
    except lost as error:
        text = str(error)
        task = re.search(r"task:(\d+) while calling", text)
        known = task is not None and int(task[1]) != group.index
        # The other task that is named may only pass on what it was told.
        silent = "heartbeat" in text
        raise WorkerLost(
            f"{f'worker {task[1]}' if task and known and not silent else 'a worker'} no longer "
            f"answers worker {group.index}",
            found=f"no sign of life for {_SILENT_SECONDS} seconds" if silent else "it has ended",
            expected="all workers until the end",
            fix="start all of them again: the run goes on from its last.state",
        ) from error
