"""What is wrong with the photos that teach, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_effnet.data.dataset import Dataset
from edge_effnet.plurals import counted, plural
from edge_effnet.runtime.evaluating.suspects import Suspects, find_suspects
from edge_effnet.stages import StartStage
from edge_effnet.teaching.teach import Taught

_SHOWN, _WRONG = 3, 10


def suspects_of(taught: Taught, dataset: Dataset, stage: StartStage) -> Suspects | None:
    """Likely wrong labels and copies, by what layers that had not learned from a photo say of it;
    None where nothing could be asked."""
    if taught.predictions is None:
        return None
    shown = stage("looking for copies and wrong labels", len(dataset))
    return find_suspects(taught.predictions, dataset, (), shown)


def photo_lines(taught: Taught, suspects: Suspects | None) -> list[str]:
    """What was left out, what is there twice, and what is likely labelled wrong."""
    lines = []
    if skipped := taught.collection.skipped:
        lines.append(
            f"{counted(len(skipped), 'photo')} cannot be read, left out: "
            f"{_some([image.path for image in skipped])}"
        )
    if suspects is None:
        return lines
    if suspects.copies:
        more = sum(len(group.paths) - 1 for group in suspects.copies)
        lines.append(
            f"{counted(more, 'photo')} {plural(more, 'is a copy', 'are copies')} of others, or "
            f"nearly, and {plural(more, 'counts', 'count')} as one photo with them: "
            f"{_some([group.paths[0] for group in suspects.copies])}"
        )
    return lines


def wrong_label_lines(suspects: Suspects | None) -> list[str]:
    """Each photo that is likely labelled wrong, below a line that says what to do; none where none
    is."""
    lines = []
    if suspects is not None and suspects.wrong:
        more = len(suspects.wrong) - _WRONG
        lines.append(
            f"{counted(len(suspects.wrong), 'photo')} may be labelled wrong; look at each, and "
            "move it to the folder of its class if it is"
            + (f" (the first {_WRONG}; --json lists all):" if more > 0 else ":")
        )
        lines += [
            f"  {one.path} is labelled {one.label}, likely {one.likely}"
            for one in suspects.wrong[:_WRONG]
        ]
    return lines


def _some(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths[:_SHOWN])) + (" …" if len(paths) > _SHOWN else "")
