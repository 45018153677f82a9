"""Ctrl-C stops a measurement on a Pi, wherever it finds the program here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from benchmarks.devices.pi import measure as module
from benchmarks.spec import BenchSpec
from edge_effnet.stages import no_progress
from tests.edge_effnet.conftest import MakeModel


@dataclass
class InterruptedBoard:
    """A Pi that measures without end; Ctrl-C comes while its progress is shown."""

    interrupt: BaseException
    asked: list[str] = field(default_factory=list)

    async def ask(self, verb: str, *_more: object, **_request: Any) -> None:
        self.asked.append(verb)
        if verb == "follow":
            raise self.interrupt
        await asyncio.sleep(0)


# KeyboardInterrupt is raised in whatever Python code runs; a cancelled task waited for something.
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), asyncio.CancelledError()], ids=repr)
def test_the_pi_is_told_to_forget_it(
    interrupt: BaseException, colour_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = InterruptedBoard(interrupt)

    @asynccontextmanager
    async def board_at(_address: object) -> AsyncIterator[InterruptedBoard]:
        yield board

    async def start(*_arguments: object) -> None:
        board.asked.append("start")

    monkeypatch.setattr(module, "board_at", board_at)
    monkeypatch.setattr(module, "_start", start)
    with pytest.raises(type(interrupt)):
        asyncio.run(module.measure(BenchSpec((colour_model(),)), "here", no_progress))
    assert board.asked == ["start", "follow", "forget"]
