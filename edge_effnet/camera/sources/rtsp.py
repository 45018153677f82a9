"""Where an RTSP camera redirects to, asked before FFmpeg opens it with user and password.

FFmpeg follows a redirect (RFC 2326, section 11.3) and offers what it was given for the first host
to the next one too.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import time
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit
from urllib.request import (
    AbstractDigestAuthHandler,
    HTTPPasswordMgrWithDefaultRealm,
    Request,
    parse_http_list,
    parse_keqv_list,
)

from edge_effnet.camera.sources.address import shown_address
from edge_effnet.errors import DataError

TIMEOUT_S = 5.0
"""For all questions together; who does not answer is left to FFmpeg."""
_MOST_REDIRECTS = 5
_PORTS = {"rtsp": 554, "rtsps": 322}
_METHODS = ("OPTIONS", "DESCRIBE")  # in FFmpeg's order; it follows a redirect of either
_MOST_BYTES = 1 << 16  # of an answer's headers


def refuse_other_host(address: str) -> None:
    """Refuse a camera that redirects to another host or port.

    Args:
        address: an rtsp:// or rtsps:// address with user and password, escaped.

    Raises:
        DataError: it does.
    """
    until, asked = time.monotonic() + TIMEOUT_S, _Asked.of(address)
    for _ in range(_MOST_REDIRECTS):
        location = None
        with contextlib.suppress(OSError, ValueError, LookupError):  # FFmpeg meets it too
            location = asked.redirect(until)
        if location is None:
            return
        try:
            there = _Asked.of(location)
        except ValueError:
            there = None
        if there is None or (there.host, there.port) != (asked.host, asked.port):
            raise DataError(
                f"{shown_address(address)} redirects to another host",
                found=shown_address(location[:200]),
                expected="an address where the video itself is: user and password are not sent on",
                fix="give that address, with the user and password that belong there",
            )
        asked = replace(there, user=asked.user, password=asked.password)


@dataclass(frozen=True)
class _Answer:
    status: int
    lines: tuple[str, ...]

    def all(self, name: str) -> list[str]:
        """Values of the headers of this name."""
        headers = [line.partition(":") for line in self.lines]
        return [value.strip() for key, _, value in headers if key.strip().lower() == name]


@dataclass(frozen=True)
class _Asked:
    """An address, taken apart; ``url`` is without user and password."""

    url: str
    scheme: str
    host: str
    port: int
    user: str
    password: str

    @classmethod
    def of(cls, address: str) -> _Asked:
        parts = urlsplit(address)
        scheme = parts.scheme.lower()
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        port = parts.port or _PORTS.get(scheme, 554)
        return cls(url, scheme, parts.hostname or "", port, user, password)

    def redirect(self, until: float) -> str | None:
        """Where it sends on to; None where it answers by itself, or not as RTSP.

        Raises:
            OSError: it cannot be reached in time.
            ValueError, LookupError: it wants credentials in a way that is not known.
        """
        for method in _METHODS:
            answer = self._answer(method, until, None)
            if answer.status == 401 and (header := self._authorization(method, answer)):
                answer = self._answer(method, until, header)
            if 300 <= answer.status < 400 and (location := answer.all("location")):
                return location[-1]
        return None

    def _authorization(self, method: str, answer: _Answer) -> str | None:
        asked = [value.partition(" ") for value in answer.all("www-authenticate")]
        challenges = {kind.lower(): challenge for kind, _, challenge in asked}
        if "digest" in challenges:
            return self._digest(method, challenges["digest"])
        given = f"{self.user}:{self.password}".encode("utf-8", "surrogateescape")
        return f"Basic {base64.b64encode(given).decode()}" if "basic" in challenges else None

    def _digest(self, method: str, challenge: str) -> str | None:
        known = HTTPPasswordMgrWithDefaultRealm()
        known.add_password(None, self.url, self.user, self.password)
        request = Request(self.url, method=method)  # noqa: S310 (never opened)
        request.selector = self.url
        answer = AbstractDigestAuthHandler(known).get_authorization(
            request, parse_keqv_list(parse_http_list(challenge))
        )
        return answer and f"Digest {answer}"

    def _answer(self, method: str, until: float, header: str | None) -> _Answer:
        lines = [f"{method} {self.url} RTSP/1.0", "CSeq: 1", "Accept: application/sdp"]
        lines += [f"Authorization: {header}"] * (header is not None)
        with self._connected(until) as link:
            link.sendall("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape"))
            found = b""
            while b"\r\n\r\n" not in found and len(found) < _MOST_BYTES:
                link.settimeout(_left(until))
                piece = link.recv(4096)
                if not piece:
                    break
                found += piece
        first, *rest = found.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        status = re.match(r"RTSP/\d\.\d (\d{3})", first)
        return _Answer(int(status[1]) if status else 0, tuple(rest))

    def _connected(self, until: float) -> socket.socket:
        link = socket.create_connection((self.host, self.port), _left(until))
        if self.scheme != "rtsps":
            return link
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # as FFmpeg
        return context.wrap_socket(link)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
