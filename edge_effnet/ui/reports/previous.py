"""What ``teach`` and ``train --from`` say of the network before against the one of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_effnet.metrics.two_models.paired import Paired
    from edge_effnet.metrics.two_models.previous import Against

_SHOWN = 5


def compared(against: Against, images: str) -> list[str]:
    """The figures of both, what is proven, and the classes that lost, in sentences.

    Args:
        images: what the images are called: ``images`` or ``photos``.
    """
    every, known = against.every, against.known
    if every.paired is None or known.paired is None:
        return [f"none of these {images} is of a class that {against.source} knew"]
    line = (
        f"on the same {every.images} {images}, none of which either learned from: {every.before} "
        f"right by {against.source} as it was, {every.now} now ({difference(every.paired)})"
        f"{of_known_classes(against)}"
    )
    lines = [line, f"{_proven(against, known.paired)}; {_classes(against, images)}"]
    if against.epoch_chosen_on_these_images:
        lines.append(
            f"no gain is proven where the epoch was chosen on these {images}: the best of several "
            "seems better on them than it is, and a loss may be larger"
        )
    return lines


def of_known_classes(against: Against) -> str:
    """The figures of the classes that both know, to go on with; nothing where these are all."""
    known = against.known
    if known.images == against.every.images:
        return ""
    if known.paired is None:
        return "; none of them is of a class that both know"
    return (
        f"; of the {known.images} of classes that both know {known.before}, now {known.now} "
        f"({difference(known.paired)})"
    )


def difference(paired: Paired) -> str:
    """In points, a loss below 0, with its interval."""
    low, high = (0.0 - bound for bound in reversed(paired.drop_interval_points))
    return f"{0.0 - paired.drop_points:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}"


def _proven(against: Against, known: Paired) -> str:
    """What the interval says of the classes that both know."""
    if known.proves_drop:
        return "of the classes that it knew a loss is proven"
    if against.proves_gain:
        return "of the classes that it knew a gain is proven"
    if against.epoch_chosen_on_these_images:  # its bound too is of an epoch chosen elsewhere
        return "of the classes that it knew no loss is proven"
    return (
        "of the classes that it knew no loss is proven (with 95 % confidence it is at most "
        f"{max(0.0, known.drop_at_most_points):.1f} points)"
    )


def _classes(against: Against, images: str) -> str:
    lost = against.lost_classes
    if not lost:
        return "no class lost"
    shown = [
        f"{name!r} {one.now} of {one.images} {images} right ({one.before} before"
        + (", proven)" if one.paired is not None and one.paired.proves_drop else ")")
        for name, one in list(lost.items())[:_SHOWN]
    ]
    more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    return f"classes that lost: {', '.join(shown)}{more}"
