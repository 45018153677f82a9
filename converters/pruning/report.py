"""What a pruning run came to, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from shlex import quote
from typing import Any

from converters.pruning.config import PruneConfig
from converters.pruning.run import PruningResult
from converters.pruning.selection.sensitivity import SensitivityPoint
from converters.pruning.unstructured.run import SparsityResult
from edge_effnet.architecture.cost import Cost, cost
from edge_effnet.errors import LimitMissed
from edge_effnet.metrics import Comparison
from edge_effnet.metrics.two_models.losses import losses_of
from edge_effnet.plurals import counted
from edge_effnet.ui.console import console, megabytes, millions
from edge_effnet.ui.shown_commands import own_command
from edge_effnet.ui.tables import print_warnings, table


def print_result(result: PruningResult) -> None:
    """Print the unpruned network against the pruned one, and whether it pays."""
    out, context = console(), result.context
    original, pruned = costs(result)
    headings = ("multiply-adds", "parameters", "float file", accuracy_name(result), "latency")
    rows = table("network", *headings)
    times, sizes = result.latencies.medians_ms, result.latencies.sizes
    networks = (
        (context.original.spec.name, original, sizes[0], result.original_accuracy, times[0]),
        (result.spec.name, pruned, sizes[-1], result.accuracy, times[-1]),
    )
    for name, total, size, accuracy, milliseconds in networks:
        rows.add_row(
            name,
            millions(total.macs),
            millions(total.parameters),
            megabytes(size),
            f"{100 * accuracy:.1f} %",
            f"{milliseconds:.2f} ms",
        )
    rows.add_row(
        "of the unpruned",
        f"{pruned.macs / original.macs:.3f}",
        f"{pruned.parameters / original.parameters:.3f}",
        f"{sizes[-1] / sizes[0]:.3f}",
        f"{100 * (result.accuracy - result.original_accuracy):+.1f}",
        f"{result.latencies.ratio.value:.2f}",
        style="dim",
    )
    out.print(rows)
    chosen = context.config.epochs_of(context.config.steps) > 0
    out.print(
        f"evaluated on {counted(len(context.data.images.val), 'image')}"
        f"{', which also chose the best epoch' if chosen else ''}; "
        f"{agreement_line(result.comparison)}",
        soft_wrap=True,
    )
    ratio = result.latencies.ratio
    out.print(
        f"latency: float, one core of this machine, in turn; 95 % interval of the ratio "
        f"{ratio.low:.2f} to {ratio.high:.2f}",
        style="dim",
    )
    if beyond := beyond_target(context.config, original.macs, pruned.macs):
        out.print(f"note: {beyond}", soft_wrap=True)
    print_warnings(out, warnings(result))


def beyond_target(config: PruneConfig, original_macs: int, pruned_macs: int) -> str | None:
    """Why clearly fewer multiply-adds are left than were asked for; None where they are not."""
    asked = config.target * original_macs if config.relative else config.target
    if config.measure != "macs" or pruned_macs > 0.98 * asked:
        return None
    return (
        f"{pruned_macs / original_macs:.2f} of the multiply-adds are left and not "
        f"{asked / original_macs:.2f}, so that time falls too: those missed least take little of it"
    )


def costs(result: PruningResult) -> tuple[Cost, Cost]:
    """Of the unpruned network and of the pruned one."""
    context = result.context
    original, pruned = (
        cost(spec, classes=context.classes, resolution=context.side)
        for spec in (context.original.spec, result.spec)
    )
    return original, pruned


def accuracy_name(result: PruningResult | SparsityResult) -> str:
    return "top-1" if result.context.data.labelled else "agreement"


def warnings(result: PruningResult) -> list[str]:
    """What must not be left unsaid: that it brought nothing, or cost much."""
    latencies = result.latencies
    lines = list(latencies.doubts)
    if latencies.ratio.high >= 1:
        lines.append(
            f"pruned, but not measurably faster here: {latencies.medians_ms[-1]:.2f} ms against "
            f"{latencies.medians_ms[0]:.2f} ms; prune more, or aim at it with --target-latency"
        )
    return [*loss_lines(result.spec.name, result.comparison), *lines]


def missed(result: PruningResult) -> LimitMissed | None:
    """A latency or a file size that the search reached and the last measurement did not."""
    config, latencies = result.context.config, result.latencies
    if config.measure == "latency" and latencies.medians_ms[-1] > config.target:
        return LimitMissed(
            f"{result.spec.name} takes longer than asked for",
            found=f"{latencies.medians_ms[-1]:.2f} ms in the last measurement",
            expected=f"at most {config.target:g} ms",
            fix="ask for less, since the machine's speed drifts; the network was written",
        )
    before, size = latencies.sizes[0], latencies.sizes[-1]
    limit = config.target * before if config.relative else config.target
    if config.measure == "size" and size > limit:
        return LimitMissed(
            f"{result.spec.name} is larger than asked for",
            found=f"a float file of {size:,} bytes",
            expected=f"at most {limit:,.0f}",
            fix="ask for a little less; the network was written",
        )
    return None


def loss_lines(name: str, found: Comparison) -> list[str]:
    """What a pruned network is proven to have lost, and what to do about it."""
    lost = losses_of(found.paired, found.agreement_interval_percent)
    if not lost:
        return []
    return [f"{name} {' and '.join(lost)}: try more --epochs, more images or a milder target"]


def agreement_line(found: Comparison) -> str:
    """How many answers are the unpruned network's, and the drop with its interval."""
    line = f"{found.agreement_percent:.1f} % of the answers are the unpruned network's"
    if found.paired is None:
        return line
    low, high = found.paired.drop_interval_points
    return (
        f"{line}; drop {found.paired.drop_points:+.1f} points, 95 % interval {low:+.1f} to "
        f"{high:+.1f}"
    )


