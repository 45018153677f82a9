"""What kind of image a file holds, told from its first bytes, and whether OpenCV decodes it.

A suffix proves nothing: phones name HEIC files .jpg, exports drop the suffix. Sixteen to
thirty-two bytes tell the formats apart, as ``file`` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2

from edge_effnet.errors import DataError
from edge_effnet.files.read import open_file

HEAD_BYTES = 32


@dataclass(frozen=True)
class ImageKind:
    """One row of the table.

    Attributes:
        suffix: by which an OpenCV build is asked whether it has the codec; empty: none has.
    """

    name: str
    start: re.Pattern[bytes]
    suffix: str


def _kind(name: str, start: bytes, suffix: str) -> ImageKind:
    return ImageKind(name, re.compile(start, re.DOTALL), suffix)


# Signatures: the formats' own documents, as collected in the database of file(1).
KINDS = (
    _kind("JPEG", rb"\xff\xd8\xff", ".jpg"),
    _kind("PNG", rb"\x89PNG\r\n\x1a\n", ".png"),
    _kind("WebP", rb"RIFF.{4}WEBP", ".webp"),
    # The size of the header that follows keeps a text that begins with BM out.
    _kind("BMP", rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", ".bmp"),
    _kind("GIF", rb"GIF8[79]a", ".gif"),
    _kind("camera raw", rb"II\*\0.{4}CR|.{4}ftypcrx |FUJIFILMCCD-RAW|IIU\0|IIR[OS]", ""),
    _kind("TIFF", rb"II[*+]\0|MM\0[*+]", ".tif"),
    _kind("PNM", rb"P[1-6]\s+[#\d]", ".ppm"),
    _kind("PAM", rb"P7\n", ".pam"),
    _kind("PFM", rb"P[Ff]\s+\d", ".pfm"),
    _kind("JPEG 2000", rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", ".jp2"),
    # A major brand of mif1 says "HEIF"; the compatible ones behind it say which codec.
    _kind("AVIF", rb".{4}ftyp(avi[fs]|m[is]f1.{4}(.{4})*?avi[fs])", ".avif"),
    _kind("HEIC", rb".{4}ftyp(he[iv][cxms]|m[is]f1)", ""),
    _kind("Radiance HDR", rb"#\?R(ADIANCE|GBE)", ".hdr"),
    _kind("Sun raster", rb"\x59\xa6\x6a\x95", ".ras"),
    _kind("OpenEXR", rb"v/1\x01", ".exr"),
    _kind("JPEG XL", rb"\xff\x0a|\0\0\0\x0cJXL ", ".jxl"),
    _kind("Photoshop", rb"8BPS", ""),
)


def kind_of(head: bytes) -> ImageKind | None:
    """The kind of image whose file begins with ``head``; ``HEAD_BYTES`` are looked at."""
    head = head[:HEAD_BYTES]
    return next((kind for kind in KINDS if kind.start.match(head)), None)


def kind_of_file(path: Path) -> ImageKind | None:
    """The kind of a regular file; None for no image, or for what cannot be read."""
    try:
        with open_file(path) as file:
            return kind_of(file.read(HEAD_BYTES))
    except (DataError, OSError):
        return None


@cache
def decodable(kind: ImageKind) -> bool:
    """Whether this machine's OpenCV decodes such files."""
    # OpenCV asks for readers by a file, for writers by a suffix; a build has both or neither.
    return bool(kind.suffix) and bool(cv2.haveImageWriter(kind.suffix))


def remedy(kind: ImageKind) -> str:
    """How images of a kind that OpenCV does not decode become ones that it does."""
    if kind.name != "HEIC":
        return "convert them to JPEG or PNG"
    return (
        "export them as JPEG (Photos on a Mac: File > Export; elsewhere: "
        "heif-convert IMG.HEIC IMG.jpg) and set an iPhone to Camera > Formats > Most Compatible"
    )
