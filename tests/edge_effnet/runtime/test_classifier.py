"""Opening model files: what they say of themselves, what they need to be told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.artifact import Card, write_artifact
from edge_effnet.errors import EdgeEffnetError, ModelError, UsageProblem
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.runtime import interpreter
from edge_effnet.runtime.classifier import common_names, open_classifier
from edge_effnet.runtime.interpreter import load_runtime, open_interpreter
from edge_effnet.tflite.editor import pack_tree, read_tree

MakeModel = Callable[..., Path]
SHADES = np.arange(256, dtype=np.uint8)


def test_a_model_with_a_card_needs_nothing(colour_model: MakeModel, colour_folder: Path) -> None:
    classifier = open_classifier(colour_model())
    assert classifier.labels == ("red", "green", "blue")
    assert classifier.card is not None
    assert classifier.notice is None
    scores = classifier.scores(read_image(colour_folder / "green" / "0.png"))
    assert (scores.shape, scores.dtype) == ((3,), np.float32)
    assert scores.argmax() == 1
    assert scores.sum() == pytest.approx(1)


def test_a_float_model_that_does_not_say_is_asked(colour_model: MakeModel) -> None:
    model = colour_model(labels=None)
    with pytest.raises(ModelError, match="does not say how pixels become its input") as refused:
        open_classifier(model)
    assert "--preprocess raw is likely" in str(refused.value)
    told = open_classifier(model, preprocess="mean=0,std=1,crop=1")
    assert told.labels == ("0", "1", "2")
    assert told.preprocess == Preprocess(4, 4, crop=1.0)
    with pytest.raises(UsageProblem):
        open_classifier(model, preprocess="mean=x")


def test_what_the_user_says_goes_before_the_card(colour_model: MakeModel) -> None:
    classifier = open_classifier(
        colour_model(), labels=["rouge", "vert", "bleu"], preprocess="std=255"
    )
    assert classifier.labels == ("rouge", "vert", "bleu")
    assert (classifier.preprocess.std, classifier.preprocess.crop) == ((255.0,), 0.9)
    tensor = classifier.tensor(np.full((4, 4, 3), 255, np.uint8))
    assert (tensor.shape, tensor.dtype, tensor.max()) == ((1, 4, 4, 3), np.float32, 1.0)


def test_labels_that_do_not_fit(colour_model: MakeModel) -> None:
    with pytest.raises(
        ModelError, match="and its labels do not fit; found 2 labels: a, b; expected 3"
    ):
        open_classifier(colour_model(), labels=["a", "b"])
    with pytest.raises(ModelError, match="found 4 labels"):
        open_classifier(colour_model("other.tflite", labels=("a", "b", "c", "d")))


def test_labels_in_another_order_are_refused(colour_model: MakeModel) -> None:
    model = colour_model()
    assert open_classifier(model, labels=["RED", "green", "blue"]).labels[0] == "RED"
    with pytest.raises(ModelError, match="another order; found 'blue' as class 0; expected 'red'"):
        open_classifier(model, labels=["blue", "green", "red"])


def test_running_numbers_are_no_names(colour_model: MakeModel) -> None:
    numbers = open_classifier(colour_model("numbers.tflite", labels=("0", "1", "2")))
    bare = open_classifier(
        colour_model("bare.tflite", labels=None), preprocess="crop=0.9,mean=0,std=1"
    )
    for classifier in (numbers, bare):
        assert (classifier.labels, classifier.names) == (("0", "1", "2"), None)
    assert open_classifier(numbers.path, labels=["0", "1", "2"]).names == ("0", "1", "2")


def test_models_that_are_compared_share_their_names(colour_model: MakeModel) -> None:
    ours = open_classifier(colour_model())
    spelled = open_classifier(colour_model("same.tflite", labels=("RED", "Green", "blue")))
    assert common_names([ours, spelled]) == ("red", "green", "blue")
    theirs = open_classifier(colour_model("other.tflite", labels=("red", "blue", "green")))
    with pytest.raises(ModelError, match="another order"):
        common_names([ours, theirs])
    fewer = open_classifier(colour_model("fewer.tflite", weights=np.eye(3)[:2], labels=("a", "b")))
    with pytest.raises(ModelError, match="3 and 2 classes"):
        common_names([ours, fewer])
    bare = open_classifier(
        colour_model("bare.tflite", labels=None), preprocess="crop=0.9,mean=0,std=1"
    )
    assert common_names([bare, ours]) == common_names([ours, bare]) == ("red", "green", "blue")
    assert common_names([bare, bare]) is None


def test_a_card_of_another_input_size(colour_model: MakeModel, tmp_path: Path) -> None:
    card = Card("wrong", ("a", "b", "c"), Preprocess(8, 8))
    write_artifact(tmp_path / "wrong.tflite", colour_model().read_bytes(), card)
    with pytest.raises(ModelError, match="found 8x8x3 "):
        open_classifier(tmp_path / "wrong.tflite")


@pytest.mark.parametrize(
    "name",
    [
        "models/lite0_flowers5_modelmaker_int8.tflite",  # scale 1/255
        "edgetpu/mobilenet_v1_0.25_128_quant/model.tflite",  # scale 1/128, mean and std 127.5
        "edgetpu/mobilenet_edgetpu_0.75_224_post_training_quant/model.tflite",  # says nothing
    ],
)
def test_uint8_inputs_take_pixels_as_they_are(reference: Path, name: str) -> None:
    classifier = open_classifier(reference / name)
    side = classifier.preprocess.height
    pixels = np.resize(SHADES, (side, side, 3))
    tensor = classifier.tensor(pixels)
    assert tensor.dtype == np.uint8
    assert np.array_equal(tensor[0], pixels)


def test_model_makers_flowers(reference: Path) -> None:
    classifier = open_classifier(reference / "models" / "lite0_flowers5_modelmaker_int8.tflite")
    roses = sorted((reference / "images" / "flowers5" / "roses").iterdir())[:10]
    answers = [classifier.labels[classifier.scores(read_image(path)).argmax()] for path in roses]
    assert answers.count("roses") >= 8


def test_a_file_compiled_for_the_edge_tpu_needs_its_library(
    reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_LIBEDGETPU", "/no/libedgetpu.so.1")
    path = reference / "edgetpu" / "mobilenet_v1_0.25_128_quant" / "compiled_edgetpu.tflite"
    with pytest.raises(ModelError, match="needs libedgetpu"):
        open_classifier(path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("split_concat", "takes 3 inputs"),
        ("keras_lstm_mnist_ptq", r"input shape \[1, 28, 28\]"),
        ("deeplabv3_mnv2_dm05_pascal_quant", "is a segmenter"),
        ("movenet_single_pose_lightning_ptq", "points of a body"),
    ],
)
def test_models_that_classify_no_pictures(reference: Path, name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        open_classifier(reference / "edgetpu" / name / "model.tflite")


def test_fast_and_plain_kernels_agree(colour_model: MakeModel, colour_folder: Path) -> None:
    model, image = colour_model(), read_image(colour_folder / "blue" / "3.png")
    plain = open_classifier(model, delegate=False).scores(image)
    fast = open_classifier(model, threads=2).scores(image)
    assert np.allclose(plain, fast, atol=1e-6)


def test_a_model_the_runtime_refuses(colour_model: MakeModel) -> None:
    """An operator of a version that does not exist yet."""
    broken = colour_model(labels=None)
    tree = read_tree(broken.read_bytes())[1]
    tree.operatorCodes[0].version = 99
    broken.write_bytes(pack_tree(tree))
    runtime = load_runtime()
    with pytest.raises(ModelError, match=f"does not run in {runtime.name}"):
        open_interpreter(broken)


def test_without_a_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "_RUNTIMES", (("none", "no.such.module", "none"),))
    load_runtime.cache_clear()
    with pytest.raises(EdgeEffnetError, match="running a model needs a TFLite runtime"):
        load_runtime()
    load_runtime.cache_clear()


def test_a_runtime_without_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A nightly, or Debian's package: another distribution name, the same module."""
    runtimes = (("LiteRT", "ai_edge_litert.interpreter", "no-such-distribution"),)
    monkeypatch.setattr(interpreter, "_RUNTIMES", runtimes)
    load_runtime.cache_clear()
    assert load_runtime().version == "of unknown version"
    load_runtime.cache_clear()
