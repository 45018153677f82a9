"""``camera`` on a V4L2 device of a real kernel, and on the real Picamera2 and libcamera.

All in one file: one machine runs for them all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import edge_effnet
from edge_effnet.data.demo import demo_model
from tests.camera_machine.growth import growth_mb, watch
from tests.camera_machine.machine import Machine
from tests.camera_machine.runs import PICAMERA2, V4L2, camera

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

IN_WORK = 6
"""Frames on their way at most when a run is stopped: waiting, prepared, in the model, done."""
ROUNDED = 1 / 256
"""An int8 score of another C library's exp."""


def answer(pixels: NDArray[np.uint8]) -> tuple[str, float]:
    """The packaged model's, by the runtime of this machine."""
    model = edge_effnet.open_model(demo_model())
    (best,) = model.classify(pixels, top=1)
    return best.label, best.probability


def frames(machine: Machine, source: str, number: int, *sizes: str) -> dict[str, NDArray[Any]]:
    file = f"{source.rpartition('/')[2]}.npz"
    words = " ".join((source, str(number), f"/share/{file}", *sizes))
    machine.need(f"PYTHONPATH=/code python3 /code/frames.py {words}")
    with np.load(machine.share / file) as found:
        return dict(found)


def picture_of_v4l2(machine: Machine) -> NDArray[np.uint8]:
    """The device's frame, read by another program: RGB."""
    machine.need("v4l2-ctl --stream-mmap --stream-count=1 --stream-to=/share/frame.raw")
    told = machine.need("v4l2-ctl --get-fmt-video")
    assert "'BGR3'" in told
    size = next(line for line in told.splitlines() if "Width/Height" in line)
    width, height = map(int, size.split(":")[1].split("/"))
    bgr = np.fromfile(machine.share / "frame.raw", np.uint8).reshape(height, width, 3)
    return np.ascontiguousarray(bgr[:, :, ::-1])


def free(machine: Machine) -> bool:
    """Whether another program gets the device."""
    return machine.run("v4l2-ctl --stream-mmap --stream-count=1").returncode == 0


def test_v4l2_frames_are_answered_as_here(machine: Machine) -> None:
    machine.need("v4l2-ctl -c horizontal_movement=6,osd_text_mode=0")
    found = frames(machine, "/dev/video0", 4, "640x360")
    machine.need("v4l2-ctl -c horizontal_movement=3")
    pixels = found["640x360-pixels"]
    assert pixels.shape == (4, 360, 640, 3)
    assert (pixels[0] != pixels[3]).any()
    assert (np.diff(found["640x360-frames"]) > 0).all()
    for one, label, score in zip(
        pixels, found["640x360-labels"], found["640x360-scores"], strict=True
    ):
        here = answer(one)
        assert here[0] == label
        assert here[1] == pytest.approx(score, abs=ROUNDED)


def test_the_command_answers_what_the_device_shows(machine: Machine) -> None:
    machine.need("v4l2-ctl -c osd_text_mode=2,test_pattern=0")
    with camera(machine, f"{V4L2} --smooth 0 --size 640x360") as run:
        run.wait_for_answers(2)
        bars = run.answers[-1]
        machine.need("v4l2-ctl -c test_pattern=7")
        run.wait_for_answers(4)
        red = run.answers[-1]
    assert free(machine)
    expected = answer(picture_of_v4l2(machine))
    assert red["raw"] == [expected[0], pytest.approx(expected[1], abs=ROUNDED)]
    machine.need("v4l2-ctl -c test_pattern=0")
    expected = answer(picture_of_v4l2(machine))
    assert bars["raw"] == [expected[0], pytest.approx(expected[1], abs=ROUNDED)]
    assert bars["raw"] != red["raw"]


