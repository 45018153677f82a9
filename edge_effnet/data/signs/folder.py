"""Many images as files: a folder per class, as every command of this project reads it."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from edge_effnet.data.signs.render import render_sample, split_index
from edge_effnet.data.signs.table import LABELS
from edge_effnet.errors import OutputError, UsageProblem, cannot_write
from edge_effnet.files.locks import made_folder
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.plurals import counted

NOTE = "signs.json"  # how the images were made; also tells that a folder is ours to replace
ENCODINGS = {
    "jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    "png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
}


def write_folder(
    folder: Path,
    count: int,
    *,
    size: int,
    seed: int,
    split: str = "train",
    suffix: str = "jpg",
    overwrite: bool = False,
    on_progress: Callable[[int], object] = lambda _done: None,
) -> dict[str, int]:
    """Render images to FOLDER/CLASS/NNNNN.SUFFIX; the number is the image's in its split.

    All is written to a temporary folder beside it, which takes the name at the end.

    Args:
        count: of all images; the classes differ by one at most.
        size: side in pixels.
        split: one of ``SPLITS``; no two share an image.
        suffix: ``jpg`` (quality 95) or ``png`` (lossless).
        overwrite: replace a folder that this function wrote before.
        on_progress: called with the number of images done.

    Returns:
        Images per class.

    Raises:
        UsageProblem: fewer images than classes, a bad size or seed.
        OutputError: the folder is not empty (or, with ``overwrite``, not one of ours), or
            cannot be written. What was there is untouched.
    """
    if count < len(LABELS):
        raise UsageProblem(
            "too few images: each class needs at least one",
            found=f"-n {count}",
            expected=f"at least {len(LABELS)}, the number of classes",
            fix=f"for example -n {100 * len(LABELS)}",
        )
    render_sample(0, seed, size)  # refuses a bad size or seed before anything is touched
    refuse_folder(folder, overwrite=overwrite)
    # The real place, so that "." and a link to another disk are replaced where they are.
    folder = folder.resolve()
    try:
        with made_folder(folder.parent), scratch_folder(folder.parent) as scratch:
            made = scratch / "new"
            made.mkdir()
            counts = _fill(made, count, size, seed, split, suffix, on_progress)
            note = {"count": count, "size": size, "seed": seed, "split": split, "labels": LABELS}
            (made / NOTE).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
            _swap_in(made, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return counts


def refuse_folder(folder: Path, *, overwrite: bool) -> None:
    """Raise OutputError unless the folder is free, empty, or ours and to be replaced.

    ``overwrite`` removes a whole tree, so it takes more than the user's word: the note that
    ``write_folder`` leaves, and nothing beside the class folders.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            f"{folder} is not a folder", found="a file", fix="choose another name or remove it"
        )
    try:
        names = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be read",
            found=error.strerror or str(error),
            fix="choose a folder you may read and write",
        ) from error
    if not names:
        return
    if not overwrite:
        raise OutputError(
            f"{folder} is not empty",
            found=counted(len(names), "entry", "entries"),
            expected="a new or empty folder",
            fix="choose another name, remove it, or add --force",
        )
    if NOTE not in names or names - {NOTE, *LABELS}:
        foreign = ", ".join(sorted(names - {NOTE, *LABELS})[:3])
        raise OutputError(
            f"{folder} was not written by this command and is left alone",
            found=foreign or f"no {NOTE}",
            expected=f"{NOTE} and class folders only",
            fix="choose another name, or remove the folder yourself",
        )


def _swap_in(temporary: Path, folder: Path) -> None:
    """Give the new folder its name; the old one goes only after the new one is there."""
    if not folder.exists():
        temporary.rename(folder)
        return
    aside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.old")
    folder.rename(aside)
    try:
        temporary.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside)


def _fill(
    folder: Path,
    count: int,
    size: int,
    seed: int,
    split: str,
    suffix: str,
    on_progress: Callable[[int], object],
) -> dict[str, int]:
    counts = dict.fromkeys(LABELS, 0)
    for name in LABELS:
        (folder / name).mkdir()
    for number in range(count):
        label = number % len(LABELS)
        pixels, _ = render_sample(split_index(split, number), seed, size, label)
        _, data = cv2.imencode(
            f".{suffix}", np.ascontiguousarray(pixels[..., ::-1]), ENCODINGS[suffix]
        )
        # Path.write_bytes raises when the disk is full; cv2.imwrite only returns False.
        (folder / LABELS[label] / f"{number:05d}.{suffix}").write_bytes(data.tobytes())
        counts[LABELS[label]] += 1
        on_progress(number + 1)
    return counts
