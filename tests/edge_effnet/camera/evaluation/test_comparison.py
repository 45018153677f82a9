"""The comparison on the feed: exact counts, a bounded sample, and compare's own report."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.camera.evaluation import comparison as compare
from edge_effnet.camera.evaluation.comparison import FeedComparison
from edge_effnet.camera.frames import ComparedFrame, Frame, FrameScores
from edge_effnet.metrics import HashedFile, Predictions, Summary
from edge_effnet.metrics.two_models.frames import compare_frames
from tests.edge_effnet.camera.conftest import plain

LABELS = ("red", "green", "blue")
FILE = HashedFile(Path("model.tflite"), "00", 1)
PIXELS = plain("red", 4, 4)


def pair_of(number: int, ours: np.ndarray, theirs: np.ndarray, scene: int = 0) -> ComparedFrame:
    frame = Frame(PIXELS, number, number, number / 10, time.monotonic())
    return ComparedFrame(FrameScores(frame, ours, 0.1, 1.0, frame.captured_s, scene), theirs, 2.0)


def softmaxed(rows: int, seed: int) -> np.ndarray:
    scores = np.exp(np.random.default_rng(seed).normal(0, 1, (rows, 3)))
    return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("with_truth", [True, False])
def test_the_report_is_what_compare_says_of_the_same_scores(with_truth: bool) -> None:
    theirs = softmaxed(200, 1)
    ours = softmaxed(200, 1) * np.float32(0.9) + softmaxed(200, 2) * np.float32(0.1)
    truth = np.random.default_rng(3).integers(0, 3, 200)
    paths = tuple(Path(f"clip#{number}") for number in range(200))
    feed = FeedComparison(LABELS, "clip", with_truth=with_truth)
    for i in range(200):
        pair = pair_of(i, ours[i], theirs[i], scene=i // 4)
        feed.add(pair, (int(truth[i]),) if with_truth else None)
    given = truth if with_truth else None
    expected = compare_frames(
        Predictions(theirs, given, paths, LABELS, FILE),
        Predictions(ours, given, paths, LABELS, FILE),
        np.arange(200) // 4,
    )
    report = feed.report(FILE, FILE)
    assert report is not None
    assert report.to_json() == expected.to_json()
    agreement = feed.agreement
    assert agreement is not None
    assert agreement.percent == pytest.approx(expected.agreement_percent)
    assert agreement.interval_percent == pytest.approx(expected.agreement_interval_percent)
    assert (agreement.frames, agreement.scenes) == (200, 50)
    assert expected.score_error is not None
    assert feed.difference.mean_abs == pytest.approx(expected.score_error.mean_abs, rel=1e-5)
    shares = [tally.share for tally in feed.right]
    if with_truth:
        for share, summary in zip(shares, (expected.candidate, expected.reference), strict=True):
            assert isinstance(summary, Summary)
            assert share is not None
            assert share.percent == pytest.approx(summary.top1_percent)
            assert share.interval_percent == pytest.approx(summary.top1_interval_percent)
    else:
        assert shares == [None, None]


def test_disagreements_are_counted_by_class() -> None:
    feed = FeedComparison(LABELS)
    red, blue = np.array([1, 0, 0], np.float32), np.array([0, 0, 1], np.float32)
    for number in range(5):
        feed.add(pair_of(number, blue if number < 3 else red, red), None, Path("x"))
    assert feed.to_json()["disagreements"] == [
        {"reference": "red", "candidate": "blue", "frames": 3}
    ]
    assert (feed.frames, feed.agreed.hits) == (5, 2)


def test_nothing_compared_is_no_report() -> None:
    feed = FeedComparison(LABELS)
    assert feed.report(FILE, FILE) is None
    assert feed.agreement is None
    assert feed.to_json()["compared"] == 0


def test_memory_is_bounded_and_the_sample_is_fair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "KEPT_FRAMES", 100)
    feed, scores = FeedComparison(LABELS), np.array([1, 0, 0], np.float32)
    for number in range(2000):
        feed.add(pair_of(number, scores, scores, number // 50), None, Path(str(number)))
    report = feed.report(FILE, FILE)
    assert report is not None
    assert report.images == 100
    assert report.scenes is not None
    assert 30 < report.scenes.count <= 40  # a frame keeps its scene
    assert feed.frames == 2000
    numbers = [int(path.name) for path in report.reference_predictions.paths]
    assert len(set(numbers)) == 100
    assert 800 < np.mean(numbers) < 1200  # of 0 to 1999: neither the first nor the last
    assert len(feed.history) == 0
    for time_s in range(1000):
        feed.mark_history(float(time_s))
    assert len(feed.history) == compare.HISTORY_POINTS


def test_frames_without_a_known_class_stay_out_of_a_report_with_truth() -> None:
    feed = FeedComparison(LABELS, with_truth=True)
    scores = np.array([1, 0, 0], np.float32)
    for number in range(10):
        known = (0,) if number % 2 else None
        feed.add(pair_of(number, scores, scores), known, Path(str(number)))
    report = feed.report(FILE, FILE)
    assert report is not None
    assert (report.images, feed.frames, feed.right[0].frames) == (5, 10, 5)
