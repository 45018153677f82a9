"""One job, on whichever machine it is."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.architecture.files import read_variant
from edge_effnet.errors import OutputError
from edge_effnet.runs import fingerprint
from edge_effnet.search.config import CONFIG_FILE, SearchConfig
from edge_effnet.search.confirm import right_answers
from edge_effnet.search.images import confirming, reopen_images
from edge_effnet.search.trial import run_trial, trial_config, trial_folder, variant_file
from edge_effnet.search.workers.job import Job, Outcome, Tell, error_parts
from edge_effnet.stages import no_progress
from edge_effnet.training.epochs import Callbacks, Interrupted
from edge_effnet.training.run_folder.files import BEST_FILE

_ONE_CORE = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # another job may be on the same GPU
}
_SECONDS_BETWEEN = 0.2  # two messages of one kind


def work(job: Job, tell: Tell, stopping: Callable[[], bool]) -> Outcome:
    """Train, and after the last epoch look at the images that confirm.

    The process should be a new one, that has not imported TensorFlow.

    Args:
        stopping: whether to store the state and end.
    """
    os.environ.update(_ONE_CORE)
    counts: list[int] = []
    told = time.monotonic()

    def on_step(done: int, total: int) -> None:
        nonlocal told
        counts[:] = done, total
        if time.monotonic() - told > _SECONDS_BETWEEN:
            told = time.monotonic()
            tell("step", done, total)

    callbacks = Callbacks(say=lambda line: tell("say", line), on_step=on_step, stop=stopping)
    try:
        results = _results(job, callbacks)
    except Interrupted:
        return "stopped", None
    except Exception as error:
        return "error", error_parts(error)
    if counts:
        tell("step", *counts)
    return "done", results


def _results(job: Job, callbacks: Callbacks) -> dict[str, Any]:
    search = Path(job.folder)
    config = _settings(job)
    own = trial_config(config, search, job.point, job.seed)
    folder = trial_folder(search, job.point, job.seed)
    trial = run_trial(own, folder, job.until, workers=1, callbacks=callbacks)
    last = job.until == config.epochs
    confirmed = _confirmed(job, config, folder / BEST_FILE) if last else None
    return {"trial": trial.to_json(), "confirmed": confirmed}


def _settings(job: Job) -> SearchConfig:
    """The settings of the search.

    Raises:
        OutputError: the folder is not that of the search, but another machine's.
    """
    folder = Path(job.folder)
    there = CONFIG_FILE.stands_in(folder)
    if there and settings_fingerprint(found := CONFIG_FILE.read(folder)) == job.settings:
        return found
    raise OutputError(
        f"{folder} is a folder that not all machines see",
        found=f"{'another' if there else 'no'} {CONFIG_FILE.name} in it on {socket.gethostname()}",
        expected="a folder that all machines share",
        fix="give --out a folder on a shared file system",
    )


def settings_fingerprint(config: SearchConfig) -> str:
    """By which a worker knows that it sees the folder of the search."""
    return fingerprint(config.to_json())


def _confirmed(job: Job, config: SearchConfig, checkpoint: Path) -> dict[str, Any]:
    images = reopen_images(config, Path(job.folder))
    if not checkpoint.exists():  # it diverged before its first epoch was done
        return {"images": images.confirm, "wrong": [*range(images.confirm)]}
    spec = read_variant(variant_file(Path(job.folder), job.point))
    source = confirming(images, config, spec.resolution, workers=1, stage=no_progress)
    right = right_answers(checkpoint, spec, source, classes=images.classes, workers=1)
    return {"images": len(right), "wrong": np.flatnonzero(~right).tolist()}
