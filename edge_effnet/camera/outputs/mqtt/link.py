"""One connection to a broker, by paho-mqtt.

paho's own loop, which connects again, is not used: when a broker is back it first gets what is
published, and then, again, what was under way when it went. So an old state would follow the
latest, and stay.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from select import select
from typing import TYPE_CHECKING, Any

from edge_effnet.camera.outputs.mqtt.address import BrokerAddress
from edge_effnet.errors import MissingExtra, OutputError
from edge_effnet.printable import printable

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

KEEP_ALIVE_S = 30
"""A broker that hears nothing for one and a half of it publishes the last will."""
CONNECT_S = 4.0
_POLL_S = 0.1
_MOST_UNCONFIRMED = 20
_BUSY = "Server unavailable"
"""The one refusal that passes by itself."""


class ConnectionLost(Exception):
    """Why a connection was not made, or ended; another attempt may do."""


class ConnectionEnded(ConnectionLost):
    """By the other side, or on the way."""


def require_paho() -> None:
    """Raise MissingExtra where there is no paho-mqtt, or one before 2, as in older systems."""
    try:
        from paho.mqtt.enums import CallbackAPIVersion  # noqa: F401
    except ImportError as error:
        raise MissingExtra("paho-mqtt 2", "mqtt", "--mqtt") from error


class _ClosingSocket(ssl.SSLSocket):
    """paho leaves the socket of a handshake that fails to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


class Link:
    """A connection that is not made yet. For one thread.

    Args:
        will: topic and message of the last will.
        found: told of each topic of ``subscribe`` that holds something.

    Attributes:
        sent: the latest message by topic.
    """

    def __init__(
        self, address: BrokerAddress, *, will: tuple[str, str], found: Callable[[str], None]
    ) -> None:
        self.sent: dict[str, str] = {}
        self._address, self._found = address, found
        self._unconfirmed: set[int] = set()
        self._answer: ReasonCode | None = None
        self._client = self._new_client(will)

    def _new_client(self, will: tuple[str, str]) -> Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        address = self._address
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"edge-effnet-{address.node}")
        client.connect_timeout = CONNECT_S
        if address.user is not None:
            client.username_pw_set(address.user, address.password)
        if address.tls:
            context = ssl.create_default_context()  # reads SSL_CERT_FILE
            context.sslsocket_class = _ClosingSocket
            client.tls_set_context(context)
        client.will_set(*will, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    @property
    def idle(self) -> bool:
        """Whether the broker has confirmed all messages."""
        return not self._unconfirmed

    def connect(self) -> None:
        """Connect, and wait for the broker's answer.

        Raises:
            ConnectionLost: it cannot be reached, does not answer, or is not ready.
            OutputError: it refuses, or its certificate cannot be verified.
        """
        try:
            self._client.connect(self._address.host, self._address.port, KEEP_ALIVE_S)
        except ssl.SSLError as error:
            raise self._insecure(error) from None
        except OSError as error:
            raise ConnectionLost(f"it cannot be reached ({error.strerror or error})") from None
        until_s = time.monotonic() + CONNECT_S
        while self._answer is None:
            if time.monotonic() >= until_s:
                raise ConnectionLost(f"no answer in {CONNECT_S:.0f} s")
            try:
                self.loop()
            except ConnectionLost:
                if self._answer is None:
                    hint = "" if self._address.tls else " (does it want mqtts://?)"
                    raise ConnectionLost(f"it ends the connection unanswered{hint}") from None
        if not self._answer.is_failure:
            return
        reason = str(self._answer)
        if reason == _BUSY:
            raise ConnectionLost(f"it is not ready ({reason})")
        fix = "check user and password"
        if self._address.user is None:
            fix = "write mqtt://user:password@host into a file, chmod 600 it, and give --mqtt-file"
        raise OutputError(f"{self._address.shown}: it refuses", found=reason, fix=fix)

    def _insecure(self, error: ssl.SSLError) -> OutputError:
        found, fix = printable(error.reason or type(error).__name__), "give its port for TLS"
        if isinstance(error, ssl.SSLCertVerificationError):
            found = printable(error.verify_message.rstrip("."))
            fix = "give the host as its certificate names it, and name an authority of its own "
            fix += "by SSL_CERT_FILE=ca.pem"
        what = f"{self._address.shown}: the connection is not secure"
        return OutputError(what, found=found, fix=fix)

    def subscribe(self, topics: str) -> None:
        self._client.subscribe(topics, qos=1)

    def publish(self, messages: Sequence[tuple[str, str]]) -> None:
        """Send as many as the broker takes now."""
        for topic, payload in messages:
            if len(self._unconfirmed) >= _MOST_UNCONFIRMED:
                return
            self._unconfirmed.add(self._client.publish(topic, payload, qos=1, retain=True).mid)
            self.sent[topic] = payload

    def loop(self) -> None:
        """Read and write for a moment; raises ConnectionLost."""
        client = self._client
        if (socket := client.socket()) is None:
            raise ConnectionEnded("the connection is lost")
        decrypted = isinstance(socket, ssl.SSLSocket) and socket.pending()  # no select tells of it
        writing = [socket] if client.want_write() else []
        try:
            readable, writable, _ = select([socket], writing, [], 0 if decrypted else _POLL_S)
            failed = (readable or decrypted) and client.loop_read()
            failed = failed or (writable and client.loop_write()) or client.loop_misc()
        except Exception as error:  # whatever paho makes of a packet that is none
            raise ConnectionLost(f"it sends no MQTT ({type(error).__name__})") from None
        if failed:
            raise ConnectionEnded("the connection is lost")

    def close(self) -> None:
        """A clean end takes the last will back: only where everything has arrived."""
        if self.idle and self._client.is_connected():
            self._client.disconnect()
        if (socket := self._client.socket()) is not None:
            socket.close()

    # Called by the client, within ``loop``

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        self._answer = reason

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: Any, _more: Any) -> None:
        self._unconfirmed.discard(mid)

    def _on_message(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        if message.payload:
            self._found(message.topic)
