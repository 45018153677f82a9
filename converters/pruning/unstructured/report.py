"""What an unstructured run came to, for people and for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from converters.pruning.report import (
    accuracy_name,
    loss_lines,
    result_document,
)
from converters.pruning.unstructured.run import SparsityResult
from edge_effnet.ui.console import console, megabytes
from edge_effnet.ui.tables import print_warnings, table


def print_sparsity(result: SparsityResult) -> None:
    """Print what zeros do for a download, and what not for the time."""
    out, accuracy = console(), accuracy_name(result)
    rows = table("network", "zeros in 1x1", "file", "compressed", accuracy, "latency")
    for network in _networks(result):
        rows.add_row(
            network["name"],
            f"{100 * network['zero_share']:.1f} %",
            megabytes(network["size_bytes"]),
            megabytes(network["compressed_bytes"]),
            f"{100 * network['accuracy']:.1f} %",
            f"{network['latency_ms']:.2f} ms",
        )
    out.print(rows)
    ratio = result.latencies.ratio
    share = result.sparse.compressed_bytes / result.original.compressed_bytes
    out.print(
        f"the file is as large as before; compressed (DEFLATE) it is {share:.2f} of the unpruned "
        f"one; it takes {ratio.value:.2f} of the time (95 % interval {ratio.low:.2f} to "
        f"{ratio.high:.2f})",
        soft_wrap=True,
    )
    print_warnings(out, sparse_warnings(result))


def sparse_warnings(result: SparsityResult) -> list[str]:
    lines = [
        f"the runtime's sparse kernels cannot apply: {reason}" for reason in result.sparse.obstacles
    ]
    lines += result.latencies.doubts
    if result.latencies.ratio.high >= 1:
        lines.append("zeros made it no faster here; to be faster prune channels: --target-macs 0.7")
    lines += loss_lines(result.spec.name, result.comparison)
    lines.append("with int8 too, only the download shrinks: its kernels know no zeros")
    return lines


def sparsity_json(result: SparsityResult) -> dict[str, Any]:
    """The result for machines."""
    document = result_document("sparsified", result, sparse_warnings(result))
    return document | {"networks": _networks(result)}


def _networks(result: SparsityResult) -> list[dict[str, Any]]:
    return [
        {"name": spec.name, **asdict(file), "accuracy": accuracy, "latency_ms": milliseconds}
        for spec, file, accuracy, milliseconds in zip(
            (result.context.original.spec, result.spec),
            (result.original, result.sparse),
            result.accuracies,
            result.latencies.medians_ms,
            strict=True,
        )
    ]
