"""Training speed against a plain ``keras.applications`` + ``fit`` loop, in one run.

    python -m benchmarks.studies.training_throughput --data photos/ --resolution 128

The bar: at least as many images per second. Both loops train every layer of EfficientNetV2-B0
with AdamW on the same files, with the same kinds of augmentation (a random crop, a flip, changes
of brightness, contrast and saturation); the plain one reads them with tf.data. Rounds
alternate, so that a busy machine slows both.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click

BATCH = 32


@dataclass(frozen=True)
class TrainingThroughput:
    """Images per second, and processor milliseconds per image, a sample per round.

    Attributes:
        ours_default: with batch normalization frozen, as transfer learning does by default.
        ratio: median over the rounds of ours over plain; above 1 ours is faster. Compared round
            by round, because another program's load comes and goes within minutes.
    """

    resolution_px: int
    steps_per_round: int
    plain: tuple[float, ...]
    ours: tuple[float, ...]
    ours_default: tuple[float, ...]
    plain_cpu_ms: tuple[float, ...]
    ours_cpu_ms: tuple[float, ...]
    ours_default_cpu_ms: tuple[float, ...]

    @property
    def cpu_ratio(self) -> float:
        """Processor time of plain over ours; hardly moved by what else runs on the machine."""
        return _paired(self.plain_cpu_ms, self.ours_cpu_ms)

    @property
    def ratio(self) -> float:
        return _paired(self.ours, self.plain)

    @property
    def ratio_default(self) -> float:
        return _paired(self.ours_default, self.plain)


def _paired(ours: tuple[float, ...], plain: tuple[float, ...]) -> float:
    return median(one / other for one, other in zip(ours, plain, strict=True))


def measure_throughput(data: Path, *, side: int, steps: int, rounds: int) -> TrainingThroughput:
    """Measure the three loops in alternating rounds, after one round each to warm up."""
    loops = (
        _plain_loop(data, side, steps),
        _our_loop(data, side, steps, batch_norm="train"),
        _our_loop(data, side, steps, batch_norm="frozen"),
    )
    samples: list[list[float]] = [[] for _ in loops]
    cpu_ms: list[list[float]] = [[] for _ in loops]
    for number in range(rounds + 1):
        turns = list(enumerate(loops))
        for index, loop in turns if number % 2 else reversed(turns):
            began, cpu_began = time.perf_counter(), time.process_time()
            loop()
            if number:
                samples[index].append(steps * BATCH / (time.perf_counter() - began))
                cpu_ms[index].append(1e3 * (time.process_time() - cpu_began) / (steps * BATCH))
    return TrainingThroughput(side, steps, *(tuple(values) for values in (*samples, *cpu_ms)))


def _our_loop(data: Path, side: int, steps: int, batch_norm: Any) -> Callable[[], object]:
    from edge_effnet.architecture.variants import VARIANTS
    from edge_effnet.network.weights.resolve import ResolvedWeights
    from edge_effnet.stages import no_progress
    from edge_effnet.system.cores import available_cores
    from edge_effnet.training.config import TrainConfig
    from edge_effnet.training.data.lists import list_images, open_images
    from edge_effnet.training.epochs import Callbacks, TrainingLoop
    from edge_effnet.training.initialize import compile_for_training, initialize
    from edge_effnet.training.run_folder.trainer_state import TrainerState

    config = TrainConfig(
        data=str(data), variant="v2-b0", batch_size=BATCH, batch_norm=batch_norm, epochs=1000
    )
    lists, workers = list_images(config), available_cores()
    images = open_images(lists, config, side=side, workers=workers, stage=no_progress)
    model, _ = initialize(
        config,
        ResolvedWeights(VARIANTS["v2-b0"], "random", None, None),
        resolution=side,
        labels=lists.labels,
        steps_per_epoch=steps,
    )
    compile_for_training(model, config)

    class RoundOverError(Exception):
        pass

    def loop() -> None:
        progress = TrainerState()

        def on_step(_done: int, _total: int) -> None:
            if progress.step == steps:
                raise RoundOverError

        loop = TrainingLoop(
            model,
            images,
            config,
            progress,
            side=side,
            workers=workers,
            callbacks=Callbacks(on_step=on_step),
            save=lambda: None,
            save_best=lambda _row, _right: None,
            save_every_seconds=1e9,
        )
        try:
            loop.run_epoch()
        except RoundOverError:
            return

    return loop


def _plain_loop(data: Path, side: int, steps: int) -> Callable[[], object]:
    import keras
    import tensorflow as tf

    from edge_effnet.data.listing import load_dataset

    dataset = load_dataset(data)
    classes = len(dataset.labels)
    paths = [str(sample.path) for sample in dataset.samples]
    labels = [sample.label for sample in dataset.samples]

    def read(path: Any, label: Any) -> tuple[Any, Any]:
        encoded = tf.io.read_file(path)
        image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
        begin, size, _ = tf.image.sample_distorted_bounding_box(
            tf.shape(image),
            tf.zeros((1, 0, 4)),
            aspect_ratio_range=(3 / 4, 4 / 3),
            area_range=(0.35, 1.0),
            use_image_if_no_bounding_boxes=True,
        )
        image = tf.image.resize(tf.slice(image, begin, size), (side, side))
        image = tf.image.random_flip_left_right(tf.ensure_shape(image, (side, side, 3)) / 255.0)
        image = tf.image.random_brightness(image, 0.25)
        image = tf.image.random_contrast(image, 0.75, 1.25)
        image = tf.image.random_saturation(image, 0.75, 1.25)
        return tf.clip_by_value(image, 0, 1) * 255.0, tf.one_hot(label, classes)

    source = tf.data.Dataset.from_tensor_slices((paths, labels)).shuffle(len(paths)).repeat()
    source = source.map(read, num_parallel_calls=tf.data.AUTOTUNE)
    source = source.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
    model = keras.applications.EfficientNetV2B0(
        weights=None, input_shape=(side, side, 3), classes=classes
    )
    model.compile(
        keras.optimizers.AdamW(1e-4),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["accuracy"],
    )
    return lambda: model.fit(source, steps_per_epoch=steps, epochs=1, verbose=0)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="A folder per class.")
@click.option("--resolution", default=128, show_default=True, type=click.IntRange(32, 1024))
@click.option("--steps", default=10, show_default=True, type=click.IntRange(1), help="Per round.")
@click.option("--rounds", default=8, show_default=True, type=click.IntRange(1))
def main(data: Path, resolution: int, steps: int, rounds: int) -> None:
    """Measure training throughput; prints JSON."""
    result = measure_throughput(data, side=resolution, steps=steps, rounds=rounds)
    ratios = {name: getattr(result, name) for name in ("ratio", "ratio_default", "cpu_ratio")}
    figures = asdict(result) | ratios
    click.echo(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
