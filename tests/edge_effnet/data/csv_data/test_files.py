"""CSV files as people's programs write them: dialects, several labels, values."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import balanced_sample, divide
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.errors import DataError
from edge_effnet.heads.kinds import Task

MakeTable = Callable[..., Path]
ROWS = (("set/a.jpg", "cat"), ("set/b.jpg", "dog"), ("c.jpg", "cat"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "set").mkdir()
    for name in ("set/a.jpg", "set/b.jpg", "c.jpg", unicodedata.normalize("NFD", "Köter.jpg")):
        (folder / name).write_text(name)
    return folder


def write(folder: Path, *lines: str, name: str = "table.csv") -> Path:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


def classes(dataset: Dataset) -> list[tuple[str, str]]:
    return [
        (sample.path.name, dataset.labels[sample.label])
        for sample in dataset.samples
        if sample.label is not None
    ]


@given(
    file=st.sampled_from(["file", "File", "FILENAME", "Image Path", "image", "path"]),
    label=st.sampled_from(["label", "Label", "class", "Class Name", "category"]),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    blank=st.sampled_from(["", " "]),
    quote=st.sampled_from(["", '"']),
    backslash=st.booleans(),
    swapped=st.booleans(),
)
def test_every_dialect_says_the_same(
    folder: Path,
    file: str,
    label: str,
    delimiter: str,
    encoding: str,
    newline: str,
    blank: str,
    quote: str,
    backslash: bool,
    swapped: bool,
) -> None:
    lines = []
    for cells in ((file, label), *ROWS):
        path = cells[0].replace("/", "\\") if backslash else cells[0]
        row = [f"{quote}{cell}{quote}" for cell in (path, cells[1])]
        lines.append((delimiter + blank).join(row[::-1] if swapped else row))
    table = folder / "dialect.csv"
    table.write_bytes(newline.join([*lines, "", ""]).encode(encoding))
    found = load_dataset(table)
    assert classes(found) == [("a.jpg", "cat"), ("b.jpg", "dog"), ("c.jpg", "cat")]


def test_excels_first_line_and_blank_rows(folder: Path) -> None:
    table = write(folder, "sep=;", "file;label;", "set/a.jpg;cat;", ";;", "c.jpg;dog;")
    assert classes(load_dataset(table)) == [("a.jpg", "cat"), ("c.jpg", "dog")]


def test_file_names_with_accents_composed_otherwise(folder: Path) -> None:
    table = write(folder, "file,label", "Köter.jpg,dog", "c.jpg,cat")
    assert load_dataset(table).samples[0].path.is_file()


def test_numbers_in_a_column_are_sorted_as_numbers(folder: Path) -> None:
    table = write(folder, "file,label", "c.jpg,10", "set/a.jpg,9", "set/b.jpg,2")
    assert load_dataset(table).labels == ("2", "9", "10")
    assert load_dataset(table, classes=11).labels == tuple(map(str, range(11)))


LABELS = ("cat", "dog", "bird")


@pytest.mark.parametrize(
    "lines",
    [
        ("file,cat,dog,bird", "c.jpg,1,0,1", "set/a.jpg,0,0,0", "set/b.jpg,0,1,0"),
        ("file,Cat,DOG,bird", "c.jpg,true,no,Yes", "set/a.jpg,,,", "set/b.jpg,False,1.0,0"),
        ("file,label", "c.jpg,cat|bird", "set/a.jpg,", "set/b.jpg,dog"),
        ("file;labels", "c.jpg;cat, bird", "set/a.jpg;", "set/b.jpg;dog"),
        ("file,tags", 'c.jpg,"bird; cat"', "set/a.jpg,", "set/b.jpg,dog"),
        ("file,class_index", "c.jpg,0|2", "set/a.jpg,", "set/b.jpg,1"),
    ],
)
def test_several_labels(folder: Path, lines: tuple[str, ...]) -> None:
    dataset = load_dataset(write(folder, *lines), labels=LABELS, task="labels")
    assert [sample.labels for sample in dataset.samples] == [(0, 2), (), (1,)]
    assert [sample.label for sample in dataset.samples] == [None] * 3
    assert dataset.class_counts == {"cat": 1, "dog": 1, "bird": 1}
    assert "3 images, 3 labels: cat (1), dog (1), bird (1)" in dataset.lines()[0]
    assert len(balanced_sample(dataset, 2, 0)) == 2
    division = divide(dataset, 0.5, 0)
    assert len(division.rest) + len(division.evaluation) == 3


def test_columns_in_their_own_order_without_a_models_labels(folder: Path) -> None:
    table = write(folder, "file,note,wolf,ape", "c.jpg,x,1,1", "set/a.jpg,y,0,1")
    dataset = load_dataset(table, task="labels")
    assert dataset.labels == ("wolf", "ape")
    assert [sample.labels for sample in dataset.samples] == [(0, 1), (1,)]
    assert "columns that are no label: note" in dataset.notes[0]


def test_a_folder_per_class_gives_one_label(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").touch()
    dataset = load_dataset(tmp_path, labels=LABELS, task="labels")
    assert [(sample.label, sample.labels) for sample in dataset.samples] == [
        (None, (0,)),
        (None, (1,)),
    ]
    with pytest.raises(DataError, match="has no values, and this model predicts a number"):
        load_dataset(tmp_path, task="value")


def test_values(folder: Path) -> None:
    table = write(folder, "File;Value", "c.jpg;1,5", "set/a.jpg;-2e3")
    dataset = load_dataset(table, task="value")
    assert [sample.value for sample in dataset.samples] == [1.5, -2000.0]
    assert dataset.lines() == [f"{table}: 2 images with values from -2000 to 1.5"]
    assert len(load_images(table)) == 2  # calibration needs no labels
    assert len(balanced_sample(dataset, 1, 0)) == 1


def test_columns_of_which_one_is_true_are_classes(folder: Path) -> None:
    table = write(folder, "image,NV,MEL", "c.jpg,1.0,0.0", "set/a.jpg,0.0,1.0")
    assert classes(load_dataset(table)) == [("c.jpg", "NV"), ("a.jpg", "MEL")]


@pytest.mark.parametrize(
    ("task", "lines", "said"),
    [
        ("classes", ("file,cat,dog", "c.jpg,1,1"), "several labels; found a column for each of"),
        ("classes", ("file,label", "c.jpg,cat|dog"), "one cell: cat.dog; .*--head multilabel"),
        ("classes", ("file,label", 'c.jpg,"cat, dog"'), "one cell: cat, dog"),
        ("classes", ("file,value", "c.jpg,1.5"), "has no classes; .*--head regression"),
        ("labels", ("file,cat,dog", "c.jpg,1,0"), "no column for 1 of the labels; .*also for bird"),
        ("labels", ("file,cat,dog,bird", "c.jpg,1,0,maybe"), "neither yes nor no; .*'maybe'"),
        ("labels", ("file,label", "c.jpg,cat|wolf"), "do not have; found 'wolf'"),
        ("labels", ("file,class_index", "c.jpg,1|x"), "a row without a class"),
        ("labels", ("file,value", "c.jpg,1.5"), "lacks columns; .*a column for each label"),
        ("value", ("file,label", "c.jpg,cat"), "has no values"),
        ("value", ("file,value", "c.jpg,"), "a row without a value; found c.jpg: value = ''"),
        ("value", ("file,value", "c.jpg,nan"), "value = 'nan'"),
    ],
)
def test_data_for_another_task_are_refused(
    folder: Path, task: Task, lines: tuple[str, ...], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        load_dataset(write(folder, *lines), labels=LABELS, task=task)


def test_names_with_semicolons_are_several_labels_where_no_list_says_otherwise(
    folder: Path,
) -> None:
    table = write(folder, "file,labels", "c.jpg,daisy;wet", "set/a.jpg,rose", "set/b.jpg,daisy")
    with pytest.raises(DataError, match="one cell: daisy;wet"):
        load_dataset(table)
    labels = ("daisy;wet", "rose", "daisy")
    assert load_dataset(table, labels=labels).labels == labels


def test_names_with_commas_are_one_class(folder: Path) -> None:
    labels = ("tench, Tinca tinca", "goldfish, Carassius auratus")
    lines = ("file,label", 'c.jpg,"tench, Tinca tinca"', 'set/a.jpg,"goldfish, Carassius auratus"')
    table = write(folder, *lines)
    assert [sample.label for sample in load_dataset(table, labels=labels).samples] == [0, 1]
    assert len(load_dataset(table).class_counts) == 2
    several = load_dataset(table, labels=labels, task="labels")
    assert [sample.labels for sample in several.samples] == [(0,), (1,)]


def test_an_image_in_several_rows_counts_once(folder: Path) -> None:
    path = write(folder, "file,label", "set/a.jpg,cat", "./set/a.jpg,cat", "c.jpg,dog")
    dataset = load_dataset(path)
    assert classes(dataset) == [("a.jpg", "cat"), ("c.jpg", "dog")]
    assert "1 row names an image that stands in another row" in dataset.notes[0]
    write(folder, "file,label", "set/a.jpg,cat", "set/a.jpg,dog", "c.jpg,dog")
    with pytest.raises(DataError, match="contradicts itself about one image"):
        load_dataset(path)
    with pytest.raises(DataError, match=r"joined by \|"):
        load_dataset(path, task="labels")
    write(folder, "file,value", "set/a.jpg,1", "set/a.jpg,2")
    with pytest.raises(DataError, match="contradicts itself about one image"):
        load_dataset(path, task="value")


def test_a_number_and_a_name_that_mean_two_classes(folder: Path) -> None:
    names = ("cat", "dog")
    path = write(folder, "file,class_index,label", "set/a.jpg,0,Cat", "c.jpg,1,dog")
    assert classes(load_dataset(path, labels=names)) == [("a.jpg", "cat"), ("c.jpg", "dog")]
    write(folder, "file,class_index,label", "set/a.jpg,0,kitten", "c.jpg,1,")
    assert classes(load_dataset(path, labels=names)) == [("a.jpg", "cat"), ("c.jpg", "dog")]
    write(folder, "file,class_index,label", "set/a.jpg,1,cat", "c.jpg,2,dog")  # counted from 1
    with pytest.raises(DataError, match="class_index = 1, which is 'dog', and label = 'cat'"):
        load_dataset(path, labels=names)


def test_whole_numbers_that_pandas_wrote_as_floats(folder: Path) -> None:
    path = write(folder, "file,label", "set/a.jpg,10.0", "c.jpg,2.0")
    assert load_dataset(path).labels == ("2", "10")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"file,label\nset/a.jpg,cat\n,dog\n", "a row without a file; found ,dog"),
        ("file,label\nset/a.jpg,cat\n".encode("utf-16-le"), "UTF-16 without its byte order mark"),
    ],
)
def test_files_that_cannot_be_read(folder: Path, content: bytes, words: str) -> None:
    (folder / "table.csv").write_bytes(content)
    with pytest.raises(DataError, match=words):
        load_dataset(folder / "table.csv")
