"""From ``--weights`` to a network: which weights, where from, and a note for the user."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import EdgeEffnetError, OutputError, WeightsError
from edge_effnet.files.read import content_hash
from edge_effnet.network.build import build
from edge_effnet.network.weights.assign import load_layer_weights, read_for
from edge_effnet.network.weights.checkpoint import (
    WeightsPeek,
    normalized_as,
    peek,
    same_network,
)
from edge_effnet.network.weights.files import open_weights
from edge_effnet.network.weights.official import fetch_official, official_file
from edge_effnet.network.weights.packages import installed_file, package_of, package_origin
from edge_effnet.network.weights.pytorch.pytorch_names import TIMM
from edge_effnet.network.weights.pytorch.safetensors_file import is_safetensors, tensor_shape
from edge_effnet.network.weights.pytorch.timm import open_timm
from edge_effnet.plurals import counted
from edge_effnet.spelling import did_you_mean

if TYPE_CHECKING:
    import keras

Kind = Literal["checkpoint", "imagenet", "demo", "random", "file"]
CHOICES = ("auto", "imagenet", "demo", "random")
DEFAULT_RUNS = Path("runs")
IMAGENET_CLASSES = 1000
_RESOLUTIONS = range(8, 1025)  # that a network can be asked for; anything else is damage


@dataclass(frozen=True)
class ResolvedWeights:
    """The weights that were decided on.

    Attributes:
        spec: the variant, with the normalization that they were trained with.
        path: their file; None where they are random.
        classes: width of the file's classifier; None where random or without one.
        labels, resolution: what the file was trained for, where it says so.
        origin: for the model card: kind, and file name, sha256 and URL where there are any.
        steps: their provenance so far, where the file says so.
        notice: a line the user must see, or None.
    """

    spec: VariantSpec
    kind: Kind
    path: Path | None
    classes: int | None
    labels: tuple[str, ...] | None = None
    resolution: int | None = None
    origin: dict[str, str] = field(default_factory=dict)
    notice: str | None = None
    steps: tuple[Mapping[str, Any], ...] = ()


def resolve_weights(
    spec: VariantSpec, choice: str = "auto", *, runs: Path = DEFAULT_RUNS
) -> ResolvedWeights:
    """Decide what ``--weights CHOICE`` means for a variant.

    Args:
        choice: ``imagenet``, ``demo``, ``random``, the path of a file, or ``auto``: the newest
            checkpoint of this network below ``runs``, else the official file, else, where that
            cannot be had, the demo weights in the package. Never random unasked.
        runs: folder of training runs.

    Raises:
        WeightsError: there is nothing to use, or it cannot be used.
    """
    if choice == "auto":
        return _automatic(spec, runs)
    if choice == "random":
        line = f"the weights of {spec.name} are random: its answers mean nothing"
        return ResolvedWeights(spec, "random", None, None, origin={"kind": "random"}, notice=line)
    if choice == "imagenet":
        return _imagenet(spec)
    if choice == "demo":
        path = demo_file(spec)
        if path is None:
            raise WeightsError(
                f"the package carries no demo weights for {spec.name}",
                fix="use --weights imagenet or --weights FILE",
            )
        return _from_file(spec, "demo", path, notice=_demo_notice(spec))
    path = Path(choice).expanduser()
    if not path.exists():
        raise WeightsError(
            f"there are no weights {choice}{did_you_mean(choice, CHOICES)}",
            found="no such file",
            expected=f"{', '.join(CHOICES)} or the path of a file",
            fix="check the path or the spelling",
        )
    return _from_timm(spec, path) if is_safetensors(path) else _from_file(spec, "file", path)


def load(
    resolved: ResolvedWeights,
    *,
    resolution: int | None = None,
    classes: int | None = None,
    classifier_activation: str | None = "softmax",
    batch_size: int | None = None,
    allow_new_head: bool = False,
) -> keras.Model:
    """The network with the weights that were decided on.

    Args:
        resolution: None takes what the weights were trained at, else the variant's.
        classes: None takes the file's, else 1000.
        allow_new_head: a file with another number of classes is welcome; its classifier is
            replaced by an untrained one.

    Returns:
        As ``build``.

    Raises:
        WeightsError: the file does not fit.
    """
    model = build(
        resolved.spec,
        classes=classes or resolved.classes or IMAGENET_CLASSES,
        resolution=resolution or resolved.resolution,
        classifier_activation=classifier_activation,
        batch_size=batch_size,
    )
    if resolved.path is not None:
        load_layer_weights(
            model,
            read_for(model, resolved.path, resolved.spec),
            source=str(resolved.path),
            allow_new_head=allow_new_head,
        )
    return model


def demo_file(spec: VariantSpec) -> Path | None:
    """The demo weights of a variant, where the package carries some."""
    entry = importlib.resources.files("edge_effnet").joinpath("assets", "demo", f"{spec.name}.h5")
    path = Path(str(entry))
    return path if path.is_file() else None


def newest_checkpoint(spec: VariantSpec, runs: Path) -> Path | None:
    """The checkpoint of exactly this network that was written last, anywhere below ``runs``."""
    found: list[tuple[float, Path]] = []
    for path in runs.rglob("*.h5") if runs.is_dir() else ():
        try:
            with open_weights(path) as file:
                metadata = file.metadata
            if metadata is not None and same_network(metadata, spec):
                found.append((path.stat().st_mtime, path))
        except (EdgeEffnetError, OSError):  # a run of another tool, or one being written
            continue
    return max(found)[1] if found else None


def _automatic(spec: VariantSpec, runs: Path) -> ResolvedWeights:
    checkpoint = newest_checkpoint(spec, runs)
    if checkpoint is not None:
        line = f"using {checkpoint}, the newest checkpoint of {spec.name} (--weights to choose)"
        return _from_file(spec, "checkpoint", checkpoint, notice=line)
    try:
        return _imagenet(spec)
    except (WeightsError, OutputError) as error:
        demo = demo_file(spec)
        if demo is not None:
            line = f"{_demo_notice(spec)}, because {error.what}"
            return _from_file(spec, "demo", demo, notice=line)
        raise type(error)(
            error.what,
            found=error.found,
            expected=error.expected,
            fix=f"{error.fix}; there is no checkpoint of {spec.name} in {runs} either, and "
            "--weights random tries the tools without meaning",
        ) from error


def _imagenet(spec: VariantSpec) -> ResolvedWeights:
    package = package_of(spec)
    if package is not None:
        file, origin = installed_file(package), package_origin(package)
        return ResolvedWeights(spec, "imagenet", file, IMAGENET_CLASSES, origin=origin)
    return _from_file(spec, "imagenet", fetch_official(spec), url=official_file(spec).url)


def _demo_notice(spec: VariantSpec) -> str:
    return (
        f"the weights of {spec.name} are the small demo ones of this package, "
        "good for trying the tools and for nothing else"
    )


def _from_timm(spec: VariantSpec, path: Path) -> ResolvedWeights:
    found = open_timm(path, spec)
    shape = tensor_shape(path, f"{TIMM.classifier}.weight")
    classes = shape[0] if shape is not None and len(shape) == 2 else None
    origin = {"kind": "file", "file": path.name, "sha256": content_hash(path)}
    return ResolvedWeights(
        found.spec,
        "file",
        path,
        classes,
        labels=_fitting(found.labels, classes, path) if found.labels else None,
        origin=origin | {"source": f"timm, {found.name}"},
    )


def _from_file(
    spec: VariantSpec,
    kind: Kind,
    path: Path,
    *,
    notice: str | None = None,
    url: str | None = None,
) -> ResolvedWeights:
    seen = peek(path)
    metadata: dict[str, Any] = seen.metadata or {}
    side = metadata.get("resolution")
    origin = {"kind": kind, "file": path.name, "sha256": seen.sha256}
    return ResolvedWeights(
        normalized_as(spec, metadata),
        kind,
        path,
        seen.classes,
        labels=_labels(seen),
        resolution=side if isinstance(side, int) and side in _RESOLUTIONS else None,
        origin=origin | ({"url": url} if url else {}),
        notice=notice,
        steps=_steps(metadata),
    )


def _steps(metadata: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    said = metadata.get("steps")
    return tuple(
        step
        for step in (said if isinstance(said, list) else ())
        if isinstance(step, Mapping) and "step" in step and isinstance(step.get("data", {}), dict)
    )


def _labels(seen: WeightsPeek) -> tuple[str, ...] | None:
    labels = (seen.metadata or {}).get("labels")
    return None if labels is None else _fitting(labels, seen.classes, seen.path)


def _fitting(labels: Any, classes: int | None, path: Path) -> tuple[str, ...]:
    listed = isinstance(labels, list | tuple)
    if not listed or len(labels) != classes:
        raise WeightsError(
            f"the labels in {path} do not fit its classifier",
            found=counted(len(labels), "label") if listed else f"{labels!r}",
            expected=f"{classes}",
            fix="write the checkpoint again with one label per class",
        )
    return tuple(map(str, labels))
