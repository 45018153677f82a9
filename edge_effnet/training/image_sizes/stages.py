"""Images that grow while a run trains: which side, batch and strength an epoch has.

As EfficientNetV2 is trained (Tan & Le 2021, arXiv:2104.00298, section 4 and table 6): stages of
equal numbers of epochs, and with the size of the images rise dropout, the strength of augmentation
and mixup. There dropout begins at 0.1 and ends at 0.3, RandAugment's magnitude at 5 and 15 (V2-S),
mixup at 0: a third of the full strength in the first stage, and none of mixup. Crops and flips
stay. No heavy imports.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from edge_effnet.errors import UsageProblem
from edge_effnet.plurals import counted

if TYPE_CHECKING:
    from edge_effnet.training.config import TrainConfig

SMALLEST, LARGEST = 16, 1024
_FIRST_STRENGTH = 1 / 3
# A batch of smaller images may hold so many times as many of them, and leaves an epoch so many
# steps: of few images a large batch makes few steps, and little is learned.
_MOST_TIMES = 4
_FEWEST_STEPS = 32


@dataclass(frozen=True)
class SizeStage:
    """The epochs in which images have one size.

    Attributes:
        first_epoch, last_epoch: from 1; both belong to it.
        side: of the images, in pixels.
        batch_size: images per step.
        steps: of one epoch.
        strength: of augmentation and dropout, as a share of the full one; 1 in the last stage.
        mixing: the same of mixup and cutmix.
        rate: of the learning rate that a schedule gives, the share that is used.
    """

    first_epoch: int
    last_epoch: int
    side: int
    batch_size: int
    steps: int
    strength: float = 1.0
    mixing: float = 1.0
    rate: float = 1.0


def parse_sizes(text: str) -> tuple[int, ...]:
    """``96:160:224`` as sides in pixels.

    Raises:
        UsageProblem: it is not at least two sides that rise.
    """
    if re.fullmatch(r"\d{1,5}(:\d{1,5})+", text):
        sides = tuple(map(int, text.split(":")))
        rising = all(one < other for one, other in pairwise(sides))
        if rising and sides[0] >= SMALLEST and sides[-1] <= LARGEST:
            return sides
    raise UsageProblem(
        "--progressive is not understood",
        found=repr(text),
        expected=f"two or more sides in pixels that rise, {SMALLEST} to {LARGEST}",
        fix="for example --progressive 96:160:224",
    )


def stages_of(config: TrainConfig, side: int, images: int) -> tuple[SizeStage, ...]:
    """The stages of a run, in their order; one where images keep their size.

    Epochs that cannot be divided evenly go to the larger sizes. Where no batch size is given, a
    batch of smaller images holds more of them, so that a step takes about the same memory, and the
    learning rate rises with the square root of that (Malladi et al. 2022, arXiv:2205.10287, for
    optimizers such as Adam and RMSprop).

    Args:
        side: of the network's input, in pixels, which is that of the last stage.
        images: of one epoch.
    """
    epochs, full = config.chosen_epochs, config.chosen_batch_size
    sides = (*(config.sizes or (side,))[:-1], side)
    stages, done = [], 0
    for index, own in enumerate(sides):
        last = epochs * (index + 1) // len(sides)
        share = index / (len(sides) - 1) if len(sides) > 1 else 1.0
        batch = full
        if config.batch_size is None:
            most = max(full, images // _FEWEST_STEPS)
            batch = min(round(full * (side / own) ** 2), _MOST_TIMES * full, most)
        stages.append(
            SizeStage(
                first_epoch=done + 1,
                last_epoch=last,
                side=own,
                batch_size=batch,
                steps=math.ceil(images / batch),
                strength=_FIRST_STRENGTH + (1 - _FIRST_STRENGTH) * share,
                mixing=share,
                rate=math.sqrt(batch / full),
            )
        )
        done = last
    return tuple(stages)


def stage_at(stages: tuple[SizeStage, ...], epoch: int) -> SizeStage:
    """The stage of an epoch; the last one of any after it."""
    return next((stage for stage in stages if epoch <= stage.last_epoch), stages[-1])


def steps_before(stages: tuple[SizeStage, ...], epoch: int) -> int:
    """Steps of all epochs before one."""
    return sum(
        stage.steps * max(0, min(epoch - 1, stage.last_epoch) - stage.first_epoch + 1)
        for stage in stages
    )


def described(stages: tuple[SizeStage, ...]) -> str | None:
    """The stages as a line for the user; None where there is one."""
    if len(stages) == 1:
        return None
    parts = [
        f"{counted(one.last_epoch - one.first_epoch + 1, 'epoch')} at {one.side} px "
        f"(batch {one.batch_size})"
        for one in stages
    ]
    return f"images grow: {', '.join(parts)}; validated at {stages[-1].side} px"
