"""Result files: round trip, schema, series, what is refused; and the limits of a regression."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.accuracy import pareto_front
from benchmarks.native import operator_times, parse_summary
from benchmarks.results.regression import regress
from benchmarks.results.result import parse_result
from benchmarks.results.store import append_result, read_results
from benchmarks.results.tables import rows, to_csv, to_markdown
from edge_effnet.errors import DataError, OutputError
from tests.benchmarks.conftest import Cli, MakeResult


def around(middle: float, seed: int = 0, count: int = 60) -> list[float]:
    noise = np.random.default_rng(seed).normal(1, 0.01, count)
    return [round(middle * float(value), 5) for value in noise]


def save(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_a_result_survives_its_file(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result({"float": around(4), "int8": around(2)})
    (found,) = read_results(save(tmp_path / "r.json", result.to_json()))
    assert found == result
    assert found.ratios[0].value == pytest.approx(0.5, rel=0.02)


def test_results_are_added_to_a_file(tmp_path: Path, make_result: MakeResult) -> None:
    path, result = tmp_path / "new" / "series.json", make_result({"a": around(1)})
    assert append_result(path, result) == 1
    assert append_result(path, result) == 2
    assert read_results(path) == [result, result]


def test_writers_at_once_lose_nothing(tmp_path: Path, make_result: MakeResult) -> None:
    path = tmp_path / "series.json"
    results = [make_result({f"m{place}": around(1)}) for place in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda result: append_result(path, result), results))
    names = {result.cases[0].name for result in read_results(path)}
    assert names == {f"m{place}" for place in range(8)}


def test_a_single_result_becomes_a_series(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result({"a": around(1)})
    path = save(tmp_path / "r.json", result.to_json())
    assert append_result(path, result) == 2


def test_another_file_is_not_added_to(tmp_path: Path, make_result: MakeResult) -> None:
    path = save(tmp_path / "package.json", {"name": "mine"})
    with pytest.raises(DataError, match="not a benchmark result"):
        append_result(path, make_result({"a": around(1)}))
    assert json.loads(path.read_text()) == {"name": "mine"}


def test_a_folder_is_not_added_to(tmp_path: Path, make_result: MakeResult) -> None:
    with pytest.raises((DataError, OutputError)):
        append_result(tmp_path, make_result({"a": around(1)}))


Spoil = Callable[[dict[str, Any]], Any]
FAULTS: dict[str, tuple[Spoil, str]] = {
    "version": (lambda raw: raw.update(version=99), "newer edge-effnet"),
    "format": (lambda raw: raw.update(format="other"), "not a benchmark result"),
    "no cases": (lambda raw: raw.update(cases=[]), "cases: 0 entries"),
    "no samples": (
        lambda raw: raw["cases"][0].update(samples_ms=[]),
        r"cases\[0\].samples_ms: 0 entries",
    ),
    "words": (
        lambda raw: raw["cases"][0]["samples_ms"].append("x"),
        r"cases\[0\].samples_ms\[60\]: 'x' is no float",
    ),
    "negative": (lambda raw: raw["cases"][0]["samples_ms"].append(-1), "-1 is under 0"),
    "truth": (lambda raw: raw["cases"][0].update(threads=True), "threads: True is no int"),
    "lost": (lambda raw: raw.pop("environment"), "environment: missing"),
    "state": (lambda raw: raw["before"].update(frequency_mhz="x"), "before.frequency_mhz: 'x'"),
    "accuracy": (lambda raw: raw.update(accuracy={}), "accuracy.source: missing"),
    "no list": (lambda raw: raw.update(cases=3), "cases: of another kind"),
    "no number": (lambda raw: raw["cases"][0].update(samples_ms=[float("nan")]), "no finite"),
    "place": (lambda raw: raw["ratios"][0].update(case=9), "case that is not there"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_damaged_result_is_refused(make_result: MakeResult, name: str) -> None:
    spoil, words = FAULTS[name]
    raw = json.loads(json.dumps(make_result({"a": around(1), "b": around(2)}).to_json()))
    spoil(raw)
    with pytest.raises(DataError, match=words):
        parse_result(raw, "r.json")


def test_what_version_0_1_did_not_write_may_be_missing(make_result: MakeResult) -> None:
    result = make_result({"a": around(1)})
    raw = json.loads(json.dumps(result.to_json()))
    for name in ("timeline", "accuracy"):
        del raw[name]
    for name in ("warmup_rounds", "decode_ms", "delegation", "operator_ms", "notice"):
        del raw["cases"][0][name]
    raw["cases"][0]["newer"] = 1
    found = parse_result(raw, "r.json")
    assert found == replace(result, cases=(replace(result.cases[0], warmup_rounds=0),))


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=8))
def test_whatever_a_result_holds_is_refused_without_a_crash(value: Any) -> None:
    with pytest.raises(DataError):
        parse_result({"format": "edge-effnet/benchmark", "version": 1, "cases": value}, "r.json")


def test_tables_hold_every_case(make_result: MakeResult) -> None:
    result = make_result({"float": around(4), "int8": around(2)})
    lines = to_csv([result]).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("model,threads,delegate,size_bytes,top1")
    text = to_markdown(result)
    assert "| int8 | 4.00 MB |" in text
    assert "Raspberry Pi 5" in text
    assert rows(result)[1]["ratio"] == pytest.approx(0.5, rel=0.02)


POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12)


def test_what_heat_did_is_told(make_result: MakeResult) -> None:
    slower = [*around(2), *around(3)]
    timeline = tuple(
        {"seconds": 60.0 * minute, "temperature_c": 50.0 + 9 * minute, "frequency_mhz": None}
        for minute in range(4)
    )
    text = to_markdown(replace(make_result({"a": slower}), timeline=timeline))
    assert "over 3.0 minutes: 50 °C at first, 77 °C at last, between 50 and 77" in text
    assert "a: the first tenth took 2.0" in text
    assert "MHz" not in text
    assert "first tenth" not in to_markdown(make_result({"a": slower}))


@given(POINTS)
def test_the_front_beats_all_others(points: list[tuple[int, int]]) -> None:
    marks = pareto_front(points)
    front = [point for point, mark in zip(points, marks, strict=True) if mark]
    assert front
    for point, mark in zip(points, marks, strict=True):
        beaten = any(
            cost <= point[0] and worth >= point[1] and (cost, worth) != point
            for cost, worth in front
        )
        assert mark != beaten


def test_slower_is_a_regression_only_when_proven(make_result: MakeResult) -> None:
    wild = [1.0, 4.0, 9.0, 4.0] * 15
    old = make_result({"same": around(4), "slow": around(4), "unclear": wild})
    wilder = [1.0, 2.0, 4.0, 4.6, 5.0, 9.0] * 10
    new = make_result({"same": around(4.1, 1), "slow": around(4.5, 1), "unclear": wilder})
    found = regress(old, new, limit=0.05)
    assert {row.title: row.kind for row in found.rows} == {
        "same": "same",
        "slow": "regressed",
        "unclear": "unclear",
    }
    assert regress(old, new, limit=0.2).regressed == ()
    assert regress(new, old, limit=0.05).rows[1].kind == "faster"


def test_cases_that_came_and_went_are_told(make_result: MakeResult) -> None:
    found = regress(
        make_result({"a": around(1), "b": around(1)}),
        make_result({"a": around(1), "c": around(1)}),
        limit=0.05,
    )
    assert [row.kind for row in found.rows] == ["same", "missing", "new"]
    with pytest.raises(DataError, match="no model in common"):
        regress(make_result({"a": around(1)}), make_result({"b": around(1)}), limit=0.05)


def test_a_model_that_was_not_measured_again_does_not_pass(
    tmp_path: Path, make_result: MakeResult, cli: Cli
) -> None:
    both = make_result({"a": around(4), "b": around(4)})
    old = save(tmp_path / "old.json", both.to_json())
    new = save(tmp_path / "new.json", make_result({"a": around(4, 1)}).to_json())
    code, out, err = cli("regress", old, new)
    assert code == 3
    assert "missing" in out
    assert "1 of 2 cases was not measured again; found no b in" in " ".join(err.split())
    code, _, _ = cli("regress", old, new, "--allow-missing")
    assert code == 0
    code, _, _ = cli("regress", new, old)
    assert code == 0


def test_different_devices_are_refused_and_named(make_result: MakeResult) -> None:
    old = make_result({"a": around(1)})
    new = make_result({"a": around(1)}, cores=2, cpu="Cortex-A72")
    with pytest.raises(DataError, match=r"cpu Cortex-A76 became Cortex-A72; cores 4 became 2"):
        regress(old, new, limit=0.05)
    forced = regress(old, new, limit=0.05, other_device=True)
    assert len(forced.device_differences) == 2
    other_runtime = make_result({"a": around(1)}, runtime="LiteRT 3")
    assert "LiteRT 3" in regress(old, other_runtime, limit=0.05).warnings[-1]


def test_force_alone_does_not_compare_other_devices(
    tmp_path: Path, make_result: MakeResult, cli: Cli
) -> None:
    old = save(tmp_path / "old.json", make_result({"a": around(1)}).to_json())
    new = save(tmp_path / "new.json", make_result({"a": around(1)}, cores=2).to_json())
    code, _, err = cli("regress", old, new, "--force")
    assert code == 1
    assert "add --other-device" in " ".join(err.split())
    code, _, err = cli("regress", old, new, "--other-device")
    assert code == 0, err


def test_the_limit_on_the_command_line(tmp_path: Path, make_result: MakeResult, cli: Cli) -> None:
    old = save(tmp_path / "old.json", make_result({"a": around(4)}).to_json())
    slow = save(tmp_path / "new.json", make_result({"a": around(5, 1)}).to_json())
    code, out, err = cli("regress", old, slow, "--max", "5%")
    assert code == 3
    assert "regressed" in out
    assert err.startswith("error: 1 of 1 case became slower; found a by 2")
    code, out, _ = cli("regress", old, slow, "--max", "0.5", "--json", "-")
    assert code == 0
    assert json.loads(out)["regressed"] == []
    code, _, err = cli("regress", old, tmp_path / "missing.json")
    assert code == 1
    assert err.count("\n") == 1
    torn = tmp_path / "torn.json"
    torn.write_text(old.read_text()[:500])
    code, _, err = cli("regress", old, torn)
    assert code == 1
    assert "is not JSON" in err


@pytest.mark.parametrize("wrong", ["x", "-1%", "nan", "5000%", "", "5"])
def test_a_growth_that_is_none_is_refused(cli: Cli, wrong: str) -> None:
    """5 would be 500 %: it is taken for 5 % that lacks its sign."""
    code, _, err = cli("regress", "old.json", "new.json", "--max", wrong)
    assert code == 2
    assert err.startswith("error: --max is")
    assert err.count("\n") == 1


# As benchmark_model prints it, but for narrower columns.
SUMMARY = """
Number of nodes executed: 3
====== Summary by node type ======
\t             [Node type]\t  [count]\t  [avg ms]\t  [avg %]\t  [cdf %]\t [mem KB]
\t                 SOFTMAX\t        1\t     0.010\t     1.0%\t   100.0%\t    0.000
\t                 CONV_2D\t       34\t     2.374\t    80.0%\t    80.0%\t    0.000
\t  Convolution (NHWC, QC8)\t        5\t     1.000\t    19.0%\t    99.0%\t    0.000

Timings (microseconds): count=50 curr=1
"""


def test_a_native_tools_table_is_read(tmp_path: Path) -> None:
    expected = (("CONV_2D", 34, 2.374), ("Convolution (NHWC, QC8)", 5, 1.0), ("SOFTMAX", 1, 0.01))
    assert parse_summary(SUMMARY) == expected
    tool = tmp_path / "benchmark_model"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{SUMMARY}\nEND\n")
    tool.chmod(0o755)
    assert operator_times(tool, tmp_path / "m.tflite", 1, True) == expected
    tool.write_text("#!/bin/sh\necho nothing\n")
    with pytest.raises(DataError, match="no time per operator type"):
        operator_times(tool, tmp_path / "m.tflite", 1, True)
    with pytest.raises(DataError, match="cannot be run"):
        operator_times(tmp_path / "missing", tmp_path / "m.tflite", 1, True)
