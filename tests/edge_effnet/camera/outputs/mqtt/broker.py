"""A real mosquitto on loopback, and a client that hears everything."""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests import debian

PACKAGES, RELEASE = ("mosquitto",), debian.Release("bookworm")


def programs(name: str) -> list[str]:
    """The words that start a program of mosquitto: this machine's, else Debian's, unpacked.

    Raises:
        debian.Impossible: there is none, and none can be unpacked.
    """
    if found := shutil.which(name):
        return [found]
    debian.refuse_machine()
    root = debian.built(
        "mosquitto", repr((PACKAGES, RELEASE)), lambda part: debian.unpack(PACKAGES, RELEASE, part)
    )
    libraries = root / "usr/lib/x86_64-linux-gnu"
    loader = [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries)]
    return [*loader, str(next(root.glob(f"usr/*bin/{name}")))]


@dataclass
class Broker:
    """A broker that can be stopped and started again; its log is at ``log``."""

    folder: Path
    settings: Sequence[str] = ("allow_anonymous true",)
    tls: bool = False
    port: int = field(default_factory=debian.free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "mosquitto.log"

    def start(self) -> None:
        own = [f"listener {self.port} 127.0.0.1", "log_type all", f"log_dest file {self.log}"]
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text("\n".join([*own, "user root", *self.settings]) + "\n")
        command = [*programs("mosquitto"), "-c", str(configuration)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("mosquitto does not answer")

    def hang(self) -> None:
        """It takes what is sent, and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """As by a power cut: it forgets everything, and says goodbye to nobody."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


@contextmanager
def broker(folder: Path, *settings: str, tls: bool = False) -> Iterator[Broker]:
    one = Broker(folder, settings or ("allow_anonymous true",), tls)
    one.start()
    try:
        yield one
    finally:
        one.stop()


@dataclass
class Listener:
    """Everything that a broker passes on, in its order."""

    heard: list[tuple[str, str, bool]] = field(default_factory=list)

    def latest(self, topic: str) -> str | None:
        return next((payload for name, payload, _ in reversed(self.heard) if name == topic), None)

    def all(self, topic: str) -> list[str]:
        return [payload for name, payload, _ in self.heard if name == topic]


@contextmanager
def listening(port: int, user: tuple[str, str] | None = None) -> Iterator[Listener]:
    listener = Listener()

    def on_message(_client: Client, _data: object, message: MQTTMessage) -> None:
        listener.heard.append((message.topic, message.payload.decode(), message.retain))

    def on_connect(client: Client, *_: object) -> None:
        client.subscribe("#", qos=1)

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message, client.on_connect = on_message, on_connect
    if user is not None:
        client.username_pw_set(*user)
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield listener
    finally:
        client.disconnect()
        client.loop_stop()


def certificates(folder: Path, host: str) -> tuple[Path, Path, Path]:
    """An authority's certificate, and the certificate and key of a broker that is ``host``."""
    pem = serialization.Encoding.PEM
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in ("ca", host)]
    made = []
    for own in (0, 1):
        builder = x509.CertificateBuilder(
            names[0], names[own], keys[own].public_key(), x509.random_serial_number()
        )
        builder = builder.not_valid_before(now - day).not_valid_after(now + day)
        authority = x509.BasicConstraints(ca=own == 0, path_length=None)
        builder = builder.add_extension(authority, critical=True)
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(keys[own].public_key()), critical=False
        )
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False
        )
        if own:
            try:
                name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
            except ValueError:
                name = x509.DNSName(host)
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        made.append(builder.sign(keys[0], hashes.SHA256()))
    files = [folder / name for name in ("ca.pem", "broker.pem", "broker.key")]
    files[0].write_bytes(made[0].public_bytes(pem))
    files[1].write_bytes(made[1].public_bytes(pem))
    plain = serialization.NoEncryption()
    files[2].write_bytes(keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return files[0], files[1], files[2]


def password_line(user: str, password: str) -> str:
    """A line of mosquitto's password file: PBKDF2 with SHA-512, 101 rounds."""
    salt = b"twelve bytes"
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    parts = (base64.b64encode(one).decode() for one in (salt, made))
    return f"{user}:$7$101${'$'.join(parts)}\n"
