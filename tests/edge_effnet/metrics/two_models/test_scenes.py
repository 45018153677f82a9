"""What frames in scenes prove: intervals that hold what they promise, and none from too few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.arrays import Float64Array
from edge_effnet.metrics.intervals import drop_interval_points, mcnemar_p, wilson_interval
from edge_effnet.metrics.two_models.scenes import (
    FEWEST_SCENES,
    KEPT_SIZES,
    SceneCounter,
    SceneSums,
    drop_bounds,
    share_interval_percent,
    sum_scenes,
)

REPEATS = 300


def chain(random: np.random.Generator, scenes: int, share: float, alike: float) -> Float64Array:
    """0 or 1 for each scene, 1 with probability ``share``; neighbours correlate by ``alike``."""
    values = np.zeros(scenes)
    for place, draw in enumerate(random.random(scenes)):
        before = values[place - 1] - share if place else 0.0
        values[place] = draw < share + alike * before
    return values


def covered(scenes: int, share: float, alike: float, even: bool = True) -> float:
    """How often the interval holds the true share, of frames that repeat their scene's answer."""
    random = np.random.default_rng(3)
    held = 0
    for _ in range(REPEATS):
        frames = np.full(scenes, 30.0) if even else random.integers(10, 51, scenes).astype(float)
        hits = frames * chain(random, scenes, share, alike)
        squares = float((frames**2).sum())
        found = share_interval_percent(SceneSums(frames, hits[:, None], scenes, squares))
        assert found is not None
        held += found[0] <= 100 * share <= found[1]
    return held / REPEATS


@pytest.mark.parametrize("share", [0.5, 0.9, 0.97])
@pytest.mark.parametrize("scenes", [30, 100, 1000])
def test_the_interval_holds_the_truth_for_thirty_identical_frames_a_scene(
    scenes: int, share: float
) -> None:
    assert covered(scenes, share, 0) >= 0.93
    assert covered(scenes, share, 0, even=False) >= 0.93


@pytest.mark.parametrize(("scenes", "least"), [(60, 0.88), (300, 0.9), (1000, 0.93)])
def test_the_interval_holds_where_a_scene_resembles_the_last(scenes: int, least: float) -> None:
    """With neighbours counted as independent it would hold in 75 % of cases."""
    assert covered(scenes, 0.7, 0.5) >= least


def test_frames_of_a_scene_count_as_one_image() -> None:
    """30 photos for 30 frames each: as frames they "proved" a gain with p = 4e-25."""
    photos = np.repeat(np.arange(30), 30)
    gained, lost = np.isin(photos, (1, 8, 15, 22)), photos == 29
    assert mcnemar_p(int(lost.sum()), int(gained.sum())) < 1e-10
    bounds = drop_bounds(sum_scenes(photos, lost, gained))
    assert bounds is not None
    low, high = bounds.drop_interval_points
    assert low < 0 < high
    assert bounds.mcnemar_p == pytest.approx(mcnemar_p(1, 4), abs=0.26)
    share = share_interval_percent(sum_scenes(photos, ~lost))
    assert share is not None
    wilson = wilson_interval(29, 30)
    assert share[0] <= 100 * wilson[0]
    assert share[1] - share[0] < 1.5 * 100 * (wilson[1] - wilson[0])


def test_a_true_gain_over_many_scenes_is_still_proven() -> None:
    scenes = np.repeat(np.arange(300), 10)
    gained, lost = scenes % 10 == 0, scenes % 100 == 1
    bounds = drop_bounds(sum_scenes(scenes, lost, gained))
    assert bounds is not None
    assert bounds.drop_interval_points[1] < 0
    assert bounds.mcnemar_p < 0.001


def test_no_difference_is_rarely_called_one() -> None:
    random, wrong, significant = np.random.default_rng(5), 0, 0
    for _ in range(REPEATS):
        draws = np.repeat(random.random(60), 30)
        scenes = np.repeat(np.arange(60), 30)
        bounds = drop_bounds(sum_scenes(scenes, draws < 0.1, draws > 0.9))
        assert bounds is not None
        low, high = bounds.drop_interval_points
        wrong += not low <= 0 <= high
        significant += bounds.mcnemar_p < 0.05
    assert wrong / REPEATS <= 0.07
    assert significant / REPEATS <= 0.05


