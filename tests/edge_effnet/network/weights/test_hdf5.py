"""Weight files read nothing but themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from edge_effnet.errors import WeightsError
from edge_effnet.network.weights.files import open_weights, read_weights


def _external(file: Any, other: Path) -> str:
    file.create_dataset("conv/kernel", (4,), "<f4", external=[(str(other), 0, 16)])
    return "kernel"


def _virtual(file: Any, other: Path) -> str:
    layout = h5py.VirtualLayout((4,), "<f4")
    layout[:] = h5py.VirtualSource(str(other), "kernel", (4,))
    file.create_virtual_dataset("conv/kernel", layout)
    return "kernel"


def _external_link(file: Any, other: Path) -> str:
    file.create_group("conv")["kernel"] = h5py.ExternalLink(str(other), "kernel")
    return "kernel"


def _soft_link(file: Any, _: Path) -> str:
    file["somewhere"] = np.zeros(4, np.float32)
    file.create_group("conv")["kernel"] = h5py.SoftLink("/somewhere")
    return "kernel"


def _name(file: Any, _: Path) -> str:
    file["somewhere"] = np.zeros(4, np.float32)
    file.create_group("conv")
    return "/somewhere"


@pytest.mark.parametrize("make", [_external, _virtual, _external_link, _soft_link, _name])
def test_values_elsewhere_are_refused(make: Callable[[Any, Path], str], tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["kernel"] = np.ones(4, np.float32)
    path = tmp_path / "evil.h5"
    with h5py.File(path, "w") as file:
        weight = make(file, tmp_path / "other.h5")
        file.attrs["layer_names"] = [b"conv"]
        file["conv"].attrs["weight_names"] = [weight.encode()]
    with pytest.raises(WeightsError, match=r"in another file|is a link|leads out of its group"):
        read_weights(path, [("Conv2D", "conv")])


def test_parts_that_are_not_asked_for_count_too(tmp_path: Path) -> None:
    path = tmp_path / "evil.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        file["elsewhere"] = h5py.ExternalLink("other.h5", "kernel")
    with pytest.raises(WeightsError, match="elsewhere is a link"), open_weights(path):
        pass
