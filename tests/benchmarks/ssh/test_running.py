"""Ctrl-C reaches the work, and a connection that does not answer then is cut."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from benchmarks.ssh import running
from benchmarks.ssh.running import Interrupted, cut_at_stop, is_stopping, run_connected


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    assert before == {number: signal.getsignal(number) for number in before}


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_work_cleans_up_with_what_runs_beside_it() -> None:
    done = list[str]()

    async def receive(answers: asyncio.Queue[str]) -> None:
        await asyncio.sleep(0.01)
        await answers.put("removed")

    async def work() -> None:
        answers = asyncio.Queue[str]()
        try:
            ctrl_c()
            await asyncio.sleep(60)
        finally:
            beside = asyncio.create_task(receive(answers))
            done.append(f"{await answers.get()} {is_stopping()}")
            await beside

    with pytest.raises(KeyboardInterrupt):
        run_connected(work())
    assert done == ["removed True"]


def test_a_connection_that_does_not_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "STOP_SECONDS", 0.01)

    async def work() -> None:
        lost = asyncio.Event()
        with cut_at_stop(lost.set):
            try:
                ctrl_c()
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await lost.wait()
                raise Interrupted("this may be left") from None

    with pytest.raises(Interrupted, match="this may be left"):
        run_connected(work())


def test_an_answer_and_an_error_come_through() -> None:
    async def work(error: Exception | None) -> str:
        if error:
            raise error
        return "answer"

    assert run_connected(work(None)) == "answer"
    with pytest.raises(ValueError, match="wrong"):
        run_connected(work(ValueError("wrong")))
