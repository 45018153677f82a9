"""``evaluate --cluster`` and ``compare --cluster``: the same output, or one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.cluster.conftest import with_ray, without_ray
from tests.edge_effnet.conftest import BLUE_IS_RED, MakeModel


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (("--cluster", "head"), "--cluster names no cluster; found head"),
        (("--cluster", "local:2", "--threads", 3), "--threads is for one machine"),
    ],
)
def test_what_does_not_go_together(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, more: tuple[object, ...], line: str
) -> None:
    code, out, err = cli("evaluate", colour_model(), "--data", colour_folder, *more)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {line}")
    assert err.count("\n") == 1


@without_ray
def test_without_ray(cli: Cli, colour_model: MakeModel, colour_folder: Path) -> None:
    model = colour_model()
    code, _, err = cli("compare", model, model, "--data", colour_folder, "--cluster", "local:2")
    assert code == 1
    assert "pip install 'edge-effnet[ray]'" in err


@with_ray
@pytest.mark.timeout(300)
def test_the_output_is_that_of_one_machine(
    cli: Cli,
    colour_model: MakeModel,
    taught_model: Path,
    colour_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(colour_folder.parent)
    (colour_folder / "green" / "0.png").write_text("not an image")
    ours, theirs = colour_model().name, colour_model("b.tflite", weights=BLUE_IS_RED).name
    for command in (
        ("compare", ours, theirs, "--data", "images"),
        ("evaluate", ours, "--data", "images", "--suspects", "--recall", "red=0.5"),
        ("evaluate", taught_model.name, "--data", "photos", "--others", "images/blue"),
    ):
        alone = cli(*command, "--json", "alone.json")
        shared = cli(*command, "--json", "shared.json", "--cluster", "local:2")
        assert alone[:2] == shared[:2]
        assert alone[0] == 0, alone[2]
        assert Path("alone.json").read_bytes() == Path("shared.json").read_bytes()
        for name in ("alone.json", "shared.json"):
            Path(name).unlink()
