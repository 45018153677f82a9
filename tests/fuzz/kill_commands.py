"""The commands that ``tests.fuzz.kills`` kills: on tiny inputs, and what their results are."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.artifact import Card, read_artifact, write_artifact
from edge_effnet.data.demo import demo_model
from edge_effnet.image.preprocessing import Preprocess
from tests.edge_effnet.conftest import RIGHT, SIDE, model_bytes, write_image

COLOURS = ("blue", "green", "red")
_TIMES = re.compile(r"(seconds|_ms|_s|latency\w*|latencies|ratio|at|warnings|timed)\Z")
OLD = '{"of": "yesterday"}\n'


@dataclass(frozen=True)
class Killable:
    """A command, run in a folder with the folder ``inputs`` in it.

    Attributes:
        prepare: makes the inputs.
        earlier: makes the files that are there before.
        begin: its arguments.
        go_on: those after a kill; empty where it came after the end of the work.
        check: raises where a file is not whole.
        result: what must be the same, by name.
    """

    prepare: Callable[[Path], None]
    earlier: Callable[[Path], None]
    begin: tuple[str, ...]
    go_on: Callable[[Path], tuple[str, ...]]
    check: Callable[[Path], None]
    result: Callable[[Path], dict[str, Any]]


def _photos(folder: Path) -> None:
    random = np.random.default_rng(3)
    for place, colour in enumerate(COLOURS):
        for number in range(12):
            pixels = random.integers(0, 90, (40, 48, 3), dtype=np.uint8)
            pixels[:, :, 2 - place] += np.uint8(120)
            write_image(folder / "photos" / colour / f"{number}.png", pixels)


def _colours(folder: Path) -> None:
    """Photos, and a float model that tells their colours."""
    _photos(folder)
    model = model_bytes(np.asarray(RIGHT, np.float32)[:, ::-1] * np.float32(10 / 255))
    write_artifact(
        folder / "colours.tflite", model, Card("colours", COLOURS, Preprocess(SIDE, SIDE))
    )


def _clip(folder: Path) -> None:
    from edge_effnet.data.signs.clip import write_clip

    folder.mkdir(parents=True)
    (folder / "signs.tflite").write_bytes(demo_model().read_bytes())
    write_clip(folder / "clip.avi", seconds=6, fps=10, size=(160, 120), seed=1)


def _networks(folder: Path) -> None:
    """Photos, a small variant and weights for it."""
    import keras

    from edge_effnet.architecture.files import write_variant
    from edge_effnet.architecture.scaling import scaled_variant
    from edge_effnet.network.build import build
    from edge_effnet.network.weights.checkpoint import describe, save_checkpoint

    _photos(folder)
    variant = scaled_variant(-8)
    write_variant(folder / "tiny.json", variant)
    keras.utils.set_random_seed(1)
    network = build(variant, classes=3, resolution=32)
    about = describe(variant, resolution=32, labels=COLOURS, steps=[{"step": "trained"}])
    save_checkpoint(network, folder / "start.h5", about)


def _json(path: Path) -> Any:
    return json.loads(path.read_text())


def _untimed(value: Any) -> Any:
    """JSON without what depends on the clock."""
    if isinstance(value, dict):
        return {key: _untimed(one) for key, one in value.items() if not _TIMES.search(key)}
    return [_untimed(one) for one in value] if isinstance(value, list) else value


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _old(*names: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        for name in names:
            (folder / name).write_text(OLD)

    return write


def _whole(folder: Path) -> None:
    """Every result is whole, that of yesterday or the new one."""
    for path in (*folder.glob("*.json"), *folder.glob("run/*.json")):
        assert _json(path)
    for path in folder.glob("**/*.tflite"):
        if "inputs" not in path.parts and ".edge-effnet" not in str(path):
            assert read_artifact(path).card
    for path in folder.glob("run/**/*.h5"):
        _weights(path)
    if (lines := folder / "lines.jsonl").exists():
        text = lines.read_text()
        assert not text or text.endswith("\n")
        assert all(json.loads(line) for line in text.splitlines())


def _weights(path: Path) -> str:
    """A hash of all arrays and of what the file says of them."""
    from edge_effnet.network.weights.checkpoint import peek

    found, digest = peek(path), hashlib.sha256()
    import h5py

    with h5py.File(path) as root:

        def add(name: str, entry: Any) -> None:
            if isinstance(entry, h5py.Dataset):
                digest.update(name.encode() + entry[()].tobytes())

        root.visititems(add)
    digest.update(json.dumps(_untimed(found.metadata or {}), sort_keys=True).encode())
    return digest.hexdigest()


def _history(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return [_untimed(row) for row in csv.DictReader(file)]


TRAIN = (
    *("train", "--data", "inputs/photos", "--variant", "inputs/tiny.json", "--weights", "random"),
    *("--resolution", "32", "--epochs", "3", "--batch-size", "6", "--patience", "0"),
    *("--run", "run", "--save-every", "0", "--threads", "1", "--json", "result.json", "--force"),
)
PRUNE = (
    *("prune", "--data", "inputs/photos", "--variant", "inputs/tiny.json"),
    *("--val-share", "0.5", "--weights", "inputs/start.h5"),
    *("--resolution", "32", "--target-macs", "0.7"),
    *("--importance-images", "16", "--epochs", "2", "--steps", "1", "--batch-size", "6"),
    *("--run", "run", "--threads", "1", "--json", "result.json", "--force"),
)
CONVERT = (
    *("convert", "--model", "inputs/colours.tflite", "--int8", "--float16"),
    *("--data", "inputs/photos", "--calibration", "inputs/photos", "--out", "models"),
    *("--threads", "1", "--json", "result.json"),
)
TEACH = (
    *("teach", "inputs/photos", "--base", "inputs/colours.tflite", "--out", "taught.tflite"),
    *("--threads", "1", "--json", "result.json", "--force"),
)
BENCH = (
    *("bench", "inputs/colours.tflite", "--data", "inputs/photos", "--seconds", "0.3"),
    *("--json", "result.json", "--append", "all.json", "--force"),
)
CAMERA = (
    *("camera", "--model", "inputs/signs.tflite", "--source", "inputs/clip.avi", "--every-frame"),
    *("--jsonl", "lines.jsonl", "--record", "out.avi", "--json", "result.json", "--force"),
    *("--threads", "1", "--quiet"),
)


def _resume(begin: tuple[str, ...], config: str) -> Callable[[Path], tuple[str, ...]]:
    def go_on(folder: Path) -> tuple[str, ...]:
        if not (folder / "run" / config).exists():
            return begin
        return (begin[0], "--resume", "run", "--json", "result.json", "--force", "--threads", "1")

    return go_on


def _trained(folder: Path) -> dict[str, Any]:
    return {
        "json": _untimed(_json(folder / "result.json")),
        "best": _weights(folder / "run" / "best.h5"),
        "history": _history(folder / "run" / "history.csv"),
    }


def _pruned(folder: Path) -> dict[str, Any]:
    (variant,) = (folder / "run").glob("*-macs70.json")
    return {
        "steps": _untimed(_json(folder / "result.json")["steps"]),
        "best": _weights(folder / "run" / "best.h5"),
        "variant": _json(variant),
    }


def _converted(folder: Path) -> dict[str, Any]:
    files = {path.name: _hash(path) for path in sorted((folder / "models").iterdir())}
    return {"json": _untimed(_json(folder / "result.json")), **files}


def _taught(folder: Path) -> dict[str, Any]:
    """The file, and what was said of it; a second run compares it with the first one's besides."""
    told = _json(folder / "result.json")
    return {"json": {**told, "before": None}, "file": _hash(folder / "taught.tflite")}


