"""A camera that means harm: a server that answers each request with a script of bytes and pauses.

``python -m tests.edge_effnet.camera.hostile`` serves all scripts, a random one for each request but
``/good``, and prints its address: for a run of hours against it, see ``tests/fuzz/camera.py``.
"""

from __future__ import annotations

import itertools
import random
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.edge_effnet.camera.conftest import jpeg, plain

Script = Iterator[bytes | float]
"""What is sent, and seconds of silence between; the connection is closed at its end."""
SEND_S = 3.0
"""For a reader that takes nothing any more."""
Choose = Callable[[str], Script]

GOOD = jpeg(plain("green"))
OK = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n"
STREAM = OK + b"\r\n"


def part(image: bytes, length: bytes | int | None = None) -> bytes:
    """A part of a stream; ``length`` is what it says of itself, None for the truth."""
    said = len(image) if length is None else length
    said = said if isinstance(said, bytes) else b"%d" % said
    return b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %s\r\n\r\n%s\r\n" % (said, image)


def claiming(image: bytes, rows: int, columns: int) -> bytes:
    """The JPEG with another size in its frame header."""
    at = image.index(b"\xff\xc0") + 5
    return image[:at] + struct.pack(">HH", rows, columns) + image[at + 4 :]


def many_scans(rows: int, columns: int, scans: int) -> bytes:
    """A progressive JPEG of few bytes that asks for ``scans`` passes over all its pixels."""
    quantization = b"\xff\xdb\x00\x43\x00" + bytes([1]) * 64
    frame = b"\xff\xc2\x00\x0b\x08" + struct.pack(">HH", rows, columns) + b"\x01\x01\x11\x00"
    huffman = b"\xff\xc4\x00\x14\x10" + b"\x01" + bytes(15) + b"\x00"
    first = b"\xff\xc4\x00\x14\x00" + b"\x01" + bytes(15) + b"\x00"
    dc = b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x01\x00"
    ac = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00\x00"
    head = b"\xff\xd8" + quantization + frame + huffman + first + dc
    return head + ac * (scans - 1) + b"\xff\xd9"


def dripping(data: bytes, seconds: float = 0.3) -> Script:
    for byte in data:
        yield bytes([byte])
        yield seconds


def frames(*parts: bytes) -> Callable[[], Script]:
    """A stream of these parts, then the end."""
    return lambda: iter([STREAM, part(GOOD), *parts])


def forever(*steps: bytes | float) -> Callable[[], Script]:
    return lambda: itertools.chain(steps[:1], itertools.cycle(steps[1:]))


def redirect(location: str) -> Callable[[], Script]:
    line = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    return lambda: iter([line.encode()])


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
VIDEO = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n"

SCRIPTS: dict[str, Callable[[], Script]] = {
    "good": frames(*[part(GOOD)] * 5),
    "silent": lambda: iter([60.0]),
    "closed at once": lambda: iter([]),
    "no HTTP": lambda: iter([b"\x00\xff" * 5000]),
    "dripping first line": lambda: dripping(b"HTTP/1.1 200 OK" + b" " * 200),
    "dripping headers": lambda: itertools.chain([OK], dripping(b"X-A: " + b"a" * 200)),
    "endless headers": forever(OK, b"X-A: b\r\n"),
    "endless line": forever(OK + b"X-A: ", b"a" * 65536),
    "continue without end": forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "refused": lambda: iter([b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"]),
    "a page": lambda: iter([b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>"]),
    "redirect to itself": redirect("/again"),
    "redirect to nothing": redirect("//"),
    "redirect to a file": redirect("file:///etc/hostname"),
    "redirect to ftp": redirect("ftp://127.0.0.1:9/x"),
    "redirect to a closed port": redirect("http://127.0.0.1:9/x"),
    "stream silent": lambda: iter([STREAM, part(GOOD), 60.0]),
    "stream drips": lambda: itertools.chain([STREAM, part(GOOD)], dripping(part(GOOD))),
    "garbage": forever(STREAM, bytes(range(32, 127)) * 500),
    "blank lines": forever(STREAM, b"\r\n\r\n" * 5000),
    "empty parts": forever(STREAM, part(b"") * 50),
    "length of 5,000 digits": frames(part(GOOD, b"9" * 5000)),
    "length above all": frames(part(GOOD, 10**11)),
    "length too short": frames(*[part(GOOD, 40), part(GOOD)] * 5),
    "length too long": frames(*[part(GOOD, len(GOOD) + 300), part(GOOD)] * 5),
    "length negative": frames(part(GOOD, b"-5"), part(GOOD)),
    "cut off": frames(part(GOOD, 10**6)),
    "huge part": forever(STREAM, b"--b\r\n\r\n" + GOOD[:200], GOOD[200:300] * 600),
    "no end of image": forever(STREAM + b"--b\r\n\r\n\xff\xd8\xff", b"\xff" * 65536),
    "broken images": frames(*[part(GOOD[: len(GOOD) // 2])] * 40),
    "pixels above all": frames(*[part(claiming(GOOD, 65535, 65535))] * 30),
    "many scans": frames(*[part(many_scans(4000, 4000, 900))] * 30),
    "slow to decode": frames(*[part(many_scans(4000, 4000, 8))] * 10),
    "chunks of no size": lambda: iter([CHUNKED, b"xyz\r\n" + part(GOOD)]),
    "chunks of negative size": lambda: iter([CHUNKED, b"-5\r\n" + part(GOOD)]),
    "chunk above all": lambda: iter([CHUNKED, b"f" * 30 + b"\r\n" + part(GOOD)]),
    "endless trailers": forever(CHUNKED + b"0\r\n", b"X: y\r\n"),
    "a video that is none": lambda: iter([VIDEO, bytes(range(256)) * 400]),
    "a video that drips": lambda: itertools.chain([VIDEO], dripping(bytes(range(200)))),
}


@contextmanager
def hostile_camera(choose: Choose) -> Iterator[str]:
    """Serve on loopback; ``choose`` gets the request's head and gives the answer.

    Yields:
        the address, without a path.
    """
    stop, listener = threading.Event(), socket.create_server(("127.0.0.1", 0), backlog=64)
    threading.Thread(target=_accept, args=(listener, choose, stop), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who accepts
        listener.close()


def _accept(listener: socket.socket, choose: Choose, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_play, args=(connection, choose, stop), daemon=True).start()


def _play(connection: socket.socket, choose: Choose, stop: threading.Event) -> None:
    with connection:
        try:
            connection.settimeout(SEND_S)
            head = b""
            while b"\r\n\r\n" not in head and (data := connection.recv(65536)):
                head += data
            for step in choose(head.decode("latin-1")):
                if stop.is_set():
                    return
                if isinstance(step, bytes):
                    connection.sendall(step)
                elif _left(connection, step, stop):
                    return
        except OSError:  # the reader gave up, as it should
            return


def _left(connection: socket.socket, seconds: float, stop: threading.Event) -> bool:
    """Wait; whether the reader has gone meanwhile."""
    connection.settimeout(seconds)
    try:
        return not connection.recv(1) or stop.is_set()
    except TimeoutError:
        return stop.is_set()
    finally:
        connection.settimeout(SEND_S)


def main(seed: int) -> None:
    """Serve until standard input ends: the parent is gone then."""
    chance = random.Random(seed)

    def choose(head: str) -> Script:
        return SCRIPTS["good" if " /good " in head else chance.choice(list(SCRIPTS))]()

    with hostile_camera(choose) as address:
        print(address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
