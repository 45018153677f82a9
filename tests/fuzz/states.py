"""Damaged states of runs: the archive that NumPy writes, its arrays, and what stands about them."""

from __future__ import annotations

import io
import json
import random
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.runs import RunState, read_state, write_state
from tests.fuzz import cards
from tests.fuzz.damage import damaged

_SHAPES = (b"(9999999999,)", b"(-1,)", b"(2, 2, 2)", b"(1e9,)", b"()", b"x", b"((((((", b"(0,)")
_TYPES = (b"'|O'", b"'<f16'", b"'>f8'", b"'<U9999999'", b"[('a', '<f4')]", b"'|V2147483647'")


def original() -> bytes:
    """A state as a run writes it."""
    arrays = [np.arange(24, dtype=np.float32).reshape(2, 3, 4), np.ones(5, np.int64)]
    state = RunState({"seed": 1, "files": ["a", "b"]}, {"epoch": 3}, {"weights": arrays})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "last.state"
        write_state(path, state)
        return path.read_bytes()


def _inside(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    """One of its members damaged, in an archive that is whole."""
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        members = {name: pack.read(name) for name in pack.namelist()}
    name = dice.choice(list(members))
    way = dice.choice(("shape", "type", "bytes", "about", "renamed", "missing"))
    member = members.pop(name)
    if way == "shape":
        member = re.sub(rb"\([^)]*\), }", dice.choice(_SHAPES) + b", }", member, count=1)
    elif way == "type":
        member = re.sub(rb"'descr': '[^']*'", b"'descr': " + dice.choice(_TYPES), member, count=1)
    elif way == "bytes":
        _, member = damaged(member, dice)
    elif way == "about":
        name = next((one for one in [*members, name] if "/" not in one), name)
        about = json.dumps({"format": dice.choice((1, None, [], "x" * 9)), "arrays": {"w": 10**9}})
        buffer = io.BytesIO()
        np.save(buffer, np.frombuffer(about.encode(), np.uint8))
        member = buffer.getvalue()
    elif way == "renamed":
        name = dice.choice(("../x", "weights/99.npy", ".", name + "\0"))
    if way != "missing":
        members[name] = member
    return f"{way} of {name!r}", cards.packed(dict(members), method=zipfile.ZIP_STORED)


def damages(seed: int) -> Iterator[tuple[str, bytes, Callable[[Path], Any]]]:
    """Endless damaged files."""
    dice, whole = random.Random(seed), original()
    while True:
        way = dice.choice((_inside, _inside, cards.damaged, damaged))
        what, content = way(whole, dice)
        yield what, content, read_state