def _benched(folder: Path) -> dict[str, Any]:
    """Times differ; what was measured and how it answers does not. One more than before."""
    result = _json(folder / "result.json")
    series = _json(folder / "all.json")
    return {
        "cases": [(case["name"], case["sha256"]) for case in result["cases"]],
        "accuracy": _untimed(result["accuracy"]),
        "all": {case["name"] for one in series["results"] for case in one["cases"]},
    }


def _answered(folder: Path) -> dict[str, Any]:
    import cv2

    lines = [
        _untimed(json.loads(line)) for line in (folder / "lines.jsonl").read_text().splitlines()
    ]
    video = cv2.VideoCapture(str(folder / "out.avi"))
    return {
        "lines": [line for line in lines if line["type"] == "answer"],
        "frames": video.get(cv2.CAP_PROP_FRAME_COUNT),
        "json": _json(folder / "result.json").get("labels"),
    }


def _unless_done(folder: Path) -> tuple[str, ...]:
    """Typed again as it was, without --force."""
    done = (folder / "result.json").exists() and not list(folder.glob(".edge-effnet-*"))
    return () if done else CONVERT


def _begin_again(begin: tuple[str, ...]) -> Callable[[Path], tuple[str, ...]]:
    return lambda _folder: begin


COMMANDS = {
    "train": Killable(
        _networks, _old("result.json"), TRAIN, _resume(TRAIN, "config.json"), _whole, _trained
    ),
    "convert": Killable(
        _colours, _old(), CONVERT, _unless_done, _whole, _converted
    ),
    "prune": Killable(
        _networks, _old("result.json"), PRUNE, _resume(PRUNE, "prune.json"), _whole, _pruned
    ),
    "teach": Killable(
        _colours, _old("result.json"), TEACH, _begin_again(TEACH), _whole, _taught
    ),
    "bench": Killable(
        _colours, _old("result.json"), BENCH, _begin_again(BENCH), _whole, _benched
    ),
    "camera": Killable(
        _clip, _old("result.json", "lines.jsonl", "out.avi"), CAMERA, _begin_again(CAMERA),
        _whole, _answered,
    ),
}  # fmt: skip
