"""The documentation tells the truth: it builds, its commands exist and run, its files are there."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from converters.accuracy.strategies import FALLBACKS, STRATEGIES
from converters.float_model.baselines import BASELINES
from converters.quantization.recipes import RECIPES
from edge_effnet.artifact import Card
from edge_effnet.cli import COMMANDS, group
from edge_effnet.heads.kinds import HEADS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + PAGES
RUN = "<!-- run -->"  # stands before a block whose commands run as they are written
# What such blocks leave for those of later pages: the demo's models and drawn signs.
FIRST = DOCS / "start.md"
BLOCK = re.compile(rf"(?P<run>{RUN}\n)?^``` ?(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path) -> Iterator[re.Match[str]]:
    yield from BLOCK.finditer(path.read_text(encoding="utf-8"))


def command_lines(text: str) -> Iterator[list[str]]:
    """Words of each ``edge-effnet`` command line, with continued lines joined."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        for end in ("&&", "||", "|", ">"):
            words = words[: words.index(end)] if end in words else words
        if words and Path(words[0]).name == "edge-effnet":
            yield words[1:]


def documented() -> list[tuple[str, list[str]]]:
    found = []
    for path in DOCUMENTS:
        for block in blocks(path):
            if block["language"] in ("", "bash"):
                found += [(name(path), words) for words in command_lines(block["text"])]
        if path.name == "formats.md":  # where such words name formats
            continue
        for span in re.findall(r"`(edge-effnet [^`\n]+)`", path.read_text(encoding="utf-8")):
            if not {"…", "COMMAND"} & set(span.split()):
                found += [(name(path), words) for words in command_lines(span)]
    return found


def test_the_site_builds_without_warnings_and_without_a_network(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "HTTPS_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    reference = (tmp_path / "reference" / "cli.html").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f'id="edge-effnet-{command}"' in reference
    assert "-h, --help" in reference
    assert "Sentinel" not in reference  # click's word for no default
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=\"?(https?:[^\"> ]+)",
            page.read_text(encoding="utf-8"),
        )
        assert loaded == [], page


@pytest.mark.parametrize(("document", "words"), documented())
def test_every_command_has_the_options_it_is_shown_with(document: str, words: list[str]) -> None:
    context = click.Context(group)
    command: click.Command = group
    rest = [word for word in words if word not in ("-h", "--help", "--version")]
    while isinstance(command, click.Group) and rest:
        found = command.get_command(context, rest.pop(0))
        assert found is not None, f"{document}: no command in {words}"
        command = found
    known = {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    shown = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
    assert shown <= known, f"{document}: edge-effnet {shlex.join(words)}"


def all_options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from all_options(found, context)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_options_in_sentences_exist(document: Path) -> None:
    known = {*all_options(group, click.Context(group)), "--help", "--system-site-packages"}
    text = BLOCK.sub("", document.read_text(encoding="utf-8"))
    shown = re.findall(r"`(--[a-z][a-z0-9-]*)", text) + re.findall(r" (--[a-z][a-z0-9-]*)`", text)
    assert set(shown) <= known


def test_every_command_is_shown() -> None:
    assert {words[0] for _, words in documented() if words} >= set(COMMANDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_files_and_modules_that_are_named_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:edge_effnet|converters|benchmarks|tests|docs|examples)/[\w./-]*)`", text
    )
    missing = [path for path in named if not (ROOT / path).exists()]
    modules = re.findall(r"python -m ((?:edge_effnet|converters|benchmarks|tests)[\w.]*)", text)
    modules += re.findall(r"::: ((?:edge_effnet|converters|benchmarks)[\w.]*)", text)
    for module in modules:
        path = ROOT.joinpath(*module.split("."))
        here = path.is_dir() or path.with_suffix(".py").is_file()
        if not here and not path.parent.with_suffix(".py").is_file():
            missing.append(module)
    assert missing == []


@pytest.mark.parametrize("document", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=name)
def test_links_of_the_front_pages_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("package", ["edge_effnet", "converters", "benchmarks"])
def test_the_architecture_page_shows_the_layers_that_are_enforced(package: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = (
        contract["layers"]
        for contract in contracts["contracts"]
        if contract.get("containers") == [package]
    )
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    section = re.split(r"^### ", text, flags=re.M)[1:]
    (shown,) = (part for part in section if part.splitlines()[0].endswith(f"`{package}`"))
    cells = [re.findall(r"`(\w+)`", row) for row in re.findall(r"^\|.*\|$", shown, re.M)]
    rooms = [re.findall(r"\w+", layer) for layer in layers]
    if package == "edge_effnet":  # here the order is shown too
        assert [sorted(cell) for cell in cells if cell] == [sorted(room) for room in rooms]
    else:
        assert {name for room in rooms for name in room} <= {name for c in cells for name in c}


def test_the_page_of_formats_names_those_that_are_written() -> None:
    text = (DOCS / "reference" / "formats.md").read_text(encoding="utf-8")
    tables = "\n".join(re.findall(r"^\|.*\|$", text, re.M))
    shown = set(re.findall(r"`(edge-effnet[ /][a-z -]+)`", tables))
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for package in ("edge_effnet", "converters", "benchmarks")
        for path in (ROOT / package).rglob("*.py")
    )
    assert len(shown) > 12
    words = {name: (name, name.removeprefix("edge-effnet ")) for name in shown}
    assert [
        name for name, forms in words.items() if not any(f'"{w}"' in sources for w in forms)
    ] == []
    cells = re.findall(r"^\| (`[a-z0-9_`, ]+) \|", text, re.M)
    card = {name.strip("`") for cell in cells for name in cell.split(", ")}
    keys = {"format", "version", *(field.name for field in dataclasses.fields(Card))}
    assert card == keys


def test_the_tables_of_rows_are_those_of_the_code() -> None:
    limits = (DOCS / "guides" / "limits.md").read_text(encoding="utf-8")
    figures = (DOCS / "research" / "figures.md").read_text(encoding="utf-8")
    convert = (DOCS / "guides" / "convert.md").read_text(encoding="utf-8")
    strategies = [strategy.name for strategy in STRATEGIES]
    compared = ["plain", "ranges", *strategies, *reversed(FALLBACKS)]
    for text, names in ((limits, strategies), (figures, compared)):
        rows = text.partition("| strategy |")[2].partition("\n\n")[0]
        assert re.findall(r"^\| ([a-z0-9]+) \|", rows, re.M) == names
    recipes = convert.partition("| flag |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `--([a-z0-9]+)` \|", recipes, re.M)) == set(RECIPES)
    heads = convert.partition("| `--head` |")[2].partition("\n\n")[0]
    assert {
        kind
        for row in re.findall(r"^\| (`.+?) \|", heads, re.M)
        for kind in row.replace("`", "").split(", ")
    } == set(HEADS)
    assert [name for name in BASELINES if f"`{name}`" not in convert] == []


