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
class Figure:
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


@dataclass(frozen=True)
class NotRerun:
    """Figures that this command cannot find again, and why."""

    words: str
    reason: str


FIGURES = (
    Figure("the {} networks and what each costs", "tables", "variants", 0),
    # The first example.
    Figure("v2-b0-float32.tflite {} MB 1.000", "v2-b0", "float_mb", SIZE_MB),
    Figure("MB 1.000 {} % – – # ms 1.00 v2-b0", "v2-b0", "float_top1", IMAGE_OF_250),
    Figure("v2-b0-int8.tflite {} MB", "v2-b0", "int8_mb", SIZE_MB),
    Figure("v2-b0-int8.tflite # MB {}", "v2-b0", "int8_ratio", RATIO),
    Figure("v2-b0-int8.tflite # MB # {} %", "v2-b0", "int8_top1", IMAGE_OF_250),
    Figure("v2-b0-int8.tflite # MB # # % {}", "v2-b0", "drop", IMAGE_OF_250),
    Figure("v2-b0-int8.tflite # MB # # % # {} %", "v2-b0", "agreement", IMAGE_OF_250),
    Figure("int8: drop # points, 95 % interval {} to", "v2-b0", "drop_low", IMAGE_OF_250),
    Figure("int8: drop # points, 95 % interval # to {};", "v2-b0", "drop_high", IMAGE_OF_250),
    Figure("to #; proven to be at most {}", "v2-b0", "drop_at_most", IMAGE_OF_250),
    Figure("measured on {} images of val.csv;", "v2-b0", "images", 0),
    # Recipes.
    Figure("| `--int8` | int8, per channel | int8 | {} |", "v2-b0", "int8_ratio", RATIO),
    Figure("`--edgetpu` | int8, per channel; one scale for the last layer | int8 | {} |",
           "v2-b0", "edgetpu_ratio", RATIO),
    Figure("| `--weights8` | int8 | float32 | {} |", "v2-b0", "weights8_ratio", RATIO),
    Figure("| `--float16` | float16 | float32 | {} |", "v2-b0", "float16_ratio", RATIO),
    Figure("| `--dynamic` | int8 | on the fly | {} |", "v2-b0", "dynamic_ratio", RATIO),
    Figure("| `--int16x8` | int8 | int16 | {} |", "v2-b0", "int16x8_ratio", RATIO),
    # Figures.
    Figure("| float32 | {} % | |", "v2-b0", "float_top1", IMAGE_OF_250),
    Figure("`--int8`, photos for calibration | {} %", "v2-b0", "int8_top1", IMAGE_OF_250),
    Figure("`--int8`, photos for calibration | # % | {} %", "v2-b0", "agreement", IMAGE_OF_250),
    Figure("`--int8`, no images at all | {} %", "no-images", "int8_top1", IMAGE_OF_250),
    Figure("`--int8`, no images at all | # % | {} %", "no-images", "agreement", IMAGE_OF_250),
    Figure("and by `--int8` by itself on {} %", "v2-b0", "agreement", IMAGE_OF_250),
    Figure("as many other classes agreement is {} % with photos", "photos", "others", IMAGE_OF_300),
    Figure("with photos and {} % without;", "photos", "others_no_images", IMAGE_OF_300),
    Figure("network is less sure of, {} and", "photos", "enlarged", IMAGE_OF_1000),
    Figure("network is less sure of, # and {} %", "photos", "enlarged_no_images", IMAGE_OF_1000),
    Figure("On all 1,550: {} and", "photos", "all", IMAGE_OF_1000),
    Figure("On all 1,550: # and {} %", "photos", "all_no_images", IMAGE_OF_1000),
    Figure("everything else in float (`--weights8`) {} %", "photos", "weights8_changes",
           IMAGE_OF_1000),
    Figure("| EfficientNetV2-B0 | {} →", "v2-b0", "float_mb", SIZE_MB),
    Figure("| EfficientNetV2-B0 | # → {} MB", "v2-b0", "int8_mb", SIZE_MB),
    Figure("| EfficientNet-B0 | {} →", "sizes", "b0_float_mb", SIZE_MB),
    Figure("| EfficientNet-B0 | # → {} MB", "sizes", "b0_int8_mb", SIZE_MB),
    Figure("| EfficientNet-Lite0 | {} →", "sizes", "lite0_float_mb", SIZE_MB),
    Figure("| EfficientNet-Lite0 | # → {} MB", "sizes", "lite0_int8_mb", SIZE_MB),
    Figure("| MobileNetV2 | {} →", "sizes", "mobilenetv2_float_mb", SIZE_MB),
    Figure("| MobileNetV2 | # → {} MB", "sizes", "mobilenetv2_int8_mb", SIZE_MB),
    Figure("| MobileNetV3-Large | {} →", "sizes", "mobilenetv3_float_mb", SIZE_MB),
    Figure("| MobileNetV3-Large | # → {} MB", "sizes", "mobilenetv3_int8_mb", SIZE_MB),
    # The Edge TPU preflight.
    Figure("It is right on {} of the # networks", "preflight", "right", 0),
    Figure("It is right on # of the {} networks", "preflight", "networks", 0),
    # The demo network and its clip.
    Figure("at the end at 96 px: {} % on", "demo", "float_top1", IMAGE_OF_640),
    Figure("at the end at 96 px: # % on {} drawn signs", "demo", "images", 0),
    Figure("drawn signs, int8 {} %, equal answers", "demo", "int8_top1", IMAGE_OF_640),
    Figure("equal answers on {} %. Drawn", "demo", "agreement", IMAGE_OF_640),
    Figure("On this clip ({} frames)", "clip", "images", 0),
    Figure("frames) int8 was right on {} %", "clip", "int8_top1", IMAGE_OF_300),
    Figure("frames) int8 was right on # %, float on {} %", "clip", "float_top1", IMAGE_OF_300),
    Figure("float on # %, and they agreed on {} %", "clip", "agreement", IMAGE_OF_300),
)  # fmt: skip

