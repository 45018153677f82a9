"""What a search for a file within the limits tells its user."""

from __future__ import annotations

from rich.console import Console

from converters.accuracy.outcome import SearchOutcome
from edge_effnet.plurals import counted, plural
from edge_effnet.ui.console import megabytes
from edge_effnet.ui.tables import table

_LIMITS = {"drop": "drop (95 %\ninterval)", "agreement": "agreement (95 %\ninterval)"}


def print_search(out: Console, search: SearchOutcome, figure: str) -> None:
    """Print the strategies tried, which one won and what its images prove.

    Args:
        figure: names what a model is right on.
    """
    limits = [_LIMITS.get(found.name, "class\ndrop") for found in search.best.checks]
    headings = ("score\nerror", "size", "time\n× float", "made in")
    after = (figure.replace(" ", "\n"), "drop\ncounted", "agreement\ncounted")
    trials = table("strategy", *limits, *after, *headings)
    for trial in search.trials:
        trials.add_row(
            trial.strategy.name + (" ✓" if trial is search.chosen else ""),
            *(f"{found.value:.1f} ({found.low:.1f}…{found.high:.1f})" for found in trial.checks),
            "–" if trial.top1_percent is None else f"{trial.top1_percent:.1f} %",
            "–" if trial.drop_points is None else f"{trial.drop_points:+.1f}",
            f"{trial.agreement_percent:.1f} %",
            f"{trial.score_l1:.3f}",
            megabytes(trial.size_bytes),
            f"{trial.latency_ratio:.2f}",
            "earlier" if trial.resumed else f"{trial.seconds:.0f} s",
        )
    out.print(trials)
    best = search.best
    out.print(
        f"strategies measured on {counted(len(search.selection), 'image')}, and those that these "
        f"do not refute on {len(search.confirmation)} others"
    )
    if search.chosen is None:
        out.print(
            f"no strategy fits; nearest: {best.strategy.name} ({best.strategy.summary})",
            style="yellow",
        )
        for found in best.checks:
            out.print(f"  {found.line()}")
        return
    why = "the first that fits" if best.fits else "the best of those that the images do not refute"
    out.print(f"chosen: {best.strategy.name} ({best.strategy.summary}), {why}")
    for found in best.checks:
        out.print(f"  {found.line()}")
    for found in search.confirmed:
        out.print(f"  on the other images: {found.line()}")
    if best.strategy.size_only:
        out.print(
            f"note: {best.strategy.recipe} is smaller but computes in float: no faster, and not "
            "for the Edge TPU",
            style="bold yellow",
        )
    if left := best.strategy.left_float:
        out.print(
            f"note: {counted(left, 'tensor')} of {best.strategy.recipe} "
            f"{plural(left, 'is', 'are')} computed in float: not for the Edge TPU",
            style="bold yellow",
        )
    if best.slower:
        out.print(
            f"warning: {best.strategy.name} takes {best.latency_ratio:.2f} times as long as float "
            "on this machine",
            style="bold yellow",
        )
