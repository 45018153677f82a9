"""Which network one of timm's files is of, and how its images are normalized.

The tensors do not tell: ``efficientnet_lite0``, with PyTorch's padding and epsilon, has the names
and shapes of ``tf_efficientnet_lite0``, and no file holds a mean. So it is taken from
``config.json`` beside the file, as huggingface.co/timm keeps the two, or else from the file's name:
``tf_efficientnet_b0.ap_in1k.safetensors`` is architecture, dot, tag.

Source: timm/models/efficientnet.py of timm 1.0.31.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge_effnet.architecture.spec import Normalization, VariantSpec, network_plan
from edge_effnet.architecture.variants import IMAGENET_MEAN, IMAGENET_STD, VARIANTS
from edge_effnet.errors import WeightsError
from edge_effnet.files.json_text import read_json
from edge_effnet.model_files.kinds import GUIDE

ARCHITECTURES = {
    **{f"tf_efficientnet_b{size}": f"b{size}" for size in range(8)},
    **{f"tf_efficientnet_lite{size}": f"lite{size}" for size in range(5)},
    **{f"tf_efficientnet_e{size}": f"edgetpu-{size}" for size in "sml"},
    **{f"tf_efficientnetv2_{size}": f"v2-{size}" for size in ("b0", "b1", "b2", "b3", *"sml")},
}
"""timm's name of each variant; those of ``tf_`` have TensorFlow's padding and epsilon."""

CONFIG_FILE = "config.json"
_NAME = re.compile(r"((?:tf_)?efficientnet(?:v2)?_[a-z0-9]+)(?:\.([a-z0-9_]+)|_([a-z0-9_]+))?")
_HALF = (0.5, 0.5, 0.5)
_SMALLEST_STD, _LARGEST = 1e-3, 1e3  # of pixels from 0 to 1; anything else is damage
_ALWAYS_HALF = re.compile(r"tf_efficientnet_(?:lite\d|e[sml])|tf_efficientnetv2_[sml]")
_ALWAYS_IMAGENET = re.compile(r"tf_efficientnetv2_b[0-2]")
# Of B0 to B7 and V2-B3 the tag decides: adversarial training, beginning with ImageNet-21k.
_HALF_TAGS = ("ap", "ap_in1k", "in21k", "in21k_ft_in1k")
_IMAGENET_TAGS = ("aa_in1k", "in1k", "ns", "ns_jft_in1k", "ra_in1k")
_WORD = re.compile(r"[a-z0-9_]{1,60}")
# Arguments of timm's that change no operator, whatever they are, and where they are these.
_FREE, _USUAL = (
    ("num_classes", "drop_rate", "drop_path_rate"),
    {"in_chans": 3, "global_pool": "avg"},
)


@dataclass(frozen=True)
class TimmFile:
    """What is known of a file.

    Attributes:
        name: ``tf_efficientnet_b0.ap_in1k``; without a tag where there is none.
        spec: the variant, with the normalization that these weights were trained with.
        labels: where ``config.json`` has names of the classes.
    """

    name: str
    spec: VariantSpec
    labels: tuple[str, ...] | None


def open_timm(path: Path, spec: VariantSpec) -> TimmFile:
    """Find out what a file is, without its tensors.

    Args:
        spec: the variant that it is wanted for.

    Raises:
        WeightsError: it cannot be told, or is another network than ``spec``.
    """
    config = _config_beside(path)
    settings = config.get("pretrained_cfg")
    settings = settings if isinstance(settings, dict) else {}
    stated, stated_tag = _text(config, "architecture"), _text(settings, "tag")
    match = _NAME.fullmatch(path.stem.lower())
    named, named_tag, ending = match.groups() if match else (None, None, None)
    _refuse_contradiction(path, (stated, stated_tag), (named, named_tag))
    architecture = _checked(path, stated or named, spec)
    tag = stated_tag or named_tag or ending
    _refuse_changed(path, config)
    normalization = _stated(path, settings) or _default(path, architecture, tag)
    labels = config.get("label_names")
    return TimmFile(
        f"{architecture}.{tag}" if tag else architecture,
        replace(spec, normalization=replace(normalization, stored=spec.normalization.stored)),
        tuple(map(str, labels)) if isinstance(labels, list) else None,
    )


def timm_page(spec: VariantSpec) -> str | None:
    """Where timm has a variant's ImageNet weights of Google's; None for a variant of one's own."""
    name = _architecture_of(spec)
    return f"huggingface.co/timm/{name}.in1k" if name and _is_variant(spec, name) else None


def _config_beside(path: Path) -> Mapping[str, Any]:
    """What ``config.json`` beside a file says; empty where there is none of timm's."""
    file = path.parent / CONFIG_FILE
    if not file.is_file():
        return {}
    try:
        found = read_json(file, WeightsError)
    except ValueError as error:
        raise WeightsError(
            f"{file}, which says what {path.name} is, is no JSON",
            found=str(error),
            fix="download it again, or give the file a folder of its own",
        ) from error
    return found if isinstance(found, dict) and "architecture" in found else {}


