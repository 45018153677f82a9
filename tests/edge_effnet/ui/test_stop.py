"""A kill ends a run properly, also one that is sent twice at once."""

from __future__ import annotations

import os
import signal

import pytest

from edge_effnet.ui import stop
from edge_effnet.ui.stop import graceful_stop, merge_repeats


def test_signals_sent_at_once_are_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    now, got = [10.0], []
    monkeypatch.setattr(stop.time, "monotonic", lambda: now[0])
    handle = merge_repeats(lambda number, _frame: got.append(number))
    handle(signal.SIGTERM, None)
    now[0] += 0.01
    handle(signal.SIGTERM, None)
    handle(signal.SIGINT, None)
    assert got == [signal.SIGTERM]
    now[0] += 1
    handle(signal.SIGINT, None)
    assert got == [signal.SIGTERM, signal.SIGINT]


def test_a_run_is_asked_to_stop_and_a_later_signal_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [10.0]
    monkeypatch.setattr(stop.time, "monotonic", lambda: now[0])
    with graceful_stop() as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked()
        now[0] += 1
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert capsys.readouterr().err == "stopping after this step …\n"
