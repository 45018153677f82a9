"""Answers at a real broker: what it keeps, what it hears, and what happens when it goes away."""

from __future__ import annotations

import json
import re
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.camera.answers import Decision, ScoredLabel
from edge_effnet.camera.outputs.mqtt.address import BrokerAddress, parse_broker
from edge_effnet.camera.outputs.mqtt.discovery import Camera
from edge_effnet.camera.outputs.mqtt.publisher import Publisher
from edge_effnet.errors import OutputError
from tests.edge_effnet.camera.conftest import wait_for
from tests.edge_effnet.camera.outputs.mqtt.broker import (
    Broker,
    broker,
    certificates,
    listening,
    password_line,
)
from tests.edge_effnet.camera.sessions import frame_of

pytestmark = pytest.mark.usefixtures("mosquitto")

PORCH = Camera("porch", "birds.tflite", "classes", ("robin", "wren"), "unknown")
AVAILABILITY, ANSWER = "edge-effnet/porch/availability", "edge-effnet/porch/answer"
ATTRIBUTES = "edge-effnet/porch/attributes"
DISCOVERY = "homeassistant/sensor/edge-effnet-porch/answer/config"


def address(port: int, user: str = "", host: str = "127.0.0.1", tls: bool = False) -> BrokerAddress:
    return parse_broker(f"mqtt{'s' * tls}://{user}{host}:{port}/porch", "--mqtt")


def seen(label: str, score: float = 0.9) -> Decision:
    item = ScoredLabel(label, score)
    return Decision((item,), (item, ScoredLabel("wren", 0.05)))


def publisher(
    where: BrokerAddress, say: Callable[[str], None] = print, steady_s: float = 0.0
) -> Publisher:
    return Publisher(where, PORCH, steady_s=steady_s, say=say)


def told_online(one: Broker) -> bool:
    """Whether the broker has an answer, and behind it that the camera is online."""
    return bool(re.search(f"'{ANSWER}'.*'{AVAILABILITY}'", one.log.read_text(), re.DOTALL))


def test_what_the_broker_keeps(tmp_path: Path) -> None:
    with broker(tmp_path) as one:
        output = publisher(address(one.port))
        output.see(seen("robin"), frame_of(7))
        wait_for(lambda: told_online(one))
        with listening(one.port) as later:  # who comes later finds all of it
            # What is retained comes in no particular order.
            wait_for(lambda: later.latest(AVAILABILITY) == "online")
            wait_for(lambda: later.latest(ANSWER) == "robin")
            wait_for(lambda: None not in map(later.latest, (ATTRIBUTES, DISCOVERY)))
            assert all(retained for _, _, retained in later.heard)
            attributes = json.loads(later.latest(ATTRIBUTES) or "")
            assert attributes["score"] == 0.9
            assert attributes["best"] == {"robin": 0.9, "wren": 0.05}
            about = json.loads(later.latest(DISCOVERY) or "")
            assert about["state_topic"] == ANSWER
            assert about["options"] == ["robin", "wren", "unknown"]
            assert about["device"]["model"] == "birds.tflite"
            output.end()
            wait_for(lambda: later.latest(AVAILABILITY) == "offline")
        wait_for(lambda: "Received DISCONNECT from edge-effnet-porch" in one.log.read_text())


def test_a_flickering_answer_is_not_told(tmp_path: Path) -> None:
    with broker(tmp_path) as one, listening(one.port) as heard:
        output = publisher(address(one.port), steady_s=0.5)
        until = time.monotonic() + 2.0
        while time.monotonic() < until:  # wren for one frame in five
            output.see(
                seen("wren" if int(time.monotonic() * 30) % 5 == 0 else "robin"), frame_of(1)
            )
            time.sleep(1 / 30)
        assert heard.all(ANSWER) == []
        began = time.monotonic()
        output.see(seen("wren"), frame_of(2))
        output.see(seen("robin"), frame_of(3))
        while heard.latest(ANSWER) is None and time.monotonic() - began < 10:
            output.tick(away=False)  # also without another frame
            time.sleep(0.05)
        assert heard.all(ANSWER) == ["robin"]
        assert time.monotonic() - began >= 0.5
        assert len(heard.all(ATTRIBUTES)) <= 2
        output.end()


def test_a_camera_that_is_away_is_offline(tmp_path: Path) -> None:
    with broker(tmp_path) as one, listening(one.port) as heard:
        output = publisher(address(one.port))
        output.tick(away=False)
        wait_for(lambda: heard.all(AVAILABILITY) == ["offline"])  # until its first answer
        for away, state in ((False, "online"), (True, "offline"), (False, "online")):
            output.tick(away=away)
            if not away:
                output.see(seen("robin"), frame_of(1))
            wait_for(lambda state=state: heard.latest(AVAILABILITY) == state)  # type: ignore[misc]
        assert heard.all(AVAILABILITY) == ["offline", "online", "offline", "online"]
        output.end()


def test_an_answer_of_a_run_that_is_over_is_not_shown_as_news(tmp_path: Path) -> None:
    with broker(tmp_path) as one, listening(one.port) as heard:
        for label in ("robin", "wren"):
            output = publisher(address(one.port), steady_s=0.3)
            output.see(seen(label), frame_of(1))
            while heard.latest(AVAILABILITY) != "online":
                output.tick(away=False)
                time.sleep(0.01)
            assert heard.latest(ANSWER) == label
            output.end()
            wait_for(lambda: heard.latest(AVAILABILITY) == "offline")


