"""Finding how pixels become the input by trying the usual ways on labelled photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import balanced_sample
from edge_effnet.heads.head import Head
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocess_text import preprocess_text
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.plurals import counted
from edge_effnet.runtime.input_pixels.evidence import FEWEST_PHOTOS, Evidence
from edge_effnet.runtime.input_pixels.running import open_running
from edge_effnet.runtime.input_pixels.trial import PREPARED_BYTES, LabelledPhotos, Trial
from edge_effnet.runtime.input_pixels.ways import describe, other_channels, scalings_of
from edge_effnet.stages import StartStage, no_progress

PHOTOS = 100
_FIRST_PHOTOS = 32
_HOPELESS_P = 0.001
_CHANCE_P = 0.05
"""Of all comparisons together: each is held to its share (Bonferroni)."""
_LEAST_GAIN = 0.03
"""Of the quality of the answers: three photos of a hundred."""
_COMMONEST_FIRST = ("unit", "tf", "raw", "torch", "caffe", "standardize")
"""How 60 authors of public repositories feed their networks: what decides between equals."""


def sample_of(dataset: Dataset, evidence: Evidence, seed: int = 0) -> Dataset:
    """The photos to try on: about a hundred, evenly over the classes, as many as memory holds;
    a third where the file tells all, which they can only contradict."""
    settings = evidence.settings
    room = PREPARED_BYTES // (3 * settings.height * settings.width * settings.depth)
    most = _FIRST_PHOTOS if evidence.complete else PHOTOS
    return balanced_sample(dataset, max(FEWEST_PHOTOS, min(most, room)), seed)


@dataclass(frozen=True)
class TrialOutcome:
    """What the photos showed.

    Attributes:
        found: None where chance explains the answers in every way.
        photos: labelled ones that could be read; none was run where they are too few.
    """

    found: FoundPreprocess | None
    photos: int


def find_with_photos(
    model: bytes,
    head: Head,
    evidence: Evidence,
    photos: LabelledPhotos,
    *,
    workers: int,
    stage: StartStage = no_progress,
) -> TrialOutcome:
    """Try the ways that the file leaves open, and take the best where chance does not explain it.

    Scaling, channels and fit are told apart one after the other, each by chances divided by the
    ways that were run. A scaling that the file states
    is kept; one that was inferred, and the usual channels and fit, give way only to what is
    better beyond chance.

    Args:
        photos: see ``sample_of``.
        stage: started where photos are tried.

    Returns:
        Nothing found where nothing is left to find, or this machine does not run the model.
    """
    if (evidence.strength == "stated" and evidence.complete) or open_running(model) is None:
        return TrialOutcome(None, 0)
    done = stage("trying on photos how pixels become the input", None)
    outcome = _tried(Trial(model, head, photos, workers), evidence)
    done(1)
    return outcome


def _tried(trial: Trial, evidence: Evidence) -> TrialOutcome:
    base = evidence.settings
    fits = [base] if evidence.fit_known else _fits(base)
    trial.prepare(fits)
    count = len(trial.photos)
    if count < FEWEST_PHOTOS:
        return TrialOutcome(None, count)
    others = [fit for fit in fits if not trial.same_fit(fit, base)]
    for fit in (base, *others):  # of another fit, only where nothing is right with the usual one
        based = replace(evidence, settings=fit)
        chosen, ways, doubt = _scaled(trial, based)
        chosen, equal = _fit(trial, chosen, [base, *others])
        if trial.beats_chance(chosen, _share_of_chance(trial)):
            break
    else:
        return TrialOutcome(None, count)
    reason = _reason(trial, chosen, ways, evidence, doubt)
    if evidence.strength == "open" and equal:
        reason += f"; fit={' and fit='.join((chosen.fit, *equal))} are equal on them"
    return TrialOutcome(FoundPreprocess(chosen, reason), count)


def _scaled(
    trial: Trial, evidence: Evidence
) -> tuple[Preprocess, dict[str, Preprocess], str | None]:
    """The best scaling and order of the channels with one fit, all ways that were tried, each in
    its better order, and the names of those as good as the best."""
    stated = evidence.strength == "stated"
    ways = {"": evidence.settings} if stated else _scalings(evidence)
    turned = {} if evidence.channels_known else _turned(ways)
    _race(trial, [*ways.values(), *turned.values()])
    best_of = {name: _ordered(trial, way, turned.get(name)) for name, way in ways.items()}
    chosen, doubt = _scaling(trial, best_of, evidence)
    return chosen, best_of, doubt


def _fits(base: Preprocess) -> list[Preprocess]:
    """The given fit first."""
    others = [replace(base, fit="squash", crop=1.0), replace(base, fit="crop", crop=1.0)]
    padded = replace(base, fit="pad", crop=1.0)
    return list(dict.fromkeys([base, *others, padded]))


def _scalings(evidence: Evidence) -> dict[str, Preprocess]:
    """Every scaling by its name; one that the file infers and that has no name by its text."""
    ways = scalings_of(evidence.settings)
    if evidence.channels_known:
        channels = evidence.settings.channels
        turned = {name: other_channels(way) or way for name, way in ways.items()}
        ways = {
            name: way if way.channels == channels else turned[name] for name, way in ways.items()
        }
    if evidence.strength == "inferred" and evidence.settings not in ways.values():
        ways[preprocess_text(evidence.settings)] = evidence.settings
    return ways


def _turned(ways: Mapping[str, Preprocess]) -> dict[str, Preprocess]:
    """The same with red and blue exchanged: a third of those who read with OpenCV leave its B,
    G, R order. Nobody exchanges them in ``caffe``, which is made for it."""
    pairs = ((name, other_channels(way)) for name, way in ways.items() if name != "caffe")
    return {name: way for name, way in pairs if way is not None}


def _race(trial: Trial, ways: Sequence[Preprocess]) -> None:
    """Run every way on a third of the photos, and those that may still be best on all."""
    trial.run(ways, _FIRST_PHOTOS)
    leader = trial.best(ways)
    kept = [way for way in ways if not _better(trial, leader, way, _HOPELESS_P)]
    trial.run([leader, *kept], len(trial.photos))


def _ordered(trial: Trial, way: Preprocess, turned: Preprocess | None) -> Preprocess:
    """Of both orders of the channels the usual one, unless the other is better beyond chance."""
    return turned if turned is not None and _better(trial, turned, way) else way


def _scaling(
    trial: Trial, ways: Mapping[str, Preprocess], evidence: Evidence
) -> tuple[Preprocess, str | None]:
    """The best scaling, and the names of those that are as good; what was inferred is kept unless
    another is better beyond chance."""
    complete = {name: way for name, way in ways.items() if trial.complete(way)}
    best = trial.best(complete.values())
    inferred = next((ways[name] for name in ways if _is_of(ways[name], evidence)), None)
    if inferred is not None and not _better(trial, best, inferred):
        return inferred, None
    names = (*_COMMONEST_FIRST, *ways)
    equals = [n for n, way in complete.items() if _mean(trial, best) - _mean(trial, way) < 0.02]
    chosen = ways[min(equals, key=names.index)]
    undecided = [
        name for name, way in complete.items() if way != chosen and not _better(trial, chosen, way)
    ]
    return chosen, ", ".join(undecided) or None


def _is_of(way: Preprocess, evidence: Evidence) -> bool:
    """Whether a way has the scaling that the file says, in either order of the channels."""
    said = evidence.settings
    return evidence.strength != "open" and way in (said, other_channels(said))


def _fit(
    trial: Trial, chosen: Preprocess, fits: Sequence[Preprocess]
) -> tuple[Preprocess, list[str]]:
    """The same with another fit where that is better beyond chance, and the fits as good."""
    ways = [replace(chosen, fit=fit.fit, crop=fit.crop) for fit in fits]
    ways = [way for way in ways if way != chosen]
    ahead = _ahead(trial, ways, chosen)
    if ahead and _better(trial, best := trial.best(ahead), chosen):
        return best, []
    return chosen, [way.fit for way in ways if not _better(trial, chosen, way)]


def _ahead(trial: Trial, ways: Sequence[Preprocess], chosen: Preprocess) -> list[Preprocess]:
    """Those that are better on the first photos, run on all of them."""
    trial.run(ways, _FIRST_PHOTOS)
    first = trial.quality(chosen)[:_FIRST_PHOTOS]
    kept = [way for way in ways if (trial.quality(way)[: len(first)] - first).sum() > 0]
    trial.run(kept, len(trial.photos))
    return kept


def _mean(trial: Trial, way: Preprocess) -> float:
    return float(trial.quality(way).mean())


def _better(trial: Trial, one: Preprocess, other: Preprocess, chance: float | None = None) -> bool:
    """Beyond chance, and by more than a network that is surer of itself on the same answers."""
    count = min(len(trial.scores[one]), len(trial.scores[other]))
    gain = float((trial.quality(one)[:count] - trial.quality(other)[:count]).mean())
    chance = _share_of_chance(trial) if chance is None else chance
    return gain >= _LEAST_GAIN and trial.p_no_better(one, other) < chance


def _share_of_chance(trial: Trial) -> float:
    """What one comparison may leave to chance, by the ways that were run."""
    return _CHANCE_P / len(trial.scores)


def _reason(
    trial: Trial,
    chosen: Preprocess,
    ways: Mapping[str, Preprocess],
    evidence: Evidence,
    doubt: str | None,
) -> str:
    count = len(trial.photos)
    what = (
        f"trying the usual ways on {counted(count, 'labelled photo')}: {trial.right(chosen)} right"
    )
    others = [way for way in ways.values() if way != chosen and trial.complete(way)]
    if evidence.strength == "inferred" and evidence.settings != chosen:
        said = evidence.settings
        right = trial.right(said) * count // max(1, len(trial.scores[said]))
        return f"{what}, where {evidence.reason} says that {describe(said)} ({right} right)"
    if evidence.strength != "open":
        return f"{evidence.reason}, and {what}" if chosen != evidence.settings else evidence.reason
    if doubt:
        return f"{what}, which does not tell it from {doubt}"
    if others:
        best = trial.best(others)
        return f"{what}, {trial.right(best)} with {_difference(best, chosen)}"
    return what


def _difference(way: Preprocess, chosen: Preprocess) -> str:
    """A way by its scaling, or, where that is the chosen one's, by all that ``--preprocess``
    says."""
    text = preprocess_text(way)
    name = text.split(",", 1)[0]
    return text if name == preprocess_text(chosen).split(",", 1)[0] else name
