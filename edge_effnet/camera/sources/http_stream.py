"""One HTTP request whose answer is a stream: every wait is bounded, and another thread can end it.

Python's client gives each read the whole timeout again, so a server that sends a byte now and then
holds it for ever: here a timer closes the connection when headers are not there in time. It also
forwards user and password wherever a redirect leads: here they stay with their host.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse

from edge_effnet.camera.sources.address import HttpAddress, shown_address, what_to_check
from edge_effnet.camera.sources.base import SourceLost
from edge_effnet.errors import DataError

MOST_REDIRECTS = 5
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_READ_BYTES = 65536
_TRUST = (
    "name the camera's own certificate in the environment, SSL_CERT_FILE=camera.pem, or use "
    "http:// in a network you trust"
)


@dataclass(frozen=True)
class HttpReply:
    """An answer whose headers are there.

    Attributes:
        status, reason: of the first line.
        kind: content type, in lower case, without parameters.
        location: where a redirect leads; None for other answers.
        read: what comes next, some bytes; raises SourceLost where nothing does.
        interrupt: ends a ``read`` that waits in another thread.
        close: give the connection back; harmless a second time.
    """

    status: int
    reason: str
    kind: str
    location: str | None
    read: Callable[[], bytes]
    interrupt: Callable[[], None]
    close: Callable[[], None]


def request(address: HttpAddress, name: str, timeout_s: float) -> tuple[HttpAddress, HttpReply]:
    """Ask for a stream, following redirects.

    Args:
        name: of the source, for errors.
        timeout_s: for all connections and headers together, and later for each read.

    Returns:
        Where it was found in the end, and the answer.

    Raises:
        DataError: no answer in time, or too many redirects.
    """
    until = time.monotonic() + timeout_s
    for _ in range(MOST_REDIRECTS + 1):
        try:
            reply = _ask(address, until, timeout_s)
        except (OSError, HTTPException, ValueError) as error:
            raise DataError(
                f"{name} cannot be reached",
                found=_reason(error, until),
                fix=_TRUST
                if isinstance(error, ssl.SSLCertVerificationError)
                else what_to_check(name),
            ) from None  # its text may hold a part of the address
        if reply.location is None:
            return address, reply
        reply.close()
        try:
            address = address.redirected(reply.location)
        except DataError:
            raise DataError(
                f"{name} redirects to something that is no web address",
                found=shown_address(reply.location[:200]),
                expected="http:// or https://",
                fix="give the address of the stream itself",
            ) from None
    raise DataError(
        f"{name} redirects without end",
        found=f"more than {MOST_REDIRECTS} redirects",
        fix="give the address of the stream itself",
    )


def _reason(error: Exception, until: float) -> str:
    if isinstance(error, TimeoutError) or time.monotonic() >= until:
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"a certificate that cannot be verified: {error.verify_message}"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"an answer that is no HTTP ({type(error).__name__})"


def _ask(address: HttpAddress, until: float, timeout_s: float) -> HttpReply:
    """One request; raises OSError, HTTPException or ValueError."""
    connected = _connect(address.host, address.port, until)

    def interrupt() -> None:
        with contextlib.suppress(OSError):  # closed already
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, until - time.monotonic()), interrupt)
    timer.daemon = True
    timer.start()
    try:
        if address.scheme == "https":
            context = ssl.create_default_context()
            # Not at once: the descriptor moves to the new object, which the timer must know.
            connected = context.wrap_socket(
                connected, server_hostname=address.host, do_handshake_on_connect=False
            )
            connected.do_handshake()
        response = _headers(connected, address)
        if time.monotonic() >= until:  # the timer's end of the headers looks like their own
            response.close()
            raise TimeoutError
    except BaseException:
        connected.close()
        raise
    finally:
        timer.cancel()
    connected.settimeout(timeout_s)

    def close() -> None:
        response.close()
        connected.close()

    location = response.getheader("Location") if response.status in _REDIRECTS else None
    kind = response.headers.get_content_type()[:80]
    reason = response.reason[:80]
    return HttpReply(response.status, reason, kind, location, _reader(response), interrupt, close)


def _connect(host: str, port: int, until: float) -> socket.socket:
    failure: OSError = OSError("the name has no address")
    for family, kind, protocol, _, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        connecting = socket.socket(family, kind, protocol)
        try:
            connecting.settimeout(left_s)
            connecting.connect(where)
        except OSError as error:
            connecting.close()
            failure = error
        except BaseException:
            connecting.close()
            raise
        else:
            return connecting
    raise failure


def _headers(connected: socket.socket, address: HttpAddress) -> HTTPResponse:
    default = {"http": 80, "https": 443}[address.scheme]
    host = f"[{address.host}]" if ":" in address.host else address.host
    headers = {
        "Host": host if address.port == default else f"{host}:{address.port}",
        "User-Agent": "edge-effnet",
        "Connection": "close",
    }
    if address.authorization is not None:
        headers["Authorization"] = address.authorization
    connection = HTTPConnection(address.host, address.port)
    connection.sock = connected
    connection.request("GET", address.target, headers=headers)
    return connection.getresponse()


def _reader(response: HTTPResponse) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            data = response.read1(_READ_BYTES)
        except TimeoutError:
            raise SourceLost("nothing came for a while") from None
        except (OSError, HTTPException, ValueError, AttributeError) as error:
            # The last two: a chunk of no size, or closed by another thread in a read.
            raise SourceLost(f"the connection broke ({type(error).__name__})") from None
        if not data:
            raise SourceLost("the stream ended")
        return data

    return read
