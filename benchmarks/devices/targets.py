"""Measure on several devices in one command."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from benchmarks.devices import Device, Fetched, find_device
from benchmarks.spec import BenchSpec
from edge_effnet.errors import EdgeEffnetError, UsageProblem
from edge_effnet.stages import StartStage

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Target:
    """A device as the user named it."""

    name: str
    device: Device
    address: str


def find_targets(names: Sequence[str]) -> tuple[Target, ...]:
    """Read every ``--device``.

    Raises:
        UsageProblem: one that is not understood, or is named twice.
    """
    if len(set(names)) < len(names):
        raise UsageProblem("a device is named twice", fix="name each device once")
    return tuple(Target(name, *find_device(name)) for name in names)


def measure_all(
    spec: BenchSpec, targets: Sequence[Target], stage: StartStage
) -> list[Fetched | EdgeEffnetError]:
    """Measure on every target; one that fails leaves the others alone.

    Those elsewhere work at the same time, those here one after another and not before: waiting
    for the others costs this machine time too.
    """
    stages = {target: _named(stage, target, alone=len(targets) == 1) for target in targets}
    elsewhere = [target for target in targets if target.device.addressed]
    answers = at_once(
        [target.device.load().measure(spec, target.address, stages[target]) for target in elsewhere]
    )
    outcomes: dict[Target, Fetched | EdgeEffnetError]
    outcomes = dict(zip(elsewhere, answers, strict=True))
    for target in targets:
        if not target.device.addressed:
            try:
                measure = target.device.load().measure
                outcomes[target] = Fetched(measure(spec, "", stages[target]))
            except EdgeEffnetError as error:
                outcomes[target] = error
    return [outcomes[target] for target in targets]


def attach_all(targets: Sequence[Target], stage: StartStage) -> list[Fetched | EdgeEffnetError]:
    """Fetch from every target what was left there."""
    return at_once(
        [
            target.device.load().attach(
                target.address, _named(stage, target, alone=len(targets) == 1)
            )
            for target in targets
        ]
    )


def release_all(outcomes: Sequence[Fetched | EdgeEffnetError]) -> list[EdgeEffnetError]:
    """Have the devices forget what was fetched from them and is saved here now.

    Returns:
        What stood in the way; a result then stays there, too.
    """
    fetched = [one.release for one in outcomes if isinstance(one, Fetched) and one.release]
    answers = at_once([release() for release in fetched])
    return [answer for answer in answers if isinstance(answer, EdgeEffnetError)]


def clean_all(targets: Sequence[Target]) -> list[str | EdgeEffnetError]:
    """Clean every target; the answers are lines for the user."""
    return at_once([target.device.load().clean(target.address) for target in targets])


def at_once(calls: Sequence[Coroutine[Any, Any, _Answer]]) -> list[_Answer | EdgeEffnetError]:
    """Await all at the same time; an answer each, or the error it ended with."""

    async def one(call: Coroutine[Any, Any, _Answer]) -> _Answer | EdgeEffnetError:
        try:
            return await call
        except EdgeEffnetError as error:
            return error

    async def every() -> list[_Answer | EdgeEffnetError]:
        return list(await asyncio.gather(*map(one, calls)))

    return asyncio.run(every()) if calls else []


def _named(stage: StartStage, target: Target, *, alone: bool) -> StartStage:
    """Stages that say which device they are of, where there are several."""
    return stage if alone else lambda name, steps: stage(f"{target.name}: {name}", steps)
