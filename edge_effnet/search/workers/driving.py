"""Jobs to their ends: started, watched, started again where a worker was lost, stopped."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from edge_effnet.errors import EdgeEffnetError
from edge_effnet.search.workers.job import Job, Pool, rebuilt
from edge_effnet.stages import Advance, StartStage
from edge_effnet.training.epochs import Interrupted

ATTEMPTS_IN_VAIN = 3
OnStep = Callable[[Job, int, int], None]
"""Called with a job and the steps of its training: done, and all."""


def results_of(
    pool: Pool,
    jobs: Sequence[Job],
    *,
    on_step: OnStep,
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> Iterator[tuple[Job, dict[str, Any], float]]:
    """The results of each job and the seconds it took, as they come.

    A job whose worker was lost is started again, and goes on from the state that was stored last.

    Args:
        stop: whether the user wants to stop: the jobs then store where they stand.

    Raises:
        EdgeEffnetError: a job failed, or was lost ``ATTEMPTS_IN_VAIN`` times on end without coming
            further; the others have stored where they stand.
        Interrupted: ``stop`` said so, and jobs are left.
    """
    waiting, running = deque(jobs), dict[Job, float]()
    furthest, in_vain = Counter[Job](), Counter[Job]()
    failure: EdgeEffnetError | None = None
    asked, left = stop(), False
    while running or (waiting and not asked):
        while waiting and len(running) < pool.at_once and not asked:
            job = waiting.popleft()
            running[job] = time.monotonic()
            pool.start(job)
        for job, name, values in pool.events():
            if name == "say":
                say(values[0])
            elif name == "step":
                if values[0] > furthest[job]:
                    furthest[job], in_vain[job] = values[0], 0
                on_step(job, *values)
            elif job in running:
                seconds, (kind, value) = time.monotonic() - running.pop(job), values
                if kind == "done":
                    yield job, value, seconds
                elif kind == "error":
                    failure = failure or rebuilt(value)
                elif kind == "lost" and not asked:
                    in_vain[job] += 1
                    waiting.appendleft(job)
                    if in_vain[job] >= ATTEMPTS_IN_VAIN:
                        failure = failure or _lost_in_vain(job, value)
                    else:
                        say(f"{job.name}: its worker was lost ({value}); it is started again")
                else:
                    left = True
        if not asked and (failure or stop()):
            asked = True
            pool.stop()
    if failure is not None:
        raise failure
    if left or waiting:
        raise Interrupted


def _lost_in_vain(job: Job, reason: str) -> EdgeEffnetError:
    return EdgeEffnetError(
        f"the worker of {job.name} is lost again and again",
        found=f"{reason}, {ATTEMPTS_IN_VAIN} times without coming further",
        fix="memory is the usual reason: fewer at once (--threads, --workers) need less; go on "
        "with --resume",
    )


def one_bar(stage: StartStage, title: str, jobs: Sequence[Job], epochs: int) -> OnStep:
    """A progress bar over the steps of all jobs, which begins with the first step.

    Args:
        epochs: of a whole training.
    """
    done_of: dict[Job, int] = {}
    advance: Advance | None = None
    shown = -1

    def on_step(job: Job, done: int, total: int) -> None:
        nonlocal advance, shown
        of_an_epoch = total // epochs
        all_epochs = sum(one.until - one.before for one in jobs)
        advance = advance or stage(title, of_an_epoch * all_epochs)
        most = of_an_epoch * (job.until - job.before)
        done_of[job] = min(most, max(0, done - of_an_epoch * job.before))
        if (now := sum(done_of.values())) != shown:
            shown = now
            advance(now)

    return on_step
