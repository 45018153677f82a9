"""The runs that find figures again: the commands of the README, in a folder of their own."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.studies.cli import run_installed
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.metrics.predictions import same_answers
from edge_effnet.runtime.evaluating.predict import predict

REFERENCE = "EDGE_EFFNET_REFERENCE"
Found = Mapping[str, float]
MB = 1e6


@dataclass(frozen=True)
class Workspace:
    """Where a run works, and where the photos and weights are that cannot be shipped."""

    folder: Path
    reference: Path | None

    def command(self, *words: str | Path) -> dict[str, Any]:
        """Run ``edge-effnet WORDS --json``; what it wrote, and nothing for a command that has
        no result.

        Raises:
            EdgeEffnetError: it failed; says its last line.
        """
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        reported: tuple[str | Path, ...] = () if words[0] == "signs" else ("--json", report)
        run_installed(*words, *reported, folder=self.folder, captured=True)
        return dict(json.loads(report.read_text())) if reported else {}

    def photos(self, *below: str) -> Path:
        assert self.reference is not None  # noqa: S101 (RUNS says who needs it)
        return self.reference.joinpath(*below)


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        needs_reference: whether it needs the material that ``EDGE_EFFNET_REFERENCE`` names.
        after: runs whose files it uses.
    """

    name: str
    find: Callable[[Workspace], Found]
    needs_reference: bool = False
    after: tuple[str, ...] = ()


def _tables(_: Workspace) -> Found:
    return {"variants": len(VARIANTS)}


def _v2_b0(workspace: Workspace) -> Found:
    recipes = ("int8", "edgetpu", "weights8", "float16", "dynamic", "int16x8")
    made = workspace.command(
        *("convert", "--variant", "v2-b0", *(f"--{recipe}" for recipe in recipes)),
        *("--weights", workspace.photos("models", "efficientnetv2-b0_imagenet.h5")),
        *("--calibration", workspace.photos("images", "imagenet_calibration")),
        *("--data", workspace.photos("images", "imagenet_val", "labels.csv"), "--force"),
    )
    ratios = {f"{model['recipe']}_ratio": model["size_ratio"] for model in made["models"]}
    return {**ratios, **_sizes(made), **_compared(_of(made, "int8")["comparison"])}


def _no_images(workspace: Workspace) -> Found:
    workspace.command(
        *("convert", "--variant", "v2-b0", "--int8", "--out", "no-images", "--force"),
        *("--weights", workspace.photos("models", "efficientnetv2-b0_imagenet.h5")),
    )
    return _compared(
        workspace.command(
            *("compare", "v2-b0-float32.tflite", "no-images/v2-b0-int8.tflite"),
            *("--data", workspace.photos("images", "imagenet_val", "labels.csv")),
        )
    )


def _photos(workspace: Workspace) -> Found:
    """Agreement with float on the photos that did not calibrate, of three origins."""
    from edge_effnet.data.dataset import Dataset
    from edge_effnet.data.division.split import balanced_sample
    from edge_effnet.data.listing import load_images

    calibration = load_images(workspace.photos("images", "imagenet_calibration"))
    order = balanced_sample(calibration, len(calibration), 0).samples
    sets = {
        "val": load_images(workspace.photos("images", "imagenet_val")),
        "others": Dataset(order[200:], (), "photos that did not calibrate"),
        "enlarged": load_images(workspace.photos("images", "imagenette", "val")),
    }
    files = {
        "": "v2-b0-int8.tflite",
        "_no_images": "no-images/v2-b0-int8.tflite",
        "_weights8": "v2-b0-weights8.tflite",
    }
    same: dict[str, int] = {}
    for name, images in sets.items():
        ours = predict(workspace.folder / "v2-b0-float32.tflite", images)
        for ending, file in files.items():
            theirs = predict(workspace.folder / file, images)
            same[name + ending] = int(same_answers(ours, theirs).sum())
    percent = {key: 100 * count / len(sets[key.split("_")[0]]) for key, count in same.items()}
    for ending in files:
        whole = sum(count for key, count in same.items() if key in {n + ending for n in sets})
        percent["all" + ending] = 100 * whole / sum(map(len, sets.values()))
    return {**percent, "weights8_changes": 100 - percent["all_weights8"]}


def _of_sizes(workspace: Workspace) -> Found:
    found: dict[str, float] = {}
    networks = {
        "b0": ("--variant", "b0"),
        "lite0": ("--variant", "lite0"),
        "mobilenetv2": ("--baseline", "mobilenetv2"),
        "mobilenetv3": ("--baseline", "mobilenetv3"),
    }
    for name, chosen in networks.items():
        random = ("--weights", "random", "--out", "random", "--force")
        sizes = _sizes(workspace.command("convert", *chosen, "--int8", *random))
        found |= {f"{name}_{key}": value for key, value in sizes.items()}
    return found


def _preflight(workspace: Workspace) -> Found:
    """Networks of which every operator is foreseen as the compiler placed it."""
    folders = sorted(path.parent for path in workspace.photos("edgetpu").glob("*/mapping.json"))
    right = 0
    for folder in folders:
        told = workspace.command("doctor", folder / "model.tflite", "--device", "coral")["edgetpu"]
        ours = Counter(entry["op"] for entry in told["ops"] if not entry["mapped"])
        right += ours == Counter(json.loads((folder / "mapping.json").read_text())["left_on_cpu"])
    return {"right": right, "networks": len(folders)}


def _demo(workspace: Workspace) -> Found:
    made = workspace.command(
        *("convert", "--variant", "b0", "--weights", "demo", "--int8", "--out", "demo", "--force")
    )
    return _compared(_of(made, "int8")["comparison"])


def _clip(workspace: Workspace) -> Found:
    workspace.command("signs", "video", "-o", "clip.mp4", "--force")
    return _compared(
        workspace.command(
            *("camera", "--model", "demo/b0-int8.tflite", "--compare", "demo/b0-float32.tflite"),
            *("--source", "clip.mp4", "--truth", "clip.csv", "--every-frame", "--quiet"),
        )
    )


RUNS: dict[str, Run] = {
    run.name: run
    for run in (
        Run("tables", _tables),
        Run("v2-b0", _v2_b0, needs_reference=True),
        Run("no-images", _no_images, needs_reference=True, after=("v2-b0",)),
        Run("photos", _photos, needs_reference=True, after=("v2-b0", "no-images")),
        Run("preflight", _preflight, needs_reference=True),
        Run("demo", _demo),
        Run("clip", _clip, after=("demo",)),
        Run("sizes", _of_sizes),
    )
}


def reference_folder() -> Path | None:
    """What ``EDGE_EFFNET_REFERENCE`` names, where it is a folder."""
    named = os.environ.get(REFERENCE)
    return Path(named).resolve() if named and Path(named).is_dir() else None


def _of(made: dict[str, Any], recipe: str) -> dict[str, Any]:
    return next(model for model in made["models"] if model["recipe"] == recipe)


def _sizes(made: dict[str, Any]) -> Found:
    float_, int8 = _of(made, "float32"), _of(made, "int8")
    return {"float_mb": float_["size_bytes"] / MB, "int8_mb": int8["size_bytes"] / MB}


def _compared(comparison: dict[str, Any]) -> Found:
    low, high = comparison["drop_interval_points"]
    return {
        "images": comparison["n"],
        "float_top1": comparison["reference"]["top1"],
        "int8_top1": comparison["candidate"]["top1"],
        "agreement": comparison["agreement"],
        "drop": comparison["drop_points"],
        "drop_low": low,
        "drop_high": high,
        "drop_at_most": comparison["drop_at_most_points"],
    }
