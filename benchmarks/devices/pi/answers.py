"""What the helper on a Pi may say: lines of bounded length that fit a table of types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from edge_effnet.documents import AtLeast, Malformed, structure
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.files.json_text import parse_json
from edge_effnet.files.limits import TEXT_BYTES

if TYPE_CHECKING:
    import asyncssh

_PIECE = 1 << 16  # characters
Count = Annotated[int, AtLeast(0)]


class About(TypedDict):
    """What the machine is."""

    python: str
    machine: str
    bits: int
    cpuinfo: str
    free_bytes: Count


class Ready(TypedDict):
    """An environment that can measure: its Python, and the folder of our package."""

    python: str
    package: str


class _End(TypedDict):
    code: int | None
    log: list[str]


class End(_End, total=False):
    """How a job ended: its exit code, None where it left none, and its last lines."""

    died: str | None


class Look(TypedDict):
    """How files stand there, in the order of the question, and the free bytes."""

    states: list[Literal["absent", "same", "other", "blocked"]]
    free_bytes: Count


class Installed(TypedDict):
    """The edge-effnet that is there: installed just now, and the one that was sent."""

    version: str
    new: bool
    same: bool


class _Refusal(TypedDict):
    what: str
    found: str | None
    fix: str


class Refusal(_Refusal, total=False):
    """Why the helper, or the measurement, did not do what was asked."""

    expected: str | None
    died: str


class Progress(TypedDict, total=False):
    """A stage that begins, or how far the current one is."""

    stage: str
    steps: Count | None
    done: Count


class Line(TypedDict, total=False):
    """One line: the last of an answer is ``answer`` or ``error``."""

    answer: Any
    error: Refusal
    progress: Progress
    say: str


ANSWERS: dict[str, Any] = {
    "clean": Count,
    "describe": About,
    "environment": Ready,
    "follow": End,
    "forget": None,
    "install": Installed,
    "jobs": list[str],
    "look": Look,
    "make_folders": None,
    "missing": list[str],
    "place": list[Literal["placed", "damaged", "taken"]],
    "start": int,
}


def checked(raw: Any, kind: Any, host: str) -> Any:
    """``raw`` where it is of a kind.

    Raises:
        EdgeEffnetError: it is not.
    """
    if kind is None:
        return None
    try:
        return structure(raw, kind)
    except Malformed as error:
        raise not_understood(host, str(error)) from error


def read_document(content: bytes, host: str) -> Any:
    """JSON of the Pi.

    Raises:
        EdgeEffnetError: it is none.
    """
    try:
        return parse_json(content)
    except ValueError as error:
        raise not_understood(host, str(error)) from error


async def lines_of(stream: asyncssh.SSHReader[str], host: str) -> AsyncIterator[Line]:
    """The JSON lines of the helper; what a user's shell prints before them is passed over.

    Raises:
        EdgeEffnetError: a line is longer than the limit for text, or none of ours.
    """
    begun, length = list[str](), 0  # of a line whose end has not come: joined once
    while piece := await stream.read(_PIECE):
        *ends, rest = piece.split("\n")
        for end in ends:
            text = "".join([*begun, end])
            begun, length = [], 0
            if text.startswith("{"):
                yield checked(read_document(text.encode(), host), Line, host)
        begun.append(rest)
        length += len(rest)
        TEXT_BYTES.check(length, host, EdgeEffnetError, what="sends")


def not_understood(host: str, found: str) -> EdgeEffnetError:
    """An answer that no version of the helper gives."""
    return EdgeEffnetError(
        f"{host} answers what is not understood",
        found=found[:300],
        expected="what our helper prints",
        fix="check that it is the machine you mean; remove what is kept there with --clean",
    )
