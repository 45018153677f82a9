"""Memory, descriptors and threads of a run on a V4L2 device, over time.

python -m tests.camera_machine.growth --seconds 600
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from tests.camera_machine import image
from tests.camera_machine.machine import running
from tests.camera_machine.runs import V4L2, CameraRun, camera

WARM_UP_ANSWERS = 20


@dataclass(frozen=True)
class Sample:
    at_s: float
    rss_mb: float
    descriptors: int
    threads: int


def sample(run: CameraRun, began_s: float) -> Sample:
    """Of the process as it is now."""
    place = f"/proc/{run.pid}"
    told = run.machine.need(f"grep -hE '^(VmRSS|Threads):' {place}/status; ls {place}/fd | wc -l")
    rss, threads, descriptors = (
        int(line.split()[-2 if "kB" in line else -1]) for line in told.splitlines()
    )
    return Sample(time.monotonic() - began_s, rss / 1024, descriptors, threads)


def watch(run: CameraRun, seconds: float, every_s: float) -> list[Sample]:
    """Samples from when the run is warm."""
    run.wait_for_answers(WARM_UP_ANSWERS)
    began_s = time.monotonic()
    samples = [sample(run, began_s)]
    while samples[-1].at_s < seconds:
        time.sleep(every_s)
        samples.append(sample(run, began_s))
    return samples


def growth_mb(samples: list[Sample]) -> float:
    """Median resident memory of the second half against the first."""
    rss = np.array([one.rss_mb for one in samples])
    middle = len(rss) // 2
    return float(np.median(rss[middle:]) - np.median(rss[:middle]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    seconds = parser.parse_args().seconds
    with running(image.build()) as machine, camera(machine, V4L2) as run:
        samples = watch(run, seconds, every_s=seconds / 40)
    for one in samples:
        print(
            f"{one.at_s:6.0f} s {one.rss_mb:8.2f} MB {one.descriptors:4d} descriptors "
            f"{one.threads:3d} threads"
        )
    print(f"second half against first: {growth_mb(samples):+.2f} MB")
    print(run.summary)


if __name__ == "__main__":
    main()
