"""What all workers of a group must see alike, refused in a line that says which one does not."""

from __future__ import annotations

import socket
from pathlib import Path

from edge_effnet.errors import DataError, OutputError
from edge_effnet.plurals import counted
from edge_effnet.training.cluster.group import Group, worker_name
from edge_effnet.training.data.lists import ImageLists, TrainingImages, fingerprint_lines
from edge_effnet.training.teacher.teacher import Teacher


def refuse_other_images(group: Group, lists: ImageLists) -> None:
    """Raise DataError where a worker sees other images than the chief; it says which worker misses
    what."""
    if group.count == 1:
        return
    host = socket.gethostname()
    if len(set(group.texts(lists.fingerprint))) == 1:
        return
    sides = (lists.train, lists.val, lists.unlabelled)
    files = [one for side in sides if side is not None for one in fingerprint_lines(side)]
    chief, *others = (text.split("\n") for text in group.texts("\n".join([host, *files])))
    for index, other in enumerate(others, start=1):
        if other[1:] == chief[1:]:
            continue
        missing = sorted(set(chief[1:]) - set(other[1:]))
        beyond = sorted(set(other[1:]) - set(chief[1:]))
        found = [
            f"{counted(len(names), 'image')} {what}, such as {names[0].split(chr(9))[0]}"
            for names, what in ((missing, "missing"), (beyond, "that the chief does not have"))
            if names
        ]
        raise DataError(
            f"{worker_name(index, other[0])} has other images in {lists.source} than the chief on "
            f"{chief[0]}",
            found=" and ".join(found) or "the same images divided in another way",
            expected="the same files at the same place on every machine",
            fix="put the images on a file system that all machines share, or copy them to each",
        )


def refuse_unequal_teachers(group: Group, teacher: Teacher | None) -> None:
    """Raise DataError where a worker has another file as the teacher than the chief."""
    if group.count == 1 or teacher is None:
        return
    own = f"{teacher.origin.get('sha256')}\n{socket.gethostname()}\n{teacher.path}"
    chief, *others = (text.split("\n", 2) for text in group.texts(own))
    for index, (digest, host, path) in enumerate(others, start=1):
        if digest != chief[0]:
            raise DataError(
                f"{worker_name(index, host)} has another teacher than the chief on {chief[1]}",
                found=f"{path} has other contents than {chief[2]} there",
                expected="the same file on all machines",
                fix="give --teacher a file on a file system that all machines share, or copy it to "
                "each",
            )


def refuse_hidden_folder(group: Group, path: Path) -> None:
    """Raise OutputError where a worker does not see a file that the chief has just written: after a
    kill another machine could be the chief, and would not find the run."""
    if group.count == 1:
        return
    seen = group.texts(f"{int(path.is_file())}{socket.gethostname()}")
    if hidden := [worker_name(i, one[1:]) for i, one in enumerate(seen) if one[0] == "0"]:
        raise OutputError(
            f"{path.parent.absolute()} is a folder that not all machines see",
            found=f"no {path.name} of this run in it on {', '.join(hidden[:5])}",
            expected="a folder that all machines share: after a kill, any of them may go on",
            fix="give --run a folder on a shared file system",
        )


def refuse_other_skipped(group: Group, images: TrainingImages) -> None:
    """Raise DataError where one worker can read an image and another cannot."""
    if group.count == 1:
        return
    host = socket.gethostname()
    names = [str(image.path) for image in images.skipped]
    chief, *others = (text.split("\n") for text in group.texts("\n".join([host, *names])))
    for index, other in enumerate(others, start=1):
        if odd := sorted(set(chief[1:]) ^ set(other[1:])):
            who = worker_name(0, chief[0]) if odd[0] in chief[1:] else worker_name(index, other[0])
            raise DataError(
                f"{who} cannot read {counted(len(odd), 'image')} that others can",
                found=odd[0],
                fix="check the permissions of this file there, and its copy",
            )
