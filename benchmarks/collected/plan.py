"""What a pull does with each photo, so that none ends in two classes.

Three places decide: where the photo is on the Pi, where it is here, and where the Pi had it at the
last pull. Who moved it meanwhile is followed: a photo that was relabelled or discarded on the Pi is
moved here too, one that was relabelled here stays. What was moved on both sides stays as it is
here, and what was taken away here does not come back. A photo of another size than at the last pull
is another one, whose name was given twice: by a Pi without a clock, or one that was set up anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.collected.listing import Photo
from edge_effnet.camera.collecting.layout import TO_LABEL


@dataclass(frozen=True)
class Plan:
    """Photos by what is done with them.

    Attributes:
        fetch: not here yet.
        move: here, with the place they have on the Pi now.
        here: in the same place, or relabelled here.
        both: relabelled on both sides, otherwise; they stay as they are here.
        taken_away: were here, and are not any more.
        twice: names in two places on the Pi: their class is not known.
        other: names that another photo has here.
    """

    fetch: tuple[Photo, ...]
    move: tuple[tuple[str, Photo], ...]
    here: tuple[Photo, ...]
    both: tuple[tuple[str, Photo], ...]
    taken_away: tuple[Photo, ...]
    twice: tuple[str, ...]
    other: tuple[Photo, ...]


def plan_pull(
    there: Mapping[str, Sequence[Photo]],
    here: Mapping[str, Sequence[str]],
    last: Mapping[str, Photo],
    folder: Path,
) -> Plan:
    """Decide for each photo on the Pi.

    Args:
        there: by name.
        here: places in ``folder``, by name.
        last: as the last pull saw them, by name.
    """
    fetch, same, taken_away, other = (list[Photo]() for _ in range(4))
    move, both = list[tuple[str, Photo]](), list[tuple[str, Photo]]()
    twice = [name for name, places in there.items() if len(places) > 1]
    for name, places in there.items():
        if len(places) > 1:
            continue
        (photo,), ours, known = places, here.get(name, ()), last.get(name)
        before = known.path if known is not None and known.size == photo.size else None
        if not ours:
            if not photo.is_discarded:
                (fetch if before is None else taken_away).append(photo)
        elif before is None and (folder / ours[0]).stat().st_size != photo.size:
            other.append(photo)
        elif photo.path in ours or photo.path == before or len(ours) > 1:
            same.append(photo)
        elif ours[0] == before or (before is None and _unlabelled(ours[0])):
            move.append((ours[0], photo))
        elif before is None and (_unlabelled(photo.path) or photo.is_discarded):
            same.append(photo)
        else:
            both.append((ours[0], photo))
    return Plan(
        tuple(fetch), tuple(move), tuple(same), tuple(both), tuple(taken_away), tuple(twice),
        tuple(other),
    )  # fmt: skip


def _unlabelled(path: str) -> bool:
    return path.startswith(f"{TO_LABEL}/")
