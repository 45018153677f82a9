"""Steps that choose activation ranges from what the calibration images showed."""

from __future__ import annotations

from dataclasses import replace

from converters.calibration.ranges import (
    PLAIN_METHODS,
    ROLE_METHODS,
    WHOLE_METHODS,
    Methods,
    choose_ranges,
)
from converters.quantization.candidates import Candidate, Context


def plain(candidate: Candidate, context: Context) -> Candidate:
    """Step: the mean of the extremes for every tensor."""
    return _chosen(candidate, context, PLAIN_METHODS, "plain")


def by_role(candidate: Candidate, context: Context) -> Candidate:
    """Step: by the role of a tensor in the network."""
    return _chosen(candidate, context, ROLE_METHODS, "roles")


def whole(candidate: Candidate, context: Context) -> Candidate:
    """Step: nothing that an image showed is cut off."""
    return _chosen(candidate, context, WHOLE_METHODS, "whole")


def _chosen(candidate: Candidate, context: Context, methods: Methods, name: str) -> Candidate:
    ranges = choose_ranges(
        context.statistics(), context.structure, context.calibration, context.model, methods
    )
    return replace(candidate, ranges=ranges, ranges_by=name)
