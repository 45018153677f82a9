"""What a file of ``teach`` costs: the network as it was, with a float last layer of a few classes.

It has two such layers behind the features (``teaching.taught_file``): the scores, and the
similarity to each class, by which it answers "unknown".
"""

from __future__ import annotations

from dataclasses import replace

from edge_effnet.architecture.cost import Cost, cost
from edge_effnet.architecture.spec import VariantSpec, network_plan

_LAYERS = 2
_FLOAT_BYTES = 4


def taught_cost(spec: VariantSpec, classes: int) -> Cost:
    """Of a file that was taught ``classes`` classes on the int8 file of a network."""
    width = network_plan(spec).head_width
    one = cost(spec, classes=1)
    weights = _LAYERS * classes * (width + 1)
    added = weights - (width + 1)
    macs = _LAYERS * classes * width - width
    return replace(
        one,
        parameters=one.parameters + added,
        trainable=one.trainable + added,
        macs=one.macs + macs,
        macs_and_elementwise=one.macs_and_elementwise + macs,
        float_bytes=one.float_bytes + _FLOAT_BYTES * added,
        int8_bytes=one.int8_bytes - width + _FLOAT_BYTES * weights,
    )