def test_a_broker_that_comes_back_hears_all_again(tmp_path: Path) -> None:
    said: list[str] = []
    with broker(tmp_path) as one:  # it keeps nothing on disk
        output = publisher(address(one.port), said.append)
        output.see(seen("robin"), frame_of(1))
        one.stop()
        wait_for(lambda: len(said) == 1)
        for number in range(500):
            output.see(seen(("robin", "wren")[number % 2]), frame_of(number))
        one.start()
        with listening(one.port) as heard:
            wait_for(lambda: heard.latest(ATTRIBUTES) is not None, 30)
            wait_for(lambda: heard.latest(AVAILABILITY) == "online")
            wait_for(lambda: heard.latest(ANSWER) == "wren")
            wait_for(lambda: heard.latest(DISCOVERY) is not None)
            output.end()
        wait_for(lambda: len(said) == 2)
    name = f"mqtt://127.0.0.1:{one.port}"
    hint = "is another camera called porch, too?"
    assert said == [
        f"{name}: the connection is lost ({hint}); it is tried again",
        f"{name} is connected",
    ]


def test_the_latest_answer_stays_whatever_was_under_way(tmp_path: Path) -> None:
    """What a broker took, and did not confirm before it went, does not come after what is new."""
    said: list[str] = []
    with broker(tmp_path) as one:
        output = publisher(address(one.port), said.append)
        output.see(seen("robin", 0.5), frame_of(1))
        wait_for(lambda: told_online(one))
        one.hang()
        output.see(seen("wren"), frame_of(2))
        time.sleep(0.5)  # it is under way
        one.kill()
        wait_for(lambda: len(said) == 1)
        output.see(seen("robin"), frame_of(3))
        one.start()
        with listening(one.port) as heard:
            wait_for(lambda: heard.latest(AVAILABILITY) == "online", 30)
            wait_for(lambda: heard.latest(ANSWER) is not None)
            assert heard.all(ANSWER) == ["robin"]
            output.end()


def test_entities_of_another_model_go(tmp_path: Path) -> None:
    topics = [
        f"homeassistant/binary_sensor/edge-effnet-porch/label-{one}/config" for one in ("cat", "ox")
    ]
    others = "homeassistant/binary_sensor/edge-effnet-yard/label-cat/config"
    with broker(tmp_path) as one, listening(one.port) as heard:
        for labels in (("cat", "dog"), ("dog", "ox")):
            animals = Camera("porch", "animals.tflite", "labels", labels, "none of them")
            Publisher(address(one.port), animals, steady_s=0.0, say=print).end()
            yard = replace(animals, node="yard")
            where = replace(address(one.port), node="yard")
            if "cat" in labels:
                Publisher(where, yard, steady_s=0.0, say=print).end()
        wait_for(lambda: heard.latest(topics[0]) == "")
        with listening(one.port) as later:
            wait_for(lambda: None not in map(later.latest, (others, topics[1])))
            assert later.latest(topics[0]) is None


def test_a_broker_that_is_not_there_yet(tmp_path: Path) -> None:
    said: list[str] = []
    with broker(tmp_path) as one:
        one.stop()
        output = publisher(address(one.port), said.append)
        assert said == [
            f"mqtt://127.0.0.1:{one.port}: it cannot be reached (Connection refused); "
            "it is tried again"
        ]
        output.see(seen("robin"), frame_of(1))
        one.start()
        with listening(one.port) as heard:
            wait_for(lambda: heard.latest(ANSWER) == "robin", 30)
        output.end()


def test_user_and_password(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text(password_line("camera", "a/b@c"))
    settings = ("allow_anonymous false", f"password_file {passwords}")
    with broker(tmp_path, *settings) as one:
        output = publisher(address(one.port, "camera:a%2Fb%40c@"))
        output.see(seen("robin"), frame_of(1))
        with listening(one.port, ("camera", "a/b@c")) as heard:
            wait_for(lambda: heard.latest(ANSWER) == "robin")
        output.end()
        missing = "write mqtt://user:password@host into a file, chmod 600 it, and give --mqtt-file"
        for wrong, fix in (("camera:s3cret@", "check user and password"), ("", missing)):
            with pytest.raises(OutputError) as refused:
                publisher(address(one.port, wrong))
            assert str(refused.value) == (
                f"mqtt://127.0.0.1:{one.port}: it refuses; found Not authorized; to fix: {fix}"
            )


def test_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, own, key = certificates(tmp_path, "127.0.0.1")
    settings = ("allow_anonymous true", f"certfile {own}", f"keyfile {key}")
    with broker(tmp_path, *settings) as one:
        with pytest.raises(OutputError, match="the connection is not secure; found unable to get"):
            publisher(address(one.port, tls=True))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        output = publisher(address(one.port, tls=True))
        output.see(seen("robin"), frame_of(1))
        wait_for(lambda: "edge-effnet/porch/answer" in one.log.read_text())
        output.end()


def test_tls_for_another_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, own, key = certificates(tmp_path, "elsewhere.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    settings = ("allow_anonymous true", f"certfile {own}", f"keyfile {key}")
    with (
        broker(tmp_path, *settings) as one,
        pytest.raises(OutputError, match="IP address mismatch, certificate is not valid for"),
    ):
        publisher(address(one.port, tls=True))


CONNECTED = b"\x20\x02\x00\x00"


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", "it ends the connection unanswered (does it want"),
        (CONNECTED + b"\x90\x05\xff\xff\xff\xff\xff\x30\x02\xff\xff", "it sends no MQTT"),
    ],
)
def test_what_is_no_broker(reply: bytes, note: str) -> None:
    """Neither ends a run nor keeps it from being tried again."""

    class Server(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(4096))
            self.request.sendall(reply)
            time.sleep(0.5)

    asked: list[bytes] = []
    said: list[str] = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        output = publisher(address(server.server_address[1]), said.append)
        output.see(seen("robin"), frame_of(1))
        wait_for(lambda: len(asked) > 1)
        output.end()
        server.shutdown()
    assert note in said[0]
