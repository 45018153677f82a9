"""Commands that run when a label appears."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from edge_effnet.camera.answers import (
    NONE,
    UNKNOWN,
    Decision,
    ScoredLabel,
)
from edge_effnet.camera.outputs.hooks import CommandHooks, Hook, parse_hook
from edge_effnet.errors import UsageProblem
from tests.edge_effnet.camera.conftest import FakeClock, wait_for
from tests.edge_effnet.camera.sessions import frame_of

LABELS = ("stop", "turn left", "go")


def seen(*answers: ScoredLabel) -> Decision:
    return Decision(answers)


WRITE = (
    "import json, os, sys; "
    "print(json.dumps([sys.argv[2:], os.environ['EDGE_EFFNET_LABEL'], "
    "os.environ['EDGE_EFFNET_FRAME']]), file=open(sys.argv[1], 'a'))"
)


def test_a_hook_runs_once_for_each_appearance_at_most_once_a_pause(tmp_path: Path) -> None:
    out, clock, said = tmp_path / "out", FakeClock(), []
    command = (sys.executable, "-c", WRITE, str(out), "{label}; rm -rf $HOME", "{score}")
    hooks = CommandHooks([Hook("stop", command)], pause_s=5, say=said.append, clock=clock)

    def lines() -> list[str]:
        return out.read_text().splitlines() if out.exists() else []

    for frame, label in enumerate(["go", "stop", "stop", "stop"]):
        hooks.see(seen(ScoredLabel(label, 0.75)), frame_of(frame))
    wait_for(lambda: len(lines()) == 1)
    hooks.end(20)
    # No shell: the semicolon and the dollar arrive as they are.
    assert json.loads(lines()[0]) == [["stop; rm -rf $HOME", "0.750"], "stop", "1"]
    hooks.see(seen(ScoredLabel("go", 0.9)), frame_of(4))
    hooks.see(seen(ScoredLabel("stop", 0.9)), frame_of(5))  # too soon
    clock.wait(6)
    hooks.see(seen(ScoredLabel("stop", 0.9)), frame_of(6))  # not an appearance
    assert hooks.fired == 1
    hooks.see(seen(ScoredLabel("go", 0.9)), frame_of(7))
    hooks.see(seen(ScoredLabel("stop", 0.9)), frame_of(8))
    wait_for(lambda: len(lines()) == 2)
    hooks.end(20)
    assert hooks.fired == 2
    assert said == []


def test_a_hook_never_blocks_and_never_runs_twice_at_a_time(tmp_path: Path) -> None:
    said: list[str] = []
    program = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists():\n"
    program += "    time.sleep(0.01)\nraise SystemExit(3)"
    waiter = (sys.executable, "-c", program, str(tmp_path / "over"))
    hooks = CommandHooks([Hook("stop", waiter)], pause_s=0, say=said.append)
    for number in range(50):
        hooks.see(seen(ScoredLabel(("stop", "go")[number % 2], 0.9)), frame_of(number))
    assert hooks.fired == 1
    (tmp_path / "over").touch()
    hooks.end(20)
    assert said == ["--on stop: the command ended with 3"]


def test_a_label_among_others_fires_when_it_appears_and_not_while_it_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = (sys.executable, "-c", WRITE, str(out), "{label}", "{score}")
    hooks = CommandHooks([Hook("stop", command), Hook(NONE, command)], pause_s=0, say=print)
    stop, go = ScoredLabel("stop", 0.8), ScoredLabel("go", 0.9)
    for frame, answers in enumerate([[go], [go, stop], [stop], [stop, go], [go]]):
        hooks.see(seen(*answers), frame_of(frame))
    hooks.end(20)
    assert hooks.fired == 1
    assert json.loads(out.read_text()) == [["stop", "0.800"], "stop", "1"]
    hooks.see(seen(ScoredLabel(NONE, 0.2)), frame_of(5))
    hooks.end(20)
    assert hooks.fired == 2


def test_hooks_are_checked_when_they_are_read() -> None:
    python = shlex.quote(sys.executable)
    hook = parse_hook("Turn-Left", f"{python} -c 'a b' \"c d\"", LABELS)
    assert hook == Hook("turn left", (sys.executable, "-c", "a b", "c d"))
    assert parse_hook(UNKNOWN, python, LABELS).label == UNKNOWN
    assert parse_hook(NONE, python, LABELS, none=NONE).label == NONE
    with pytest.raises(UsageProblem, match=NONE):
        parse_hook(UNKNOWN, python, LABELS, none=NONE)
    for name, command, message in (
        ("halt", python, "no such label"),
        ("stop", "no-such-program-here x", "no such program"),
        ("stop", "", "no such program"),
        ("stop", "echo 'open", "not understood"),
    ):
        with pytest.raises(UsageProblem, match=message):
            parse_hook(name, command, LABELS)


@pytest.mark.parametrize(
    ("label", "shown"), [("st\0op", r"st\x00op"), ("st\udcffop", r"st\xffop"), ("a\nb", r"a\nb")]
)
def test_a_label_that_no_argument_can_hold_is_escaped(
    tmp_path: Path, label: str, shown: str
) -> None:
    out, said = tmp_path / "out", list[str]()
    line = shlex.join([sys.executable, "-c", WRITE, str(out), "{label}"])
    hook = parse_hook(shown, line, [label, "go"])
    assert hook.label == label
    hooks = CommandHooks([hook], pause_s=0, say=said.append)
    hooks.see(seen(ScoredLabel(label, 0.5)), frame_of(7))
    hooks.end(20)
    assert said == []
    assert json.loads(out.read_text()) == [[shown], shown, "7"]


def test_a_hook_does_not_get_the_token_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_TOKEN", "s3cret-s3cret-s3cret")
    out = tmp_path / "out"
    write = "import os, sys; print(dict(os.environ), file=open(sys.argv[1], 'w'))"
    hooks = CommandHooks(
        [Hook("go", (sys.executable, "-c", write, str(out)))], pause_s=0, say=print
    )
    hooks.see(seen(ScoredLabel("go", 0.5)), frame_of(0))
    hooks.end(20)
    assert "s3cret" not in out.read_text()
