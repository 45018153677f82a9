"""The document of ``create --json``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_effnet.create.fine_tuning import FineTuned
from edge_effnet.create.network import Network
from edge_effnet.create.result import Result, commands, sentence
from edge_effnet.metrics.two_models.previous import Counts
from edge_effnet.runtime.evaluating.suspects import Suspects
from edge_effnet.teaching.with_float import TaughtPair
from edge_effnet.ui.reports.teaching import taught_json

FORMAT, VERSION = "edge-effnet/creation", 1


def creation_json(
    photos: Path,
    network: Network,
    pair: TaughtPair,
    suspects: Suspects | None,
    tuned: FineTuned | None,
    result: Result,
) -> dict[str, Any]:
    """The photos, the network and why, every figure, and the files and commands of the end."""
    chosen = network.recommended
    return {
        "format": FORMAT,
        "version": VERSION,
        "photos": str(photos),
        "board": chosen.board.name,
        "network": {
            "variant": network.variant,
            "recommended": chosen.variant,
            "reason": chosen.reason,
            "latency": asdict(network.latency) if network.latency else None,
        },
        "taught": taught_json(pair.small, pair.small.card),
        "suspects": suspects.to_json() if suspects else None,
        "against_float": pair.comparison.to_json() if pair.comparison else None,
        "fine_tuned": None
        if tuned is None
        else {
            "file": str(tuned.small),
            "against_float": tuned.comparison.to_json(),
            "against_taught": _counts_json(tuned.against_taught),
        },
        "file": str(result.small),
        "float_file": str(result.reference) if result.reference else None,
        "summary": sentence(result),
        "commands": commands(result, chosen.board),
    }


def _counts_json(counts: Counts | None) -> dict[str, Any] | None:
    if counts is None or counts.paired is None:
        return None
    return {**counts.to_json(), **counts.paired.to_json()}
