"""What the page reads of other commands' JSON, version 1 of each; they hold more."""

# Annotations are not postponed here: of those, cattrs would not see what ``Annotated`` says.

from typing import Annotated, Any, NotRequired, TypedDict

from edge_effnet.documents import AtLeast

Count = Annotated[int, AtLeast(0)]
Number = Annotated[float, AtLeast(0)]
Interval = Annotated[list[float], AtLeast(2)]

ClassFigures = TypedDict(
    "ClassFigures",
    {"class": int, "label": str, "support": int, "correct": int, "recall": float | None},
)


class PointCounts(TypedDict):
    """Images at one threshold; shares 0–1."""

    of_class: Count
    others: Count
    found: Count
    false_alarms: Count
    recall: Number | None
    precision: Number | None
    false_alarm_share: Number | None
    recall_interval: Interval | None
    precision_interval: Interval | None
    false_alarm_share_interval: Interval | None


class PointTarget(TypedDict):
    measure: str
    share: Number


FoundPoint = TypedDict(
    "FoundPoint",
    {
        "class": int,
        "label": str,
        "target": PointTarget,
        "threshold": float | None,
        "outcome": str,
        "conclusion": str,
        "evaluated_on": PointCounts | None,
    },
)
RecallCurveOfClass = TypedDict(
    "RecallCurveOfClass",
    {"class": int, "label": str, "recall": list[Number], "precision": list[Number]},
)


class FoundPoints(TypedDict):
    """Operating points of one model."""

    chosen_on: Count
    evaluated_on: Count
    notices: list[str]
    points: list[FoundPoint]
    curves: list[RecallCurveOfClass]


class LikelyWrong(TypedDict):
    """An image whose label is likely wrong."""

    file: str
    label: str
    likely: str
    probability: Number
    likely_probability: Number


class Copies(TypedDict):
    """Files that are one image, and their labels."""

    files: list[str]
    labels: list[str]


class TrainedOn(TypedDict):
    """Files that a model was trained on, and those that show nearly the same."""

    copies: list[str]
    near: list[str]


class WorstImage(TypedDict):
    """An image, and the probability of its label."""

    file: str
    probability: Number


class WorstOfClass(TypedDict):
    """The images of a class that are least like it."""

    label: str
    images: list[WorstImage]


class SuspectsDocument(TypedDict):
    """Images that may hurt a data set."""

    likely_wrong: list[LikelyWrong]
    copies: list[Copies]
    trained_on: NotRequired[TrainedOn | None]
    worst: list[WorstOfClass]
    moved: NotRequired[list[str] | None]


class Mistake(TypedDict):
    """An image that is answered wrong."""

    file: str
    true: str
    answer: str
    score: float | None
    true_score: float | None
    unknown: NotRequired[bool]


class MistakesDocument(TypedDict):
    """The worst mistakes of a model."""

    count: Count | None
    worst: list[Mistake]


class EvaluationDocument(TypedDict):
    """What ``evaluate`` writes."""

    n: Annotated[int, AtLeast(1)]
    file: NotRequired[str]
    labels: list[str]
    top1: NotRequired[float | None]
    chance: NotRequired[float | None]
    confusion: NotRequired[list[Annotated[list[Count], AtLeast(3)]]]
    operating_points: NotRequired[FoundPoints]
    mistakes: NotRequired[MistakesDocument]
    suspects: NotRequired[SuspectsDocument]


class SharedPoint(TypedDict):
    """One threshold in both models of a comparison."""

    label: str
    target: PointTarget
    threshold: float
    reference: PointCounts
    candidate: PointCounts
    verdict: str
    conclusion: str


class SharedPoints(TypedDict):
    """Operating points of a comparison."""

    origin: str
    images: Count
    without: list[str]
    notices: list[str]
    points: list[SharedPoint]


class ComparedModel(TypedDict):
    """One of the two models of a comparison."""

    file: NotRequired[str]
    top1: NotRequired[float | None]
    per_class: NotRequired[list[ClassFigures]]
    confusion: NotRequired[list[Annotated[list[Count], AtLeast(3)]]]


class FlippedImage(TypedDict):
    file: str
    kind: str
    true: str | None
    reference: str
    reference_score: float
    candidate: str
    candidate_score: float


class ComparisonDocument(TypedDict):
    """What ``compare`` writes."""

    n: Annotated[int, AtLeast(1)]
    head: NotRequired[dict[str, Any]]
    agreement: Number | None
    labels: list[str]
    reference: ComparedModel
    candidate: ComparedModel
    drop_points: NotRequired[float | None]
    drop_interval_points: NotRequired[Interval | None]
    flipped: list[FlippedImage]
    operating_points: NotRequired[SharedPoints]


class ConvertedModel(TypedDict):
    """One of the files of a conversion."""

    recipe: str
    file: str
    size_bytes: Count
    latency_ms: Number


class ConversionDocument(TypedDict):
    """What ``convert`` writes."""

    models: Annotated[list[ConvertedModel], AtLeast(1)]


class FrameTimes(TypedDict):
    """Samples of the latest frames, in milliseconds."""

    mean_fps: Number
    frame_ms: NotRequired[list[Number]]
    delay_ms: NotRequired[list[Number]]
    prepare_ms: NotRequired[list[Number]]
    candidate_ms: NotRequired[list[Number]]
    reference_ms: NotRequired[list[Number]]


class ErrorFigures(TypedDict):
    """Of a head that answers a number."""

    mean_abs: NotRequired[Number | None]


class ToldClass(TypedDict):
    """Frames that viewers told to show a class."""

    label: str
    frames: Count
    right: Count
    reference_frames: NotRequired[Count]
    reference_right: NotRequired[Count]


class ToldFrames(TypedDict):
    """Frames whose class viewers told."""

    frames: Count
    right: Count
    learned: NotRequired[Count]
    accuracy_interval: NotRequired[Interval | None]
    accuracy_scenes: NotRequired[Count]
    reference_accuracy: NotRequired[Number | None]
    reference_accuracy_interval: NotRequired[Interval | None]
    reference_accuracy_scenes: NotRequired[Count]
    by_class: list[ToldClass]


class CameraModel(TypedDict):
    """A model that looked at the frames."""

    file: str


class SavedFrame(TypedDict):
    """A frame that was kept as an image."""

    file: str
    label: str
    score: Number


class CameraDocument(TypedDict):
    """What ``camera`` writes."""

    source: str
    seconds: Number
    every_frame: NotRequired[bool]
    captured: Count
    answered: Count
    dropped: Count
    reopened: NotRequired[Count]
    labelled: NotRequired[Count]
    right: NotRequired[Count]
    accuracy_interval: NotRequired[Interval | None]
    accuracy_scenes: NotRequired[Count]
    error: NotRequired[ErrorFigures]
    told: NotRequired[ToldFrames]
    model: NotRequired[CameraModel]
    reference: NotRequired[CameraModel]
    saved: NotRequired[list[SavedFrame]]
    times: FrameTimes
