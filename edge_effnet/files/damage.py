"""What reading a damaged archive, HDF5 or array file can raise."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib

DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,  # zipfile's, of a compression that is none
    OSError,
    RecursionError,
    RuntimeError,
    SyntaxError,  # NumPy's, of the header of an array, as is TokenError
    SystemError,  # h5py's, of damage inside a callback
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def reason(error: BaseException) -> str:
    """What a library says of the damage, in one line that is not too long."""
    said = " ".join(str(error).split())[:160]
    return said or type(error).__name__
