"""What ``--device pi@…`` is made of, without a Pi: tests/pi/ has the emulated ones."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.devices.pi import package
from benchmarks.devices.pi.board import Board
from benchmarks.devices.pi.job import Job, make_job, returned
from benchmarks.devices.pi.measure import fetch
from benchmarks.devices.pi.package import build_agent, build_package, requirements
from benchmarks.spec import BenchSpec
from benchmarks.ssh.connect import Address, parse_address
from edge_effnet.data.given_labels import read_labels
from edge_effnet.data.listing import load_dataset
from edge_effnet.errors import DataError, EdgeEffnetError, UsageProblem
from edge_effnet.stages import no_progress
from tests.benchmarks.conftest import Cli

MakeModel = Callable[..., Path]
MODULES = {"click": "click>=8.1.3", "numpy": "numpy>=1.24"}


def test_addresses_read_like_ssh_destinations() -> None:
    assert parse_address("raspberrypi.local") == Address("raspberrypi.local")
    assert parse_address("alice@10.0.0.7:2222") == Address("10.0.0.7", "alice", 2222)
    assert parse_address("[fe80::1]:22") == Address("fe80::1", None, 22)
    for text in ("raspberrypi.local", "alice@10.0.0.7:2222", "[fe80::1]:22"):
        assert parse_address(text).text == text
    assert Address("board", "alice", 2222).ssh == "ssh -p 2222 alice@board"
    for wrong in (
        "host:",
        "host:0",
        "host:99999",
        "host:x",
        "@host",
        "a b",
        "-oProxy",
        "[::1",
        "::1",
    ):
        with pytest.raises(UsageProblem, match="--device"):
            parse_address(wrong)


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except UsageProblem:
        return
    assert address.host in text
    assert not address.host.startswith("-")  # ssh would take it for an option


def test_the_package_is_this_version_and_always_the_same(tmp_path: Path) -> None:
    made = build_package()
    assert made == build_package()
    with zipfile.ZipFile(BytesIO(made)) as pack:
        names = pack.namelist()
        pack.extractall(tmp_path)
    assert {"edge_effnet/assets/demo/b0-int8.tflite", "benchmarks/report/templates/page.html"} <= {
        *names
    }
    assert not [name for name in names if re.search(r"__pycache__|^tests/|/studies/", name)]
    told = "import benchmarks.devices.pi.worker as worker; print(worker.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", told],
        env={"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(tmp_path / "benchmarks/devices/pi/worker.py")


def test_requirements_are_those_of_the_base_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert requirements()["click"] == "click>=8.1.3"
    assert "asyncssh" not in requirements()
    monkeypatch.setattr(package, "DISTRIBUTION", "edge-effnet-that-is-not-installed")
    with pytest.raises(EdgeEffnetError, match="without its metadata"):
        requirements()


def test_data_travel_by_content_and_paths_come_back(
    colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    model, table = colour_model(), tmp_path / "list.csv"
    rows = [f"images/{colour}/0.png,{colour}" for colour in ("red", "green", "blue")]
    table.write_text("\n".join(["file,label", *rows]))
    for data, labels in ((colour_folder, 10), (table, 1)):
        job = make_job(BenchSpec((model,), data=data))
        folder = lay_out(job, tmp_path / f"job-{data.name}")
        names = read_labels(folder / job.spec["labels"])
        there = load_dataset(folder / job.spec["data"], labels=names)
        assert there.class_counts == {"blue": labels, "green": labels, "red": labels}
        for sample in there.samples:
            here = Path(job.paths[sample.path.relative_to(folder).as_posix()])
            assert here.read_bytes() == sample.path.read_bytes()
    sampled = make_job(BenchSpec((model,), data=colour_folder, images=6))
    assert len(sampled.links) == 1 + 2 + 6  # the model, labels and their table, images
    back = returned({"a": ["inputs/x", 1, "x"]}, {"inputs/x": "/home/x"})
    assert back == {"a": ["/home/x", 1, "x"]}


def lay_out(job: Job, folder: Path) -> Path:
    for name, key in job.links.items():
        content = job.contents[key]
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    return folder


@pytest.fixture
def agent(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Call a verb of the agent in a cache folder of this machine; its lines are merged."""
    archive = tmp_path / "cache" / "agent.pyz"
    (archive.parent / "files").mkdir(parents=True)
    archive.write_bytes(build_agent())

    def ask(verb: str, **request: Any) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-IS", archive, verb],  # the standard library only
            input=json.dumps(request),
            capture_output=True,
            text=True,
            check=True,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return {"lines": lines, **lines[-1]}

    return ask


