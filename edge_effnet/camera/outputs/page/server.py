"""The page: a small HTTP server with the live feed and its figures."""

from __future__ import annotations

import errno
import re
import secrets
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

from edge_effnet.camera.outputs.page.connections import Connections
from edge_effnet.camera.outputs.page.controls import Controls
from edge_effnet.camera.outputs.page.frame_publisher import FramePublisher
from edge_effnet.camera.outputs.page.handler import PageHandler, is_loopback
from edge_effnet.errors import OutputError, UsageProblem
from edge_effnet.plurals import counted

MOST_VIEWERS, MOST_STREAMS = 24, 8
"""Of images waited for and of streams; whoever holds all of one leaves the rest to others."""
MOST_CONNECTIONS = 128
MOST_OF_ONE = 32
"""Connections from one address; a browser opens six."""
TOKEN_LENGTH = 16
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{,256}")
"""What neither a cookie nor an address escapes (RFC 6265 and 3986)."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: to open in a browser, with the token where one is needed.
        end: stops it.
    """

    url: str
    port: int
    token: str | None
    end: Callable[[], None]


def parse_address(text: str) -> tuple[str, int]:
    """Read ``--serve HOST:PORT``; a port alone means loopback.

    Raises:
        UsageProblem: no port, or none that exists.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not re.fullmatch(r"\d{1,5}", port) or int(port) > 65535:
        raise UsageProblem(
            "--serve is not understood",
            found=repr(text),
            expected="HOST:PORT",
            fix="for example --serve 127.0.0.1:8080, or 0.0.0.0:8080 for other machines",
        )
    return host, int(port)


def start_server(
    publisher: FramePublisher,
    host: str,
    port: int,
    *,
    token: str | None = None,
    controls: Controls | None = None,
) -> Server:
    """Serve the page in threads of its own.

    Args:
        port: 0 takes a free one.
        token: for an address that is not loopback; by default a random one.
        controls: what viewers can change; by default nothing.

    Raises:
        OutputError: the port is in use, or the address is not this machine's.
        UsageProblem: the token is too short to keep anybody out, or no plain text.
    """
    if token is not None and len(token) < TOKEN_LENGTH:
        raise UsageProblem(
            "the token for the page is too short",
            found=counted(len(token), "character"),
            expected=f"at least {TOKEN_LENGTH}",
            fix="leave EDGE_EFFNET_TOKEN out for a random one",
        )
    if token is not None and not _TOKEN.fullmatch(token):
        raise UsageProblem(
            "the token for the page cannot be a part of an address and of a cookie",
            expected="at most 256 letters of ASCII, digits, and - . _ ~",
            fix="leave EDGE_EFFNET_TOKEN out for a random one",
        )
    needed = None if is_loopback(host) else token or secrets.token_urlsafe(TOKEN_LENGTH)
    try:
        server = _Server(host, port, publisher, needed, controls or Controls())
    except OSError as error:
        raise _refused(host, port, error) from error
    port = server.port
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="web", daemon=True)
    thread.start()

    def end() -> None:
        publisher.close()
        server.shutdown()
        server.server_close()
        thread.join(2.0)

    shown = host if not _is_any(host) else _own_address()
    shown = f"[{shown}]" if ":" in shown else shown
    url = f"http://{shown}:{port}/" + (f"?token={needed}" if needed else "")
    return Server(url, port, needed, end)


def _refused(host: str, port: int, error: OSError) -> OutputError:
    if error.errno == errno.EADDRINUSE:
        return OutputError(
            f"port {port} is in use on {host}",
            fix=f"give another one: --serve {host}:{port + 1}",
        )
    return OutputError(
        f"the page cannot be served on {host}:{port}",
        found=error.strerror or str(error),
        fix="use an address of this machine and a port from 1024 on",
    )


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)


def _own_address() -> str:
    """The address other machines would use; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation (RFC 5737)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a viewer that takes nothing must not hold up the end
    request_queue_size = 64

    def __init__(
        self,
        host: str,
        port: int,
        publisher: FramePublisher,
        token: str | None,
        controls: Controls,
    ) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        self.publisher, self.token, self.controls = publisher, token, controls
        self.viewers = threading.BoundedSemaphore(MOST_VIEWERS)
        self.streams = threading.BoundedSemaphore(MOST_STREAMS)
        self.connections = Connections(MOST_CONNECTIONS, MOST_OF_ONE)
        super().__init__((host, port), PageHandler)
        self.port: int = self.server_address[1]

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's looks names up: seconds offline

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.connections.admit(request, client_address[0]):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.release(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A viewer that goes away is no news."""
