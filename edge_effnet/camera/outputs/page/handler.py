"""How the page's server answers a request.

On a loopback address it answers anybody on this machine, provided the request names this
machine (a page elsewhere that has its own name point here gets nothing). On any other address
every request must carry the token, from wherever it comes: ``?token=…`` once, a cookie after.
Browsers say for which page they ask (``Sec-Fetch-Site``): other pages get nothing to embed.

What changes something is sent by POST, as JSON. It is taken from our own page alone: a browser
names the page it comes from (``Origin``), which must be the address that it was sent to.
"""

from __future__ import annotations

import hmac
import io
import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler
from importlib import resources
from typing import Any, Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from edge_effnet.camera.outputs.page.connections import Connections, DeadlineReader
from edge_effnet.camera.outputs.page.controls import Controls
from edge_effnet.camera.outputs.page.frame_publisher import FramePublisher
from edge_effnet.camera.outputs.page.orders import MOST_BYTES, BadOrderError, order_for
from edge_effnet.files.write import json_bytes

REQUEST_S = 10.0
"""For a whole request, from the connection or the answer before it."""
VIEWER_TIMEOUT_S = 20.0
"""For a viewer to take what was sent."""
_PAGES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/common.js": ("common.js", "text/javascript; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/tell.js": ("tell.js", "text/javascript; charset=utf-8"),
    "/learn.js": ("learn.js", "text/javascript; charset=utf-8"),
    "/review": ("review.html", "text/html; charset=utf-8"),
    "/review.js": ("review.js", "text/javascript; charset=utf-8"),
}
_KEPT = "/kept/"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageServer(Protocol):
    """What answering needs of the server."""

    publisher: FramePublisher
    token: str | None
    port: int
    controls: Controls
    viewers: threading.BoundedSemaphore
    streams: threading.BoundedSemaphore
    connections: Connections


def is_loopback(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class PageHandler(BaseHTTPRequestHandler):
    server: PageServer  # type: ignore[assignment]
    protocol_version = "HTTP/1.1"
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain; charset=utf-8"
    server_version, sys_version = "edge-effnet", ""

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._reader = DeadlineReader(self.connection)
        self.rfile = io.BufferedReader(self._reader)

    def end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def handle_one_request(self) -> None:
        """Read a request, which must come in time, and answer it."""
        self._reader.allow(REQUEST_S)
        self.server.connections.mark(self.connection, waiting=True)
        super().handle_one_request()

    def do_GET(self) -> None:
        if (asked := self._admitted()) is not None:
            self._get(*asked)

    def do_POST(self) -> None:
        body = self._body()
        if body is None:  # what is not read would be taken for the next request
            self.close_connection = True
        if (asked := self._admitted()) is None:
            return
        obey = order_for(asked[0].path, self.server.controls, self.server.publisher)
        if obey is None:
            self._say(HTTPStatus.NOT_FOUND, "404")
        elif body is None:
            self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"413: {MOST_BYTES} bytes at most")
        elif not self._from_our_page():
            self._say(HTTPStatus.FORBIDDEN, "403: sent from another page")
        else:
            try:
                said = obey(body)
            except BadOrderError as error:
                self._say(HTTPStatus.BAD_REQUEST, f"400: {error}")
            else:
                self._answer_json(said)

    def _admitted(self) -> tuple[SplitResult, dict[str, list[str]]] | None:
        """Address and query of a request; None where it has been refused."""
        self.server.connections.mark(self.connection, waiting=False)
        self.connection.settimeout(VIEWER_TIMEOUT_S)
        try:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            given = query.get("token", [""])[0]
            allowed = self._allowed(given)
        except ValueError:  # brackets in the path or in Host that are no address
            self._say(HTTPStatus.BAD_REQUEST, "400: not understood")
            return None
        if not self._for_our_page(parts.path):
            self._say(HTTPStatus.FORBIDDEN, "403: another page asks for this one's content")
        elif not allowed:
            text = "403: open the address that edge-effnet printed, whole"
            self._say(HTTPStatus.FORBIDDEN, text)
        else:
            return parts, query
        return None

    def _body(self) -> bytes | None:
        """What was sent; None where its length is not told, or too much."""
        told = self.headers.get("Content-Length", "")
        if not (told.isascii() and told.isdecimal() and int(told) <= MOST_BYTES):
            return None
        return self.rfile.read(int(told))

    def _from_our_page(self) -> bool:
        """Whether a script of our page sent it: JSON, which a form cannot send, from the address
        that it was sent to."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        origin = urlsplit(self.headers.get("Origin", "")).netloc.lower()
        return kind == "application/json" and origin == self.headers.get("Host", "").lower() != ""

    def _get(self, parts: SplitResult, query: dict[str, list[str]]) -> None:
        taps, kept = self.server.controls.taps, self.server.controls.kept
        if parts.path in _PAGES:
            name, kind = _PAGES[parts.path]
            self._answer(_asset(name), kind, remember="token" in query)
        elif parts.path == "/labels.json" and taps is not None:
            self._answer_json(taps.labels)
        elif parts.path == "/learn.json" and kept is not None:
            self._answer_json(kept.to_json())
        elif parts.path == "/review.json" and kept is not None:
            self._answer_json(kept.review.to_json())
        elif parts.path.startswith(_KEPT) and kept is not None:
            image = kept.review.image(unquote(parts.path.removeprefix(_KEPT)))
            if image is None:
                self._say(HTTPStatus.NOT_FOUND, "404")
            else:
                self._answer(image, "image/jpeg")
        elif parts.path == "/state.json":
            self._answer(self.server.publisher.state_json(), "application/json")
        elif parts.path == "/picture.jpg":
            with self._room(self.server.viewers) as room:
                if room:
                    self._picture(query.get("after", ["0"])[0])
        elif parts.path == "/stream.mjpg":
            with self._room(self.server.streams) as room:
                if room:
                    self._stream()
        else:
            self._say(HTTPStatus.NOT_FOUND, "404")

    @contextmanager
    def _room(self, places: threading.BoundedSemaphore) -> Iterator[bool]:
        """Take a place for what waits for frames; whether there is one. Else this is said."""
        room = places.acquire(blocking=False)
        try:
            if not room:
                self._say(HTTPStatus.SERVICE_UNAVAILABLE, "too many viewers")
            yield room
        finally:
            if room:
                places.release()

    def _picture(self, after: str) -> None:
        known = after.isascii() and after.isdecimal() and len(after) < 19
        newest = self.server.publisher.newest_jpeg(int(after) if known else 0)
        if newest is None:
            self._answer(b"", "image/jpeg", HTTPStatus.NO_CONTENT)
        else:
            self._answer(newest[1], "image/jpeg", number=newest[0])

    def _for_our_page(self, path: str) -> bool:
        """Whether the request is from our own page, a player, or opens the page itself; another
        one, even of this machine, could embed the stream and draw what it shows."""
        site = self.headers.get("Sec-Fetch-Site", "none")
        opened = self.headers.get("Sec-Fetch-Dest") == "document" and path == "/"
        return site in ("same-origin", "none") or opened

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
        return hmac.compare_digest(offered.encode("utf-8", "replace"), token.encode())

    @property
    def _cookie(self) -> str:
        return f"edge-effnet-{self.server.port}"

    def _say(self, status: HTTPStatus, line: str) -> None:
        self._answer(f"{line}\n".encode(), "text/plain; charset=utf-8", status)

    def _answer_json(self, document: Any) -> None:
        """None is an answer without content."""
        if document is None:
            self._answer(b"", "text/plain", HTTPStatus.NO_CONTENT)
        else:
            self._answer(json_bytes(document), "application/json")

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
