"""``edge-effnet search`` from beginning to end, stopped in between, and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_effnet.architecture.files import read_variant
from edge_effnet.search.config import SearchConfig
from edge_effnet.search.run import Watcher, search
from edge_effnet.search.workers.processes import local_processes
from edge_effnet.training.epochs import Callbacks, Interrupted
from tests.conftest import Cli
from tests.edge_effnet.commands.search.networks import small, small_file
from tests.edge_effnet.commands.train.runs import refused
from tests.edge_effnet.training.conftest import draw_colours, tiny, tiny_file

__all__ = ["small", "small_file", "tiny", "tiny_file"]  # fixtures


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_colours(tmp_path_factory.mktemp("photos"), 12)


def test_a_search_that_was_stopped_goes_on_to_its_result(
    tmp_path: Path, photos: Path, small_file: Path, cli: Cli
) -> None:
    folder = tmp_path / "searched"
    config = SearchConfig(
        str(photos), base_variant=str(small_file), phi=-2.0, grid=4, epochs=2, seeds=1,
        finalists=1, batch_size=24, val_share=0.5, learning_rate=0.01,
    )  # fmt: skip
    trained: list[str] = []
    callbacks = Callbacks(stop=lambda: len(trained) == 1)  # in the second trial
    watcher = Watcher(callbacks, trained=trained.append)
    with local_processes(1) as pool, pytest.raises(Interrupted):
        search(config, folder, pool=pool, watcher=watcher)
    first = folder / "trials" / "baseline-seed0" / "best.h5"
    before = first.stat().st_mtime_ns
    assert not (folder / "found.json").exists()

    refused(cli("search", "--data", photos, "--out", folder), 1, "already holds a run")
    other = cli("search", "--resume", folder, "--epochs", "9")
    refused(other, 2, "cannot be resumed with other settings", "epochs was 2, now 9")

    code, out, err = cli("search", "--resume", folder, "--threads", "2", "--json", tmp_path / "j")
    assert code == 0, err
    assert "2 to epoch 2" in err  # the plan
    assert "baseline seed 0: right on" not in err.partition("d1w")[0]  # not trained again
    assert "epoch 1 to 1" in err
    assert out.strip().splitlines()[-1].endswith(".")
    document = json.loads((tmp_path / "j").read_text())
    assert document == json.loads((folder / "result.json").read_text())
    points = {point["name"]: point for point in document["points"]}
    assert {points["baseline"][name] for name in ("alpha", "beta", "gamma")} == {1.2, 1.1, 1.15}
    assert sorted(point["epochs"] for point in points.values())[-2:] == [2, 2]
    for point in points.values():
        assert 0.95 <= point["used"] <= 1
        assert (point["confirm_percent"] is None) == (point["epochs"] < 2)
    assert first.stat().st_mtime_ns >= before
    assert document["images"] == {"classes": 3, "train": 18, "choose": 9, "confirm": 9}
    assert document["found"] in points
    found = read_variant(folder / "found.json")
    assert found == read_variant(folder / "variants" / f"{document['found']}.json")
    assert (folder / "accuracy-macs.png").read_bytes().startswith(b"\x89PNG")

    lists = [set((folder / f"{name}.csv").read_text().split()[1:]) for name in ("train", "choose")]
    lists.append(set((folder / "confirm.csv").read_text().split()[1:]))
    assert sum(map(len, lists)) == len(set.union(*lists)) == 36


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (("--out", "o"), 2, "search needs --data"),
        (("--data", "PHOTOS"), 2, "search needs --out"),
        (("--data", "PHOTOS", "--out", "o", "--phi", "-20"), 2, "--phi is out of range"),
        (("--data", "PHOTOS", "--out", "o", "--budget-macs", "1M"), 2, "the budget on macs"),
        (("--data", "EMPTY", "--out", "o"), 1, "no images"),
        (("--data", "ONE", "--out", "o"), 1, "one class"),
        (("--data", "PHOTOS", "--out", "OTHER"), 1, "and is none"),
        (("--data", "PHOTOS", "--out", "o", "--base-variant", "TINY"), 2, "cannot be scaled"),
        (("--resume", "EMPTY"), 1, "is not a search"),
        (("--data", "signs", "--val", "PHOTOS", "--out", "o"), 2, "--val is for photos"),
        (("--data", "signs", "--out", "o", "--cluster", "x"), 2, "--cluster names no cluster"),
        (("--data", "signs", "--out", "o", "--workers", "2"), 2, "--workers is for --cluster"),
        (
            ("--data", "signs", "--out", "o", "--cluster", "local:2", "--threads", "2"),
            2,
            "--threads is for this machine alone",
        ),
    ],
)
def test_what_cannot_be_searched_is_one_line(
    arguments: tuple[str, ...],
    code: int,
    part: str,
    cli: Cli,
    photos: Path,
    tiny_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "one", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "red").symlink_to(photos / "red")
    (tmp_path / "other" / "train.csv").write_text("file,label\n")
    places = {
        "PHOTOS": photos, "EMPTY": "empty", "ONE": "one", "OTHER": "other", "TINY": tiny_file
    }  # fmt: skip
    refused(cli("search", *(places.get(one, one) for one in arguments)), code, part)
    assert not (tmp_path / "o").exists()
