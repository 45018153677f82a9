"""``edge-effnet variants`` and ``edge-effnet scale``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_effnet.architecture.cost import cost
from edge_effnet.architecture.files import read_variant
from edge_effnet.architecture.scaling import scaled_variant
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import UsageProblem
from edge_effnet.spelling import read_amount
from edge_effnet.ui.console import megabytes, millions
from tests.conftest import Cli


def test_the_table_has_every_variant(cli: Cli) -> None:
    code, out, err = cli("variants")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[1 : 1 + len(VARIANTS)]] == list(VARIANTS)
    b0 = lines[1].split("  ")
    assert [cell.strip() for cell in b0 if cell] == [
        "b0", "224 px", "5.33 M", "386 M", "3.61 MB", "21.16 MB", "5.76 MB", "77.1 %"
    ]  # fmt: skip


def test_the_table_as_json(cli: Cli) -> None:
    code, out, _ = cli("variants", "--json", "-", "--classes", 10)
    entries = {entry["name"]: entry for entry in json.loads(out)}
    assert code == 0
    assert list(entries) == list(VARIANTS)
    total = cost(VARIANTS["b0"], classes=10)
    b0 = entries["b0"]
    assert (b0["parameters"], b0["macs"]) == (total.parameters, total.macs)
    assert (b0["resolution"], b0["classes"], b0["published_top1"]) == (224, 10, 77.1)
    assert {"peak_activations", "float_bytes", "int8_bytes"} <= b0.keys()


def test_one_variant_stage_by_stage(cli: Cli) -> None:
    code, out, _ = cli("variants", "b0")
    assert code == 0
    assert "224×224×3" in out
    assert "7×7×1280" in out
    assert "1×1×1000" in out
    assert "MBConv6, 5×5, stride 2, SE" in out
    assert "5,330,571 parameters (5,288,548 trainable)" in out
    code, out, _ = cli("variants", "lite0")
    assert "published multiply-adds 407 M count BatchNorm and activation too" in out


def test_one_variant_as_json_file(cli: Cli, tmp_path: Path) -> None:
    report = tmp_path / "b0.json"
    assert cli("variants", "v2-b0", "--json", report)[0] == 0
    assert json.loads(report.read_text())["stages"][-1]["shape_out"] == [1, 1, 1000]
    code, _, err = cli("variants", "v2-b0", "--json", report)
    assert (code, "already exists" in err) == (1, True)


def test_networks_on_a_board_say_which_latency_is_an_estimate(cli: Cli) -> None:
    code, out, err = cli("variants", "--for", "pi4")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == (
        "Raspberry Pi 4 Model B: 4 cores Cortex-A72 at 1.5 GHz, 1, 2, 4 or 8 GB, 32 or 64 bits, "
        "no int8 dot products"
    )
    rows = {line[:13].strip(): line[13:].split() for line in lines[2:]}
    assert " ".join(rows["lite0"]) == "4.69 M 385 M 4.95 MB 59 ms 22 ms estimate"
    assert " ".join(rows["v2-b0"]) == "7.20 M 718 M 7.76 MB < 110 ms < 41 ms estimate"
    assert " ".join(rows["lite0 taught"]) == "3.44 M 384 M 3.75 MB – 22 ms estimate"
    assert "int8 against float: 0.37 of its time, of MobileNetV2 there" in lines
    assert "https://github.com/google/XNNPACK" in out
    assert "recommended: lite2, about 21 frames a second" in lines
    assert "its file: edge-effnet convert --variant lite2 --int8 --calibration photos/" in lines


def test_published_latencies_have_their_page(cli: Cli) -> None:
    _, out, _ = cli("variants", "edgetpu-s", "--for", "coral")
    assert out.splitlines()[2].split()[-3:] == ["5.1", "ms", "published"]
    assert "published: https://coral.ai/docs/edgetpu/benchmarks/ (a USB Accelerator" in out


def test_the_board_as_json(cli: Cli, tmp_path: Path) -> None:
    code, out, _ = cli("variants", "--for", "pizero2", "--fps", 2, "--classes", 5, "--json", "-")
    found = json.loads(out)
    assert (code, found["format"], found["version"]) == (0, "edge-effnet/boards", 1)
    assert (found["board"]["cpu"], found["board"]["dot_products"]) == ("Cortex-A53", False)
    assert (found["recommended"]["variant"], found["recommended"]["base"] is None) == (
        "lite2",
        False,
    )
    assert [row["name"] for row in found["networks"] if not row["taught"]] == list(VARIANTS)
    lite0 = next(row for row in found["networks"] if row["taught"])
    assert (lite0["name"], lite0["classes"], lite0["float"]) == ("lite0", 5, None)
    assert lite0["int8"]["kind"] == "estimate"
    report = tmp_path / "board.json"
    assert cli("variants", "--for", "this", "--json", report)[0] == 0
    assert json.loads(report.read_text())["board"]["name"] == "this"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--for", "corral"), "--for does not know 'corral'; did you mean coral?"),
        (("--fps", "5"), "--fps says how fast a network is to be on a board; found no --for"),
    ],
)
def test_boards_that_are_none(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = cli("variants", *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_phi_one_is_no_b1(cli: Cli) -> None:
    code, out, _ = cli("scale", "--phi", 1)
    assert code == 0
    assert out.startswith("b0-phi+1: φ = 1, width ×1.100, depth ×1.200, 257 px")


def test_the_largest_network_under_two_budgets(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "small.json"
    code, out, _ = cli(
        "scale", "--max-macs", "200M", "--max-size", "4MB", "--classes", 10, "-o", file
    )
    assert code == 0
    assert f"wrote {file}: use it as --variant {file}\n" in out
    spec = read_variant(file)
    total = cost(spec, classes=10)
    assert total.macs <= 200e6
    assert total.int8_bytes <= 4e6
    binding = [line.split()[0] for line in out.splitlines() if line.rstrip().endswith("binds")]
    assert binding == ["multiply-adds"]
    # The file is a variant like any other.
    code, out, _ = cli("variants", file)
    assert code == 0
    assert out.startswith(f"{spec.name}: ")
    assert cli("scale", "--phi", 0, "-o", file)[0] == 1  # it is there already
    assert read_variant(file) == spec
    assert cli("scale", "--phi", -2, "-o", file, "--force")[0] == 0
    assert read_variant(file) == scaled_variant(-2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "scale takes either --phi or budgets; found neither"),
        (("--phi", "1", "--max-macs", "1M"), "found both"),
        (("--max-macs", "many"), "--max-macs is not understood; found 'many'"),
        (("--max-size", "1KB"), "no network of the family keeps the budget on size"),
        (("--phi", "99"), "phi is out of range; found 99"),
    ],
)
def test_scale_says_what_it_cannot_do(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = cli("scale", *arguments)
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("200M", 2e8),
        ("4.5 MB", 4.5e6),
        ("512KiB", 512 * 1024),
        ("1.5g", 1.5e9),
        ("2GiB", 2 * 2**30),
        ("300000", 300_000),
        ("3e8", 3e8),
    ],
)
def test_amounts(text: str, amount: float) -> None:
    assert read_amount(text, "--max-size") == amount


@pytest.mark.parametrize("text", ["", "M", "-1M", "0", "1.2.3", "5T", "5 i", "2B", "nan", "1e999"])
def test_amounts_that_are_none(text: str) -> None:
    """2B is refused: two bytes to some, two billion to others."""
    with pytest.raises(UsageProblem, match="--max-size is not understood"):
        read_amount(text, "--max-size")


def test_figures_for_people() -> None:
    assert [millions(value) for value in (5_330_571, 386e6, 37.7e9)] == [
        "5.33 M", "386 M", "37.7 G"
    ]  # fmt: skip
    assert [megabytes(value) for value in (6.4e6, 478.6e6)] == ["6.40 MB", "479 MB"]