@pytest.mark.parametrize("signal", ["INT", "TERM"])
def test_every_frame_is_answered_or_counted_as_dropped(machine: Machine, signal: str) -> None:
    """A slow model at a camera of 30 frames a second, and a stop."""
    with camera(machine, V4L2, end=signal) as run:
        run.wait_for_answers(6)
    assert run.code == 0
    assert "Traceback" not in run.said
    assert free(machine)
    figures, numbers = run.figures, [line["frame"] for line in run.answers]
    assert figures["answered"] == len(numbers)
    assert numbers == sorted(set(numbers))
    assert figures["broken"] == figures["reopened"] == 0
    left = figures["captured"] - figures["answered"] - figures["dropped"]
    assert 0 <= left <= IN_WORK
    passed = numbers[-1] + 1 - len(numbers)
    assert passed <= figures["dropped"]
    assert f"{figures['captured']} frames, {len(numbers)} answered" in run.summary


def test_memory_does_not_grow(machine: Machine) -> None:
    """A short form of ``python -m tests.camera_machine.growth``."""
    with camera(machine, V4L2) as run:
        samples = watch(run, 20, every_s=1)
    assert growth_mb(samples) < 3  # a frame has 0.7
    assert len({one.threads for one in samples}) == 1
    open_files = [one.descriptors for one in samples]
    assert max(open_files) - min(open_files) <= 1  # of the board's state, now and then


def test_a_size_that_the_camera_does_not_have(machine: Machine) -> None:
    with camera(machine, f"{V4L2} --size 123x45") as run:
        run.wait_for_answers(1)
    assert run.code == 0
    assert "/dev/video0 gives 320x180, not the 123x45 asked for" in run.said


@pytest.mark.parametrize("failure", ["disconnect", "inject_fatal_streaming_error"])
def test_a_camera_that_fails_on_the_way(machine: Machine, failure: str) -> None:
    with camera(machine, V4L2) as run:
        run.wait_for_answers(2)
        machine.need(f"v4l2-ctl -c {failure}=1")
        run.wait(lambda: any("is back" in note for note in run.notes))
        run.wait_for_answers(2)
    assert run.code == 0
    assert run.figures["reopened"] == 1
    assert run.notes[0] == "/dev/video0: no frame came; trying to open it again"
    assert "reopened 1 time" in run.summary


def test_a_camera_that_is_unplugged_and_comes_back(machine: Machine) -> None:
    driver = "/sys/bus/platform/drivers/vivid"
    with camera(machine, V4L2) as run:
        run.wait_for_answers(2)
        machine.need(f"echo vivid.0 > {driver}/unbind")
        run.wait(lambda: any("there is no camera at" in note for note in run.notes))
        machine.need(f"echo vivid.0 > {driver}/bind")
        run.wait(lambda: any("is back" in note for note in run.notes))
        run.wait_for_answers(2)
    assert run.code == 0
    assert run.figures["reopened"] == 1
    assert run.notes[1:] == [  # the first says that no frame came, or knows already why
        "there is no camera at /dev/video0 (no video device at all); trying on",
        "/dev/video0 is back",
    ]


def test_a_busy_camera(machine: Machine) -> None:
    other = machine.start("echo $$ > /share/other.pid; exec v4l2-ctl --stream-mmap")
    try:
        machine.need("until fuser -s /dev/video0; do sleep 0.1; done")
        done = machine.run(V4L2)
    finally:
        machine.need("kill $(cat /share/other.pid)")
        other.communicate()
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: /dev/video0 is busy; found in use by v4l2-ctl (")


PATTERNS = {"bars": 0, "red": 7, "checkers": 10}


def photograph(machine: Machine, label: str, folder: str) -> None:
    """Photos of a pattern of the device, as one would take them before teaching."""
    machine.need(f"v4l2-ctl -c osd_text_mode=0,test_pattern={PATTERNS[label]}")
    pixels = frames(machine, "/dev/video0", 3, "640x360")["640x360-pixels"]
    for number, one in enumerate(pixels):
        path = machine.share / folder / label / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), cv2.cvtColor(one, cv2.COLOR_RGB2BGR))


