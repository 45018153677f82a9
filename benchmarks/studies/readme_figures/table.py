"""Which figures the documents state, and how each is found again.

A row holds the words around a figure, not the figure: what is stated is read from the documents,
``README.md`` and ``docs/``, wherever the words stand there. ``{}`` is the figure, ``#`` any other
number; blanks and line ends count the same. A test keeps every row in the documents.
"""

from __future__ import annotations

from dataclasses import dataclass

ROUNDED = 0.051  # of a figure with one decimal
SIZE_MB = 0.051
RATIO = 0.0051
IMAGE_OF_250, IMAGE_OF_300, IMAGE_OF_640, IMAGE_OF_1000 = (
    100 / images + ROUNDED for images in (250, 300, 640, 1000)
)


@dataclass(frozen=True)
class StatedFigure:
    """A figure that a run finds again.

    Attributes:
        words: around it.
        run: name of the run in ``runs.RUNS``.
        key: what the run calls it.
        tolerance: by how much it may differ: its rounding, and for shares of images one image,
            which the last digit of a float kernel can turn.
    """

    words: str
    run: str
    key: str
    tolerance: float


FIGURES = tuple(StatedFigure(*row) for row in (
    ("the {} networks, how fast on a board", "tables", "variants", 0),
    # The first example.
    ("v2-b0-float32.tflite {} MB 1.000", "v2-b0", "float_mb", SIZE_MB),
    ("MB 1.000 {} % – – # ms 1.00 v2-b0", "v2-b0", "float_top1", IMAGE_OF_250),
    ("v2-b0-int8.tflite {} MB", "v2-b0", "int8_mb", SIZE_MB),
    ("v2-b0-int8.tflite # MB {}", "v2-b0", "int8_ratio", RATIO),
    ("v2-b0-int8.tflite # MB # {} %", "v2-b0", "int8_top1", IMAGE_OF_250),
    ("v2-b0-int8.tflite # MB # # % {}", "v2-b0", "drop", IMAGE_OF_250),
    ("v2-b0-int8.tflite # MB # # % # {} %", "v2-b0", "agreement", IMAGE_OF_250),
    ("int8: drop # points, 95 % interval {} to", "v2-b0", "drop_low", IMAGE_OF_250),
    ("int8: drop # points, 95 % interval # to {};", "v2-b0", "drop_high", IMAGE_OF_250),
    ("to #; proven to be at most {}", "v2-b0", "drop_at_most", IMAGE_OF_250),
    ("measured on {} images of val.csv;", "v2-b0", "images", 0),
    # Recipes.
    ("| `--int8` | int8, per channel | int8 | {} |", "v2-b0", "int8_ratio", RATIO),
    ("| `--edgetpu` | int8, per channel | int8 | {} |", "v2-b0", "edgetpu_ratio", RATIO),
    ("| `--weights8` | int8 | float32 | {} |", "v2-b0", "weights8_ratio", RATIO),
    ("| `--float16` | float16 | float32 | {} |", "v2-b0", "float16_ratio", RATIO),
    ("| `--dynamic` | int8 | on the fly | {} |", "v2-b0", "dynamic_ratio", RATIO),
    ("| `--int16x8` | int8 | int16 | {} |", "v2-b0", "int16x8_ratio", RATIO),
    # Figures.
    ("| float32 | {} % | |", "v2-b0", "float_top1", IMAGE_OF_250),
    ("`--int8`, photos for calibration | {} %", "v2-b0", "int8_top1", IMAGE_OF_250),
    ("`--int8`, photos for calibration | # % | {} %", "v2-b0", "agreement", IMAGE_OF_250),
    ("`--int8`, no images at all | {} %", "no-images", "int8_top1", IMAGE_OF_250),
    ("`--int8`, no images at all | # % | {} %", "no-images", "agreement", IMAGE_OF_250),
    ("and by `--int8` by itself on {} %", "v2-b0", "agreement", IMAGE_OF_250),
    ("as many other classes agreement is {} % with photos", "photos", "others", IMAGE_OF_300),
    ("with photos and {} % without;", "photos", "others_no_images", IMAGE_OF_300),
    ("network is less sure of, {} and", "photos", "enlarged", IMAGE_OF_1000),
    ("network is less sure of, # and {} %", "photos", "enlarged_no_images", IMAGE_OF_1000),
    ("On all 1,550: {} and", "photos", "all", IMAGE_OF_1000),
    ("On all 1,550: # and {} %", "photos", "all_no_images", IMAGE_OF_1000),
    ("everything else in float (`--weights8`) {} %", "photos", "weights8_changes",
     IMAGE_OF_1000),
    ("| EfficientNetV2-B0 | {} →", "v2-b0", "float_mb", SIZE_MB),
    ("| EfficientNetV2-B0 | # → {} MB", "v2-b0", "int8_mb", SIZE_MB),
    ("| EfficientNet-B0 | {} →", "sizes", "b0_float_mb", SIZE_MB),
    ("| EfficientNet-B0 | # → {} MB", "sizes", "b0_int8_mb", SIZE_MB),
    ("| EfficientNet-Lite0 | {} →", "sizes", "lite0_float_mb", SIZE_MB),
    ("| EfficientNet-Lite0 | # → {} MB", "sizes", "lite0_int8_mb", SIZE_MB),
    ("| MobileNetV2 | {} →", "sizes", "mobilenetv2_float_mb", SIZE_MB),
    ("| MobileNetV2 | # → {} MB", "sizes", "mobilenetv2_int8_mb", SIZE_MB),
    ("| MobileNetV3-Large | {} →", "sizes", "mobilenetv3_float_mb", SIZE_MB),
    ("| MobileNetV3-Large | # → {} MB", "sizes", "mobilenetv3_int8_mb", SIZE_MB),
    # The Edge TPU preflight.
    ("It is right on {} of the # networks", "preflight", "right", 0),
    ("It is right on # of the {} networks", "preflight", "networks", 0),
    # The demo network and its clip.
    ("at the end at 96 px: {} % on", "demo", "float_top1", IMAGE_OF_640),
    ("at the end at 96 px: # % on {} drawn signs", "demo", "images", 0),
    ("drawn signs, int8 {} %, equal answers", "demo", "int8_top1", IMAGE_OF_640),
    ("equal answers on {} %. Drawn", "demo", "agreement", IMAGE_OF_640),
    ("On this clip ({} frames)", "clip", "images", 0),
    ("frames) int8 was right on {} %", "clip", "int8_top1", IMAGE_OF_300),
    ("frames) int8 was right on # %, float on {} %", "clip", "float_top1", IMAGE_OF_300),
    ("float on # %, and they agreed on {} %", "clip", "agreement", IMAGE_OF_300),
))  # fmt: skip
