from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.errors import DataError, ModelError
from edge_effnet.image.reading import read_image
from edge_effnet.metrics import compare_predictions, summarize
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.runtime.evaluating import scoring
from edge_effnet.runtime.evaluating.predict import predict, predict_many

MakeModel = Callable[..., Path]


def test_predictions_keep_the_order_of_the_data_set(
    colour_model: MakeModel, colour_folder: Path
) -> None:
    dataset = load_dataset(colour_folder)
    shuffled = Dataset(dataset.samples[::-3] + dataset.samples[1::2], dataset.labels, "shuffled")
    model = colour_model()
    predictions = predict(model, shuffled, workers=3)
    classifier = open_classifier(model)
    alone = [classifier.scores(read_image(sample.path)) for sample in shuffled.samples]
    assert predictions.paths == tuple(sample.path for sample in shuffled.samples)
    np.testing.assert_array_equal(predictions.scores, np.stack(alone))
    assert predictions.model is not None
    assert predictions.model.size_bytes == model.stat().st_size


def test_classes_are_found_by_name_not_by_place(
    colour_model: MakeModel, colour_folder: Path
) -> None:
    """The folder's own order is blue, green, red; the model's is red, green, blue."""
    dataset = load_dataset(colour_folder)
    assert dataset.labels == ("blue", "green", "red")
    assert summarize(predict(colour_model(), dataset)).top1_percent == 100


def test_a_class_the_model_lacks_is_refused(colour_model: MakeModel, colour_folder: Path) -> None:
    model = colour_model(labels=("red", "green", "violet"))
    with pytest.raises(DataError, match=r"'blue'.*--labels"):
        predict(model, load_dataset(colour_folder))


def test_corrupt_images_are_named_and_skipped(colour_model: MakeModel, colour_folder: Path) -> None:
    (colour_folder / "green" / "0.png").write_text("not an image")
    (colour_folder / "red" / "zero.jpg").write_bytes(b"")
    dataset = load_dataset(colour_folder)
    ours, theirs = predict_many([colour_model(), colour_model("again.tflite")], dataset)
    assert len(ours.paths) == 29
    assert [image.path.name for image in ours.skipped] == ["0.png", "zero.jpg"]
    assert "not a readable image" in ours.skipped[0].reason
    assert compare_predictions(ours, theirs).agreement_percent == 100
    assert summarize(ours).top1_percent == 100  # rows and truth moved together


def test_strict_refuses_a_corrupt_image(colour_model: MakeModel, colour_folder: Path) -> None:
    (colour_folder / "green" / "0.png").write_text("not an image")
    with pytest.raises(DataError, match=r"0\.png is not a readable image"):
        predict(colour_model(), load_dataset(colour_folder), strict=True)


def test_no_readable_image_at_all(colour_model: MakeModel, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("text")
    dataset = Dataset((Sample(tmp_path / "bad.jpg", 0),), ("red",), "one bad image")
    with pytest.raises(DataError, match="the only image cannot be read"):
        predict(colour_model(), dataset)


def test_each_image_is_decoded_once_for_all_models(
    colour_model: MakeModel, colour_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[Path] = []

    def counting(path: Path) -> np.ndarray:
        decoded.append(path)
        return read_image(path)

    monkeypatch.setattr(scoring, "read_image", counting)
    predict_many([colour_model(), colour_model("again.tflite")], load_dataset(colour_folder))
    assert len(decoded) == 30


def test_images_without_classes(colour_model: MakeModel, colour_folder: Path) -> None:
    predictions = predict(colour_model(), load_images(colour_folder / "red"))
    assert predictions.truth is None
    assert set(predictions.answers) == {0}


def test_progress_counts_every_image(colour_model: MakeModel, colour_folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    predict(
        colour_model(),
        load_dataset(colour_folder),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(done, 30) for done in range(1, 31)]


def test_an_interrupt_ends_the_work_at_once(colour_model: MakeModel, colour_folder: Path) -> None:
    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(colour_model(), load_dataset(colour_folder), progress=interrupt)


def test_a_model_that_overflows_is_refused(colour_model: MakeModel, colour_folder: Path) -> None:
    weights = np.eye(3)
    weights[0, 0] = np.nan
    with pytest.raises(ModelError, match="not numbers"):
        predict(colour_model(weights=weights), load_dataset(colour_folder))


def test_real_flowers(reference: Path) -> None:
    """Model Maker's own int8 file, with the labels zipped inside it."""
    model = reference / "models" / "lite0_flowers5_modelmaker_int8.tflite"
    dataset = load_dataset(reference / "images" / "flowers5", labels=open_classifier(model).labels)
    one, many = predict(model, dataset, workers=1), predict(model, dataset, workers=4)
    np.testing.assert_array_equal(one.scores, many.scores)
    assert summarize(one).top1_percent >= 90


def test_similarity_stays_with_its_image(taught_model: Path, colour_folder: Path) -> None:
    dataset = load_images(colour_folder)
    samples = tuple(Sample(sample.path, None) for sample in dataset.samples[::-1])
    broken = colour_folder / "broken.png"
    broken.write_text("not an image")
    some = Dataset((samples[0], Sample(broken, None), *samples[1:]), (), "some")
    predictions = predict(taught_model, some, workers=3)
    classifier = open_classifier(taught_model)
    alone = []
    for path in predictions.paths:
        classifier.scores(read_image(path))
        alone.append(classifier.similarity())
    assert predictions.similarity is not None
    assert predictions.unknown is not None
    np.testing.assert_array_equal(predictions.similarity, alone)
    blue = [path.parent.name == "blue" for path in predictions.paths]
    assert predictions.unknown[blue].all()
