"""What a network's last layer means: found from the model, kept in the card, named by the user."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_effnet.artifact import Card, read_artifact, write_artifact
from edge_effnet.errors import ModelError, UsageProblem
from edge_effnet.heads.head import Head, find_head, fit_names, head_from_json
from edge_effnet.heads.kinds import HEADS, HeadChoice
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.tflite.reader import parse_structure
from tests.edge_effnet.conftest import RIGHT, model_bytes

MakeModel = Callable[..., Path]
ONE = RIGHT[:1]  # how red it is

any_logits = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(2, 5)),
    elements=st.floats(-80, 80, width=32),
)


@pytest.mark.parametrize(
    ("end", "outputs", "kind"),
    [
        ("SOFTMAX", 3, "softmax"),
        (None, 3, "logits"),
        ("LOGISTIC", 1, "sigmoid"),
        ("LOGISTIC", 3, "multilabel"),
        (None, 1, "regression"),
    ],
)
def test_the_last_operator_and_the_width_tell(end: str | None, outputs: int, kind: str) -> None:
    structure = parse_structure(model_bytes(np.ones((outputs, 3), np.float32), end), "a model")
    head = find_head(structure, "a model")
    assert (head.kind, head.outputs) == (kind, outputs)
    assert head.task == HEADS[kind].task
    assert head_from_json(head.to_json()) == head


def test_a_softmax_of_one_output_is_refused() -> None:
    structure = parse_structure(model_bytes(np.ones((1, 3), np.float32)), "dead.tflite")
    with pytest.raises(ModelError, match=r"dead\.tflite answers the same to everything"):
        find_head(structure, "dead.tflite")


@pytest.mark.parametrize(
    ("end", "outputs", "kind", "why"),
    [
        ("SOFTMAX", 3, "logits", "gives probabilities already"),
        ("LOGISTIC", 3, "multilabel-logits", "gives probabilities already"),
        ("LOGISTIC", 3, "sigmoid", "does not have this width"),
        (None, 3, "multilabel", "does not end in a sigmoid"),
        (None, 1, "multilabel-logits", "one output is not several labels"),
        ("SOFTMAX", 3, "softmaxx", "there is no such head"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(
    end: str | None, outputs: int, kind: str, why: str
) -> None:
    structure = parse_structure(model_bytes(np.ones((outputs, 3), np.float32), end), "a model")
    with pytest.raises(UsageProblem, match=why):
        find_head(structure, "a model", choice=HeadChoice(kind))


def test_what_the_user_says_goes_before_the_card_and_that_before_the_operator() -> None:
    structure = parse_structure(model_bytes(np.ones((3, 3), np.float32), "LOGISTIC"), "a model")
    stated = Head("multilabel", 3, threshold=0.3)
    assert find_head(structure, "a model", stated=stated) == stated
    told = find_head(structure, "a model", stated=stated, choice=HeadChoice(threshold=0.8))
    assert told == Head("multilabel", 3, threshold=0.8)
    assert find_head(structure, "a model", stated=stated, choice=HeadChoice("softmax")).kind == (
        "softmax"  # classes that exclude each other, trained with sigmoids
    )


@given(any_logits)
def test_logits_become_probabilities_that_rank_alike(logits: np.ndarray) -> None:
    scores = Head("logits", logits.shape[1]).scores(logits)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert (scores >= 0).all()
    best = logits.argmax(axis=1)
    assert (scores[np.arange(len(best)), best] == scores.max(axis=1)).all()


@given(any_logits, st.floats(0.05, 0.95))
def test_two_classes_of_one_output_are_divided_at_the_threshold(
    logits: np.ndarray, threshold: float
) -> None:
    probability = 1 / (1 + np.exp(-logits[:, :1].astype(np.float64)))
    head = Head("logits", 1, threshold)
    scores = head.scores(logits[:, :1])
    assert scores.shape == (len(logits), 2)
    assert np.allclose(scores[:, 1:], probability, atol=1e-6)
    clear = np.abs(probability[:, 0] - threshold) > 1e-6
    assert (head.answers(scores) == (probability[:, 0] > threshold))[clear].all()


@given(any_logits)
def test_labels_are_decided_one_by_one(logits: np.ndarray) -> None:
    head = Head("multilabel-logits", logits.shape[1])
    assert (
        head.decisions(head.scores(logits))[np.abs(logits) > 1e-6]
        == (logits > 0)[np.abs(logits) > 1e-6]
    ).all()
    with pytest.raises(ValueError, match="answers no single class"):
        head.answers(logits)


def test_names_as_a_person_would_write_them() -> None:
    assert fit_names(["cat"], Head("sigmoid", 1)) == ("not cat", "cat")
    assert fit_names(["cat", "dog"], Head("sigmoid", 1)) == ("cat", "dog")
    assert fit_names(["cat", "dog"], Head("softmax", 3)) is None
    assert fit_names(None, Head("regression", 1)) == ("value",)
    assert fit_names(["0", "1"], Head("softmax", 3)) == ("0", "1", "2")  # folders 0 and 1 of them


def test_the_card_keeps_the_head_and_an_old_card_has_it_found(tmp_path: Path) -> None:
    model, how = model_bytes(np.asarray(RIGHT, np.float32), "LOGISTIC"), Preprocess(4, 4)
    names = ("red", "green", "blue")
    head = Head("multilabel", 3, threshold=0.25)
    write_artifact(tmp_path / "new.tflite", model, Card("new", names, how, head=head))
    write_artifact(tmp_path / "old.tflite", model, Card("old", names, how))
    card = read_artifact(tmp_path / "new.tflite").card
    assert card is not None
    assert card.head == head
    assert open_classifier(tmp_path / "new.tflite").head == head
    assert open_classifier(tmp_path / "old.tflite").head == Head("multilabel", 3)


def test_one_sigmoid_answers_as_two_classes(colour_model: MakeModel, colour_folder: Path) -> None:
    model = colour_model(weights=[(1, -1, 0)], labels=("green", "red"), end="LOGISTIC")
    classifier = open_classifier(model)
    for colour, place in (("green", 0), ("red", 1)):
        scores = classifier.scores(read_image(colour_folder / colour / "0.png"))
        assert scores.shape == (2,)
        assert scores.argmax() == place


def test_logits_are_read_as_probabilities(colour_model: MakeModel, colour_folder: Path) -> None:
    image = read_image(colour_folder / "blue" / "0.png")
    bare = open_classifier(colour_model("bare.tflite", end=None)).scores(image)
    whole = open_classifier(colour_model("whole.tflite")).scores(image)
    assert bare == pytest.approx(whole, abs=1e-6)


def test_labels_that_do_not_fit_two_classes(colour_model: MakeModel) -> None:
    model = colour_model(weights=ONE, labels=("a", "b", "c"), end="LOGISTIC")
    with pytest.raises(ModelError, match="found 3 labels: a, b, c; expected 2, one for each"):
        open_classifier(model)
