"""Train a network on a folder of images, make it int8, and see what that cost.

    python examples/train_convert_compare.py TRAIN_FOLDER TEST_FOLDER OUT [EPOCHS [SIDE]]

Needs the extra train. Each folder holds one folder of images for each class. For real work start
from trained weights (weights="imagenet"), or use `edge-effnet train`, which does much more.
"""

import sys
from pathlib import Path

import keras

import converters
import edge_effnet


def main(train: str, test: str, out: str, epochs: str = "10", side: str = "64") -> None:
    images = keras.utils.image_dataset_from_directory(
        train, image_size=(int(side), int(side)), crop_to_aspect_ratio=True, batch_size=8
    )
    labels = images.class_names
    network = edge_effnet.build("lite0", classes=len(labels), resolution=int(side))
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(images, epochs=int(epochs), verbose=2)
    Path(out).mkdir(parents=True, exist_ok=True)
    network.save(f"{out}/network.keras")

    float32, int8 = converters.convert(
        f"{out}/network.keras", out=out, calibration=train, labels=labels, force=True
    ).made
    comparison = converters.compare(float32.path, int8.path, test)
    print(f"{int8.path}: {int8.size_bytes / float32.size_bytes:.2f} of the size")
    print(f"{comparison.agreement_percent:.1f} % of the answers are those of the float network")


if __name__ == "__main__":
    main(*sys.argv[1:])