def test_a_folder_sorted_by_class_is_no_series_in_time() -> None:
    images = np.arange(1000)
    right = np.random.default_rng(6).random(1000) < np.linspace(0.5, 0.9, 10)[images // 100]
    usual = wilson_interval(int(right.sum()), 1000)
    found = share_interval_percent(sum_scenes(images, right, in_time=False))
    assert found == pytest.approx([100 * bound for bound in usual], abs=0.1)
    series = share_interval_percent(sum_scenes(images, right))
    assert series is not None
    assert series[1] - series[0] > 1.5 * (found[1] - found[0])


def test_images_of_their_own_give_nearly_the_usual_interval() -> None:
    random = np.random.default_rng(2)
    lost, gained = random.random(2000) < 0.03, random.random(2000) < 0.02
    lost &= ~gained
    bounds = drop_bounds(sum_scenes(np.arange(2000), lost, gained))
    assert bounds is not None
    usual = drop_interval_points(int(lost.sum()), int(gained.sum()), 2000)
    width = bounds.drop_interval_points[1] - bounds.drop_interval_points[0]
    assert 1 <= width / (usual[1] - usual[0]) < 1.5


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([30] * (FEWEST_SCENES - 1), "570 frames in 19 scenes: too few for an interval"),
        ([9000], "9,000 frames in 1 scene: too few for an interval"),
        (
            [9700, *[10] * 30],
            "10,000 frames in 31 scenes, 97 % of them in one: too few for an interval",
        ),
    ],
)
def test_too_few_scenes_give_no_interval(sizes: list[int], words: str) -> None:
    sums = sum_scenes(np.repeat(np.arange(len(sizes)), sizes), np.ones(sum(sizes), np.bool_))
    assert share_interval_percent(sums) is None
    twice = sum_scenes(np.repeat(np.arange(len(sizes)), sizes), *np.ones((2, sum(sizes)), np.bool_))
    assert drop_bounds(twice) is None
    assert sums.note == words


scenes = st.lists(st.tuples(st.integers(0, 90), st.booleans()), min_size=1, max_size=300)


@given(scenes)
def test_counted_one_by_one_or_all_at_once(frames: list[tuple[int, bool]]) -> None:
    seen: dict[int, int] = {}
    numbers = [seen.setdefault(scene, len(seen)) for scene, _ in frames]
    counter = SceneCounter(1)
    for number, (_, hit) in zip(numbers, frames, strict=True):
        counter.add(number, hit)
    at_once = sum_scenes(np.array(numbers), np.array([hit for _, hit in frames]))
    assert np.array_equal(counter.sums.sizes, at_once.sizes)
    assert np.array_equal(counter.sums.sums, at_once.sums)
    assert counter.sums.count == at_once.count == len(seen)
    assert counter.sums.squares == at_once.squares
    interval = share_interval_percent(at_once)
    if interval is not None:
        share = 100 * float(at_once.sums.sum() / at_once.sizes.sum())
        assert 0 <= interval[0] <= share <= interval[1] <= 100


def test_the_counter_keeps_its_size_for_months() -> None:
    counter = SceneCounter(1, kept=64)
    for scene in range(10_000):
        counter.add(scene, scene % 4 == 0)
        counter.add(scene // 2, scene // 2 % 4 == 0)  # an earlier scene comes back
    sums = counter.sums
    assert len(sums.sizes) <= 64
    assert sums.frames == 20_000
    assert 10_000 <= sums.count <= 10_000 + 5_000  # those that were forgotten count again
    assert len(counter._frames) <= KEPT_SIZES
    assert sums.even_scenes == pytest.approx(sums.count, rel=0.5)
    interval = share_interval_percent(sums)
    assert interval is not None
    assert interval[0] < 25 < interval[1]
    assert interval[1] - interval[0] < 3  # no coarser than 5,000 images
