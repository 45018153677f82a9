"""A Pi that refuses a file is one line: nothing else, and the other devices go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from benchmarks.devices.pi import board
from benchmarks.devices.pi.answers import ANSWERS, checked
from benchmarks.devices.pi.board import CACHE, Board
from benchmarks.ssh.connect import Address
from edge_effnet.errors import EdgeEffnetError, OutputError

Use = Callable[[Board], Awaitable[Any]]


@asynccontextmanager
async def connection_to(home: Path) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Real SSH to a host whose home folder is ``home``, and whose programs say nothing."""

    class Server(asyncssh.SSHServer):
        def begin_auth(self, _user: str) -> bool:
            return False

    async def silent(_process: object) -> None:
        await asyncio.sleep(60)

    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(
        Server,
        "127.0.0.1",
        0,
        server_host_keys=[key],
        process_factory=silent,
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=bytes(home)),
    )
    known = ([key.convert_to_public()], [], [])
    async with (
        server,
        asyncssh.connect("127.0.0.1", server.get_port(), known_hosts=known) as connection,
    ):
        yield connection


def on_a_board(home: Path, use: Use) -> Any:
    """What ``use`` gives with a board whose home folder is ``home``."""

    async def go() -> Any:
        async with connection_to(home) as connection, connection.start_sftp_client() as sftp:
            return await use(Board(Address("pi4"), connection, sftp, f"{CACHE}/agent.pyz", {}))

    return asyncio.run(go())


def test_files_come_back_and_those_that_are_not_there_are_none(tmp_path: Path) -> None:
    async def use(there: Board) -> list[object]:
        await there.make_folder("jobs/1")
        await there.write("jobs/1/job.json", b"{}")
        files = [await there.read(f"jobs/1/{name}.json") for name in ("job", "result")]
        return [*files, await there.has_agent()]

    assert on_a_board(tmp_path, use) == [b"{}", None, False]


@pytest.mark.parametrize(
    ("use", "refusal"),
    [
        (lambda there: there.read("jobs/1"), "pi4 does not give jobs/1"),
        (lambda there: there.write("jobs", b""), "pi4 did not take a file"),
        (lambda there: there.make_folder("file/1"), "pi4 did not take a file"),
        (lambda there: there.write("file/1", b""), "pi4 did not take a file"),
    ],
)
def test_what_sftp_refuses_is_one_line(tmp_path: Path, use: Use, refusal: str) -> None:
    (tmp_path / CACHE / "jobs/1").mkdir(parents=True)
    (tmp_path / CACHE / "file").touch()
    with pytest.raises(OutputError, match=refusal):
        on_a_board(tmp_path, use)


@pytest.mark.parametrize("silent", ["programs", "files"])
def test_a_pi_that_says_nothing_is_given_up(
    silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if silent == "files":
        monkeypatch.setattr(asyncssh.SFTPServer, "stat", lambda *_: asyncio.sleep(60))

    async def go() -> None:
        async with board.board_at(Address("pi4")):
            pass

    monkeypatch.setattr(board, "connected", lambda _: connection_to(tmp_path))
    monkeypatch.setattr(board, "OPEN_SECONDS", 1)
    with pytest.raises(EdgeEffnetError, match=r"pi4 accepts the connection and then .* for 1 s"):
        asyncio.run(asyncio.wait_for(go(), 30))
    assert bool(list(tmp_path.rglob("agent-*.pyz"))) == (silent == "programs")


def test_an_environment_without_its_parts_is_refused() -> None:
    with pytest.raises(EdgeEffnetError, match="not understood; found package: missing"):
        checked({"python": "/usr/bin/python3", "version": "x"}, ANSWERS["environment"], "pi4")
