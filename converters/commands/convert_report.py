"""What a conversion tells its user at the end."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from converters.commands.search_report import print_search
from converters.conversion import Conversion, ConvertedFile
from converters.edgetpu.compiler import COMPILER
from converters.edgetpu.convert_step import EdgeTpuOutcome
from converters.frigate.folder import MODEL_CACHE, OBJECT, STATE
from converters.frigate.source import FED, SIDE
from converters.quantization.recipes import FLOAT32, RECIPES
from edge_effnet.heads.learning.cross_validation import LOST_SHARE
from edge_effnet.metrics import Paired
from edge_effnet.plurals import counted
from edge_effnet.ui.console import console, megabytes
from edge_effnet.ui.reports.comparison import NO_DROP, NOTHING_PROVEN
from edge_effnet.ui.reports.evaluation_set import print_evaluation_set
from edge_effnet.ui.reports.preflight import print_preflight
from edge_effnet.ui.shown_commands import camera_command, own_command
from edge_effnet.ui.tables import print_losses, print_skipped, print_warnings, table


def print_conversion(conversion: Conversion) -> None:
    """Print the table of files, what was proven, and what to do next."""
    out, sets = console(), conversion.images
    print_evaluation_set(out, sets.evaluation_set)
    if conversion.search:
        print_search(out, conversion.search, _HEADINGS[conversion.source.head.task][0])
    if not conversion.made:
        return
    reference, *converted = conversion.made
    for made in converted:
        print_losses(out, made.comparison.losses if made.comparison else ())
    figure, *others = _HEADINGS[conversion.source.head.task]
    files = table("file", "size", "of float", figure, *others, "latency", "of float")
    for made in conversion.made:
        files.add_row(*_row(made, reference, conversion))
    out.print(files)
    out.print(f"written to {reference.path.parent.resolve()}", soft_wrap=True)
    if not converted:
        out.print("float only: add --int8 (or another recipe, see --help) for a small file")
        return
    images = converted[0].comparison.images if converted[0].comparison else 0
    measured = (
        counted(images, "generated image")
        if sets.generated
        else f"{counted(images, 'image')} of {sets.evaluation.source}"
    )
    line, calibration = f"measured on {measured}", sets.calibration
    if any(RECIPES[made.recipe].calibrated for made in converted if made.recipe in RECIPES):
        origin = calibration.images.source if calibration.images else "generated images"
        line += f"; calibrated on {len(calibration)} of {origin}"
    out.print(line)
    if sets.spare and not sets.generated:
        out.print(
            "those photos did not calibrate, and have no labels: --data DIR|CSV measures accuracy"
        )
    out.print("latency: median of one inference on one core of this machine, in turn", style="dim")
    for made in converted:
        if made.comparison is not None:
            if made.comparison.reference and made.comparison.reference.at_chance:
                out.print(f"{made.recipe}: {NO_DROP}")
            elif (
                made.comparison.paired
                and sets.evaluation_set
                and not sets.evaluation_set.is_evidence
            ):
                out.print(f"{made.recipe}: {NOTHING_PROVEN}")
            elif made.comparison.paired:
                out.print(_proof(made.recipe, made.comparison.paired))
            print_warnings(out, made.comparison.warnings[len(made.comparison.losses) :])
    if any(made.comparison and made.comparison.unknown for made in converted):
        out.print(
            f'what is like none of the calibration images is answered "unknown": so are '
            f"{LOST_SHARE:.0%} of a class's evaluation images at most (other things: evaluate "
            "--others DIR)",
            soft_wrap=True,
        )
    if converted[0].comparison is not None:
        print_skipped(out, converted[0].comparison.reference_predictions.skipped)
    if sets.generated:
        if calibration.images is not None:
            out.print(f"too few photos of {calibration.images.source} are left to measure on")
        out.print(
            f"{_HEADINGS[conversion.source.head.task][-1]} on generated images is no evidence of "
            "accuracy: give --data DIR|CSV with labelled photos to measure it",
            style="bold yellow",
        )
    for line in conversion.notes:
        out.print(f"note: {line}")
    for line in (*conversion.warnings, *(f"skipped: {line}" for line in sets.skipped)):
        out.print(f"warning: {line}", style="yellow")
    # After --prune the second file is float as well.
    first = next((made for made in converted if made.recipe != FLOAT32), converted[0])
    # Drawn signs are no files that a command could be given.
    photos = [sample.path for sample in sets.evaluation.samples if sample.path.is_file()][:1]
    if sets.generated or not photos:
        models = [str(made.path) for made in (first, reference) if made.kept or made is first]
        out.print(f"next: {camera_command(own_command(), models)}", soft_wrap=True)
    else:
        line = f"classify {quote(str(first.path))} {quote(str(photos[0]))}"
        out.print(f"next: {own_command()} {line}", soft_wrap=True)


def _proof(recipe: str, paired: Paired) -> str:
    low, high = paired.drop_interval_points
    line = (
        f"{recipe}: drop {paired.drop_points:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}"
    )
    if paired.drop_at_most_points > 0:
        line += f"; proven to be at most {paired.drop_at_most_points:.1f}"
    return line


# The model's own figure, and what is compared with float's.
_HEADINGS = {
    "classes": ("top-1", "drop", "agreement"),
    "labels": ("exact match", "drop", "agreement"),
    "value": ("mean error", "difference"),
}


def _row(made: ConvertedFile, reference: ConvertedFile, conversion: Conversion) -> list[str]:
    comparison, figure = made.comparison, "–"
    compared = ["–"] * (len(_HEADINGS[conversion.source.head.task]) - 1)
    summaries = [m.comparison.reference for m in conversion.made if m.comparison]
    own = comparison.candidate if comparison else next(iter(summaries), None)
    if own is not None:
        figure = own.headline.text
    if comparison is not None and comparison.value_difference:
        compared = [f"{comparison.value_difference.mean_abs:.4g}"]
    elif comparison is not None:
        drop, same = comparison.paired, comparison.agreement_percent
        compared = [
            "–" if drop is None else f"{drop.drop_points:+.1f}",
            "–" if same is None else f"{same:.1f} %",
        ]
    return [
        made.path.name if made.kept else f"{made.recipe} (not kept)",
        megabytes(made.size_bytes),
        f"{made.size_bytes / reference.size_bytes:.3f}",
        figure,
        *compared,
        f"{made.latency_ms:.1f} ms" if made.latency_ms >= 0.1 else f"{made.latency_ms:.2g} ms",
        f"{made.latency_ms / reference.latency_ms:.2f}",
    ]


def print_frigate(out: Path) -> None:
    """What to do with a folder for Frigate."""
    screen, folder = console(), quote(str(out))
    screen.print(f"measured as Frigate feeds it: {FED} at {SIDE} px", style="dim")
    screen.print(
        f"next: copy {folder} to Frigate's {MODEL_CACHE}/{out.name}, put {STATE} or {OBJECT} into "
        "its config.yml with your names, and start it again",
        soft_wrap=True,
    )


def print_edgetpu(outcome: EdgeTpuOutcome) -> None:
    """Print the preflight, what the compiler said, and the next step."""
    out = console()
    out.print()
    print_preflight({"file": outcome.path, **outcome.preflight.to_json()})
    if outcome.refused is not None:  # the command ends with it
        return
    if outcome.log is None:
        out.print(f"not compiled: {COMPILER} is not on PATH")
        out.print(
            f"next: sudo apt install {COMPILER.replace('_', '-')} on x86-64 Linux (package source: "
            "coral.ai/docs/edgetpu/compiler), then this command again with --force"
        )
        return
    log = outcome.log
    out.print(
        f"compiled by {COMPILER} {log.version}: {log.mapped} of "
        f"{counted(log.operations, 'operator')} in "
        f"{counted(log.subgraphs, 'piece')}; {megabytes(log.cached_bytes)} of weights on the chip, "
        f"{megabytes(log.streamed_bytes)} streamed"
    )
    for operator, count, status in log.statuses:
        if not status.startswith("Mapped"):
            out.print(f"  {count} × {operator}: {status}")
    if log.mapped != outcome.preflight.mapped:
        out.print(
            f"the preflight had said {counted(outcome.preflight.mapped, 'operator')}: please "
            "report this model, the rules are to learn from it",
            style="yellow",
        )
    compiled = quote(str(outcome.compiled))
    out.print(
        f"next: {own_command()} bench {compiled} --device coral, where the stick is", soft_wrap=True
    )
