"""Addresses, topics and states, without a broker."""

from __future__ import annotations

import json
import re
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.camera.answers import Decision, ScoredLabel
from edge_effnet.camera.outputs.mqtt.address import parse_broker
from edge_effnet.camera.outputs.mqtt.discovery import MOST_OPTIONS, Camera, discovery
from edge_effnet.camera.outputs.mqtt.states import SteadyStates, label_keys, states_of
from edge_effnet.errors import UsageProblem


def test_addresses() -> None:
    one = parse_broker("mqtts://me:a%2Fb%40c@Broker.local/porch", "--mqtt")
    assert (one.host, one.port, one.tls, one.node) == ("broker.local", 8883, True, "porch")
    assert (one.user, one.password) == ("me", "a/b@c")
    assert one.shown == "mqtts://broker.local:8883"
    assert "a/b" not in repr(one)
    two = parse_broker("mqtt://[::1]:1884", "--mqtt")
    assert two.shown == "mqtt://[::1]:1884"
    assert (two.user, two.tls) == (None, False)


def test_without_a_name_it_is_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "pi.küche/1")
    assert parse_broker("mqtt://h", "--mqtt").node == "pi-k-che-1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("broker.local", "is no address of an MQTT broker"),
        ("http://me:s3cret@h", "is no address of an MQTT broker"),
        ("mqtt://", "is no address of an MQTT broker"),
        ("mqtt://me:s3cret/x@h", "is no address of an MQTT broker"),  # the slash is not escaped
        ("mqtt://h:port", "is no address of an MQTT broker"),
        ("mqtt://h/a/b", "cannot stand in a topic"),
        ("mqtt://me:s3cret@h/+", "cannot stand in a topic"),
    ],
)
def test_what_is_no_address(text: str, message: str) -> None:
    with pytest.raises(UsageProblem, match=message) as refused:
        parse_broker(text, "--mqtt")
    assert "s3cret" not in str(refused.value)


LABELS = st.lists(st.text(max_size=400), min_size=2, max_size=120).map(tuple)


@given(LABELS, st.sampled_from(["classes", "labels", "value"]))
def test_topics_and_configurations_of_any_labels(labels: tuple[str, ...], task: str) -> None:
    camera = Camera("porch", "m.tflite", task, labels, "unknown")  # type: ignore[arg-type]
    own = re.compile(camera.discovery_filter.replace("+", "[^/]+"))
    for topic, text in discovery(camera).items():
        assert own.fullmatch(topic)
        assert not set(topic) & set("+#\0 ")
        assert topic.count("/") == 4
        about = json.loads(text.encode())
        assert about["unique_id"].startswith("edge-effnet-porch-")
        assert len(about["name"]) <= 255
        assert len(set(about.get("options", ()))) == len(about.get("options", ())) <= MOST_OPTIONS


@given(LABELS)
def test_a_state_is_one_of_the_options(labels: tuple[str, ...]) -> None:
    camera = Camera("porch", "m.tflite", "classes", labels, "unknown")
    about = json.loads(next(iter(discovery(camera).values())))
    for label in (*labels, "unknown"):
        state = states_of(Decision((ScoredLabel(label, 1.0),)), "classes", labels)["answer"]
        assert len(state) <= 255
        assert state in about.get("options", [state])


def test_several_labels_have_a_state_each() -> None:
    shown = Decision((ScoredLabel("cat", 0.9), ScoredLabel("dog", 0.8)))
    assert states_of(shown, "labels", ("dog", "cow", "cat")) == {
        "answer": "cat, dog",
        "label-dog": "ON",
        "label-cow": "OFF",
        "label-cat": "ON",
    }
    camera = Camera("porch", "m.tflite", "labels", ("dog", "cow", "cat"), "none of them")
    topics = list(discovery(camera))
    assert "homeassistant/binary_sensor/edge-effnet-porch/label-cat/config" in topics
    assert len(topics) == 4


@pytest.mark.parametrize(
    ("labels", "keys"),
    [
        (("Dog", "hot dog", "7"), ("label-dog", "label-hot-dog", "label-7")),
        (("a+b", "a/b", "a#b"), ("label-a-b", "label-a-b-2", "label-a-b-2-2")),
        (("Müller", "猫", ""), ("label-muller", "label-a810bf84", "label-e3b0c442")),
    ],
)
def test_a_label_keeps_its_key(labels: tuple[str, ...], keys: tuple[str, ...]) -> None:
    assert label_keys(labels) == keys
    assert label_keys(("alpaca", *labels))[1:] == keys  # in a model with one class more


def test_values_are_numbers() -> None:
    camera = Camera("porch", "m.tflite", "value", ("weight",), "unknown")
    (text,) = discovery(camera).values()
    about = json.loads(text)
    assert (about["name"], about["state_class"]) == ("weight", "measurement")
    assert about["state_topic"] == "edge-effnet/porch/value-0"
    assert states_of(Decision((), values=(12.34567,)), "value", ("weight",)) == {"value-0": "12.35"}


def test_a_state_is_told_when_it_has_held_and_once() -> None:
    states, told = SteadyStates(1.0, "classes"), []
    steps = [(0.0, "a"), (0.9, "a"), (1.0, "a"), (2.0, "b"), (2.5, "a"), (4.0, "a"), (5.0, "b")]
    for now_s, state in [*steps, (5.9, "b"), (6.0, "b"), (9.0, "b")]:
        told += [(now_s, *states.changed({"answer": state}, now_s).values())]
    assert [one for one in told if len(one) > 1] == [(1.0, "a"), (6.0, "b")]
    assert states.told == {"answer": "b"}


def test_what_has_not_held_is_forgotten_with_the_camera() -> None:
    states = SteadyStates(1.0, "classes")
    assert not states.changed({"answer": "a"}, 0.0)
    states.forget()
    assert not states.changed({"answer": "a"}, 60.0)
    assert not states.settled
    assert states.changed({"answer": "a"}, 61.0) == {"answer": "a"}
    assert states.settled
    states.forget()
    assert not states.changed({"answer": "a"}, 90.0)
    assert not states.settled  # though it is the one that was told
    assert not states.changed({"answer": "a"}, 91.0)
    assert states.settled


def test_numbers_are_told_so_often_at_most() -> None:
    states = SteadyStates(1.0, "value")
    told = [now / 10 for now in range(35) if states.changed({"value-0": str(now)}, now / 10)]
    assert told == [0.0, 1.0, 2.0, 3.0]
