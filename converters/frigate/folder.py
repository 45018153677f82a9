"""The folder that Frigate reads a custom classifier from, and what of its configuration names it.

Light: ``convert`` looks at these names before anything is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from edge_effnet.errors import DataError, UsageProblem

MODEL, LABEL_MAP = "model.tflite", "labelmap.txt"
STATE, OBJECT = "frigate-state.yml", "frigate-object.yml"
MODEL_CACHE = "/config/model_cache"
THRESHOLD = 0.8
"""Frigate's own: answers of a lower score count for nothing."""
# It is a folder, a key of YAML and a part of an MQTT topic.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def classifier_name(out: Path) -> str:
    """What the classifier is called in Frigate: the name of its folder.

    Raises:
        UsageProblem: that is no name for Frigate.
    """
    name = out.name
    if _NAME.fullmatch(name):
        return name
    raise UsageProblem(
        "--for frigate wants a folder with the classifier's name",
        found=f"--out {out}",
        expected="letters, digits, _ and -, which name it in Frigate",
        fix="for example --out front_door",
    )


def folder_files(out: Path) -> tuple[Path, ...]:
    """Every file that is written."""
    return tuple(out / name for name in (MODEL, LABEL_MAP, STATE, OBJECT))


def files_beside(name: str, labels: Sequence[str]) -> dict[str, bytes]:
    """What lies beside the model.

    Args:
        name: of the classifier.
        labels: in index order.
    """
    content = {
        LABEL_MAP: "".join(f"{label}\n" for label in labels),
        STATE: _head(name, labels) + _STATE.format(name=name, threshold=THRESHOLD),
        OBJECT: _head(name, labels) + _OBJECT.format(name=name, threshold=THRESHOLD),
    }
    return {file: text.encode() for file, text in content.items()}


def refuse_bad_labels(labels: Sequence[str], name: str) -> None:
    """Refuse names that Frigate cannot show or tell.

    Args:
        name: of the model.

    Raises:
        DataError: nobody named the classes, or a name is no line of its own.
    """
    from edge_effnet.heads.head import numbers  # late: it reads NumPy

    if tuple(labels) == numbers(len(labels)):
        raise DataError(
            f"nobody named the classes of {name}",
            found="running numbers, which are all that Frigate would show",
            expected="a name for each class",
            fix="add --labels FILE, or --data DIR with one folder for each class",
        )
    # What is not printable may end a line of labelmap.txt or of a comment in the configuration.
    bad = [
        label
        for label in labels
        if label != label.strip() or "/" in label or not label.isprintable()
    ]
    if bad:
        raise DataError(
            f"Frigate cannot use a name of {name}",
            found=repr(bad[0]),
            expected="no slash, no control characters, and no space at either end: it becomes part "
            "of a file's name and a line of others",
            fix="give other names with --labels FILE",
        )


def _head(name: str, labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:_SHOWN]) + (", …" if len(labels) > _SHOWN else "")
    return _HEAD.format(name=name, cache=MODEL_CACHE, labels=shown)


_SHOWN = 20
_HEAD = """\
# Part of Frigate's config.yml (Frigate 0.17). The folder of this file belongs into Frigate's
# {cache}/, as {cache}/{name}/, before Frigate starts.
# Classes: {labels}
"""
_STATE = """\
classification:
  custom:
    "{name}":
      threshold: {threshold}  # answers of a lower score count for nothing
      state_config:
        motion: true  # look when something moves in the region
        interval: 60  # and every so many seconds
        cameras:
          CAMERA:  # <- the name of your camera, as under "cameras:"
            # <- your region, in shares of the frame: left, top, right, bottom
            crop: [0.0, 0.0, 1.0, 1.0]
"""
_OBJECT = """\
# The class "none", where there is one, is no answer to Frigate.
classification:
  custom:
    "{name}":
      threshold: {threshold}  # answers of a lower score count for nothing
      object_config:
        objects: [OBJECT]  # <- what Frigate tracks and this tells apart: person, car, dog ...
        classification_type: sub_label  # or: attribute
"""
