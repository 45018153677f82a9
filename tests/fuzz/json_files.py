"""Damaged JSON files: of every kind that a command reads."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.report.sources import read_sources
from benchmarks.results.store import read_results
from converters.pruning.config import CONFIG_FILE as PRUNE_CONFIG
from converters.pruning.config import PruneConfig
from edge_effnet.architecture.files import read_variant, variant_to_json
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.training.config import CONFIG_FILE as TRAIN_CONFIG
from edge_effnet.training.config import TrainConfig
from tests.fuzz.damage import damaged

_VALUES = (
    None,
    True,
    -1,
    0,
    0.5,
    10**400,
    2**63,
    "",
    "x" * 1000,
    "\0\x1b[2J",
    [],
    {},
    [[]] * 50,
    "NaN",
    "\ud800",
)


def originals() -> dict[str, tuple[bytes, Callable[[Path], Any]]]:
    """A whole file of each kind, and what reads it."""
    train = TRAIN_CONFIG.to_json(TrainConfig(data="photos"))
    prune = PRUNE_CONFIG.to_json(PruneConfig("b0", "photos", "macs", 0.7))
    variant = variant_to_json(VARIANTS["b0"])
    found: dict[str, tuple[Any, Callable[[Path], Any]]] = {
        "variant": (variant, read_variant),
        "train config": (train, TRAIN_CONFIG.read),
        "prune config": (prune, PRUNE_CONFIG.read),
    }
    for path in sorted((Path(__file__).parent / "documents").glob("*.json")):
        reads = read_results if path.stem == "bench" else _as_source
        found[path.stem] = (json.loads(path.read_text()), reads)
    return {name: (json.dumps(raw).encode(), reads) for name, (raw, reads) in found.items()}


def _as_source(path: Path) -> Any:
    return read_sources([path])


def damages(seed: int) -> Iterator[tuple[str, bytes, Callable[[Path], Any]]]:
    """Endless damaged files: a value replaced, a key removed, or bytes altered."""
    dice, known = random.Random(seed), list(originals().items())
    while True:
        name, (content, reads) = dice.choice(known)
        if dice.random() < 0.3:
            what, copy = damaged(content, dice)
        else:
            raw = json.loads(content)
            what = " and ".join(_altered(raw, dice) for _ in range(dice.choice((1, 1, 2))))
            copy = json.dumps(raw).encode()
            if dice.random() < 0.1:
                copy = copy.replace(b'"NaN"', b"NaN").replace(b"0.5", b"1e999")
        yield f"{name}: {what}", copy, reads


def _altered(raw: Any, dice: random.Random) -> str:
    """Replace or remove one value somewhere in a document."""
    place, path = raw, list[str]()
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return "nothing"
        key = dice.choice(keys)
        path.append(str(key))
        deeper = place[key]
        if isinstance(deeper, dict | list) and deeper and dice.random() < 0.8:
            place = deeper
            continue
        if dice.random() < 0.2:
            del place[key]
            return "without " + ".".join(path)
        place[key] = dice.choice(_VALUES)
        return f"{'.'.join(path)} = {place[key]!r:.30}"
