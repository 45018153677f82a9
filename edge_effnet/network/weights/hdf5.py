"""Which parts of an HDF5 file may be read: those that lie in the file itself.

HDF5 lets a part be a link to another file, and the values of a data set lie in any file of the
machine. Keras writes neither, nor links within the file.
"""

from __future__ import annotations

from typing import Any

from edge_effnet.network.backend import h5py_module


def refuse_elsewhere(root: Any) -> None:
    """Refuse links, and values that lie outside of the file.

    Args:
        root: the open file.

    Raises:
        ValueError: names the first such part.
    """
    h5py = h5py_module()

    def check(name: str, entry: Any) -> None:
        if isinstance(entry, h5py.Dataset) and (entry.external is not None or entry.is_virtual):
            raise ValueError(f"the values of {name} lie in another file")
        children = entry if isinstance(entry, h5py.Group) else ()
        kinds = {child: type(entry.get(child, getlink=True)) for child in children}
        links = [child for child, kind in kinds.items() if kind is not h5py.HardLink]
        if links:
            raise ValueError(f"{name}/{links[0]} is a link".lstrip("/"))

    check("", root)
    root.visititems(check)


def member(group: Any, name: str) -> Any:
    """A part of a group by the name that the file itself gives.

    Raises:
        ValueError: a name that leads out of the group.
        KeyError: there is no such part.
    """
    if name.startswith("/") or ".." in name.split("/"):
        raise ValueError(f"the name {name!r}, which leads out of its group")
    return group[name]
