"""Data sets as users keep them, and what is said about the ones that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import leakage
from edge_effnet.data.labels import imagenet_labels
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.errors import DataError

MakeFiles = Callable[..., Path]


@pytest.fixture
def files(tmp_path: Path) -> MakeFiles:
    """Make files of distinct content below a folder: nothing here decodes them."""

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        return tmp_path / "data"

    return make


def names(dataset: Dataset) -> list[tuple[str, str | None]]:
    return [
        (sample.path.name, None if sample.label is None else dataset.labels[sample.label])
        for sample in dataset.samples
    ]


def test_a_folder_per_class(files: MakeFiles) -> None:
    source = files("dog/2.JPG", "cat/1.jpg", "cat/deep/er/3.png", "cat/notes.txt", "readme.md")
    dataset = load_dataset(source)
    assert dataset.labels == ("cat", "dog")
    assert names(dataset) == [("1.jpg", "cat"), ("3.png", "cat"), ("2.JPG", "dog")]
    assert dataset.class_counts == {"cat": 2, "dog": 1}
    assert len(dataset) == 3


def test_hidden_files_are_not_data(files: MakeFiles) -> None:
    source = files(
        "cat/1.jpg", "cat/.ipynb_checkpoints/1-checkpoint.jpg", "cat/._1.jpg", "dog/2.jpg"
    )
    files(".git/3.jpg", "__MACOSX/cat/._1.jpg", "empty/notes.txt")
    assert load_dataset(source).class_counts == {"cat": 1, "dog": 1}


def test_folders_are_mapped_onto_the_models_labels(files: MakeFiles) -> None:
    source = files("Golden-Retriever/1.jpg", "tabby/2.jpg")
    labels = ["tabby, tabby cat", "golden_retriever", "unused"]
    assert [sample.label for sample in load_dataset(source, labels=labels).samples] == [1, 0]
    with pytest.raises(DataError, match="classes that the labels do not have; found 'tabby'"):
        load_dataset(source, labels=["golden retriever", "poodle"])


def test_wordnet_folders_on_imagenet_labels(files: MakeFiles) -> None:
    source = files("n01440764/1.jpg", "n02102040/2.jpg")
    dataset = load_dataset(source, labels=imagenet_labels())
    assert [sample.label for sample in dataset.samples] == [0, 217]


def test_names_that_differ_in_case_only_are_two_classes(files: MakeFiles) -> None:
    source = files("Red/1.jpg", "red/2.jpg", "a-b/3.jpg", "a_b/4.jpg")
    assert len(load_dataset(source).class_counts) == 4


def test_csv_with_class_indices(files: MakeFiles) -> None:
    source = files("a.jpg", "sub/b.jpg")
    table = source / "labels.csv"
    table.write_text("file,class_index,note\na.jpg,7,x\nsub/b.jpg, 2 ,\n", encoding="utf-8-sig")
    dataset = load_dataset(table)
    assert names(dataset) == [("a.jpg", "7"), ("b.jpg", "2")]
    labelled = load_dataset(table, labels=imagenet_labels())
    assert labelled.class_counts == {imagenet_labels()[2]: 1, imagenet_labels()[7]: 1}
    with pytest.raises(DataError, match="found '7'; expected one of 5 labels"):
        load_dataset(table, labels="abcde")


def test_csv_with_names(files: MakeFiles) -> None:
    source = files("a.jpg", "b.jpg")
    table = source / "labels.tsv"
    table.write_text("label\tfile\ncat\ta.jpg\ndog\tb.jpg\n")
    assert names(load_dataset(table)) == [("a.jpg", "cat"), ("b.jpg", "dog")]


def test_the_reference_sets(reference: Path) -> None:
    images = reference / "images"
    validation = load_dataset(images / "imagenet_val" / "labels.csv", labels=imagenet_labels())
    assert len(validation) == 250
    assert len(validation.class_counts) == 10
    assert "French horn" in {name.partition(",")[0] for name in validation.class_counts}
    calibration = load_dataset(images / "imagenet_calibration" / "labels.csv")
    assert len(calibration) == 500
    assert leakage(calibration, validation) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lacks columns; found an empty file"),
        ("name,label\na.jpg,cat\n", "lacks columns; found name, label"),
        ("file|label\na.jpg|cat\n", r"lacks columns; found file\|label"),
        ("file,class,tags\na.jpg,a,b\n", "could be the label; found class, tags"),
        ("file,label\na.jpg,tench, Tinca tinca\n", "more cells than columns; found line 2"),
        ("file,label\n", "holds no images"),
        ("file,label\na.jpg,cat\nb.jpg,\n", "a row without a class; found b.jpg: label = ''"),
        ("file,label\na.jpg,cat\nb.jpg\n", "a row without a class"),
        ("file,class_index\na.jpg,-1\n", "class_index = '-1'; expected a whole number"),
        ("file,class_index\na.jpg,2.5\n", "class_index = '2.5'"),
        ("file,class_index\na.jpg,²\n", "class_index = '²'"),
        ("file,class_index\na.jpg,99999999999\n", "class_index = '99999999999'"),
        ("file,label\na.jpg,cat\nc.jpg,dog\n", "1 of 2 missing, first .*c.jpg"),
        ("file,label\n,cat\n", "a row without a file"),
        ("file,label\na.jpg,cat\nb.jpg,cat\n", "one class only.*2 images, all 'cat'"),
        ('file,label\na.jpg,"' + "x" * 200_000 + '"\n', "cannot be read as CSV"),
    ],
)
def test_a_wrong_csv_is_refused(files: MakeFiles, text: str, said: str) -> None:
    table = files("a.jpg", "b.jpg") / "labels.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        load_dataset(table)


def test_what_is_no_csv_is_refused(files: MakeFiles) -> None:
    source = files("a.jpg")
    (source / "labels.csv").write_bytes(b"file,label\na.jpg,K\xf6ter\n")
    with pytest.raises(DataError, match=r"cannot be read as a CSV file.*save the file as UTF-8"):
        load_dataset(source / "labels.csv")
    with pytest.raises(DataError, match=r"is not a data set; found a \.jpg file"):
        load_dataset(source / "a.jpg")
    with pytest.raises(DataError, match="is not a data set; found nothing there"):
        load_dataset(source / "missing")


def test_folders_that_are_no_data_set(files: MakeFiles, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for load in (load_dataset, load_images):
        with pytest.raises(DataError, match="holds no images"):
            load(tmp_path / "empty")
    with pytest.raises(DataError, match="one class only, on which any accuracy is meaningless"):
        load_dataset(files("cat/1.jpg", "cat/2.jpg"))
    flat = files("../flat/1.jpg", "../flat/2.jpg").parent / "flat"
    with pytest.raises(DataError, match="2 images, none in a folder of its class"):
        load_dataset(flat)


def test_calibration_takes_images_without_classes(files: MakeFiles) -> None:
    source = files("1.jpg", "2.png", "labels.txt", "results/notes.txt")
    assert names(load_images(source)) == [("1.jpg", None), ("2.png", None)]
    one_class = files("cat/3.jpg") / "cat"
    assert names(load_images(one_class)) == [("3.jpg", None)]
    assert names(load_images(source)) == [("3.jpg", "cat")]  # folders go before loose files


def test_what_was_meant_in_place_of_no_data_set_is_said(files: MakeFiles) -> None:
    data = files("flowers/rose/a.jpg", "flowers/tulip/b.jpg", "flowers.zip", "cups/c.jpg")
    for given, said in (
        ("flower", f"is not a data set; did you mean {data}/flowers?"),
        ("flowers.zip", "to fix: unpack it, and give the folder"),
        ("flowers/rose", f"to fix: give {data}/flowers, if the folders in it are the classes; or"),
        ("cups", "to fix: move the images of each class into a folder"),
    ):
        with pytest.raises(DataError) as refused:
            load_dataset(data / given)
        assert said in str(refused.value)
    files("flowerz/rose/a.jpg")  # two are near now
    with pytest.raises(DataError) as refused:
        load_dataset(data / "flower")
    assert "did you mean" not in str(refused.value)
