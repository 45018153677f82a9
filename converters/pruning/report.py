"""What a pruning run tells its user at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from shlex import quote
from typing import Any

from rich.table import Table

from converters.pruning.config import PruneConfig
from converters.pruning.proof import comparison_json, loss_lines, proof_line
from converters.pruning.run import Outcome
from converters.pruning.sensitivity import Point
from converters.pruning.unstructured.run import SparseOutcome
from edge_effnet.architecture.cost import Cost, cost
from edge_effnet.errors import LimitMissed
from edge_effnet.ui.console import console, megabytes, millions


def print_outcome(outcome: Outcome) -> None:
    """Print whole against pruned, and whether it pays."""
    out, bench = console(), outcome.bench
    whole, pruned = costs(outcome)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("network", overflow="fold")
    headings = ("multiply-adds", "parameters", "float file", judged_by(outcome), "latency")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    times, sizes = outcome.latencies.medians_ms, outcome.latencies.sizes
    rows = (
        (bench.whole.spec.name, whole, sizes[0], outcome.whole_accuracy, times[0]),
        (outcome.spec.name, pruned, sizes[-1], outcome.accuracy, times[-1]),
    )
    for name, total, size, accuracy, milliseconds in rows:
        table.add_row(
            name,
            millions(total.macs),
            millions(total.parameters),
            megabytes(size),
            f"{100 * accuracy:.1f} %",
            f"{milliseconds:.2f} ms",
        )
    table.add_row(
        "of the whole",
        f"{pruned.macs / whole.macs:.3f}",
        f"{pruned.parameters / whole.parameters:.3f}",
        f"{sizes[-1] / sizes[0]:.3f}",
        f"{100 * (outcome.accuracy - outcome.whole_accuracy):+.1f}",
        f"{outcome.latencies.ratio.value:.2f}",
        style="dim",
    )
    out.print(table)
    val = len(bench.data.images.val)
    chosen = (
        ", which also chose the best epoch" if bench.config.epochs_of(bench.config.steps) else ""
    )
    out.print(
        f"judged on {val} pictures{chosen}; {proof_line(outcome.comparison)}",
        soft_wrap=True,
    )
    ratio = outcome.latencies.ratio
    out.print(
        f"latency: float, one core of this machine, in turn; 95 % interval of the ratio "
        f"{ratio.low:.2f} to {ratio.high:.2f}",
        style="dim",
    )
    if beyond := beyond_target(bench.config, whole.macs, pruned.macs):
        out.print(f"note: {beyond}", soft_wrap=True)
    for line in warnings(outcome):
        out.print(f"warning: {line}", style="bold yellow", soft_wrap=True)


def beyond_target(config: PruneConfig, whole_macs: int, pruned_macs: int) -> str | None:
    """Why clearly fewer multiply-adds are left than were asked for; None where they are not."""
    asked = config.target * whole_macs if config.relative else config.target
    if config.measure != "macs" or pruned_macs > 0.98 * asked:
        return None
    return (
        f"{pruned_macs / whole_macs:.2f} of the multiply-adds are left and not "
        f"{asked / whole_macs:.2f}, so that time falls too: those missed least take little of it"
    )


def costs(outcome: Outcome) -> tuple[Cost, Cost]:
    """Of the whole network and of the pruned one."""
    bench = outcome.bench
    whole, pruned = (
        cost(spec, classes=bench.classes, resolution=bench.side)
        for spec in (bench.whole.spec, outcome.spec)
    )
    return whole, pruned


def judged_by(outcome: Outcome | SparseOutcome) -> str:
    return "top-1" if outcome.bench.data.labelled else "agreement"


def warnings(outcome: Outcome) -> list[str]:
    """What must not be left unsaid: that it brought nothing, or cost much."""
    latencies = outcome.latencies
    lines = list(latencies.doubts)
    if latencies.ratio.high >= 1:
        lines.append(
            f"pruned, but not measurably faster here: {latencies.medians_ms[-1]:.2f} ms against "
            f"{latencies.medians_ms[0]:.2f} ms; prune more, or aim at it with --target-latency"
        )
    return [*loss_lines(outcome.spec.name, outcome.comparison), *lines]


def missed(outcome: Outcome) -> LimitMissed | None:
    """A latency or a file size that the search reached and the last measurement did not."""
    config, latencies = outcome.bench.config, outcome.latencies
    if config.measure == "latency" and latencies.medians_ms[-1] > config.target:
        return LimitMissed(
            f"{outcome.spec.name} takes longer than asked for",
            found=f"{latencies.medians_ms[-1]:.2f} ms in the last measurement",
            expected=f"at most {config.target:g} ms",
            fix="ask for less, since the machine's speed drifts; the network was written",
        )
    whole, size = latencies.sizes[0], latencies.sizes[-1]
    limit = config.target * whole if config.relative else config.target
    if config.measure == "size" and size > limit:
        return LimitMissed(
            f"{outcome.spec.name} is larger than asked for",
            found=f"a float file of {size:,} bytes",
            expected=f"at most {limit:,.0f}",
            fix="ask for a little less; the network was written",
        )
    return None


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """The result for machines."""
    bench = outcome.bench
    whole, pruned = costs(outcome)
    times, sizes = outcome.latencies.medians_ms, outcome.latencies.sizes
    return {
        "format": "edge-effnet pruned",
        "version": 1,
        "config": bench.config.to_json(),
        "variant": str(outcome.row),
        "weights": str(outcome.checkpoint),
        "judged_by": judged_by(outcome),
        "judged_on": len(bench.data.images.val),
        "left_out": bench.data.images.lists.left_out_json(),
        **comparison_json(outcome.comparison),
        "networks": [
            {
                "name": name,
                "macs": total.macs,
                "parameters": total.parameters,
                "float_bytes": size,
                "accuracy": accuracy,
                "latency_ms": milliseconds,
            }
            for name, total, size, accuracy, milliseconds in (
                (bench.whole.spec.name, whole, sizes[0], outcome.whole_accuracy, times[0]),
                (outcome.spec.name, pruned, sizes[-1], outcome.accuracy, times[-1]),
            )
        ],
        "latency_ratio": asdict(outcome.latencies.ratio),
        "steps": [
            {
                "name": stage.spec.name,
                "accuracy_after_cut": stage.cut,
                "accuracy_recovered": stage.recovered,
                "best_epoch": stage.epoch,
                "sensitivity": [asdict(point) for point in stage.points],
            }
            for stage in outcome.stages
        ],
        "warnings": warnings(outcome),
    }


def print_sparse(outcome: SparseOutcome) -> None:
    """Print the truth about zeros: what they do for a download, and what not for the time."""
    out, bench = console(), outcome.bench
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("network", overflow="fold")
    for heading in ("zeros in 1x1", "file", "compressed", judged_by(outcome), "latency"):
        table.add_column(heading, justify="right", no_wrap=True)
    truths = (outcome.whole, outcome.sparse)
    names, times = (bench.whole.spec.name, outcome.spec.name), outcome.latencies.medians_ms
    for name, truth, accuracy, milliseconds in zip(
        names, truths, outcome.accuracies, times, strict=True
    ):
        table.add_row(
            name,
            f"{100 * truth.zero_share:.1f} %",
            megabytes(truth.size_bytes),
            megabytes(truth.compressed_bytes),
            f"{100 * accuracy:.1f} %",
            f"{milliseconds:.2f} ms",
        )
    out.print(table)
    ratio = outcome.latencies.ratio
    out.print(
        f"the file is as large as before; compressed (DEFLATE) it is "
        f"{outcome.sparse.compressed_bytes / outcome.whole.compressed_bytes:.2f} of the whole one; "
        f"it takes {ratio.value:.2f} of the time (95 % interval {ratio.low:.2f} to "
        f"{ratio.high:.2f})",
        soft_wrap=True,
    )
    for line in sparse_warnings(outcome):
        out.print(f"warning: {line}", style="bold yellow", soft_wrap=True)


def sparse_warnings(outcome: SparseOutcome) -> list[str]:
    lines = [
        f"the runtime's sparse kernels cannot apply: {reason}"
        for reason in outcome.sparse.obstacles
    ]
    lines += outcome.latencies.doubts
    if outcome.latencies.ratio.high >= 1:
        lines.append("zeros made it no faster here; to be faster prune channels: --target-macs 0.7")
    lines += loss_lines(outcome.spec.name, outcome.comparison)
    lines.append("with int8 too, only the download shrinks: its kernels know no zeros")
    return lines


def sparse_json(outcome: SparseOutcome) -> dict[str, Any]:
    """The result for machines."""
    bench = outcome.bench
    return {
        "format": "edge-effnet sparsified",
        "version": 1,
        "config": bench.config.to_json(),
        "variant": str(outcome.row),
        "weights": str(outcome.checkpoint),
        "judged_by": judged_by(outcome),
        "judged_on": len(bench.data.images.val),
        "left_out": bench.data.images.lists.left_out_json(),
        **comparison_json(outcome.comparison),
        "networks": [
            {"name": name, **asdict(truth), "accuracy": accuracy, "latency_ms": milliseconds}
            for name, truth, accuracy, milliseconds in zip(
                (bench.whole.spec.name, outcome.spec.name),
                (outcome.whole, outcome.sparse),
                outcome.accuracies,
                outcome.latencies.medians_ms,
                strict=True,
            )
        ],
        "latency_ratio": asdict(outcome.latencies.ratio),
        "warnings": sparse_warnings(outcome),
    }


def print_next(outcome: Outcome | SparseOutcome) -> None:
    console().print(
        f"next: edge-effnet convert --variant {quote(str(outcome.row))} "
        f"--weights {quote(str(outcome.checkpoint))} --int8",
        soft_wrap=True,
    )


def print_sensitivity(points: Sequence[Point]) -> None:
    """One line per group and width: what narrowing that group alone costs."""
    out = console()
    labelled = points[0].accuracy is not None
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("group")
    for heading in ("role", "channels", "kept", "agreement", "top-1", "divergence"):
        if heading != "top-1" or labelled:
            table.add_column(heading, justify="right", no_wrap=True)
    for point in points:
        first = point.width == max(p.width for p in points if p.group == point.group)
        cells = [
            point.group if first else "",
            point.role if first else "",
            str(point.whole) if first else "",
            str(point.width),
            f"{100 * point.agreement:.0f} %",
            f"{point.divergence:.4f}",
        ]
        if point.accuracy is not None:
            cells.insert(5, f"{100 * point.accuracy:.0f} %")
        table.add_row(*cells)
    out.print(table)
    out.print(
        "each group narrowed alone, nothing recovered; divergence in nats: what widths are "
        "chosen by",
        style="dim",
    )
