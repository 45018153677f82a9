"""The one place that names code of ``converters`` and ``benchmarks``: as strings, imported late.

``edge_effnet`` imports neither package, and ``--help`` imports no command: it knows each by its
name and one line of help.
"""

from __future__ import annotations

import importlib
from typing import Any

# name: (module:attribute, one-line help)
COMMANDS = {
    "create": ("edge_effnet.commands.create:command", "From photos to a network for your board."),
    "variants": ("edge_effnet.commands.variants:command", "The table of networks and their costs."),
    "scale": ("edge_effnet.commands.scale:command", "The largest network within your budgets."),
    "teach": ("edge_effnet.commands.teach:command", "Your own classes, in seconds, on any device."),
    "train": ("edge_effnet.commands.train:command", "Train on your photos, or from scratch."),
    "search": (
        "edge_effnet.commands.search:command",
        "Depth, width and resolution that suit your data.",
    ),
    "prune": ("converters.commands.prune:command", "Remove channels: a smaller, faster network."),
    "convert": (
        "converters.commands.convert:command",
        "Float to int8 .tflite, with its accuracy.",
    ),
    "evaluate": ("edge_effnet.commands.evaluate:command", "Accuracy of a model on images."),
    "compare": ("edge_effnet.commands.compare:command", "Two models on the same images."),
    "classify": ("edge_effnet.commands.classify:command", "A model's best answers for images."),
    "bench": ("benchmarks.commands.bench:command", "Latency, memory and accuracy on a device."),
    "regress": ("benchmarks.commands.regress:command", "New results against a baseline."),
    "report": ("benchmarks.commands.report:command", "Benchmark results as an HTML page."),
    "doctor": (
        "edge_effnet.commands.doctor:command",
        "What a file is, and what slows models down here.",
    ),
    "camera": ("edge_effnet.commands.camera:command", "A model on the live images of a camera."),
    "collect": ("benchmarks.commands.collect:command", "Photos a camera kept, from a Pi to here."),
    "push": ("benchmarks.commands.push:command", "Models, photos and edge-effnet to a Pi."),
    "deploy": ("benchmarks.commands.deploy:command", "A model to a Pi, in place of the one there."),
    "signs": ("edge_effnet.commands.signs:command", "The built-in data set: images, print, video."),
    "demo": ("converters.commands.demo:command", "The whole workflow, offline, in minutes."),
}

# Parts of converters and benchmarks that edge_effnet asks: module:attribute, by the command.
PARTS = {
    "evaluate --report": "benchmarks.report.page:open_evaluation_page",
    "compare --layers": "converters.commands.compare_layers:compare_layers",
    "convert KERAS": "converters.float_model.keras_files.config.refuse:refuse_unconvertible",
    "train --teacher": "converters.float_model.teacher:open_teacher",
    "teach": "converters.taught_base:make_base",
    "search --budget-latency-ms": "converters.int8_timing:int8_latency_ms",
    "create --for coral": "converters.edgetpu.convert_step:finish_for_edgetpu",
    "doctor TFLITE": "converters.float_model.tflite_files.checks:refuse_unreadable",
    "doctor --device coral": "converters.edgetpu.preflight:preflight_file",
}


def load(name: str) -> Any:
    """Import what ``module:attribute`` names."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
