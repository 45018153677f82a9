"""``--preprocess``: how an image becomes the input of a network, as text and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from edge_effnet.errors import UsageProblem
from edge_effnet.image.preprocessing import Channels, Fit, Preprocess, Resize
from edge_effnet.spelling import did_you_mean, read_share

# The usual ways by their names. tf, torch and caffe are the modes of
# keras.applications.imagenet_utils.preprocess_input; mean and std in the network's channel order.
NORMALIZATIONS: Mapping[str, Mapping[str, Any]] = {
    "raw": {"mean": (0.0,), "std": (1.0,)},
    "unit": {"mean": (0.0,), "std": (255.0,)},
    "tf": {"mean": (127.5,), "std": (127.5,)},
    "torch": {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)},
    "caffe": {"mean": (103.939, 116.779, 123.68), "std": (1.0,), "channels": "bgr"},
    "standardize": {"mean": (0.0,), "std": (1.0,), "standardize": True},
}
_EXAMPLE = "for example --preprocess unit, or --preprocess tf,fit=crop"
_SETTINGS = ("crop", "mean", "std", "fit", "channels", "resize")
_SCALING = ("mean", "std", "standardize")


def parse_preprocess(text: str, default: Preprocess) -> Preprocess:
    """Read ``--preprocess``: ``unit``, ``tf,fit=crop`` or ``crop=0.875,mean=127.5,std=127.5``;
    three values are joined by ``/``: ``mean=123.7/116.3/103.5``.

    What is not named keeps the value of ``default``; ``crop=…`` means ``fit=crop``. Means and
    deviations of a name or of ``default`` stay with their colours whatever ``channels=…`` says;
    those that are written out are in the network's order.

    Raises:
        UsageProblem: an unknown name or no number.
    """
    name, changes = _read(text)
    if "crop" in changes:
        changes.setdefault("fit", "crop")
    elif changes.get("fit", default.fit) != default.fit:
        changes["crop"] = 1.0
    channels = changes.get("channels", default.channels)
    if name:
        changes = {"standardize": False, **in_order_of(name, channels), **changes}
    elif {channels, default.channels} == {"rgb", "bgr"}:
        changes = {"mean": default.mean[::-1], "std": default.std[::-1], **changes}
    return replace(default, **changes)


def settings_said(text: str) -> frozenset[str]:
    """Which of mean, std, fit and channels a ``--preprocess`` sets.

    Raises:
        UsageProblem: see ``parse_preprocess``.
    """
    name, changes = _read(text)
    said = {"mean", "std"} if name else set()
    return frozenset({"fit" if key == "crop" else key for key in changes} | said)


def in_order_of(name: str, channels: Channels) -> dict[str, Any]:
    """Mean and std of a usual way, and whether it standardizes, with the channels in this order."""
    row = {**NORMALIZATIONS[name]}
    if {row.pop("channels", "rgb"), channels} == {"rgb", "bgr"}:
        row |= {key: row[key][::-1] for key in ("mean", "std")}
    return row


def normalization_name(settings: Preprocess) -> str | None:
    """The name of the usual way with these mean and std, each of its own colour; or None."""
    for name in NORMALIZATIONS:
        wanted = {"standardize": False, **in_order_of(name, settings.channels)}
        if all(getattr(settings, key) == value for key, value in wanted.items()):
            return name
    return None


def preprocess_text(settings: Preprocess) -> str:
    """What ``--preprocess`` would say, without the size: ``parse_preprocess`` reads it back."""
    name = normalization_name(settings)
    said = [name or _numbers(settings)]
    said.append(f"crop={settings.crop:g}" if settings.fit == "crop" else f"fit={settings.fit}")
    usual = NORMALIZATIONS[name].get("channels", "rgb") if name else "rgb"
    if settings.channels not in (usual, "grey"):
        said.append(f"channels={settings.channels}")
    if settings.resize != "area":
        said.append(f"resize={settings.resize}")
    return ",".join(said)


def _numbers(settings: Preprocess) -> str:
    numbers = ("/".join(f"{value:.7g}" for value in row) for row in (settings.mean, settings.std))
    return "mean={},std={}".format(*numbers)


def _read(text: str) -> tuple[str | None, dict[str, Any]]:
    """The name of a usual way, where there is one, and what is said beside it."""
    known: str | None = None
    changes: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals and name in NORMALIZATIONS:
            if known not in (None, name):
                raise _two_scalings(text, f"{known} and {name}")
            known = name
            changes = {key: changes[key] for key in changes if key not in _SCALING}
        elif equals and name in _SETTINGS:
            changes |= _setting(name, value, text)
        else:
            raise _not_understood(text, name)
    if not changes and known is None:
        raise _not_understood(text, "")
    _refuse_unit_scale(text, changes)
    if known and "channels" in NORMALIZATIONS[known]:
        changes.setdefault("channels", NORMALIZATIONS[known]["channels"])
    return known, changes


def _setting(name: str, value: str, text: str) -> dict[str, Any]:
    if name == "fit":
        return {"fit": cast(Fit, value)}
    if name == "channels":
        return {"channels": cast(Channels, value)}
    if name == "resize":
        return {"resize": cast(Resize, value)}
    try:
        if name == "crop":
            return {"crop": read_share(value)}
        numbers = tuple(map(float, value.split("/")))
    except ValueError:
        raise _not_understood(text, "") from None
    return {name: numbers, "standardize": False}


def _two_scalings(text: str, said: str) -> UsageProblem:
    return UsageProblem(
        "--preprocess names two scalings",
        found=f"{said} in {text!r}",
        expected="one",
        fix=f"leave one of them out; {_EXAMPLE}",
    )


def _not_understood(text: str, word: str) -> UsageProblem:
    known = (*NORMALIZATIONS, *(f"{name}=…" for name in _SETTINGS))
    return UsageProblem(
        f"--preprocess is not understood{did_you_mean(word, (*NORMALIZATIONS, *_SETTINGS))}",
        found=repr(text),
        expected=", ".join(known) + ", joined by commas",
        fix=_EXAMPLE,
    )


def _refuse_unit_scale(text: str, changes: Mapping[str, Any]) -> None:
    """Mean and std of pixels from 0 to 1, as PyTorch's documentation gives them."""
    means, divisors = changes.get("mean", ()), changes.get("std", ())
    small_mean = 0 < max(map(abs, means), default=0) < 1
    if small_mean or 0 < min(map(abs, divisors), default=1) < 1:
        in_pixels = ",".join(
            f"{name}={'/'.join(f'{255 * value:.4g}' for value in changes[name])}"
            for name in ("mean", "std")
            if name in changes
        )
        raise UsageProblem(
            "--preprocess is about pixels from 0 to 255",
            found=f"{text!r}, which is about pixels from 0 to 1",
            fix=f"--preprocess {in_pixels}",
        )
