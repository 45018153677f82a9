"""Deploy a model, or put the one before back; see ``benchmarks.deploy``."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as replace_field
from pathlib import Path
from shlex import quote

from benchmarks.deploy.evaluating import evaluate_both
from benchmarks.deploy.evidence import Evidence, find_evidence, lacking
from benchmarks.deploy.placing import find_path, keep, put_in_place, read_model, replace
from benchmarks.ssh.files import LinkLost, RemoteFiles, files_at
from benchmarks.ssh.places import Place
from benchmarks.ssh.running import run_connected
from edge_effnet.artifact import Artifact, read_artifact
from edge_effnet.errors import DataError, EdgeEffnetError, ModelError, OutputError
from edge_effnet.files.before_names import kept_names
from edge_effnet.files.limits import MODEL_BYTES, REMOTE_FILES
from edge_effnet.files.read import read_bytes
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.stages import StartStage


@dataclass(frozen=True)
class Deployed:
    """What is in place now.

    Attributes:
        path: on the Pi.
        kept: the name of what was there; None where nothing was, or the same file.
        same: whether the file was in place already.
        evidence: both files on the same photos; None where nothing tells.
        unreadable: why what was there could not be compared; None where it could.
        lacks: classes of the file before that are not there any more.
        heads: the kinds of answer before and now, where they differ; None where they do not, or
            a card does not say.
    """

    path: str
    sha256: str
    kept: str | None
    same: bool = False
    evidence: Evidence | None = None
    unreadable: str | None = None
    lacks: tuple[str, ...] = ()
    heads: tuple[str, str] | None = None


def deploy(
    model: Path, place: Place, data: Path | None, stage: StartStage, *, force: bool
) -> Deployed:
    """Copy a model to a Pi, where it takes the place of the one that is there.

    Args:
        data: photos to evaluate both on.
        force: also where the new file knows less or is proven worse.

    Raises:
        ModelError: the file is damaged, or is not the one that its card is about.
        OutputError: it knows less or is proven worse, or the Pi refuses it.
        EdgeEffnetError: no connection, or one that was lost.
        KeyboardInterrupt: by Ctrl-C; the file that was in place is, or the new one.
    """
    file = read_artifact(model)
    content = read_bytes(model, MODEL_BYTES, ModelError)
    digest = hashlib.sha256(content).hexdigest()
    path, old = run_connected(_present(place, model.name))
    if old == content:
        return Deployed(path, digest, None, same=True)
    compared = Deployed(path, digest, None)
    if old is not None:
        compared = _compare(old, (model, file), compared, data, stage)
        if not force:
            _refuse(compared, place)
    kept = run_connected(_put(place, path, content, old, stage))
    return replace_field(compared, kept=kept)


async def _present(place: Place, name: str) -> tuple[str, bytes | None]:
    """The path on the Pi, and what is there."""
    with _old_file_stays(place):
        async with files_at(place.address) as remote:
            path = await find_path(remote, place.path, name)
            return path, await read_model(remote, path)


async def _put(
    place: Place, path: str, content: bytes, old: bytes | None, stage: StartStage
) -> str | None:
    with _old_file_stays(place):
        async with files_at(place.address) as remote:
            return await put_in_place(remote, path, content, old, stage)


async def put_back(place: Place, path: str | None, *, force: bool) -> Deployed:
    """Have the newest file that was replaced take its place again; the present one is kept.

    Args:
        path: of the model on the Pi.
        force: also where that file is damaged.

    Raises:
        DataError: none was kept.
        ModelError: the one that was is damaged.
        EdgeEffnetError: no connection, or one that was lost.
    """
    with _old_file_stays(place):
        async with files_at(place.address) as remote:
            target = await find_path(remote, path, "model.tflite")
            present = await read_model(remote, target)
            kept, content = await _newest_other(remote, target, present)
            with scratch_folder() as folder:
                file, damage = _read(folder / posixpath.basename(kept), content)
                before = None if present is None else _read(folder / "present.tflite", present)[0]
            if damage is not None and not force:
                raise damage
            name = None if present is None else await keep(remote, target, present)
            await replace(remote, kept, target)
    found = Deployed(target, hashlib.sha256(content).hexdigest(), name)
    if before is None or file is None:
        return found
    return replace_field(found, lacks=lacking(before, file), heads=_other_heads(before, file))


async def _newest_other(
    remote: RemoteFiles, target: str, present: bytes | None
) -> tuple[str, bytes]:
    """The newest file that was replaced and is another than the present one, and its bytes."""
    folder, name = posixpath.split(target)
    names = [one.name for one in await remote.entries(folder or ".", REMOTE_FILES)]
    for one in kept_names(name, names):
        path = posixpath.join(folder, one)
        content = await read_model(remote, path)
        if content is not None and content != present:
            return path, content
    raise DataError(
        f"no earlier file of {target} is kept on {remote.host}",
        expected=f"{posixpath.splitext(target)[0]}.before-….tflite",
        fix=f"see what is there: {remote.address.ssh} ls {quote(folder or '.')}",
    )


def _compare(
    old: bytes, new: tuple[Path, Artifact], found: Deployed, data: Path | None, stage: StartStage
) -> Deployed:
    """What can be said of both files."""
    with scratch_folder() as folder:
        path = folder / posixpath.basename(found.path)
        file, damage = _read(path, old)
        if file is None:
            return replace_field(found, unreadable=str(damage and damage.what))
        lacks = lacking(file, new[1])
        heads = _other_heads(file, new[1])
        if lacks or heads:  # of other classes than the user meant, most likely
            evidence = None
        elif data is not None:
            evidence = evaluate_both((path, file), new, data, stage)
        else:
            evidence = find_evidence((path, file), new, stage)
        return replace_field(found, evidence=evidence, lacks=lacks, heads=heads)


def _other_heads(old: Artifact, new: Artifact) -> tuple[str, str] | None:
    kinds = [file.card.head.kind for file in (old, new) if file.card and file.card.head]
    return (kinds[0], kinds[1]) if len(set(kinds)) == 2 else None


def _read(path: Path, content: bytes) -> tuple[Artifact | None, ModelError | None]:
    """A file of the Pi, from a copy here."""
    path.write_bytes(content)
    try:
        return read_artifact(path), None
    except ModelError as error:
        what = error.what.replace(str(path), f"{path.name} on the Pi")
        return None, ModelError(what, found=error.found, expected=error.expected, fix=error.fix)


def _refuse(found: Deployed, place: Place) -> None:
    """Refuse a file that knows less or is proven worse.

    Raises:
        OutputError: nothing was changed on the Pi.
    """
    there = f"{found.path} on {place.address.host}"
    if found.lacks:
        more = " …" if len(found.lacks) > 3 else ""
        raise OutputError(
            f"{there} knows classes that the new file does not",
            found=", ".join(map(repr, found.lacks[:3])) + more,
            expected="a file that knows them too",
            fix="teach or train the new file with their photos, or add --force",
        )
    if found.heads:
        raise OutputError(
            f"{there} gives another kind of answer than the new file",
            found=f"a {found.heads[1]} head in the new file",
            expected=f"a {found.heads[0]} head",
            fix="add --force, and start the camera there again: one that runs refuses the file",
        )
    if found.evidence is not None and found.evidence.is_worse:
        raise OutputError(
            f"{there} is better than the new file",
            found=found.evidence.line,
            expected="no proven loss",
            fix="keep the file that is there, or add --force",
        )


@contextmanager
def _old_file_stays(place: Place) -> Iterator[None]:
    """Say what holds where the link breaks before anything was replaced."""
    try:
        yield
    except LinkLost as lost:
        raise EdgeEffnetError(
            f"the link to {place.address.host} was lost",
            found="the file that was in place before, still in place",
            fix="the same command again begins anew",
        ) from lost
