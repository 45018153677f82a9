"""From the options of ``edge-effnet camera`` to open models and settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import SimpleQueue

from edge_effnet.camera.answering import FeedModels
from edge_effnet.camera.evaluation.ground_truth import read_ground_truth
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.evaluation.trained_on import HeldOutTruth
from edge_effnet.camera.memory import keep_memory_flat
from edge_effnet.camera.outputs.page.server import Server
from edge_effnet.camera.session import Session
from edge_effnet.camera.setup.address_file import read_address_file
from edge_effnet.camera.setup.following import ModelFollower
from edge_effnet.camera.setup.models import Models, file_states, open_feed_models
from edge_effnet.camera.setup.options import CameraOptions
from edge_effnet.camera.setup.outputs import open_outputs, refuse_other_names
from edge_effnet.camera.sources.base import CameraRequest, FrameSource
from edge_effnet.camera.sources.kinds import default_source, open_source
from edge_effnet.camera.thermal import BoardMonitor
from edge_effnet.data.folders import left_out_lines
from edge_effnet.spelling import read_size


@dataclass(frozen=True)
class CameraRun:
    """Everything opened for a run.

    Attributes:
        held_out: the ground truth without frames the models were trained on; None where all
            frames count.
        truth_notes: how the truth was read.
        follower: of the model files; None where they are not followed.
    """

    session: Session
    source: FrameSource
    held_out: HeldOutTruth | None
    truth_notes: tuple[str, ...]
    server: Server | None
    follower: ModelFollower | None

    def end(self) -> None:
        if self.follower is not None:
            self.follower.end()
        if self.server is not None:
            self.server.end()


def _notices(models: Models) -> list[str]:
    """What the user should know about how the models run."""
    opened = filter(None, (models.model, models.reference))
    return [line for classifier in opened for line in classifier.notices]


def _other_size(source: FrameSource, asked: CameraRequest) -> list[str]:
    """A line where a camera gives frames of another size than ``--size``."""
    if asked.width is None or source.size in (None, (asked.width, asked.height)):
        return []
    given = "x".join(map(str, source.size or ()))
    return [f"{source.name} gives {given}, not the {asked.width}x{asked.height} asked for"]


def open_run(
    options: CameraOptions, *, say: Callable[[str], None], show_status: Callable[[str], None]
) -> CameraRun:
    """Open models, truth, source and outputs; what can be refused is refused before a camera
    starts.

    Args:
        say: tells the user something.
        show_status: called often with the status line.

    Raises:
        EdgeEffnetError: something cannot be opened, or does not fit the rest.
    """
    keep_memory_flat()
    if options.source_file is not None:
        example = "http://user:password@192.168.1.20/stream.mjpg"
        address = read_address_file(options.source_file, "--source", example)
        options = replace(options, source=address)
    name = options.source
    if not name:
        name, why = default_source()
        say(why)
    width, height = read_size(options.size) if options.size else (None, None)
    request = CameraRequest(width, height, options.fps)
    states = file_states(options)
    feed_models, models = open_feed_models(name, options)
    for line in _notices(models):
        say(line)
    settings = feed_models.settings
    truth, truth_notes = None, list[str]()
    if options.truth:
        head, note = models.model.head, truth_notes.append
        truth = read_ground_truth(options.truth, name, models.names, head, note)
    for line in truth_notes:
        say(line)
    known = feed_models.records
    held_out = HeldOutTruth(truth, known) if truth and known else None
    taps = None
    if options.serve and truth is None and models.model.head.task == "classes":
        taps = Taps(settings.labels, may_add=options.collect is not None)
    notes: SimpleQueue[str] = SimpleQueue()
    source = open_source(name, request)
    for line in (*left_out_lines(source.left_out), *_other_size(source, request)):
        say(line)
    try:
        outputs, server = open_outputs(options, settings, models.model, source.fps, notes.put, taps)
    except BaseException:
        source.close()
        raise
    if server is not None:
        say(f"the page is at {server.url}")

    def reopened() -> FeedModels:
        """The models as their files are now, where they can take over."""
        opened, files = open_feed_models(name, options)
        refuse_other_names(options, opened.settings, settings)
        for line in _notices(files):
            notes.put(line)
        return opened

    follower = None
    if options.model is not None and truth is None:  # a truth is read for the labels of the first
        follower = ModelFollower(
            lambda: file_states(options), states, feed_models, reopened, notes.put
        )
    session = Session(
        feed_models,
        source,
        lambda: open_source(name, request),
        truth=held_out or truth,
        taps=taps,
        new_models=follower.take if follower is not None else lambda: None,
        outputs=outputs,
        notes=notes,
        say=say,
        show_status=show_status,
        monitor=BoardMonitor(),
    )
    return CameraRun(session, source, held_out, tuple(truth_notes), server, follower)
