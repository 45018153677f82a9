"""What becomes of an int8 file's scores in Frigate, on the images that it was evaluated on."""

from __future__ import annotations

import numpy as np

from converters.frigate.folder import THRESHOLD
from edge_effnet.metrics import Predictions
from edge_effnet.plurals import counted

_DIGITS = 2  # to which Frigate rounds a score before it compares
_MUCH = 0.02


def acceptance_notes(found: Predictions) -> tuple[str, ...]:
    """How many answers reach Frigate's threshold, and whether its scores are others than ours.

    Frigate divides the stored scores by their sum. Many classes with scores that round to 0 leave
    less than the whole, so that the rest becomes larger.

    Args:
        found: of the written file, in the order of its label map.
    """
    sums = found.scores.sum(axis=1)
    best = found.scores.max(axis=1)
    shares = best / np.maximum(sums, np.finfo(np.float32).tiny)
    accepted = np.round(shares, _DIGITS) >= THRESHOLD
    line = (
        f"of {counted(len(shares), 'image')} Frigate takes the answer to {accepted.sum()}: its "
        f"score is {THRESHOLD:g} or more, the threshold"
    )
    if found.truth is not None and accepted.any():
        right = int((found.answers == found.truth)[accepted].sum())
        line += f"; {right} of these answers are right"
    raised = float((shares - best).mean())
    if raised <= _MUCH:
        return (line,)
    return (
        line,
        f"Frigate's scores are {raised:.2f} higher than the file's on average, because most of "
        f"{found.scores.shape[1]} scores are too small for one of 256 levels: raise the threshold",
    )
