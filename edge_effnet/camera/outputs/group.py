"""All outputs of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edge_effnet.camera.collecting.collector import Collector
from edge_effnet.camera.outputs.base import AnswerOutput
from edge_effnet.camera.outputs.frame_files import AnswerSaver, DifferenceSaver
from edge_effnet.camera.outputs.jsonl import JsonLines
from edge_effnet.camera.outputs.page.frame_publisher import FramePublisher
from edge_effnet.camera.outputs.record import Recorder
from edge_effnet.camera.outputs.systemd_notify import SystemdNotifier
from edge_effnet.camera.outputs.window import Window
from edge_effnet.camera.settings import SessionSettings


@dataclass
class Outputs:
    """Where the answers go; each may be missing.

    Attributes:
        answers: those that take the model's answers alone.
    """

    answers: list[AnswerOutput] = field(default_factory=list)
    jsonl: JsonLines | None = None
    publisher: FramePublisher | None = None
    recorder: Recorder | None = None
    saver: DifferenceSaver | None = None
    collector: Collector | None = None
    window: Window | None = None
    systemd: SystemdNotifier | None = None

    @property
    def problems(self) -> list[str]:
        """Why an output is cut or missing."""
        writers = (self.jsonl, self.recorder, self.saver, self.collector, *self.answers)
        return [one.problem for one in writers if one is not None and one.problem is not None]

    @property
    def saved(self) -> list[dict[str, Any]]:
        """Frames that were kept for their answer, as JSON; once the run is over."""
        savers = [one for one in self.answers if isinstance(one, AnswerSaver)]
        return [frame.to_json() for one in savers for frame in one.saved]

    def take_over(self, settings: SessionSettings) -> None:
        """Another model answers from now on."""
        for answers in self.answers:
            answers.take_over(settings)
        if self.collector is not None:
            self.collector.take_over(settings.labels)

    def end_answers(self) -> None:
        """No answer comes any more; pins are switched off before a camera is awaited."""
        for answers in self.answers:
            answers.end()

    def end(self) -> None:
        for output in (self.recorder, self.saver, self.collector, self.window, self.jsonl):
            if output is not None:
                output.end()
