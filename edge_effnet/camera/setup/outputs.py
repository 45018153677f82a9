"""From the options of ``edge-effnet camera`` to everything that takes answers or frames."""

from __future__ import annotations

import os
from collections.abc import Callable

from edge_effnet.camera.collecting.collector import Collector
from edge_effnet.camera.collecting.review import Review
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.learning.learner import Learner
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.camera.outputs.frame_files import AnswerSaver, DifferenceSaver, parse_saved_answer
from edge_effnet.camera.outputs.group import Outputs
from edge_effnet.camera.outputs.hooks import TOKEN_VARIABLE, CommandHooks, parse_hook
from edge_effnet.camera.outputs.jsonl import JsonLines
from edge_effnet.camera.outputs.page.controls import Controls, Kept
from edge_effnet.camera.outputs.page.frame_publisher import FramePublisher
from edge_effnet.camera.outputs.page.server import Server, parse_address, start_server
from edge_effnet.camera.outputs.pins import OFF_AFTER_S, AnswerPins, parse_pins
from edge_effnet.camera.outputs.record import Recorder
from edge_effnet.camera.outputs.systemd_notify import open_notifier
from edge_effnet.camera.outputs.window import Window
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.camera.setup.options import CameraOptions
from edge_effnet.errors import UsageProblem
from edge_effnet.runtime.classifier import Classifier
from edge_effnet.spelling import read_amount

RECORD_FPS = 10.0
"""Of a recording whose source does not tell its rate."""
MOST_RECORD_FPS = 30.0


def open_outputs(
    options: CameraOptions,
    settings: SessionSettings,
    model: Classifier,
    source_fps: float | None,
    say: Callable[[str], None],
    taps: Taps | None,
) -> tuple[Outputs, Server | None]:
    """Start everything that takes answers.

    Args:
        taps: what viewers of the page may tell; None where they tell nothing.

    Raises:
        EdgeEffnetError: one of them cannot start; those that had are ended.
    """
    outputs, server = Outputs(systemd=open_notifier(say)), None
    floor = DiskFloor(int(read_amount(options.keep_free, "--keep-free")))
    try:
        if options.pin:  # the first: they are the first to be switched off
            pins = parse_pins(options.pin, settings.labels, none=settings.none)
            between_s = 1 / settings.fps if settings.fps else 0.0
            outputs.answers.append(AnswerPins(pins, off_after_s=OFF_AFTER_S + between_s))
        if options.on:
            hooks = [
                parse_hook(name, line, settings.labels, none=settings.none)
                for name, line in options.on
            ]
            outputs.answers.append(CommandHooks(hooks, pause_s=options.on_pause, say=say))
        if options.window:
            outputs.window = Window()
        if options.save_differences:
            outputs.saver = DifferenceSaver(
                options.save_differences, most=options.max_saved or 100, floor=floor, say=say
            )
        if options.collect:
            outputs.collector = Collector(
                options.collect,
                labels=settings.labels,
                region=settings.region,
                preprocess=model.preprocess,
                taps=taps,
                most=options.max_saved or 2000,
                floor=floor,
                say=say,
            )
        if options.serve:
            host, port = parse_address(options.serve)
            outputs.publisher = FramePublisher()
            controls = _controls(options, taps, outputs.collector, say)
            token = os.environ.get(TOKEN_VARIABLE) or None
            server = start_server(outputs.publisher, host, port, token=token, controls=controls)
        if options.save:
            answers = [
                parse_saved_answer(text, settings.labels, settings.none) for text in options.save
            ]
            outputs.answers.append(
                AnswerSaver(
                    answers, options.save_folder, pause_s=options.save_pause, floor=floor, say=say
                )
            )
        if options.record:
            time_lapse = settings.every_s is not None
            source_fps = RECORD_FPS if time_lapse else source_fps
            rates = (source_fps or RECORD_FPS, options.fps or MOST_RECORD_FPS, MOST_RECORD_FPS)
            outputs.recorder = Recorder(
                options.record,
                fps=min(rates),
                region=settings.region,
                every_frame=settings.pace.every_frame,
                overwrite=options.force,
                floor=floor,
                say=say,
                time_lapse=time_lapse,
            )
        if options.mqtt or options.mqtt_file:
            from edge_effnet.camera.outputs.mqtt import open_publisher

            outputs.answers.append(open_publisher(options, settings, model.head.task, say))
        if (lines := options.jsonl or options.append) is not None:  # the last: it empties the file
            outputs.jsonl = JsonLines(
                lines,
                overwrite=options.force,
                floor=floor,
                say=say,
                append=options.append is not None,
            )
    except BaseException:
        outputs.end_answers()
        outputs.end()
        if server is not None:
            server.end()
        raise
    return outputs, server


def refuse_other_names(options: CameraOptions, new: SessionSettings, old: SessionSettings) -> None:
    """Refuse a model that does not know the labels that options name, or spells them otherwise:
    what waits for an answer knows it by its spelling.

    Raises:
        UsageProblem: it does not.
    """
    if _named(options, new) != _named(options, old):
        raise UsageProblem(
            "the new file spells labels otherwise that --on, --pin or --save name",
            fix="start the camera again",
        )


def _named(options: CameraOptions, settings: SessionSettings) -> tuple[object, ...]:
    labels, none = settings.labels, settings.none
    return (
        parse_pins(options.pin, labels, none=none) if options.pin else (),
        [parse_hook(name, line, labels, none=none) for name, line in options.on],
        [parse_saved_answer(text, labels, none) for text in options.save],
    )


def _controls(
    options: CameraOptions,
    taps: Taps | None,
    collector: Collector | None,
    say: Callable[[str], None],
) -> Controls:
    """What viewers can change. They label and learn where photos are kept, and only a model that
    was named learns: the packaged one is not the user's to replace."""
    if taps is None or collector is None or options.collect is None:
        return Controls(taps)
    learner, review = None, Review(options.collect, taps)
    own = (options.labels, options.preprocess, options.head)  # what is learned has its own inside
    if options.model is not None and not any(own):
        files = [options.model, *filter(None, (options.compare,))]
        learner = Learner(files, options.collect, flush=collector.flush, say=say)
    return Controls(taps, Kept(collector, review, learner))
