"""A camera over https: its certificate is verified, and can be one of its own."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge_effnet.camera.sources.base import FrameSource
from edge_effnet.camera.sources.mjpeg import open_mjpeg
from edge_effnet.errors import DataError
from tests.edge_effnet.camera.hostile import GOOD, part


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that it has signed itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "camera")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - day).not_valid_after(now + day)
    signed = made.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem, file = serialization.Encoding.PEM, folder / "camera.pem"
    format_, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(signed.public_bytes(pem) + key.private_bytes(pem, format_, plain))
    return file


@contextmanager
def https_camera(pem: Path) -> Iterator[str]:
    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
            self.end_headers()
            self.wfile.write(3 * part(GOOD))

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}/x"
        server.shutdown()


def test_a_certificate_of_its_own_is_refused_until_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path)
    with https_camera(pem) as address:
        with pytest.raises(DataError, match=r"verified: self-signed.*SSL_CERT_FILE=") as caught:
            open_mjpeg(address)
        assert "switched on" not in str(caught.value)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        source = open_mjpeg(address)
        assert isinstance(source, FrameSource)
        assert [source.read() is not None for _ in range(3)] == [True] * 3
        source.close()
