"""The one place that names code of ``converters`` and ``benchmarks``: as strings, imported late.

``edge_effnet`` imports neither package, and ``--help`` imports no command: it knows each by its
place and one line of help.
"""

from __future__ import annotations

import importlib
from typing import Any

# name: (module:attribute, one-line help)
COMMANDS = {
    "variants": ("edge_effnet.commands.variants:command", "The table of networks and their costs."),
    "scale": ("edge_effnet.commands.scale:command", "The largest network within your budgets."),
    "train": ("edge_effnet.commands.train:command", "Train on your photos, or from scratch."),
    "prune": ("converters.commands.prune:command", "Narrower, faster: whole channels leave."),
    "convert": ("converters.commands.convert:command", "A small .tflite, compared with float."),
    "evaluate": ("edge_effnet.commands.evaluate:command", "Accuracy of a model on images."),
    "compare": ("edge_effnet.commands.compare:command", "Two models on the same images."),
    "classify": ("edge_effnet.commands.classify:command", "What a model sees in an image."),
    "bench": ("benchmarks.commands.bench:command", "Latency, memory and accuracy, in turn."),
    "regress": ("benchmarks.commands.regress:command", "Whether anything became slower since."),
    "report": ("benchmarks.commands.report:command", "Results as one page for the browser."),
    "doctor": ("edge_effnet.commands.doctor:command", "What this machine runs fast, and why not."),
    "camera": ("edge_effnet.commands.camera:command", "A model on the live images of a camera."),
    "signs": ("edge_effnet.commands.signs:command", "The embedded data set: render, print, film."),
    "demo": ("converters.commands.demo:command", "See the whole thing work, offline, in minutes."),
}

# Parts of edge_effnet's own commands that need an extra: module:attribute.
PARTS = {
    "compare --layers": "converters.commands.compare_layers:compare_layers",
    "doctor --device coral": "converters.edgetpu.preflight:preflight_file",
}


def load(place: str) -> Any:
    """Import what ``module:attribute`` names."""
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)
