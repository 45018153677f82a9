"""How large what others made may be, before any memory is taken for it.

A file states its own sizes, and a damaged or hostile one states any: an image of a megabyte can
claim four thousand megapixels. Each limit is far above what the job needs, and an environment
variable raises it for who needs more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NoReturn

from edge_effnet.errors import EdgeEffnetError, UsageProblem

_HIGHEST = 10**18


@dataclass(frozen=True)
class Limit:
    """The largest value that is accepted.

    Attributes:
        variable: the environment variable that sets another one, a whole number.
        default: without the variable.
        unit: of both.
        of: what is limited, for the documents.
    """

    variable: str
    default: int
    unit: str
    of: str

    @property
    def value(self) -> int:
        """The limit that holds.

        Raises:
            UsageProblem: the variable is no whole number above 0.
        """
        text = os.environ.get(self.variable)
        if text is None:
            return self.default
        if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text)):
            raise UsageProblem(
                f"the environment variable {self.variable} is no limit",
                found=repr(text[:40]),
                expected=f"a whole number of {self.unit} above 0",
                fix=f"unset {self.variable}, or set it to a number such as {self.default}",
            )
        return int(text)

    def check(
        self, found: int, name: str, error: type[EdgeEffnetError], *, what: str = "claims"
    ) -> None:
        """Refuse what is larger.

        Args:
            found: in the limit's unit.
            name: of the file or sender, for the message.
            what: the verb between name and figure.

        Raises:
            error: ``found`` is above the limit.
        """
        if found > self.value:
            way_out = f"; if it is right, set {self.variable}={found}" * (found < _HIGHEST)
            raise error(
                f"{name} {what} more than the limit for {self.of}",
                found=_count(found, self.unit),
                expected=f"at most {_count(self.value, self.unit)}",
                fix=f"check where it comes from{way_out}",
            )

    def refuse(self, name: str, error: type[EdgeEffnetError]) -> NoReturn:
        """Refuse what a library found to be larger.

        Raises:
            error: always.
        """
        raise error(
            f"{name} claims more than the limit for {self.of}",
            expected=f"at most {_count(self.value, self.unit)}",
            fix=f"check where it comes from; if it is right, set {self.variable} to a higher one",
        )


def _count(number: int, unit: str) -> str:
    shown = f"{number:,}" if number < _HIGHEST else "over 10^18"
    return f"{shown} {unit}"


_MIB = 2**20

IMAGE_PIXELS = Limit("EDGE_EFFNET_MAX_IMAGE_PIXELS", 100_000_000, "pixels", "images")
IMAGE_BYTES = Limit("EDGE_EFFNET_MAX_IMAGE_BYTES", 256 * _MIB, "bytes", "image files")
FRAME_PIXELS = Limit("EDGE_EFFNET_MAX_FRAME_PIXELS", 36_000_000, "pixels", "camera frames")
FRAME_BYTES = Limit("EDGE_EFFNET_MAX_FRAME_BYTES", 32 * _MIB, "bytes", "a camera's encoded frames")
MODEL_BYTES = Limit("EDGE_EFFNET_MAX_MODEL_BYTES", 1024 * _MIB, "bytes", "model files")
MEMBER_BYTES = Limit("EDGE_EFFNET_MAX_MEMBER_BYTES", 1024 * _MIB, "bytes", "a file in an archive")
CARD_BYTES = Limit("EDGE_EFFNET_MAX_CARD_BYTES", 16 * _MIB, "bytes", "a model's card and labels")
RESULTS_BYTES = Limit(
    "EDGE_EFFNET_MAX_RESULTS_BYTES", 8192 * _MIB, "bytes", "all results of a network together"
)
ACTIVATION_BYTES = Limit(
    "EDGE_EFFNET_MAX_ACTIVATION_BYTES", 768 * _MIB, "bytes", "what a .tflite computes at once"
)
TRIAL_S = Limit("EDGE_EFFNET_MAX_TRIAL_S", 60, "seconds", "the first run of a .tflite")
LOOP_S = Limit(
    "EDGE_EFFNET_MAX_LOOP_S", 4, "seconds", "the first run of a .tflite with a loop in it"
)
CONFIG_BYTES = Limit(
    "EDGE_EFFNET_MAX_CONFIG_BYTES", 16 * _MIB, "bytes", "a Keras network's configuration"
)
WEIGHTS_BYTES = Limit("EDGE_EFFNET_MAX_WEIGHTS_BYTES", 2048 * _MIB, "bytes", "all arrays of a file")
TEXT_BYTES = Limit("EDGE_EFFNET_MAX_TEXT_BYTES", 64 * _MIB, "bytes", "label, CSV and JSON files")
DOWNLOAD_BYTES = Limit("EDGE_EFFNET_MAX_DOWNLOAD_BYTES", 1024 * _MIB, "bytes", "downloads")
DOWNLOAD_S = Limit("EDGE_EFFNET_MAX_DOWNLOAD_S", 3600, "seconds", "one download")
REMOTE_FILES = Limit("EDGE_EFFNET_MAX_REMOTE_FILES", 100_000, "files", "a folder on a Pi")
COLLECTED_BYTES = Limit(
    "EDGE_EFFNET_MAX_COLLECTED_BYTES", 16_384 * _MIB, "bytes", "photos of one pull"
)

LIMITS = (
    IMAGE_PIXELS,
    IMAGE_BYTES,
    FRAME_PIXELS,
    FRAME_BYTES,
    MODEL_BYTES,
    MEMBER_BYTES,
    CARD_BYTES,
    RESULTS_BYTES,
    ACTIVATION_BYTES,
    TRIAL_S,
    LOOP_S,
    CONFIG_BYTES,
    WEIGHTS_BYTES,
    TEXT_BYTES,
    DOWNLOAD_BYTES,
    DOWNLOAD_S,
    REMOTE_FILES,
    COLLECTED_BYTES,
)