_TIMES = "times belong to a machine that does nothing else: edge-effnet bench on yours"
_STUDY = "hours of training: python -m benchmarks.studies.pruning_quality"
_SEARCH = (
    "an hour of strategies, on networks trained for it: convert --min-agreement 100 tries them"
)
_OTHERS = "others' reports"
_TRIED = "a study that was made once, of ways that were left out"
_PEERS = "another tool: python -m benchmarks.studies.quantization_quality, with it installed"
NOT_RERUN = (
    NotRerun("quietly ruins a network (published reports go from # % top-1 to # %", _OTHERS),
    NotRerun("quietly ruins a network: published reports go from # % top-1 to # %", _OTHERS),
    NotRerun("the times are those of the benchmark in the [figures]", _TIMES),
    NotRerun("TensorFlow converter agreed with float on # % of # such images", _PEERS),
    NotRerun("evaluated on # photos, 16 epochs of fine-tuning, mean of three seeds", _STUDY),
    NotRerun("| whole | 1 | 1 | # %", _STUDY),
    NotRerun("the whole network has # % in int8 now", _STUDY),
    NotRerun("V2-B0 came to # and # of the whole network's in float", _TIMES),
    NotRerun("evaluated on # new signs that chose nothing: # % whole", _STUDY),
    NotRerun("latency of float # and #, of int8 # and #", _TIMES),
    NotRerun("nothing on a CPU: ten and more times slower than float", _TIMES),
    NotRerun("the pipeline kept # of the bare model's rate",
             "times: python -m benchmarks.studies.camera_throughput on your machine"),
    NotRerun("ran also in tflite-runtime #: same top-1, # %",
             "a runtime for Python 3.11 and older"),
    NotRerun("agreement stays at # % on V2-B0 and on a B0 at # px", _SEARCH),
    NotRerun("when the ranges were chosen, # and # %, mean divergence of the scores # and #",
             _TRIED),
    NotRerun("six files of nearly equal divergence agreed on # to # % here", _TRIED),
    NotRerun("Rounding the logits to 256 levels alone changes # %", _TRIED),
    NotRerun("measured in one run that the tool calls valid", _TIMES),
    NotRerun("The harness adds # % (# to #) to a bare loop",
             "times: python -m benchmarks.studies.overhead"),
    NotRerun("with a limit, on V2-B0 (# photos to calibrate", _SEARCH),
    NotRerun("| plain | mean of extremes for every tensor | # %", _SEARCH),
    NotRerun("On # photos a drop is known to about # points", _SEARCH),
    NotRerun("for plain, ranges, bias, searched and qat; #, #, #, #, # on the B0", _SEARCH),
    NotRerun("(# of float's time on V2-B0)", _TIMES),
    NotRerun("is near it: # % of its logits lie within two steps of the file's", _SEARCH),
    NotRerun("# steps on V2-B0 took # minutes on two cores", _TIMES),
    NotRerun("coarse path: divergence # after #, for a tenth more time", _TRIED),
    NotRerun("kept by TensorFlow on # %", _PEERS),
    NotRerun("went from # to # % top-1 in # of the time; its int8 file from # to # %", _STUDY),
    NotRerun("| Lite0 | # % | # % |", _PEERS),
    NotRerun("V2-B0 on the same photos: # % by edge-effnet", _PEERS),
    NotRerun("theirs agreed with float on # to # %, ours on # to # (five networks)", _PEERS),
    NotRerun("| LiteRT | # ms | # ms |", _PEERS),
    NotRerun("top-1 float/int8 by Google:", _OTHERS),
    NotRerun("ranges of V2-B0 scaled by one factor, agreement with float: # %", _TRIED),
    NotRerun("a B0 at 96 px: agreement # %, and # with ranges held to", _TRIED),
    NotRerun("Equalized alone it agreed with float on # % of # photos, without it on #", _TRIED),
    NotRerun("agreement and error of the scores were those of searched ranges (V2-B0 # %", _TRIED),
    NotRerun("few images correct cost up to # points (# against # %", _TRIED),
    NotRerun("Recognizing scenes takes # ms a frame", _TRIED),
    NotRerun("in an earlier run by NNCF on # % (# % with its `mixed` preset", _PEERS),
)  # fmt: skip
