"""What a Keras file holds, by its bytes: the configuration, and where its weights lie.

Declared sizes are compared with the file's own before anything of that size is read.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.errors import EdgeEffnetError, ModelError
from edge_effnet.files.damage import DAMAGE, reason
from edge_effnet.files.limits import CONFIG_BYTES, MEMBER_BYTES
from edge_effnet.files.read import open_file
from edge_effnet.files.zip_members import open_zip, read_member
from edge_effnet.network.backend import h5py_module
from edge_effnet.network.weights.first_read import open_hdf5

Config = dict[str, Any]
_ZIP = b"PK"
_RATIO = 50  # Keras stores weights uncompressed; what a user zipped again shrinks by a tenth
_SMALL = 1 << 20


@dataclass(frozen=True)
class KerasContent:
    """An opened file.

    Attributes:
        config: of the network, as it stands in the file.
        keras: major version of the Keras that wrote it.
        weights: the open HDF5: the group ``model_weights`` of a whole ``.h5``, or the root of a
            ``.keras`` file's ``model.weights.h5``.
        values: how many numbers are stored there.
        raw_weights: the bytes of ``model.weights.h5``; None for ``.h5``.
    """

    config: Config
    keras: int
    weights: Any
    values: int
    raw_weights: bytes | None = None


@contextmanager
def open_keras(path: Path) -> Iterator[KerasContent]:
    """Open a ``.h5`` or ``.keras`` file, whatever its name.

    Raises:
        ModelError: missing, of another kind, damaged, weights without their network, or with
            sizes that the file cannot hold. Damage met inside the block is reported too.
    """
    try:
        with open_file(path) as file:
            head = file.read(8)
        if head.startswith(_ZIP):
            with open_file(path) as file, open_zip(file) as archive:
                config, version, raw = _unpack(archive, path)
            with open_hdf5(path, ModelError, raw) as root:
                values = stored_values(root, len(raw), path)
                yield KerasContent(config, version, root, values, raw)
        elif h5py_module().is_hdf5(path):
            with open_hdf5(path, ModelError) as root:
                config, version = _attributes(root, path)
                group = root["model_weights"]
                values = stored_values(group, path.stat().st_size, path)
                yield KerasContent(config, version, group, values)
        else:
            raise ModelError(
                f"{path} is no Keras file",
                found=f"bytes starting with {head!r}" if head else "an empty file",
                expected="a .keras or .h5 file of a whole network, or a SavedModel folder",
                fix="save the network with model.save('NAME.keras')",
            )
    except EdgeEffnetError:
        raise
    except FileNotFoundError as error:
        raise ModelError(f"{path} does not exist", fix="check the path") from error
    except DAMAGE as error:
        raise damaged(path, error) from error


def said_by_keras(error: BaseException) -> str:
    """What went wrong, in one line: Keras wraps each level in another text, and colours some."""
    told = str(error).rpartition("Exception encountered:")[2]
    told = re.sub(r"\x1b\[[\d;]*m|^Exception encountered when calling \S+\s", "", told)
    return " ".join(told.split())[:200] or type(error).__name__


def damaged(path: Path, error: BaseException | str) -> ModelError:
    """A file that is cut off or altered, in one line."""
    return ModelError(
        f"{path} is damaged",
        found=error if isinstance(error, str) else reason(error),
        expected="a whole .keras or .h5 file",
        fix="copy or download it again, or save it again with model.save('NAME.keras')",
    )


def _unpack(archive: zipfile.ZipFile, path: Path) -> tuple[Config, int, bytes]:
    """Configuration, Keras's major version and the weights' bytes of a ``.keras`` archive."""
    names = set(archive.namelist())
    if not {"config.json", "model.weights.h5"} <= names:
        raise ModelError(
            f"{path} is no Keras file",
            found="a zip archive without config.json and model.weights.h5",
            expected="what model.save('NAME.keras') writes",
            fix="give the file itself, not an archive it was packed into",
        )
    owner = str(path)
    config = json.loads(read_member(archive, "config.json", CONFIG_BYTES, owner, ModelError))
    metadata = {}
    if "metadata.json" in names:
        text = read_member(archive, "metadata.json", CONFIG_BYTES, owner, ModelError)
        metadata = json.loads(text)
    raw = read_member(archive, "model.weights.h5", MEMBER_BYTES, owner, ModelError)
    return _checked(config, path), _major(metadata.get("keras_version", "3")), raw


def _attributes(root: Any, path: Path) -> tuple[Config, int]:
    """Configuration and Keras's major version of a whole ``.h5``."""
    if "model_config" not in root.attrs:
        raise _no_network(root, path)
    if "model_weights" not in root:
        raise damaged(path, "a network without its weights")
    text = root.attrs["model_config"]
    version = root.attrs.get("keras_version", root["model_weights"].attrs.get("keras_version", "2"))
    CONFIG_BYTES.check(len(text), str(path), ModelError, what="holds")
    return _checked(json.loads(text), path), _major(version)


def _no_network(root: Any, path: Path) -> ModelError:
    """HDF5 that is no whole network."""
    weights = "layer_names" in root.attrs or "layers" in root or "model_weights" in root
    if weights or "_layer_checkpoint_dependencies" in root:
        return ModelError(
            f"{path} holds weights without their network",
            found="no model_config",
            expected="a whole network, as model.save('NAME.keras') writes it",
            fix="load the weights into the network in your script and save it whole with "
            f"model.save('NAME.keras'); the weights of an EfficientNet as this project or "
            f"keras.applications builds it go with --variant NAME --weights {path}",
        )
    found = "the state of an optimizer" if "optimizer_weights" in root else "HDF5 of another kind"
    return ModelError(
        f"{path} is no Keras network",
        found=found,
        expected="a whole network, as model.save('NAME.keras') writes it",
        fix="give the file that the network itself was saved to",
    )


def _checked(config: Any, path: Path) -> Config:
    if isinstance(config, dict) and isinstance(config.get("config"), list):
        layers = config["config"]  # a Sequential of Keras 2.0 to 2.2.2
        config = {**config, "config": {"name": "sequential", "layers": layers}}
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise damaged(path, "a configuration that describes no network")
    return config


def _major(version: Any) -> int:
    text = version.decode() if isinstance(version, bytes) else str(version)
    number = text.partition(".")[0]
    return int(number) if number.isdecimal() else 2


def stored_values(group: Any, size: int, path: Path) -> int:
    """How many numbers the data sets of a group hold, all told.

    Args:
        size: of the file, in bytes.

    Raises:
        ModelError: they are said to be larger than the file.
    """
    h5py = h5py_module()
    values = 0

    def visit(name: str, entry: Any) -> None:
        nonlocal values
        if isinstance(entry, h5py.Dataset):
            if entry.nbytes > max(_SMALL, _RATIO * size):
                raise damaged(path, f"{name} is said to hold {entry.nbytes} bytes")
            values += int(entry.size)

    group.visititems(visit)
    if values > max(_SMALL, _RATIO * size):
        raise damaged(path, f"the weights are said to hold {values} numbers")
    return values
