"""The page: a small HTTP server with the live feed and its figures.

On a loopback address it answers anybody on this machine, provided the request names this
machine (a page elsewhere that has its own name point here gets nothing). On any other address
every request must carry the token, from wherever it comes: ``?token=…`` once, a cookie after.
"""

from __future__ import annotations

import errno
import hmac
import ipaddress
import re
import secrets
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

from edge_effnet.camera.outputs.frame_publisher import FramePublisher
from edge_effnet.errors import OutputError, UsageProblem

MOST_VIEWERS = 24
"""Requests worked on at a time; each connection is a thread, and a browser keeps several open."""
MOST_CONNECTIONS = 128
VIEWER_TIMEOUT_S = 20.0
TOKEN_LENGTH = 16
_PAGES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


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


def is_loopback(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def start_server(
    publisher: FramePublisher, host: str, port: int, *, token: str | None = None
) -> Server:
    """Serve the page in threads of its own.

    Args:
        port: 0 takes a free one.
        token: for an address that is not loopback; by default a random one.

    Raises:
        OutputError: the port is in use, or the address is not this machine's.
        UsageProblem: the token is too short to keep anybody out.
    """
    if token is not None and len(token) < TOKEN_LENGTH:
        raise UsageProblem(
            "the token for the page is too short",
            found=f"{len(token)} characters",
            expected=f"at least {TOKEN_LENGTH}",
            fix="leave EDGE_EFFNET_TOKEN out for a random one",
        )
    needed = None if is_loopback(host) else token or secrets.token_urlsafe(TOKEN_LENGTH)
    try:
        server = _Server(host, port, publisher, needed)
    except OSError as error:
        raise _refused(host, port, error) from error
    port = server.server_address[1]
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

    def __init__(self, host: str, port: int, publisher: FramePublisher, token: str | None) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        self.publisher, self.token = publisher, token
        self.viewers = threading.BoundedSemaphore(MOST_VIEWERS)
        self.connections = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's looks names up: seconds offline

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.connections.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A viewer that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = VIEWER_TIMEOUT_S
    server_version, sys_version = "edge-effnet", ""

    def do_GET(self) -> None:
        if not self.server.viewers.acquire(blocking=False):
            self._answer(b"too many viewers\n", "text/plain", HTTPStatus.SERVICE_UNAVAILABLE)
            return
        try:
            self._get()
        finally:
            self.server.viewers.release()

    def _get(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        given = query.get("token", [""])[0]
        if not self._allowed(given):
            text = b"403: open the address with its token, as edge-effnet printed it\n"
            self._answer(text, "text/plain; charset=utf-8", HTTPStatus.FORBIDDEN)
        elif parts.path in _PAGES:
            name, kind = _PAGES[parts.path]
            self._answer(_asset(name), kind, remember=bool(given))
        elif parts.path == "/state.json":
            self._answer(self.server.publisher.state_json(), "application/json")
        elif parts.path == "/picture.jpg":
            after = query.get("after", ["0"])[0]
            newest = self.server.publisher.newest_jpeg(int(after) if after.isdecimal() else 0)
            if newest is None:
                self._answer(b"", "image/jpeg", HTTPStatus.NO_CONTENT)
            else:
                self._answer(newest[1], "image/jpeg", number=newest[0])
        elif parts.path == "/stream.mjpg":
            self._stream()
        else:
            self._answer(b"404\n", "text/plain", HTTPStatus.NOT_FOUND)

    def _allowed(self, given: str) -> bool:
        token = self.server.token
        if token is None:
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
            return is_loopback(host)
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get(self._cookie)
        except CookieError:
            cookie = None
        offered = given or (cookie.value if cookie else "")
        return hmac.compare_digest(offered.encode(), token.encode())

    @property
    def _cookie(self) -> str:
        return f"edge-effnet-{self.server.server_address[1]}"

    def _answer(
        self,
        body: bytes,
        kind: str,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        number: int | None = None,
        remember: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        if number is not None:
            self.send_header("X-Picture", str(number))
        if remember and self.server.token:
            value = f"{self._cookie}={self.server.token}; Path=/; HttpOnly; SameSite=Strict"
            self.send_header("Set-Cookie", value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        """MJPEG, for players; each viewer gets the newest frame when it can take one.

        The boundary comes right after each frame (RFC 2046, 5.1.1): a browser shows a frame
        when it has read the boundary behind it.
        """
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(b"--frame\r\n")
        number = 0
        while (newest := self.server.publisher.newest_jpeg(number)) is not None:
            number, frame = newest
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(frame)}\r\n\r\n"
            self.wfile.write(head.encode() + frame + b"\r\n--frame\r\n")

    def log_message(self, format: str, *arguments: Any) -> None:
        """The terminal is for the status line."""


def _asset(name: str) -> bytes:
    return (resources.files("edge_effnet") / "assets" / "camera" / name).read_bytes()
