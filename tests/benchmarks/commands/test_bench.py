"""The harness and ``bench`` on models that really run. No time is ever asserted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import reference_index
from benchmarks.devices import DEVICES, Device, find_device
from benchmarks.results.store import read_results
from benchmarks.spec import BenchSpec, parse_threads
from benchmarks.ssh.connect import device_name
from benchmarks.studies.overhead import measure_overhead
from edge_effnet.errors import UsageProblem
from tests.benchmarks.conftest import Cli
from tests.edge_effnet.conftest import RIGHT

MakeModel = Callable[..., Path]


def swapped() -> np.ndarray:
    """Weights of a model that takes every blue image for a red one."""
    return np.array([[1, 0, 1.2], [0, 1, 0], [0, 0, 0]])


def test_bench_measures_models_in_turn(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    right, wrong = colour_model("right.tflite"), colour_model("wrong.tflite", swapped())
    file = tmp_path / "r.json"
    code, out, err = cli(
        *("bench", right, wrong, "--seconds", 0.05, "--threads", "1,2", "--no-delegate"),
        *("--data", colour_folder, "--json", file),
    )
    assert code == 0, err
    (result,) = read_results(file)
    assert [case.title for case in result.cases] == [
        f"{name}{setting}"
        for name in ("right", "wrong")
        for setting in ("", " (2 threads)", " (no delegate)", " (2 threads, no delegate)")
    ]
    first = result.cases[0]
    assert len({len(case.samples_ms) for case in result.cases}) == 1  # in turn: rounds
    assert len(first.samples_ms) >= 10
    assert first.delegation is not None
    assert first.fresh is not None
    assert len(first.preprocess_ms) == 60
    assert len(first.decode_ms) == 20
    assert {(entry.case, entry.base) for entry in result.ratios} == {
        *((place, 0) for place in (1, 2, 3, 4)),
        *((place, place - 4) for place in (5, 6, 7)),
        *((place, 4) for place in (5, 6, 7)),
    }
    accuracy = result.accuracy
    assert accuracy is not None
    assert [entry["top1"] for entry in accuracy["models"]] == pytest.approx([100, 66.7], abs=0.1)
    assert accuracy["models"][1]["agreement"] == pytest.approx(66.7, abs=0.1)
    assert "right" in out
    assert "XNNPACK delegate: " in out
    assert err.count("\n") <= 6  # a line for each stage where stderr is no terminal


def test_bench_prints_csv_and_markdown(cli: Cli, colour_model: MakeModel) -> None:
    model = colour_model()
    code, out, _ = cli("bench", model, "--seconds", 0.05, "--csv")
    assert code == 0
    assert out.splitlines()[1].startswith("colours,1,True,")
    code, out, _ = cli("bench", model, "--seconds", 0.05, "--markdown")
    assert code == 0
    assert out.startswith("| model | size |")
    code, _, err = cli("bench", model, "--csv", "--json", "-")
    assert code == 2
    assert "one thing can be printed" in err


def test_strict_fails_what_is_not_valid(
    cli: Cli, colour_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_effnet.measure import validity

    monkeypatch.setattr(validity, "OWN_SHARE", 99.0)  # no program gets 99 cores' time
    model = colour_model()
    code, out, err = cli("bench", model, "--seconds", 0.05, "--json", "-", "--strict")
    assert code == 3
    assert "not valid" in err
    document = json.loads(out)
    assert not document["verdict"]["valid"]
    assert "starved" in {remark["code"] for remark in document["verdict"]["remarks"]}
    assert cli("bench", model, "--seconds", 0.05)[0] == 0  # without --strict it is only said


def test_sustained_watches_the_machine(cli: Cli, colour_model: MakeModel, tmp_path: Path) -> None:
    file = tmp_path / "series.json"
    code, _, err = cli("bench", colour_model(), "--sustained", 0.01, "--append", file)
    assert code == 0, err
    (result,) = read_results(file)
    assert len(result.timeline) >= 1
    assert set(result.timeline[0]) >= {"seconds", "temperature_c", "frequency_mhz"}


def test_a_model_without_preprocessing_is_timed_all_the_same(
    cli: Cli, colour_model: MakeModel
) -> None:
    model = colour_model(labels=None)
    code, out, _ = cli("bench", model, "--seconds", 0.05, "--json", "-")
    assert code == 0
    assert json.loads(out)["cases"][0]["preprocess_ms"] == []


def test_bad_input_is_one_line(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    model, text, empty = colour_model(), tmp_path / "a.txt", tmp_path / "empty"
    text.write_text("{}")
    empty.mkdir()
    for arguments, expected in (
        (("bench", tmp_path / "no.tflite"), 1),
        (("bench", text), 1),
        (("bench", model, "--data", empty), 1),
        (("bench", model, "--append", text), 1),
        (("bench", model, "--json", empty), 1),
        (("bench", model, "--json", text / "below.json"), 1),
        (("bench", model, "--append", text / "below.json"), 1),
        (("bench", colour_model("two.tflite", RIGHT[:2], None), "--data", colour_folder), 1),
        (("bench", model, "--json", text), 1),
        (("bench", model, model), 2),
        (("bench", model, "--native-tool", tmp_path / "no-tool"), 1),
        (("bench", model, "--threads", "0"), 2),
        (("bench", model, "--device", "toaster"), 2),
        (("report", text, "-o", tmp_path / "r.html"), 1),
        (("report", tmp_path / "no.json"), 1),
    ):
        code, out, err = cli(*arguments)
        assert code == expected, arguments
        assert not out
        *progress, last = err.splitlines()
        assert last.startswith("error: ")
        # That processes of their own could run the models, and that the tool was tried.
        assert len(progress) <= 2


def test_the_reference_is_the_first_float_model(colour_model: MakeModel) -> None:
    models = [colour_model("a.tflite"), colour_model("b.tflite")]
    assert reference_index(models) == 0


def test_devices_are_rows() -> None:
    assert find_device("cpu") == (DEVICES["cpu"], "")
    assert find_device("pi@raspberrypi.local:22") == (DEVICES["pi"], "raspberrypi.local:22")
    named = "anna@raspberrypi.local:22"  # the user's own name, which current systems ask for
    assert find_device(named) == (DEVICES["pi"], named)
    assert find_device("pi@" + named) == (DEVICES["pi"], named)
    for address, shown in ((named, named), ("raspberrypi.local", "pi@raspberrypi.local")):
        assert device_name(address) == shown
        assert find_device(shown)[1] == address
    for wrong in ("", "pi", "pi@", "cpu@host", "cpu@", "@host", "anna@"):
        with pytest.raises(UsageProblem, match="--device"):
            find_device(wrong)
    with pytest.raises(ValueError, match="not complete"):
        Device("x", False, "nowhere", "")


def test_a_spec_refuses_contradictions() -> None:
    with pytest.raises(UsageProblem, match="named twice"):
        BenchSpec((Path("a"), Path("a")))
    with pytest.raises(UsageProblem, match="--threads"):
        BenchSpec((Path("a"),), threads=(1, 1))
    assert parse_threads("1,2,4") == (1, 2, 4)
    for wrong in ("", "0", "1,,2", "x", "999"):
        with pytest.raises(UsageProblem):
            parse_threads(wrong)
    spec = BenchSpec((Path("a"), Path("b")), threads=(1, 2), without_delegate=True, seconds=3)
    assert spec.budget_seconds == 24
    assert json.dumps(spec.to_json())
    assert spec.names == ("a", "b")
    runs = BenchSpec((Path("run7/best.tflite"), Path("run8/best.tflite")))
    assert runs.names == ("run7/best", "run8/best")


def test_the_overhead_script_compares_both_loops(colour_model: MakeModel) -> None:
    found = measure_overhead(colour_model(), rounds=4, seconds=0.001, tool=False)
    assert len(found.bare_ms) == len(found.harness_ms) == 4
    assert found.tool_ms == ()
    # On an empty call, where nothing else is measured: a few hundred nanoseconds.
    assert found.added_us < 50
