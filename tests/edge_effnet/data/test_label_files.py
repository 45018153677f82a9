"""The label file beside a model: found by its name, read where its length fits."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from edge_effnet.data.label_files import LabelFile, choose_names, labels_beside
from edge_effnet.errors import ModelError
from edge_effnet.heads.head import Head

THREE = Head("softmax", 3)
NAMES = ("ant", "bee", "cat")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3")
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.txt", "ant\nbee\ncat\n"),
        ("Labels.txt", "0 ant\n1 bee\n2 cat\n"),  # Teachable Machine
        ("labelmap.txt", "0  ant\n1  bee\n2  cat"),  # Coral, Frigate
        ("m_labels.txt", "ant\r\nbee\r\ncat\r\n"),
        ("m.txt", "ant\nbee\ncat\n"),
        ("insect_labels.txt", "ant\nbee\ncat\n"),
        ("class_indices.json", '{"bee": 1, "ant": 0, "cat": 2}'),  # Keras' generators
        ("labels.json", '{"0": "ant", "1": "bee", "2": "cat"}'),
        ("class_names.json", '["ant", "bee", "cat"]'),
        ("metadata.json", '{"labels": ["ant", "bee", "cat"], "modelName": "tm-my-image-model"}'),
    ],
)
def test_the_usual_files_are_read(name: str, content: str, model: Path) -> None:
    model.with_name(name).write_text(content)
    found = labels_beside(model, THREE)
    assert found.names == NAMES
    assert found.notice == f"class names from {model.with_name(name)}: ant, bee, cat"


def test_numbers_are_dropped_only_where_every_line_counts_up(model: Path) -> None:
    file = model.with_name("labels.txt")
    file.write_text("0 10 Rupees\n1 20 Rupees\n2 50 Rupees\n")
    assert labels_beside(model, THREE).names == ("10 Rupees", "20 Rupees", "50 Rupees")
    file.write_text("10 Rupees\n20 Rupees\n50 Rupees\n")
    assert labels_beside(model, THREE).names == ("10 Rupees", "20 Rupees", "50 Rupees")


def test_a_file_of_another_length_is_left_alone_with_a_line(model: Path) -> None:
    model.with_name("labels.txt").write_text("one\ntwo\n")
    found = labels_beside(model, THREE)
    assert found.names is None
    assert found.notice is not None
    assert "is not used: it has 2 names, and m.tflite has 3 classes" in found.notice


def test_a_file_that_fits_goes_before_one_that_does_not(model: Path) -> None:
    model.with_name("labels.txt").write_text("one\ntwo\n")
    model.with_name("my_classes.txt").write_text("ant\nbee\ncat\n")
    assert labels_beside(model, THREE).names == NAMES


@pytest.mark.parametrize("content", ["", "{", "[1, 2, 3]", '{"a": 5}', "[" * 100_000, '{"0": 1}'])
def test_a_file_without_names_is_passed_over(content: str, model: Path) -> None:
    for name in ("labels.json", "labels.txt"):
        model.with_name(name).write_text(content)
    assert labels_beside(model, THREE).names is None


def test_numbers_in_a_file_of_another_name_are_no_names(model: Path) -> None:
    model.with_name("class_weights.txt").write_text("0.5\n1.5\n1.0\n")
    assert labels_beside(model, THREE).names is None


def test_a_decimal_comma_is_no_running_number(model: Path) -> None:
    model.with_name("labels.txt").write_text("0,5 l\n1,0 l\n2,5 l\n")
    assert labels_beside(model, THREE).names == ("0,5 l", "1,0 l", "2,5 l")


def test_one_name_for_two_classes(model: Path) -> None:
    model.with_name("labels.txt").write_text("cat\n")
    assert labels_beside(model, Head("sigmoid", 1)).names == ("not cat", "cat")


def test_labels_in_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "converted_tflite.zip"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("model.tflite", b"")
        pack.writestr("labels.txt", "0 ant\n1 bee\n2 cat\n")
    found = labels_beside(path, THREE)
    assert (found.names, found.source) == (NAMES, f"labels.txt in {path}")


def test_labels_of_edge_impulses_deployment(tmp_path: Path) -> None:
    path = tmp_path / "deployment.zip"
    header = 'const char* ei_classifier_inferencing_categories_1_2[] = { "ant", "bee", "cat" };'
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("tflite-model/trained.tflite", b"")
        pack.writestr("model-parameters/model_variables.h", f"#pragma once\n{header}\n")
    assert labels_beside(path, THREE).names == NAMES


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("0 grün\n1 weiß\n2 rot\n".encode("latin-1"), r"'utf-8' codec can't decode .*as UTF-8"),
        (b"ant\n\nbee\ncat\n", "line 2 is blank"),
        (b"ant\ncat\ncat\n", "gives 2 classes the name 'cat'"),
    ],
)
def test_a_label_file_that_cannot_be_used_is_named_with_the_reason(
    content: bytes, line: str, model: Path
) -> None:
    model.with_name("labels.txt").write_bytes(content)
    found = labels_beside(model, THREE)
    assert found.names is None
    assert re.search(rf"labels\.txt is not used: .*{line}", found.notice or "")


def test_a_name_that_stands_twice_in_a_long_list_is_no_mistake(model: Path) -> None:
    names = (*map("class {}".format, range(498)), "crane", "crane")
    model.with_name("labels.txt").write_text("\n".join(names))
    assert labels_beside(model, Head("softmax", 500)).names == names


@pytest.mark.parametrize(
    "notes",
    [
        "Trained in May.\nWorks well.\nNeeds light.",
        "epochs: 20\nrate: 0.01\nbest: yes",
        "20\n0.5\n0.9",
        "taken with my new camera at home\nb\nc",
    ],
)
def test_notes_beside_a_model_are_no_names(notes: str, model: Path) -> None:
    model.with_suffix(".txt").write_text(notes)
    assert labels_beside(model, THREE) == LabelFile()


def test_names_inside_the_model_go_first(model: Path) -> None:
    model.with_name("labels.txt").write_text("ant\nbee\ncat\n")
    assert choose_names(None, ("x", "y", "z"), model, THREE)[0] == ("x", "y", "z")
    names, file = choose_names(("a", "b", "c"), None, model, THREE)
    assert (names, file.notice) == (("a", "b", "c"), None)


@pytest.mark.parametrize("name", ["m.txt", "m_labels.txt"])
def test_another_order_than_the_models_own_file_says_is_refused(name: str, model: Path) -> None:
    model.with_name(name).write_text("cat\nant\nbee\n")
    with pytest.raises(
        ModelError, match=rf"found 'ant' as class 0; expected 'cat', as .*{name} says"
    ):
        choose_names(NAMES, None, model, THREE)


def test_a_file_that_may_be_another_models_does_not_stop_the_labels_given(model: Path) -> None:
    model.with_name("labels.txt").write_text("cat\nant\nbee\n")
    names, file = choose_names(NAMES, None, model, THREE)
    assert (names, file.source) == (NAMES, None)
    assert file.notice == (
        f"{model.with_name('labels.txt')} has the names of --labels in another order (cat, ant, "
        "bee); the order of --labels counts (ant, bee, cat)"
    )


def test_names_in_another_order_than_the_archive_says_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "converted_tflite.zip"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("model.tflite", b"")
        pack.writestr("labels.txt", "0 cat\n1 ant\n2 bee\n")
    with pytest.raises(ModelError, match=r"found 'ant' as class 0; expected 'cat'"):
        choose_names(NAMES, None, path, THREE)
