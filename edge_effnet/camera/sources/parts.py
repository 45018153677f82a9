"""The parts of an MJPEG stream: bytes from a sender that is not trusted, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

from edge_effnet.camera.sources.base import SourceLost
from edge_effnet.camera.sources.jpeg import START
from edge_effnet.files.limits import FRAME_BYTES

_HEAD_BYTES = 2**20
"""How far an image's beginning is searched for: headers, and what a wrong length left over."""
_LENGTH_DIGITS = 12
_BLANK, _END = b"\r\n\r\n", b"\xff\xd9"
_END_OF_PART = _END + b"\r\n--"


class PartReader:
    """Reads the parts of ``multipart/x-mixed-replace``, one image each.

    A part's own length is used where it is given. Else the image ends at the JPEG end marker that
    a boundary follows.

    Args:
        read: gives the next bytes; raises SourceLost.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read, self._buffer = read, bytearray()

    def __call__(self) -> bytes:
        """The bytes of the next image.

        Raises:
            SourceLost: nothing comes, it is no image, or one above ``FRAME_BYTES``.
        """
        length = self._head()
        most = FRAME_BYTES.value
        if length is None:
            return self._take(self._find(_END_OF_PART, len(START), most) + len(_END))
        if length > most:
            raise self._too_large(most)
        while len(self._buffer) < length:
            self._buffer += self._read()
        return self._take(length)

    def _head(self) -> int | None:
        """Drop a part's headers from the buffer; the length that they give, if any."""
        searched = dropped = 0
        while dropped + len(self._buffer) <= _HEAD_BYTES:
            blank = self._buffer.find(_BLANK, searched)
            start = self._buffer.find(START, searched, None if blank < 0 else blank)
            if start >= 0 or blank >= 0:
                end = start if start >= 0 else blank + len(_BLANK)
                head = self._take(end)
                length = _content_length(head)
                if length is not None or start >= 0:
                    return length
                if self._starts_image():
                    return None
                searched, dropped = 0, dropped + len(head)  # lines of something else
                continue
            searched = max(0, len(self._buffer) - len(_BLANK) + 1)
            self._buffer += self._read()
        raise SourceLost("what it sends are no images")

    def _starts_image(self) -> bool:
        while len(self._buffer) < len(START):
            self._buffer += self._read()
        return self._buffer.startswith(START)

    def _find(self, mark: bytes, searched: int, most: int) -> int:
        while (found := self._buffer.find(mark, searched)) < 0:
            if len(self._buffer) > most:
                raise self._too_large(most)
            searched = max(searched, len(self._buffer) - len(mark) + 1)
            self._buffer += self._read()
        return found

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    @staticmethod
    def _too_large(most: int) -> SourceLost:
        return SourceLost(f"an image above {most} bytes ({FRAME_BYTES.variable} raises the limit)")


def _content_length(head: bytes) -> int | None:
    """Of a part's headers, the lines at the end of ``head``; 12 digits at most are a length."""
    for line in head.rsplit(b"\n", 24):
        name, _, value = line.partition(b":")
        value = value.strip()
        if name.strip().lower() == b"content-length" and value.isdigit():
            return int(value) if len(value) <= _LENGTH_DIGITS else 10**_LENGTH_DIGITS
    return None
