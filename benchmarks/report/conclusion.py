"""What the page says first: for each source one sentence that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.report.comparisons import trained_on
from benchmarks.report.evaluations import evaluation_figures, guess_of, model_name
from benchmarks.report.operating_points import point_title, tone_of
from benchmarks.report.sources import Json, Sources
from benchmarks.results.accuracy_columns import accuracy_cells, accuracy_headings, front_of
from benchmarks.results.result import Case, Result
from edge_effnet.measure.statistics import independent_ratio, spread
from edge_effnet.plurals import counted

_PROVEN_POINTS = 1.0  # a drop proven to be smaller is called none


@dataclass(frozen=True)
class Conclusion:
    """A sentence; ``tone`` says whether to go ahead, to stop, or to find out more."""

    tone: Literal["good", "bad", "open"]
    text: str


def conclusions(sources: Sources) -> list[Conclusion]:
    """Of measurements, then evaluations, comparisons, conversions and camera runs; each sentence
    once."""
    found = [_of_result(result) for result in sources.results]
    found += [line for document in sources.evaluations for line in _of_evaluation(document)]
    for document in sources.comparisons:
        found += [_of_comparison(document), *_of_shared_points(document)]
    if not sources.comparisons:
        found += [line for document in sources.conversions for line in _of_conversion(document)]
    found += [_of_camera_run(run) for run in sources.camera_runs]
    return list(dict.fromkeys(found))


def _of_result(result: Result) -> Conclusion:
    if not result.timed:
        return Conclusion(
            "open",
            "Use the answers and sizes only, and measure speed on the device itself: this was an "
            "emulated CPU.",
        )
    remarks = [*result.verdict.problems]
    remarks += [remark for case in result.cases for remark in case.verdict.problems]
    if remarks:
        return Conclusion(
            "bad", f"Measure again before relying on a time: {remarks[0].what}; {remarks[0].fix}."
        )
    first, best = result.cases[0], _fastest_on_the_front(result)
    if best is first:
        keep = f"Keep {first.title}: " if len(result.cases) > 1 else ""
        return Conclusion("good", f"{keep}{_speed(first)}{_accuracy(result, first)}.")
    ratio = independent_ratio(best.samples_ms, first.samples_ms)
    if ratio.high >= 1:
        return Conclusion(
            "open",
            f"Keep {first.title}: no other model is faster beyond doubt. {_speed(first)}.",
        )
    faster = f"{1 / ratio.value:.1f} times as fast as {first.title}"
    smaller = first.size_bytes / best.size_bytes
    size = f" and {smaller:.1f} times smaller" if smaller > 1.05 else ""
    return Conclusion("good", f"Use {best.title}: {faster}{size}{_accuracy(result, best)}.")


def _fastest_on_the_front(result: Result) -> Case:
    """Of those that no other beats in both, and that do not lose accuracy beyond doubt."""
    worse = {
        compared["candidate"].get("sha256")
        for compared in (result.accuracy or {}).get("comparisons", ())
        if (compared.get("drop_interval_points") or (0.0,))[0] > 0
    }
    marks = front_of(result)
    known = [
        case
        for case, mark in zip(result.cases, marks, strict=True)
        if mark is not False and case.sha256 not in worse
    ]
    return min(known or result.cases[:1], key=lambda case: case.spread.p50_ms)


def _speed(case: Case) -> str:
    median = case.spread.p50_ms
    return f"{case.title} takes {median:.3g} ms for an image, {1e3 / median:.0f} a second"


def _accuracy(result: Result, case: Case) -> str:
    figures = result.accuracy_of(case)
    if figures is not None and trained_on(result.accuracy or {}):
        return "; its accuracy is not known: it was trained on the images"
    if figures is None:
        return "; its accuracy was not measured (bench --data)"
    told = zip(accuracy_headings(result), accuracy_cells(figures), strict=True)
    return "".join(f", {name} {text}" for name, text in told if text != "–")


def _of_evaluation(document: Json) -> Iterator[Conclusion]:
    name = model_name(document)
    if line := trained_on(document):
        yield Conclusion("bad", f"Evaluate {name} on other images: {line}.")
        return
    if document.get("at_chance"):
        yield Conclusion(
            "bad", f"Check the labels and the preprocessing: {name} is no better than guessing."
        )
        return
    images = counted(document["n"], "image")
    told = evaluation_figures(document)[1:]  # without the number of images
    if told:
        what, value, bounds = told[0]
        within = f" ({bounds})" if bounds else ""
        guess = guess_of(document)
        blind = "" if guess is None else f"; guessing would get {guess:.1f} %"
        right = f"{name} is right on {value}{within} of {images}"
        other = f"{name}: {what} {value}{within} on {images}"
        yield Conclusion("open", f"{right if document.get('top1') is not None else other}{blind}.")
    for point in (document.get("operating_points") or {}).get("points", ()):
        yield Conclusion(tone_of(point["outcome"]), f"{name}, {_point(point)}")


def _of_shared_points(document: Json) -> Iterator[Conclusion]:
    """None of images that a model was trained on, which prove nothing."""
    if trained_on(document):
        return
    for point in (document.get("operating_points") or {}).get("points", ()):
        yield Conclusion(tone_of(point["verdict"]), _point(point))


def _point(point: Json) -> str:
    return f"{point_title(point)}: {point['conclusion']}."


def _of_comparison(document: Json) -> Conclusion:
    name = Path(str(document["candidate"].get("file", "the candidate"))).stem
    other = Path(str(document["reference"].get("file", "the reference"))).stem
    if line := trained_on(document):
        return Conclusion("bad", f"Compare {name} on other images: {line}.")
    if document["reference"].get("at_chance"):
        return Conclusion(
            "bad",
            f"Check the labels and the preprocessing: {other} is no better than guessing here.",
        )
    images = counted(document["n"], "frame" if "camera" in document else "image")
    if moved := document.get("value_difference"):
        return Conclusion(
            "open", f"{name} differs from {other} by {moved['mean_abs']:.4g} on average ({images})."
        )
    if document["agreement"] is None:
        return Conclusion("open", f"Compare {name} and {other} by their figures below ({images}).")
    same = f"the same answer as {other} on {document['agreement']:.1f} % of {images}"
    drop, bounds = document.get("drop_points"), document.get("drop_interval_points")
    if drop is None:
        return Conclusion("open", f"{name} gives {same}; which is right, only labels can tell.")
    if not bounds:
        return Conclusion(
            "open",
            f"{name} gives {same}, and is {_than(drop)} {other} there; too few scenes to prove it.",
        )
    if bounds[0] > 0:
        return Conclusion(
            "bad",
            f"{name} is less accurate than {other} by {drop:.1f} points ({bounds[0]:.1f} to "
            f"{bounds[1]:.1f}): convert with --max-drop, or with more calibration images.",
        )
    if bounds[1] < 0:
        return Conclusion(
            "good",
            f"{name} is more accurate than {other} by {-drop:.1f} points ({-bounds[1]:.1f} to "
            f"{-bounds[0]:.1f}).",
        )
    if bounds[1] <= _PROVEN_POINTS:
        return Conclusion(
            "good",
            f"{name} can replace {other}: {same}, and a drop of at most {bounds[1]:.1f} points.",
        )
    needed = document.get("images_to_prove")
    more = f"; about {needed} images would exclude one of 1 point" if needed else ""
    return Conclusion(
        "open",
        f"{name} is {_than(drop)} {other} here, but {images} cannot exclude a drop of "
        f"{bounds[1]:.1f}{more}.",
    )


def _than(drop_points: float) -> str:
    if not round(drop_points, 1):
        return "as accurate as"
    return f"{abs(drop_points):.1f} points {'less' if drop_points > 0 else 'more'} accurate than"


def _of_conversion(document: Json) -> Iterator[Conclusion]:
    first, *others = document["models"]
    for model in others:
        yield Conclusion(
            "open",
            f"{Path(str(model['file'])).name} is {model['size_bytes'] / first['size_bytes']:.2f} "
            "of the float file's size; what it costs in accuracy, edge-effnet compare tells.",
        )


def _of_camera_run(run: Json) -> Conclusion:
    rate, dropped, captured = run["times"]["mean_fps"], run["dropped"], run["captured"]
    delays = None if run.get("every_frame") else run["times"].get("delay_ms")
    delay = f", {spread(delays).p50_ms:.0f} ms after each frame" if delays else ""
    if dropped > 0.1 * captured:
        return Conclusion(
            "open",
            f"The camera was too fast: {dropped} of {captured} frames were dropped at {rate:.1f} "
            "a second; take a smaller network, or a lower frame rate.",
        )
    return Conclusion("good", f"The camera's frames are answered at {rate:.1f} a second{delay}.")
