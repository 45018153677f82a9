"""Delegation, fresh processes and the doctor, on a model that really runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_effnet.cli import run
from edge_effnet.errors import ModelError
from edge_effnet.measure.coral import CoralParts, diagnose_coral, find_coral
from edge_effnet.measure.delegation import Delegation, delegation, divide
from edge_effnet.measure.diagnosis import diagnose_machine
from edge_effnet.measure.environment import read_environment
from edge_effnet.measure.probe import probe, status_bytes
from edge_effnet.measure.system_state import read_system_state
from edge_effnet.runtime.edgetpu import LIBRARY_VARIABLE
from edge_effnet.runtime.interpreter import open_interpreter
from tests.edge_effnet.measure import machines

MakeModel = Callable[..., Path]


def node(name: str, inputs: list[int], outputs: list[int]) -> dict[str, object]:
    return {"op_name": name, "inputs": inputs, "outputs": outputs}


def test_replaced_operators_are_those_never_reached() -> None:
    nodes = [
        node("QUANTIZE", [0], [1]),
        node("CONV_2D", [1, 10, -1], [2]),
        node("MUL", [2, 2], [3]),
        node("SOFTMAX", [3], [4]),
        node("DELEGATE", [1, 10], [3]),
    ]
    found = divide(nodes, [4])
    assert found == Delegation(4, 2, 1, (("QUANTIZE", 1), ("SOFTMAX", 1)))
    assert found.share == 0.5
    assert divide(nodes[:4], [4]).delegated == 0


def test_the_runtime_tells_who_computes(colour_model: MakeModel) -> None:
    model = colour_model()
    fast = delegation(open_interpreter(model).interpreter)
    slow = delegation(open_interpreter(model, delegate=False).interpreter)
    assert fast is not None
    assert slow is not None
    assert (fast.operators, slow.operators, slow.delegated) == (3, 3, 0)
    assert fast.delegated > 0
    assert delegation(object()) is None


def test_a_fresh_process_tells_memory_and_load(colour_model: MakeModel) -> None:
    found = probe(colour_model(), threads=2)
    assert found.load_ms > 0
    assert found.first_ms > 0
    assert found.before_bytes is not None
    assert found.peak_bytes is not None
    assert found.peak_bytes >= found.before_bytes > 10e6


def test_a_fresh_process_that_fails_is_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"\0\0\0\0TFL3" + bytes(50))
    with pytest.raises(ModelError, match="process of its own"):
        probe(broken)


def test_memory_fields_are_read_in_bytes(tmp_path: Path) -> None:
    machines.make(tmp_path, {"proc/self/status": "Name: x\nVmHWM:\t  2048 kB\n"})
    assert status_bytes("VmHWM", tmp_path) == 2048 * 1024
    assert status_bytes("VmRSS", tmp_path) is None
    assert status_bytes("VmRSS", tmp_path / "nowhere") is None


def test_a_pi_without_dot_product_is_told_so(tmp_path: Path) -> None:
    root = machines.pi4(tmp_path, throttled="50005")
    found = {
        finding.code
        for finding in diagnose_machine(
            read_environment(root, machine="aarch64"), read_system_state(root)
        )
    }
    assert {"no-dot-product", "governor", "throttled"} <= found


def test_coral_parts_are_found(tmp_path: Path) -> None:
    stick = "sys/bus/usb/devices/1-1"
    files = {f"{stick}/idVendor": "18d1", f"{stick}/idProduct": "9302", f"{stick}/speed": "480"}
    parts = find_coral(machines.make(tmp_path, files))
    assert parts.usb_mbit == 480
    assert "usb-2" in {finding.code for finding in diagnose_coral(parts)}
    nothing = list(diagnose_coral(CoralParts(None, None, False, None)))
    assert [finding.code for finding in nothing] == ["no-libedgetpu", "no-edgetpu", "no-compiler"]
    assert "github.com/feranick/libedgetpu/releases" in (nothing[0].fix or "")  # maintained
    assert "coral.ai" in (nothing[0].fix or "")


def test_a_library_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(LIBRARY_VARIABLE, str(tmp_path / "libedgetpu.so"))
    assert run(["doctor", "--device", "coral", "--json", "-"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert "which is not there" in findings[0]["what"]
    assert findings[0]["code"] == "no-libedgetpu"


def test_doctor_as_json(colour_model: MakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", str(colour_model()), "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["format"] == "edge-effnet/doctor"
    assert document["model"]["storage"] == "float32"
    assert document["model"]["delegation"]["operators"] == 3
    assert document["model"]["findings"][0]["code"] == "recipe-float32"
    assert document["environment"]["runtime"].startswith(("LiteRT", "tflite-runtime"))
    assert document["extras"].keys() >= {"convert", "train"}


def test_doctor_for_coral_needs_no_device(
    colour_model: MakeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", str(colour_model()), "--device", "coral", "--json", "-"]) == 0
    ops = json.loads(capsys.readouterr().out)["edgetpu"]["ops"]
    assert [entry["index"] for entry in ops] == [0, 1, 2]
    assert [entry["op"] for entry in ops] == ["MEAN", "FULLY_CONNECTED", "SOFTMAX"]
    assert not any(entry["mapped"] for entry in ops)
    assert "float32" in ops[0]["reason"]


def test_doctor_for_people(colour_model: MakeModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    assert "extras" in capsys.readouterr().out
    model = colour_model()
    for device in ("cpu", "coral"):
        assert run(["doctor", str(model), "--device", device]) == 0
        assert ("to do" if device == "cpu" else "to fix") in capsys.readouterr().out


def test_doctor_says_which_photos_the_command_needs(
    colour_model: MakeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    open_file = colour_model("open.tflite", labels=None)
    for path, option, said in (
        (open_file, "--data", "PHOTOS: a folder with your photos, in it a folder for each class"),
        (colour_model(), "--calibration", "PHOTOS: a folder with your photos; no labels"),
    ):
        assert run(["doctor", str(path)]) == 0
        shown = capsys.readouterr().out
        assert f"{option} PHOTOS" in shown
        assert said in shown


def test_doctor_refuses_what_is_no_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no model at all")
    for path in (text, tmp_path / "missing.tflite"):
        assert run(["doctor", str(path)]) == 1
        err = capsys.readouterr().err
        assert err.startswith("error: ")
        assert err.count("\n") == 1