def result_document(
    kind: str, result: PruningResult | SparsityResult, lines: Sequence[str]
) -> dict[str, Any]:
    """What both results say to machines; the comparison in percent and points."""
    data, comparison = result.context.data, result.comparison.to_json()
    kept = ("agreement", "agreement_interval", "drop_points", "drop_interval_points")
    return {
        "format": f"edge-effnet {kind}",
        "version": 1,
        "config": result.context.config.to_json(),
        "variant": str(result.variant_file),
        "weights": str(result.checkpoint),
        "judged_by": accuracy_name(result),
        "judged_on": len(data.images.val),
        "left_out": data.images.lists.left_out_json(),
        **{key: comparison[key] for key in kept if key in comparison},
        "latency_ratio": asdict(result.latencies.ratio),
        "warnings": list(lines),
    }


def result_json(result: PruningResult) -> dict[str, Any]:
    """The result for machines."""
    original, pruned = costs(result)
    times, sizes = result.latencies.medians_ms, result.latencies.sizes
    networks = (
        (result.context.original.spec, original, sizes[0], result.original_accuracy, times[0]),
        (result.spec, pruned, sizes[-1], result.accuracy, times[-1]),
    )
    return result_document("pruned", result, warnings(result)) | {
        "networks": [
            {
                "name": spec.name,
                "macs": total.macs,
                "parameters": total.parameters,
                "float_bytes": size,
                "accuracy": accuracy,
                "latency_ms": milliseconds,
            }
            for spec, total, size, accuracy, milliseconds in networks
        ],
        "steps": [
            {
                "name": stage.spec.name,
                "accuracy_after_cut": stage.sliced,
                "accuracy_recovered": stage.fine_tuned,
                "best_epoch": stage.epoch,
                "sensitivity": [asdict(point) for point in stage.points],
            }
            for stage in result.stages
        ],
    }


def print_next(result: PruningResult | SparsityResult) -> None:
    data = quote(str(result.context.config.data))
    console().print(
        f"next: {own_command()} convert --variant {quote(str(result.variant_file))} "
        f"--weights {quote(str(result.checkpoint))} --int8 --data {data}",
        soft_wrap=True,
    )


def print_sensitivity(points: Sequence[SensitivityPoint]) -> None:
    """One line per group and width: what narrowing that group alone costs."""
    out = console()
    labelled = points[0].accuracy is not None
    top1 = ("top-1",) if labelled else ()
    rows = table("group", "role", "channels", "kept", "agreement", *top1, "divergence")
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
        rows.add_row(*cells)
    out.print(rows)
    out.print(
        "each group narrowed alone, without fine-tuning; divergence in nats: what widths are "
        "chosen by",
        style="dim",
    )
