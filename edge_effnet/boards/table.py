"""The table of boards: one row says what decides how fast a network is there.

Sources: the product pages of Raspberry Pi (raspberrypi.com/products) and of Coral
(coral.ai/products). Dot products of 8-bit integers came with Armv8.2: Cortex-A76 has them,
Cortex-A53 and A72 do not.
"""

from __future__ import annotations

from dataclasses import dataclass

THIS = "this"


@dataclass(frozen=True)
class Board:
    """A board, or the machine this runs on.

    Attributes:
        title: as it is sold.
        cpu: its cores' name; of an accelerator, the chip's.
        cores: None for an accelerator.
        clock_ghz: as it is sold; None where it is not known.
        dot_products: whether the CPU multiplies 8-bit integers several at a time; None for an
            accelerator, which computes in int8 alone.
        memory_gb: the sizes it is sold with, or the one of this machine.
        bits: of the systems that run on it.
        figures_of: the board of ``published.REFERENCES`` whose figures count here; None where
            nobody has published any.
        slower: what their times are multiplied by, for the same cores at a lower clock.
        note: what a table cannot say, as a sentence; may be empty.
    """

    name: str
    title: str
    cpu: str
    cores: int | None
    clock_ghz: float | None
    dot_products: bool | None
    memory_gb: tuple[float, ...]
    bits: tuple[int, ...]
    figures_of: str | None
    slower: float = 1.0
    note: str = ""

    @property
    def accelerator(self) -> bool:
        return self.cores is None


_OLD_KERNELS = (
    "The kernels of TensorFlow Lite before XNNPACK gain less: EfficientDet-Lite0 in int8 took "
    "{one} of float's time with one thread and {four} with four."
)
_ROWS = (
    Board(
        "pi3",
        "Raspberry Pi 3 Model B+",
        "Cortex-A53",
        4,
        1.4,
        False,
        (1,),
        (32, 64),
        "pi3",
        note=_OLD_KERNELS.format(one="0.87", four="0.81"),
    ),
    Board(
        "pi4",
        "Raspberry Pi 4 Model B",
        "Cortex-A72",
        4,
        1.5,
        False,
        (1, 2, 4, 8),
        (32, 64),
        "pi4",
        note=_OLD_KERNELS.format(one="0.97", four="0.63"),
    ),
    Board(
        "pi5",
        "Raspberry Pi 5",
        "Cortex-A76",
        4,
        2.4,
        True,
        (1, 2, 4, 8, 16),
        (32, 64),
        "pi5",
    ),
    Board(
        "pizero2",
        "Raspberry Pi Zero 2 W",
        "Cortex-A53",
        4,
        1.0,
        False,
        (0.5,),
        (32, 64),
        "pi3",
        slower=1.4,
        note="Its estimates are those of the pi3, whose cores are the same, at 1.0 instead of "
        "1.4 GHz.",
    ),
    Board(
        "coral",
        "Coral USB Accelerator or Dev Board",
        "Edge TPU",
        None,
        None,
        None,
        (),
        (32, 64),
        "coral",
        note="The file must be compiled (convert --edgetpu), and the times are of USB 3: others "
        "measured three times as much on USB 2, which is all a pi3 and a pizero2 have.",
    ),
)
BOARDS: dict[str, Board] = {row.name: row for row in _ROWS}
BOARD_NAMES = (*BOARDS, THIS)