def _text(settings: Mapping[str, Any], key: str) -> str | None:
    value = settings.get(key)
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _refuse_contradiction(
    path: Path, config: tuple[str | None, str | None], name: tuple[str | None, str | None]
) -> None:
    if any(a and b and a != b for a, b in zip(config, name, strict=True)):
        raise WeightsError(
            f"the name of {path} and {CONFIG_FILE} beside it contradict each other",
            found=f"{_joined(name)} and {_joined(config)}",
            fix="give the file a folder of its own, with its own config.json or none",
        )


def _joined(parts: tuple[str | None, str | None]) -> str:
    return ".".join(part for part in parts if part)


def _checked(path: Path, architecture: str | None, spec: VariantSpec) -> str:
    """The architecture, where it is that of ``spec``."""
    own = _architecture_of(spec)
    wanted = own or "tf_efficientnet_lite3"
    if architecture is None:
        raise WeightsError(
            f"{path} does not say which network it is of: its tensors fit several",
            found=f"neither {CONFIG_FILE} beside it nor a name of timm's",
            expected=f"a name such as {wanted}.in1k.safetensors, or timm's {CONFIG_FILE} beside it",
            fix="download config.json of the same page into its folder, or give the file the "
            "page's name",
        )
    if f"tf_{architecture}" in ARCHITECTURES:
        raise WeightsError(
            f"{path} is {architecture}, which has PyTorch's padding and another epsilon",
            expected=f"tf_{architecture}, which has TensorFlow's, as all networks here",
            fix=f"take tf_{architecture} of huggingface.co/timm, or export this one as {GUIDE} "
            "says",
        )
    variant = ARCHITECTURES.get(architecture)
    if variant is None:
        raise WeightsError(
            f"{path} is {architecture}, which is none of the networks here",
            expected=", ".join(ARCHITECTURES) if own is None else own,
            fix=f"export it once as {GUIDE} says",
        )
    if not _is_variant(spec, architecture):
        raise WeightsError(
            f"{path} is made for another network than {spec.name}",
            found=architecture,
            expected=own,
            fix=f"choose --variant {variant}",
        )
    return architecture


def _is_variant(spec: VariantSpec, architecture: str) -> bool:
    return network_plan(spec) == network_plan(VARIANTS[ARCHITECTURES[architecture]])


def _architecture_of(spec: VariantSpec) -> str | None:
    return next((name for name, variant in ARCHITECTURES.items() if variant == spec.name), None)


def _refuse_changed(path: Path, config: Mapping[str, Any]) -> None:
    stated = config.get("model_args")
    changed = [
        name
        for name, value in (stated.items() if isinstance(stated, dict) else ())
        if name not in _FREE and value is not None and value != _USUAL.get(name)
    ]
    if changed:
        raise WeightsError(
            f"{path} was made with settings of its own, which are not known here",
            found=f"{changed[0]!r:.60} in model_args of {CONFIG_FILE}",
            fix=f"export it once as {GUIDE} says",
        )


def _stated(path: Path, settings: Mapping[str, Any]) -> Normalization | None:
    """What ``config.json`` says of mean and standard deviation."""
    if "mean" not in settings or "std" not in settings:
        return None
    mean, std = settings["mean"], settings["std"]
    if not (_is_colour(mean, -_LARGEST) and _is_colour(std, _SMALLEST_STD)):
        raise WeightsError(
            f"{CONFIG_FILE} beside {path} has no usable normalization",
            found=f"mean {mean!r:.60}, std {std!r:.60}",
            expected="three numbers each, std above 0",
            fix="download it again",
        )
    return Normalization(255.0, tuple(map(float, mean)), tuple(map(float, std)))  # type: ignore[arg-type]


def _is_colour(values: Any, least: float) -> bool:
    return (
        isinstance(values, list)
        and len(values) == 3
        and all(type(one) in (int, float) and least <= one <= _LARGEST for one in values)
    )


def _default(path: Path, architecture: str, tag: str | None) -> Normalization:
    """What timm's table says of an architecture and a tag."""
    half = _ALWAYS_HALF.fullmatch(architecture) is not None
    if not half and not _ALWAYS_IMAGENET.fullmatch(architecture):
        if tag not in (*_HALF_TAGS, *_IMAGENET_TAGS):
            raise WeightsError(
                f"{path} does not say how its images were normalized",
                found=f"{architecture} {f'with the tag {tag}' if tag else 'without a tag'}, while "
                "timm's files differ by their tags",
                expected=f"{architecture}.in1k.safetensors, as its page is called, or "
                f"{CONFIG_FILE} beside it",
                fix="download config.json of the same page into its folder, or give the file the "
                "page's name",
            )
        half = tag in _HALF_TAGS
    mean, std = (_HALF, _HALF) if half else (IMAGENET_MEAN, IMAGENET_STD)
    return Normalization(255.0, mean, std)
