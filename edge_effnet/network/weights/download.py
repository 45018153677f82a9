"""A download that ends: within so many bytes and seconds, redirected to https alone."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

from edge_effnet.errors import WeightsError
from edge_effnet.files.limits import DOWNLOAD_BYTES, DOWNLOAD_S
from edge_effnet.network.backend import requests_module

_PIECE = 1 << 16
_MOST_REDIRECTS = 5
_BY_HAND = "download it in another way and give --weights FILE"


def download(url: str, output: str, _: object = None, *, timeout: float = 30.0) -> None:
    """Write what an address sends into a file; pooch calls it.

    A server that sends a byte now and then passes every limit of the socket, so a thread does the
    work, and the wait for it is what is limited.

    Args:
        timeout: seconds without a single byte before giving up.

    Raises:
        WeightsError: more bytes or seconds than the limits, or a redirect to another protocol.
        OSError: not reachable, cut off (those of requests), or the file cannot be written.
    """
    failures: list[BaseException] = []
    given_up = threading.Event()
    file = Path(output).open("wb")  # noqa: SIM115 (the thread closes it)

    def work() -> None:
        try:
            with file:
                _receive(url, file, timeout, given_up)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        thread.join(min(DOWNLOAD_S.value, threading.TIMEOUT_MAX))
    finally:
        given_up.set()
    if failures:
        raise failures[0]
    if thread.is_alive():
        raise WeightsError(
            f"the download of {url} did not end in {DOWNLOAD_S.value} s",
            fix=f"try again later, {_BY_HAND}, or set {DOWNLOAD_S.variable} to more seconds",
        )


def _receive(url: str, file: IO[bytes], timeout: float, given_up: threading.Event) -> None:
    with requests_module().Session() as session, _answer(session, url, timeout) as answer:
        answer.raise_for_status()
        stated = answer.headers.get("Content-Length", "")
        size = int(stated) if stated.isascii() and stated.isdecimal() and len(stated) < 19 else 0
        DOWNLOAD_BYTES.check(size, url, WeightsError)
        received = 0
        with _progress(size) as bar:
            for piece in answer.iter_content(_PIECE):
                if given_up.is_set():
                    return
                received += len(piece)
                DOWNLOAD_BYTES.check(received, url, WeightsError, what="sends")
                file.write(piece)
                bar.update(len(piece))


def _answer(session: Any, url: str, timeout: float) -> Any:
    """What the address answers, behind its redirects."""
    place = url
    session.get_redirect_target = lambda _: None  # requests reads all of a redirect's content
    for _ in range(_MOST_REDIRECTS):
        headers = {"Accept-Encoding": "identity"}  # a small answer could unpack to any size
        answer = session.get(
            place, stream=True, allow_redirects=False, timeout=timeout, headers=headers
        )
        if not answer.is_redirect:
            return answer
        answer.close()
        place = _joined(place, answer.headers["Location"])
        if not place.lower().startswith("https://"):
            raise WeightsError(
                f"{url} sends on to an address that is not https", found=place, fix=_BY_HAND
            )
    raise WeightsError(
        f"{url} sends on from one address to the next",
        found=f"{_MOST_REDIRECTS} redirects, the last to {place}",
        fix=_BY_HAND,
    )


def _joined(place: str, target: str) -> str:
    try:
        return urljoin(place, target)
    except ValueError:  # no address at all
        return target


def _progress(size: int) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=size or None, unit="B", unit_scale=True, disable=not sys.stderr.isatty(), leave=True
    )