def test_a_thing_it_has_never_seen_is_recorded_and_learned(machine: Machine) -> None:
    for label in ("bars", "red"):
        photograph(machine, label, "photos")
    code = "PYTHONPATH=/code python3"
    base = f"/code/{demo_model().relative_to(Path(edge_effnet.__file__).parents[1])}"
    machine.need(
        f"{code} -m edge_effnet teach /share/photos --base {base} --out /share/mine.tflite"
    )
    page = "--smooth 0 --size 640x360 --serve 127.0.0.1:8080 --collect /share/kept"

    def order(path: str, **what: object) -> None:
        machine.need(f"{code} /code/order.py 8080 {path} '{json.dumps(what)}'")

    with camera(machine, f"{V4L2} --model /share/mine.tflite {page}") as run:
        run.wait_for_answers(2)
        machine.need(f"v4l2-ctl -c test_pattern={PATTERNS['checkers']}")
        run.wait_for_answers(2)
        assert run.answers[-1]["raw"][0] != "checkers"
        order("/truth", do="add", label="checkers")
        order("/truth", do="hold", label="checkers")
        run.wait(lambda: len(list(machine.share.glob("kept/photos/checkers/*.jpg"))) >= 3)
        order("/truth", do="release")
        # Another program took the photos of the others, so that learning asks before it does so.
        order("/learn", do="learn", worse=True)
        run.wait(lambda: run.answers[-1]["raw"][0] == "checkers")
        machine.need(f"v4l2-ctl -c test_pattern={PATTERNS['red']}")
        run.wait(lambda: run.answers[-1]["raw"][0] == "red")
        order("/learn", do="back")
        machine.need(f"v4l2-ctl -c test_pattern={PATTERNS['checkers']}")
        run.wait(lambda: any("without checkers" in note for note in run.notes))
        run.wait_for_answers(2)
    assert run.code == 0
    numbers = [line["frame"] for line in run.answers]
    assert numbers == sorted(set(numbers))
    assert len(run.figures["earlier_models"]) == 2


COLOURS = {
    "red": (220, 30, 30), "green": (40, 180, 60), "blue": (30, 50, 190), "yellow": (240, 230, 30),
    "white": (250, 250, 250), "grey": (128, 128, 128), "black": (5, 5, 5), "skin": (200, 150, 120),
}  # fmt: skip


@pytest.fixture(scope="module")
def coloured(machine: Machine) -> list[tuple[int, int, int]]:
    """What libcamera's virtual camera shows: columns of these colours."""
    colours = list(COLOURS.values())
    picture = np.repeat(np.array([colours], np.uint8), 80, axis=1).repeat(480, axis=0)
    file = machine.share / "0.jpg"
    quality = [cv2.IMWRITE_JPEG_QUALITY, 100]
    assert cv2.imwrite(str(file), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
    machine.need("mkdir -p /tmp/pictures && cp /share/0.jpg /tmp/pictures")
    return colours


def test_picamera2_gives_the_right_colours(
    machine: Machine, coloured: list[tuple[int, int, int]]
) -> None:
    """It is asked for RGB and gives NV12; the second size is that of another stream, the third
    one that it does not have."""
    found = frames(machine, "picamera2", 2, "640x480", "1280x720", "800x600")
    shapes = [found[f"{size}-pixels"].shape[1:] for size in ("640x480", "1280x720", "800x600")]
    assert shapes == [(480, 640, 3), (720, 1280, 3), (720, 1280, 3)]
    for size in ("640x480", "1280x720"):
        pixels = found[f"{size}-pixels"][-1]
        step = pixels.shape[1] // len(coloured)
        seen = pixels[pixels.shape[0] // 2, step // 2 :: step]
        assert np.abs(seen.astype(int) - coloured).max() <= 4
        label, score = answer(pixels)
        assert found[f"{size}-labels"][-1] == label
        assert found[f"{size}-scores"][-1] == pytest.approx(score, abs=ROUNDED)


@pytest.mark.usefixtures("coloured")
def test_a_run_on_picamera2(machine: Machine) -> None:
    with camera(machine, f"{PICAMERA2} --size 800x600", end="TERM") as run:
        run.wait_for_answers(4)
    assert run.code == 0
    name = "CSI camera 0 (Virtual Video Device)"
    assert run.said.splitlines() == [
        "note: no --source was given: the first CSI camera is used",
        f"note: {name} gives 1280x720, not the 800x600 asked for",
    ]
    assert run.summary.startswith(f"{name}: {run.figures['captured']} frames, ")
    left = run.figures["captured"] - run.figures["answered"] - run.figures["dropped"]
    assert 0 <= left <= IN_WORK
