"""The official Keras weight files: where they lie, their checksums, and the cache.

Addresses and checksums as published in ``keras.applications`` (Apache-2.0), files with the
ImageNet classifier. Google published no Keras file for Lite and EdgeTPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import WeightsError, cannot_write
from edge_effnet.files.cache import cache_folder
from edge_effnet.network.backend import pooch_module
from edge_effnet.network.weights.download import download
from edge_effnet.network.weights.first_read import remember
from edge_effnet.network.weights.pytorch.timm import timm_page

V1_FOLDER = "https://storage.googleapis.com/keras-applications/"
V2_FOLDER = "https://storage.googleapis.com/tensorflow/keras-applications/efficientnet_v2/"
MD5 = {
    "efficientnetb0": "902e53a9f72be733fc0bcb005b3ebbac",
    "efficientnetb1": "1d254153d4ab51201f1646940f018540",
    "efficientnetb2": "b15cce36ff4dcbd00b6dd88e7857a6ad",
    "efficientnetb3": "ffd1fdc53d0ce67064dc6a9c7960ede0",
    "efficientnetb4": "18c95ad55216b8f92d7e70b3a046e2fc",
    "efficientnetb5": "ace28f2a6363774853a83a0b21b9421a",
    "efficientnetb6": "165f6e37dce68623721b423839de8be5",
    "efficientnetb7": "8c03f828fec3ef71311cd463b6759d99",
    "efficientnetv2-b0": "21ecbf6da12460d5c40bb2f29ceb2188",
    "efficientnetv2-b1": "069f0534ff22adf035c89e2d9547a9dc",
    "efficientnetv2-b2": "424e49f28180edbde1e94797771950a7",
    "efficientnetv2-b3": "1f1fc43bd98a6e4fd8fdfd551e02c7a0",
    "efficientnetv2-s": "e1d88a8495beba45748fedd0cecbe016",
    "efficientnetv2-m": "a3bf6aa3276309f4fc6a34aa114c95cd",
    "efficientnetv2-l": "27e6d408b53c7ebc868fefa357689935",
}


@dataclass(frozen=True)
class OfficialFile:
    name: str
    url: str
    md5: str


def official_file(spec: VariantSpec) -> OfficialFile:
    """The official file of a variant.

    Raises:
        WeightsError: there is none for it.
    """
    stem = spec.official_weights
    if stem is None or stem not in MD5 or spec.blocks is not None:
        page = timm_page(spec)
        raise WeightsError(
            f"there are no official Keras weights for {spec.name}",
            expected="b0…b7 or a v2 variant, the only ones published; lite0 to lite2 are packages",
            fix="choose one of those, train this one (edge-effnet train), or give --weights FILE"
            + (f", such as model.safetensors of {page}, kept beside its config.json" * bool(page)),
        )
    folder = V2_FOLDER if stem.startswith("efficientnetv2") else V1_FOLDER
    return OfficialFile(f"{stem}.h5", f"{folder}{stem}.h5", MD5[stem])


def fetch_official(spec: VariantSpec) -> Path:
    """The official file of a variant, from the cache or downloaded into it.

    Raises:
        WeightsError: there is none, it cannot be downloaded, or it is not the published one.
        OutputError: the cache cannot be written.
    """
    file = official_file(spec)
    return fetch(file.url, cache_folder() / file.name, md5=file.md5)


def fetch(url: str, target: Path, *, md5: str, timeout: float = 30.0) -> Path:
    """Download ``url`` to ``target``, unless the file with this checksum is there.

    Args:
        md5: hexadecimal, as published.
        timeout: seconds without a single byte before giving up.

    Returns:
        ``target``, which is written whole and verified, or not at all.

    Raises:
        WeightsError: not reachable, cut off, endless, or another checksum.
        OutputError: ``target`` cannot be written.
        MissingExtra: pooch is not installed.
    """
    pooch = pooch_module()
    pooch.get_logger().setLevel("WARNING")
    downloader = partial(download, timeout=timeout)
    try:
        pooch.retrieve(url, f"md5:{md5}", target.name, target.parent, downloader=downloader)
    except ValueError as error:  # the checksum, but for the errors of requests that are both
        if isinstance(error, OSError):
            raise _unreachable(url, target, error) from error
        raise WeightsError(
            f"{url} is not the published file; nothing was kept",
            found=str(error).partition(". ")[0],
            expected=f"md5 {md5}",
            fix=f"try again without a proxy that alters downloads, or put the right file "
            f"at {target}, or give --weights FILE",
        ) from error
    except OSError as error:
        if hasattr(error, "request"):  # of requests
            raise _unreachable(url, target, error) from error
        raise cannot_write(
            target,
            error,
            fix="free space and permissions there, or set EDGE_EFFNET_CACHE to another folder",
        ) from error
    remember(target)
    return target


def _unreachable(url: str, target: Path, error: BaseException) -> WeightsError:
    cause = error
    while cause.__context__ is not None:  # requests wraps what urllib3 wraps
        cause = cause.__context__
    return WeightsError(
        f"the official weights {target.name} cannot be downloaded from {url}",
        found=(str(cause) or type(cause).__name__)
        + (f"; {target} is not the published file" if target.exists() else ""),
        fix=f"connect and try again, put the file at {target} by hand, or use "
        "--weights FILE or --weights demo",
    )
