"""The figures of the documents have rows that find them again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.studies.cli import run_installed
from benchmarks.studies.readme_figures.__main__ import command
from benchmarks.studies.readme_figures.documents import find_words, read_documents
from benchmarks.studies.readme_figures.runs import REFERENCE, RUNS, Run
from benchmarks.studies.readme_figures.table import FIGURES
from edge_effnet.errors import DataError, EdgeEffnetError


@pytest.mark.parametrize("words", [row.words for row in FIGURES])
def test_every_figure_still_stands_in_the_documents(words: str) -> None:
    document, stated = find_words(words, read_documents())
    assert document.endswith(".md")
    assert stated is not None


def test_every_run_of_a_row_exists() -> None:
    assert {row.run for row in FIGURES} == set(RUNS)
    names = list(RUNS)
    for place, run in enumerate(RUNS.values()):
        assert set(run.after) <= set(names[:place]), "a run comes after those whose files it uses"


def test_words_hold_a_place_for_the_figure() -> None:
    documents = {"README.md": "size 7.79 MB,\n  ratio −0.3; 1,550 photos, 98.4 % and 97.2 %"}
    assert find_words("size {} MB, ratio", documents) == ("README.md", 7.79)
    assert find_words("# MB, ratio {};", documents) == ("README.md", -0.3)
    assert find_words("{} photos", documents) == ("README.md", 1550)
    assert find_words("# % and {} %", documents) == ("README.md", 97.2)
    assert find_words("photos,", documents) == ("README.md", None)
    with pytest.raises(DataError, match="do not say 'weight"):
        find_words("weight {}", documents)
    with pytest.raises(DataError, match="stands twice"):
        find_words("{} %", documents)


def test_a_folder_without_a_readme_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="make figures"):
        read_documents(tmp_path)


def test_documents_count_as_the_readme_does(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("see docs")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "figures.md").write_text("size 7.8 MB")
    found = find_words("size {} MB", read_documents(tmp_path))
    assert found == (str(Path("docs", "figures.md")), 7.8)


def test_stated_against_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(REFERENCE, raising=False)
    asked = ["--only", "tables", "--only", "photos", "--json", str(tmp_path / "figures.json")]
    done = CliRunner().invoke(command, asked, catch_exceptions=False)
    assert done.exit_code == 0
    assert "1 figures agree, 0 differ" in done.stdout
    assert f"needs the photos and weights that {REFERENCE} names" in done.stdout
    assert "not rerun: times" in done.stdout
    document = json.loads((tmp_path / "figures.json").read_text())
    verdicts = {row["verdict"] for row in document["figures"] if row["run"] != "tables"}
    assert verdicts == {"not rerun"}


def test_a_command_that_fails_says_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(EdgeEffnetError, match=r"edge-effnet scale failed; found error: .*by hand"):
        run_installed("scale", "--phi", "x", folder=tmp_path, captured=True)


def test_a_figure_that_differs_and_a_run_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RUNS, "tables", Run("tables", lambda _: {"variants": 24}))
    done = CliRunner().invoke(command, ["--only", "tables"])
    assert done.exit_code == 1
    assert "0 figures agree, 1 differ" in done.stdout

    def fail(_: object) -> dict[str, float]:
        raise DataError("edge-effnet convert failed", fix="run it by hand")

    monkeypatch.setitem(RUNS, "tables", Run("tables", fail))
    done = CliRunner().invoke(command, ["--only", "tables"])
    assert done.exit_code == 1
    assert "error: edge-effnet convert failed; to fix: run it by hand" in done.stdout
