"""Results of other devices: they stay there until they are saved here."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.devices import Fetched, targets
from edge_effnet.errors import DataError, EdgeEffnetError
from tests.benchmarks.conftest import Cli, MakeResult

PIS = ("--device", "pi@a", "--device", "pi@b", "--attach")


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


class Pis:
    """Stand-ins for two of them: what they answer, and what they were told to forget."""

    def __init__(self, patch: pytest.MonkeyPatch, *answers: Any) -> None:
        self.answers, self.forgotten = answers, list[str]()
        self.saved: Path | None = None
        patch.setattr(targets, "attach_all", lambda *_: self.answers_of())
        patch.setattr(targets, "clean_all", self.clean)

    def answers_of(self) -> list[Fetched | EdgeEffnetError]:
        return [
            one if isinstance(one, EdgeEffnetError) else Fetched(one, self.release)
            for one in self.answers
        ]

    async def release(self) -> None:
        assert self.saved is None or json.loads(self.saved.read_text())
        self.forgotten.append("a result")

    def clean(self, cleaned: list[Any]) -> list[str]:
        self.forgotten += [target.name for target in cleaned]
        return ["removed 1.0 MB"] * len(cleaned)


def test_what_is_not_written_here_stays_there(
    cli: Cli, make_result: MakeResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = make_result({"float": [4.0] * 60})
    pis = Pis(monkeypatch, result, result)
    pis.saved = tmp_path / "r.json"
    assert cli("bench", *PIS, "--json", pis.saved)[0] == 0
    assert pis.forgotten == ["a result"] * 2
    pis = Pis(monkeypatch, result, result)
    monkeypatch.setattr(Path, "replace", full)
    code, _, err = cli("bench", *PIS, "--json", tmp_path / "other.json", "--clean")
    assert code == 1
    assert "cannot be written" in err
    assert pis.forgotten == []


def test_a_device_whose_result_was_not_fetched_is_not_cleaned(
    cli: Cli, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = DataError("result.json is damaged", fix="look at it there")
    pis = Pis(monkeypatch, make_result({"float": [4.0] * 60}), damaged)
    code, _, err = cli("bench", *PIS, "--clean")
    assert code == 1
    assert "note: pi@b is not cleaned" in err
    assert pis.forgotten == ["a result", "pi@a"]
    pis = Pis(monkeypatch)
    assert cli("bench", *PIS[:4], "--clean")[0] == 0
    assert pis.forgotten == ["pi@a", "pi@b"]