def test_security_names_the_tests_that_hold_its_promises() -> None:
    rows = re.findall(r"^\|.*\|$", (ROOT / "SECURITY.md").read_text(encoding="utf-8"), re.M)[2:]
    assert rows
    for row in rows:
        (path,) = re.findall(r"`(tests/[\w./]+\.py)`", row.rsplit("|", 2)[1])
        assert "def test_" in (ROOT / path).read_text(encoding="utf-8"), path


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_script_of_the_readme_runs_as_it_stands(tmp_path: Path) -> None:
    (text,) = (
        block["text"] for block in blocks(ROOT / "README.md") if block["language"] == "python"
    )
    assert len(list(filter(None, text.splitlines()))) <= 10
    (tmp_path / "demo").mkdir()
    shutil.copy(ROOT / "edge_effnet" / "assets" / "demo" / "b0-int8.tflite", tmp_path / "demo")
    (tmp_path / "script.py").write_text(text)
    for words in (
        ["-m", "edge_effnet", "signs", "render", "signs", "-n", "17"],
        ["-m", "edge_effnet", "signs", "video", "-o", "clip.mp4", "--seconds", "2"],
        ["script.py"],
    ):
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        if words[-2:-1] == ["-n"]:
            shutil.copy(next((tmp_path / "signs" / "stop").iterdir()), tmp_path / "photo.jpg")
    first, *frames = done.stdout.splitlines()
    assert re.fullmatch(r"photo\.jpg: stop, \d+%", first)
    assert frames
    assert all(re.fullmatch(r"frame \d+: [\w ]+", line) for line in frames)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages' commands run, one page after the other, the first page first."""
    pytest.importorskip("keras", reason="the demo makes its models with the extra train")
    folder = tmp_path_factory.mktemp("docs")
    (folder / "bin").mkdir()
    command = folder / "bin" / "edge-effnet"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edge_effnet "$@"\n')
    command.chmod(0o755)
    (folder / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (folder / "bin" / "python").chmod(0o755)
    run_page(FIRST, folder)
    return folder


def run_page(page: Path, folder: Path) -> int:
    """Run the page's marked blocks; how many there were."""
    marked = [block["text"] for block in blocks(page) if block["run"]]
    for text in marked:
        run_shell(text, folder)
    return len(marked)


def run_shell(text: str, folder: Path) -> str:
    paths = os.pathsep.join((str(folder / "bin"), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=os.environ | {"PATH": paths, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page != FIRST and RUN in page.read_text()], ids=name
)
def test_commands_that_are_marked_run(page: Path, workspace: Path) -> None:
    assert run_page(page, workspace) > 0


@pytest.mark.slow
def test_examples_of_the_python_reference_run(workspace: Path) -> None:
    page = DOCS / "reference" / "python.md"
    (text,) = (block["text"] for block in blocks(page) if block["language"] == "python")
    run_shell("edge-effnet signs video -o clip.mp4 --seconds 2 --force", workspace)
    (workspace / "example.py").write_text(text)
    assert run_shell("python example.py", workspace).startswith("stop ")
