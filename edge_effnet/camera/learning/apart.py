"""What the process that learns does: the model files again, with the photos of a folder."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from edge_effnet.artifact import write_artifact
from edge_effnet.camera.collecting.layout import class_folders, folder_label
from edge_effnet.camera.learning.summary import summary_of
from edge_effnet.data.division.bursts import burst_of
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.heads.learning.cross_validation import LOST_SHARE
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.stages import no_progress
from edge_effnet.teaching.backbone import open_backbone
from edge_effnet.teaching.more_photos import known_and_more
from edge_effnet.teaching.previous import compare_with_previous, read_previous
from edge_effnet.teaching.teach import teach

SEED = 0
_NICER = 10  # the camera goes first


def main(photos: str, *files: str) -> None:
    """Teach each model file the photos; print a summary as JSON: that of the first, and what speaks
    against any of them.

    Args:
        photos: the folder of ``--collect``.
        files: pairs: the file of a model, and where to write what it becomes.
    """
    with suppress(OSError):
        os.nice(_NICER)
    try:
        pairs = zip(map(Path, files[::2]), map(Path, files[1::2]), strict=True)
        summaries = [_learn(Path(photos), file, out) for file, out in pairs]
    except EdgeEffnetError as error:
        found = f" ({error.found})" if error.found else ""
        sys.exit(f"{error.what}{found}; {error.fix}" if error.fix else f"{error.what}{found}")
    first, *others = summaries
    against = next((one["against"] for one in summaries if one["against"]), None)
    lines = [*first["lines"], *(line for one in others if one["against"] for line in one["lines"])]
    print(json.dumps({"lines": lines, "against": against}))


def _learn(photos: Path, file: Path, out: Path) -> dict[str, Any]:
    labels = open_classifier(file, ask=False).labels
    backbone = open_backbone(file)
    folders = {folder_label(path.name, labels): path for path in class_folders(photos)}
    collection, lost = known_and_more(folders, backbone, labels, workers=None, stage=no_progress)
    lost_share = LOST_SHARE
    if backbone.card is not None and backbone.card.unknown is not None:
        lost_share = backbone.card.unknown.lost_share
    taught = teach(
        collection, backbone, name=file.stem, lost_share=lost_share, seed=SEED, stage=no_progress
    )
    try:
        previous = read_previous(file, backbone)
    except EdgeEffnetError:  # of a model that was not taught there is nothing to compare with
        against = None
    else:
        against = compare_with_previous(previous, collection, taught.settings, SEED)
    write_artifact(out, taught.model, taught.card)
    pairs = zip(collection.classes, collection.paths, strict=True)
    here = {collection.labels[label] for label, path in pairs if burst_of(path) is not None}
    return summary_of(
        taught,
        against,
        recorded=tuple(folders),
        name=file.name,
        lost=lost,
        elsewhere=[name for name in labels if name not in here] if here else (),
    )