def test_the_agent_runs_a_job_from_files_it_was_given(
    agent: Callable[..., dict[str, Any]], colour_model: MakeModel, tmp_path: Path
) -> None:
    """The whole way on one machine: the agent needs no SSH, and this one has the packages."""
    cache, model = tmp_path / "cache", colour_model()
    job = make_job(BenchSpec((model,), seconds=0.05))
    packed = build_package()
    contents = {sha256(packed).hexdigest(): packed, **job.contents}
    sizes = {key: len(content_bytes(content)) for key, content in contents.items()}
    assert set(agent("missing", files=sizes)["answer"]) == set(sizes)
    for key, content in contents.items():
        (cache / "files" / key).write_bytes(content_bytes(content))
    assert agent("missing", files=sizes)["answer"] == []
    request = {"version": "1", "package": next(iter(contents)), "modules": MODULES}
    ready = agent("environment", **request, wheels={}, from_apt={})["answer"]
    assert ready["python"] == sys.executable  # it lacks nothing
    folder = cache / "jobs" / job.id
    folder.mkdir(parents=True)
    document = job.to_json(version="1", modules=list(MODULES), **ready)
    (folder / "job.json").write_text(json.dumps(document))
    agent("start", id=job.id)
    assert agent("jobs")["answer"] == [job.id]
    followed = agent("follow", id=job.id)
    assert followed["answer"]["code"] == 0, followed["answer"]["log"]
    stages = [line["progress"].get("stage") for line in followed["lines"] if "progress" in line]
    assert "warming up" in stages
    board = cast(Board, LocalBoard(agent, cache))
    fetched = asyncio.run(fetch(board, job.id, "here", no_progress))
    assert fetched.result.cases[0].file == str(model)
    assert fetched.result.device == "pi@here"
    assert agent("jobs")["answer"] == [job.id]  # until it is saved here
    assert fetched.release is not None
    (folder / "job.json").rename(folder / "kept.json")
    with pytest.raises(EdgeEffnetError, match="a result without its parts"):
        asyncio.run(fetch(board, job.id, "here", no_progress))
    assert agent("jobs")["answer"] == [job.id]
    (folder / "kept.json").rename(folder / "job.json")
    (folder / "result.json").write_text('{"cut off": ')
    with pytest.raises(DataError, match=r"result\.json of the measurement on pi@here is damaged"):
        asyncio.run(fetch(board, job.id, "here", no_progress))
    assert agent("jobs")["answer"] == [job.id]
    assert agent("clean")["answer"] > 0
    assert not cache.exists()


@dataclass(frozen=True)
class LocalBoard:
    """The agent on this machine, as ``Board`` reaches it over SSH."""

    agent: Callable[..., dict[str, Any]]
    cache: Path

    async def ask(self, verb: str, _on_line: object = None, **request: Any) -> Any:
        return self.agent(verb, **request)["answer"]

    async def read(self, name: str) -> bytes | None:
        path = self.cache / name
        return path.read_bytes() if path.exists() else None


def content_bytes(content: bytes | Path) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def test_the_agent_names_what_kills_an_import(
    agent: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "deadly.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    monkeypatch.setenv("PYTHONPATH", str(site))
    (tmp_path / "cache/files/f").write_bytes(build_package())
    request = {"version": "1", "package": "f", "wheels": {}, "from_apt": {"nowhere": "python3-no"}}
    error = agent("environment", modules={"click": "click", "deadly": "deadly"}, **request)["error"]
    assert (error["found"], error["died"]) == ("SIGILL", "deadly")
    error = agent("environment", modules={"nowhere": "nowhere"}, **request)["error"]
    assert error["fix"] == "on the Pi: sudo apt install -y python3-no"


def test_what_cannot_be_reached_or_meant_is_one_line(
    cli: Cli, colour_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, pi = colour_model(), "pi@127.0.0.1:1"
    for arguments, code, says in (
        (("bench",), 2, "bench needs a model; found no MODELS"),
        (("bench", "--attach"), 2, "for devices that are elsewhere"),
        (("bench", model, "--clean"), 2, "for devices that are elsewhere"),
        (("bench", model, "--device", pi, "--attach"), 2, "leave the models out"),
        (("bench", model, "--device", pi, "--device", pi), 2, "named twice"),
        (("bench", model, "--device", "pi@:22"), 2, "--device NAME@… is not understood"),
        (("bench", model, "--device", pi), 1, "runs no SSH server there"),
        (("bench", model, "--device", "anna@127.0.0.1:1"), 1, "if 1 is not its port, leave it out"),
        (("bench", model, "--device", "anna@:1"), 2, "for example your-name@raspberrypi.local"),
        (("bench", model, "--device", "raspberrypi.local"), 2, "NAME@raspberrypi.local?"),
        (("bench", model, "--device", "pi@no.invalid"), 1, "no.invalid cannot be reached"),
    ):
        found, _, err = cli(*arguments)
        assert found == code, arguments
        assert says in err
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    code, _, err = cli("bench", model, "--device", pi)
    assert code == 1
    assert "to fix: pip install 'edge-effnet[remote]'" in err
    assert err.count("\n") == 1


def test_one_device_that_fails_leaves_the_others_their_results(
    cli: Cli, colour_model: MakeModel, tmp_path: Path
) -> None:
    file = tmp_path / "r.json"
    devices = ("--device", "pi@127.0.0.1:1", "--device", "cpu")
    code, out, err = cli("bench", colour_model(), "--seconds", 0.05, *devices, "--json", file)
    assert code == 1
    assert "runs no SSH server there" in err.splitlines()[-1]
    assert "colours" in out
    assert json.loads(file.read_text())["device"] == "cpu"
