"""Addresses of cameras: how they are shown, asked for over HTTP, and redirected.

A password can stand before the host, in the query, or in the path (``/user=me_password=x.sdp`` is
common), and whoever types one by hand does not escape its ``/`` and ``@``. So an address is shown
only as far as it is certain to hold none.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urljoin, urlsplit

from edge_effnet.errors import DataError

HIDDEN = "…"
_PLAIN_HOST = re.compile(r"[\w.\-\[\]:]*")
_PLAIN_PATH = re.compile(r"[\w.\-/]*")
_KEPT = "%/:=&?~+!$,;'@()*[]"
"""Characters of a path and query that stand for themselves; a blank and a quote do not."""
_KEPT_IN_USER = "%:"
_PORTS = {"http": 80, "https": 443}
_ESCAPES = 'in user and password "/" is written %2F, "@" %40, "?" %3F, and "#" %23'


def shown_address(text: str) -> str:
    """An address for screens, logs and pages: scheme, host, and the path where it is plain.

    Everything that may hold a user's name or a password is replaced by ``…``.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme.isalnum():
        return HIDDEN if set(text) & set("@?&=") else text
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    behind = rest[len(authority) :]
    host = authority.rpartition("@")[2]
    if "@" in behind or not _PLAIN_HOST.fullmatch(host) or not _is_port(host):
        return f"{scheme}://{HIDDEN}"  # the password may have held the first "/"
    path = re.split(r"[?#]", behind, maxsplit=1)[0]
    if path != behind or not _PLAIN_PATH.fullmatch(path):
        path = (path if _PLAIN_PATH.fullmatch(path) else "/") + HIDDEN
    return f"{scheme}://{host}{path}"


def _is_port(host: str) -> bool:
    """Whether what stands behind the host's colon, if anything, is a port."""
    port = re.sub(r"^\[[^\]]*\]", "", host).partition(":")[2]
    return not port or (port.isascii() and port.isdecimal() and len(port) <= 5)


@dataclass(frozen=True)
class HttpAddress:
    """What one request needs.

    Attributes:
        scheme: http or https.
        host: a name or an IP address, without brackets.
        target: path and query, escaped.
        user: ``user:password``, or None; it is not shown by ``repr``.
    """

    scheme: str
    host: str
    port: int
    target: str
    user: str | None = None

    def __repr__(self) -> str:
        return f"HttpAddress({self.scheme}, {self.host}, {self.port})"

    @property
    def authorization(self) -> str | None:
        """The header that carries user and password."""
        if self.user is None:
            return None
        return "Basic " + base64.b64encode(self.user.encode("utf-8", "surrogateescape")).decode()

    @property
    def text(self) -> str:
        """The whole address, with its password: for FFmpeg, never for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        name, _, password = (self.user or "").partition(":")
        user = f"{quote(name, '')}:{quote(password, '')}@" if self.user is not None else ""
        return f"{self.scheme}://{user}{host}:{self.port}{self.target}"

    def redirected(self, location: str) -> HttpAddress:
        """Where a redirect leads. User and password go along only to the same host and port, or
        from http to https of one host; those in ``location`` are not taken.

        Raises:
            DataError: it leads to something else than http or https.
        """
        try:
            there = parse_http(urljoin(self.text, location.strip()))
        except ValueError:  # from urljoin, of brackets
            raise bad_address(location) from None
        same = (self.scheme, self.host, self.port) == (there.scheme, there.host, there.port)
        upgraded = self.host == there.host and (self.port, there.port) == (80, 443)
        kept = same or (upgraded and (self.scheme, there.scheme) == ("http", "https"))
        return replace(there, user=self.user if kept else None)


def parse_http(text: str) -> HttpAddress:
    """Read an http:// or https:// address.

    Raises:
        DataError: another scheme, no host, or no port; a password that is not escaped is told.
    """
    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme.lower(), parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:
        raise bad_address(text) from None
    if scheme not in _PORTS or not host:
        raise bad_address(text)
    user = None
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    target = quote(parts.path or "/", _KEPT) + (f"?{quote(parts.query, _KEPT)}" * bool(parts.query))
    return HttpAddress(scheme, host, port or _PORTS[scheme], target, user)


def escaped(address: str) -> str:
    """An address whose user and password are escaped as FFmpeg wants them: it would end at a
    blank or take a second ``@`` for the host's."""
    scheme, _, rest = address.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    return f"{scheme}://{quote(user, _KEPT_IN_USER)}{rest[len(user) :]}" if at else address


def what_to_check(name: str) -> str:
    """What may be wrong with an address that does not answer, by ``shown_address`` of it."""
    behind = f" ({_ESCAPES})" if name.endswith(f"://{HIDDEN}") else ""  # an "@" behind the host
    return f"check the address{behind} and that the camera is switched on"


def bad_address(text: str) -> DataError:
    """The error for an address that cannot be read; it shows no part of a password."""
    return DataError(
        f"{shown_address(text)} is no address of a camera",
        expected=f"http://, https://, rtsp:// or rtsps://, and a host; {_ESCAPES}",
        fix="for example --source http://user:password@192.168.1.20:8080/stream.mjpg",
    )
