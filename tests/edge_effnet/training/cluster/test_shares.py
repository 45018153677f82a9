"""Which rows of a batch a worker computes, and that they make the batch of one machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.data.image_sources import for_training, read_image_files
from edge_effnet.data.listing import load_dataset
from edge_effnet.data.pipeline import Batch, training_batches
from edge_effnet.errors import UsageProblem
from edge_effnet.training.cluster.shares import refuse_idle_workers, share_of
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.augment import augment, plan_mix


@pytest.mark.parametrize(("total", "count"), [(8, 2), (7, 3), (32, 5), (3, 3)])
def test_shares_follow_each_other_and_are_alike(total: int, count: int) -> None:
    shares = [share_of(total, index, count) for index in range(count)]
    assert [row for share in shares for row in range(total)[share.rows]] == list(range(total))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert sum(share.part for share in shares) == pytest.approx(1)


@pytest.mark.parametrize("how", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.2, "cutmix": 0.5}])
def test_the_workers_batches_are_the_batch_of_one_machine(
    config: TrainConfig, how: dict[str, float]
) -> None:
    config = replace(config, **({"mixup": 0.0, "cutmix": 0.0} | how))  # type: ignore[arg-type]
    photos, _ = read_image_files(
        load_dataset(Path(config.data)).samples, for_training(32), workers=2
    )

    def batches(rows: slice) -> list[Batch]:
        return list(
            training_batches(
                photos,
                classes=3,
                batch_size=10,
                vary=lambda pixels, random: augment(pixels, config, 32, random),
                mix=lambda count, random: plan_mix(count, 32, config, random),
                seed=3,
                epoch=1,
                rows=rows,
                workers=2,
            )
        )

    parts = [batches(share_of(10, index, 3).rows) for index in range(3)]
    for whole, *shares in zip(batches(slice(None)), *parts, strict=True):
        np.testing.assert_array_equal(np.concatenate([one.images for one in shares]), whole.images)
        np.testing.assert_array_equal(np.concatenate([one.truth for one in shares]), whole.truth)


def test_workers_without_work_are_refused() -> None:
    with pytest.raises(UsageProblem, match="--batch-size 8 and 9 workers"):
        refuse_idle_workers(8, 1000, 9)
    with pytest.raises(UsageProblem, match="3 images and 4 workers"):
        refuse_idle_workers(8, 3, 4)
    refuse_idle_workers(8, 1000, 8)
