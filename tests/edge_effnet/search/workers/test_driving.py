"""Jobs to their ends, with a pool whose workers say what is written down for them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest

from edge_effnet.errors import DataError, EdgeEffnetError
from edge_effnet.search.workers.driving import one_bar, results_of
from edge_effnet.search.workers.job import Event, Job, Outcome, error_parts
from edge_effnet.stages import Advance
from edge_effnet.training.epochs import Interrupted

DONE: Outcome = ("done", {})
LOST: Outcome = ("lost", "SIGKILL")


def job(point: str, before: int = 0, until: int = 2) -> Job:
    return Job("/searched", "", point, 0, before, until)


JOBS = [job(name) for name in "abc"]


@dataclass
class Scripted:
    """Attributes:
    endings: of each start of a point, in turn; none means that it goes on until it is stopped.
    steps: told at each start.
    """

    at_once: int
    endings: dict[str, list[Outcome]] = field(default_factory=dict)
    steps: dict[str, list[int]] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    told: deque[Event] = field(default_factory=deque)
    running: list[Job] = field(default_factory=list)
    most: int = 0

    def make_room(self, job_bytes: float) -> None:
        pass

    def start(self, job: Job) -> None:
        self.started.append(job.point)
        self.running.append(job)
        self.most = max(self.most, len(self.running))
        if steps := self.steps.get(job.point):
            self.told.append((job, "step", (steps.pop(0), 10)))
        if endings := self.endings.get(job.point):
            self.told.append((job, "outcome", endings.pop(0)))

    def events(self) -> list[Event]:
        found = [self.told.popleft()] if self.told else []
        for one, name, _ in found:
            if name == "outcome":
                self.running.remove(one)
        return found

    def stop(self) -> None:
        ended = {one for one, name, _ in self.told if name == "outcome"}
        stopped = [one for one in self.running if one not in ended]
        self.told.extend((one, "outcome", ("stopped", None)) for one in stopped)


def drive(pool: Scripted, *, stop_after: int | None = None) -> tuple[list[str], list[str]]:
    """The points that were done, and what was said."""
    done: list[str] = []
    said: list[str] = []
    for one, _, _ in results_of(
        pool,
        JOBS,
        on_step=lambda job, done, total: None,  # noqa: ARG005
        say=said.append,
        stop=lambda: stop_after is not None and len(done) >= stop_after,
    ):
        done.append(one.point)
    return done, said


def test_so_many_run_at_a_time() -> None:
    pool = Scripted(2, {name: [DONE] for name in "abc"})
    assert drive(pool) == (["a", "b", "c"], [])
    assert pool.most == 2


def test_a_job_whose_worker_is_lost_is_started_again() -> None:
    pool = Scripted(1, {"a": [DONE], "b": [LOST, LOST, DONE], "c": [DONE]})
    done, said = drive(pool)
    assert done == ["a", "b", "c"]
    assert pool.started == [*"abbbc"]
    assert said == ["b seed 0: its worker was lost (SIGKILL); it is started again"] * 2


def test_lost_in_vain_ends_it_unless_it_comes_further() -> None:
    lost = {"a": [DONE], "b": [LOST] * 5 + [DONE], "c": [DONE]}
    done, _ = drive(Scripted(1, lost, {"b": [1, 2, 3, 4, 5, 6]}))
    assert done == ["a", "b", "c"]
    with pytest.raises(EdgeEffnetError, match="b seed 0 is lost again and again; found SIGKILL"):
        drive(Scripted(1, {"a": [DONE], "b": [LOST] * 5}, {"b": [1, 1, 1, 1]}))


def test_an_error_stops_the_others_and_is_the_error() -> None:
    told: Outcome = ("error", error_parts(DataError("no x.jpg", found="none", fix="copy it")))
    pool = Scripted(2, {"a": [told]})
    with pytest.raises(EdgeEffnetError, match=r"no x\.jpg; found none; to fix: copy it") as caught:
        drive(pool)
    assert caught.value.exit_code == 1
    assert pool.started == ["a", "b"]
    assert pool.running == []


def test_a_stop_lets_every_job_store_where_it_stands() -> None:
    pool = Scripted(2, {"a": [DONE]})
    with pytest.raises(Interrupted):
        drive(pool, stop_after=1)
    assert pool.started == ["a", "b"]
    assert pool.running == []


def test_one_bar_counts_what_this_stage_adds() -> None:
    shown: list[Any] = []

    def stage(name: str, steps: int | None) -> Advance:
        shown.append((name, steps))
        return shown.append

    jobs = [job("a", 1, 2), job("b", 1, 2)]
    on_step = one_bar(stage, "2 trainings", jobs, epochs=4)
    for one, done in ((0, 12), (1, 11), (0, 20), (0, 20), (1, 20)):
        on_step(jobs[one], done, 40)
    assert shown == [("2 trainings", 20), 2, 3, 11, 20]
