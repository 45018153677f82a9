"""CameraThroughput and delay of the camera pipeline against the bare model, interleaved in one run.

    python -m benchmarks.studies.camera_throughput b0-int8.tflite clip.mp4

Rounds alternate: the model alone on a ready tensor, then the whole pipeline on the file, every
frame of it, then the model alone again. A round's ratio is the pipeline's rate over the mean of
the two bare rates around it. The bars: median ratio at least 0.90 with one thread; at a rate
the model holds, a median delay of at most two frame times.
"""

from __future__ import annotations

import json
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click

from edge_effnet.camera.answering import FeedModels
from edge_effnet.camera.memory import keep_memory_flat
from edge_effnet.camera.run_status import RunStatus
from edge_effnet.camera.session import Session
from edge_effnet.camera.settings import Pace, SessionSettings
from edge_effnet.camera.sources.files import open_video
from edge_effnet.image.preprocessing import preprocess
from edge_effnet.runtime.classifier import Classifier, open_classifier


@dataclass(frozen=True)
class CameraThroughput:
    """Rates in frames a second; delay at the file's own pace."""

    bare_fps: float
    pipeline_fps: float
    ratio: float
    ratios: tuple[float, ...]
    file_fps: float
    delay_median_ms: float
    delay_in_frame_times: float
    dropped_at_pace: int
    answered_at_pace: int


def measure_throughput(
    model: Classifier, video: Path, *, rounds: int, seconds: float
) -> CameraThroughput:
    """Measure a model on a video file.

    Args:
        rounds: pairs of bare model and pipeline.
        seconds: of each measurement.
    """
    source = open_video(video)
    shot = source.read()
    source.close()
    assert shot is not None, "the first frame of the file is broken"  # noqa: S101
    tensor = model.tensor(preprocess(shot.pixels, model.preprocess))

    def bare() -> float:
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            model.scores_of_input(tensor)
            count += 1
        return count / (time.perf_counter() - began)

    bares, pipelines = [bare()], []
    for _ in range(rounds):
        pipelines.append(run_for(model, video, Pace(every_frame=True, loop=True), seconds))
        bares.append(bare())
    rates = [status.rates.mean_fps() for status in pipelines]
    ratios = [
        2 * rate / (before + after)
        for rate, before, after in zip(rates, bares, bares[1:], strict=False)
    ]
    paced = run_for(model, video, Pace(loop=True), max(seconds, 5.0))
    delay_ms, file_fps = median(paced.rates.delay_ms), source.fps or 0.0
    return CameraThroughput(
        bare_fps=median(bares),
        pipeline_fps=median(rates),
        ratio=median(ratios),
        ratios=tuple(round(ratio, 3) for ratio in ratios),
        file_fps=file_fps,
        delay_median_ms=delay_ms,
        delay_in_frame_times=delay_ms * file_fps / 1e3,
        dropped_at_pace=paced.dropped,
        answered_at_pace=paced.rates.answered,
    )


def run_for(model: Classifier, video: Path, pace: Pace, seconds: float) -> RunStatus:
    """Run the pipeline for a while; what is known of it in the end."""
    settings = SessionSettings(labels=model.labels, model_name=model.path.name, pace=pace)
    session: Session
    until = time.monotonic() + seconds

    def stop_when_due(_: str) -> None:
        if time.monotonic() >= until:
            raise KeyboardInterrupt  # how a user ends it

    session = Session(
        FeedModels(settings, model),
        open_video(video),
        lambda: open_video(video),
        show_status=stop_when_due,
    )
    return session.run()


def resident_mb() -> float:
    """Resident memory of this process now, in MB (10^6 bytes)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def measure_memory(model: Classifier, video: Path, minutes: float) -> dict[str, Any]:
    """Resident memory every ten seconds of a looped file; growth counts from minute one."""
    samples: list[float] = []
    began = time.monotonic()

    def watch(_: str) -> None:
        passed = time.monotonic() - began
        if passed >= 10 * len(samples):
            samples.append(round(resident_mb(), 2))
        if passed >= 60 * minutes:
            raise KeyboardInterrupt

    settings = SessionSettings(
        labels=model.labels,
        model_name=model.path.name,
        reference_name=model.path.name,
        pace=Pace(loop=True),
        smooth_s=0.3,
    )
    other = open_classifier(model.path)
    session = Session(
        FeedModels(settings, model, other),
        open_video(video),
        lambda: open_video(video),
        show_status=watch,
    )
    status = session.run()
    base = samples[min(6, len(samples) - 1)]
    return {
        "resident_mb": samples,
        "growth_percent": 100 * (samples[-1] - base) / base,
        "frames": status.rates.answered,
    }


@click.command()
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.argument("video", type=click.Path(path_type=Path, exists=True))
@click.option("--rounds", default=7, show_default=True)
@click.option("--seconds", default=3.0, show_default=True, help="Of each measurement.")
@click.option("--memory-minutes", default=0.0, help="Watch memory on a looped file instead.")
def main(model: Path, video: Path, rounds: int, seconds: float, memory_minutes: float) -> None:
    """Measure the camera pipeline with MODEL on VIDEO; prints JSON."""
    keep_memory_flat()  # as the command does
    classifier = open_classifier(model, threads=1)
    if memory_minutes:
        result = measure_memory(classifier, video, memory_minutes)
    else:
        result = asdict(measure_throughput(classifier, video, rounds=rounds, seconds=seconds))
    click.echo(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
