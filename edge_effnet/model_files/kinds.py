"""The table of kinds: what a file can be, which commands take it, and a way that works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Use = Literal["run", "convert", "weights"]

_CONVERT = "edge-effnet convert --model {file}{size} --int8 --data PHOTOS"
GUIDE = "docs/guides/pytorch-onnx.md"
PYTORCH_PACKAGES = "torch==2.13.0 torchvision==0.28.0 litert-torch==0.10.0"  # as the guide says
ONNX_PACKAGES = "onnx2tf==1.29.24"
_PYTORCH = (
    f"python3.11 -m venv export, export/bin/pip install {PYTORCH_PACKAGES}, then as in {GUIDE}"
)
_SAVE = "save the whole model in the program that trained it, model.save({keras}), and"


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        code: its name for programs.
        title: completes "FILE is …".
        uses: what it is good for here: ``run`` (classify, evaluate, compare, camera, bench),
            ``convert`` (convert --model), ``weights`` (convert, train and prune --weights).
        way: what to do with it instead, an imperative; ``{file}`` is the file's name, quoted for
            a shell, ``{size}`` the option of ``convert`` that an open image size needs,
            ``{folder}`` its folder, quoted, ``{python}`` the name as Python writes it,
            ``{keras}`` the same with the ending ``.keras``.
    """

    code: str
    title: str
    uses: tuple[Use, ...]
    way: str


_ROWS = (
    # Networks that are read.
    Kind("tflite", "a TFLite model", ("run", "convert"), _CONVERT),
    Kind("keras-h5", "a whole Keras model (HDF5)", ("convert", "weights"), _CONVERT),
    Kind("keras-zip", "a whole Keras model (.keras)", ("convert", "weights"), _CONVERT),
    Kind("saved-model", "a TensorFlow SavedModel", ("convert",), _CONVERT),
    Kind("tflite-package", "a zip archive with a TFLite model", ("run", "convert"), _CONVERT),
    Kind("keras-package", "a zip archive with a Keras model", ("convert",), _CONVERT),
    Kind("saved-model-package", "a zip archive with a SavedModel", ("convert",), _CONVERT),
    # Parts of networks.
    Kind(
        "keras-weights",
        "a file of weights without the network they belong to",
        ("weights",),
        f"{_SAVE} give that to --model; weights of an EfficientNet as keras.applications builds "
        "it go with its name: edge-effnet convert --variant NAME --weights {file} --int8",
    ),
    Kind(
        "optimizer-state",
        "the state of an optimizer (HDF5), without a network and without its weights",
        (),
        f"{_SAVE} give that file",
    ),
    Kind(
        "keras-config",
        "the description of a Keras network (JSON), without its weights",
        (),
        f"{_SAVE} give that file",
    ),
    Kind(
        "tf-checkpoint",
        "a part of a TensorFlow checkpoint, which holds weights without the network",
        (),
        f"build the network, load them with load_weights, {_SAVE} give that file",
    ),
    Kind(
        "saved-model-text",
        "a TensorFlow SavedModel written as text (saved_model.pbtxt)",
        (),
        'write it in binary form, with tensorflow installed: python -c "import sys; '
        "import tensorflow as tf; m = tf.saved_model.load(sys.argv[1]); "
        "tf.saved_model.save(m, 'NAME', m.signatures)\" {file}, then "
        "edge-effnet convert --model NAME --int8 --data PHOTOS",
    ),
    Kind(
        "saved-model-part",
        "a part of a TensorFlow SavedModel",
        (),
        "give the folder that holds it: edge-effnet convert --model {folder} --int8 --data PHOTOS",
    ),
    # Networks of other frameworks.
    Kind("pytorch", "a PyTorch file", (), f"export the network once: {_PYTORCH}"),
    Kind(
        "safetensors",
        "a safetensors file of weights without the network they belong to",
        ("weights",),
        "weights of timm's tf_efficientnet networks go with the name of theirs: edge-effnet "
        "convert --variant NAME --weights {file} --int8; load others into their PyTorch network "
        f"and export that once: {_PYTORCH}",
    ),
    Kind(
        "onnx",
        "an ONNX model",
        (),
        "turn it into a float .tflite once: python3.11 -m venv onnx-export, "
        f"onnx-export/bin/pip install {ONNX_PACKAGES}, then as in {GUIDE}",
    ),
    Kind(
        "frozen-graph",
        "a frozen TensorFlow graph (.pb)",
        (),
        "turn it into a .tflite with tensorflow installed: tf.compat.v1.lite.TFLiteConverter."
        "from_frozen_graph({python}, ['INPUT'], ['OUTPUT']).convert(), then "
        "edge-effnet convert --model NAME.tflite --int8",
    ),
    Kind(
        "tfjs",
        "a TensorFlow.js model",
        (),
        "export it once more: in Teachable Machine Export Model > Tensorflow Lite > Floating "
        "point, elsewhere model.save({keras}); then edge-effnet convert --model FILE --int8",
    ),
    Kind(
        "edge-impulse-source",
        "Edge Impulse's deployment as source code",
        (),
        "download the model itself on Edge Impulse's Dashboard: TensorFlow Lite (float32), then "
        "edge-effnet convert --model FILE.lite --int8",
    ),
    Kind(
        "c-array",
        "a TFLite model written as a C array",
        (),
        "give the .tflite file it was written from",
    ),
    Kind("coreml", "a Core ML model", (), f"{_SAVE} give that, or see {GUIDE} for PyTorch"),
    Kind("openvino", "an OpenVINO network", (), "give the model that it was converted from"),
    Kind("ncnn", "an ncnn network", (), "give the model that it was converted from"),
    Kind(
        "program",
        "a program (ELF)",
        (),
        "give the model itself; of Edge Impulse (.eim) download TensorFlow Lite (float32) on the "
        "Dashboard",
    ),
    Kind(
        "pickle",
        "a Python pickle, which is never opened here because it could run code",
        (),
        f"{_SAVE} give that file; for PyTorch see {GUIDE}",
    ),
    # Containers without a network that is known.
    Kind("hdf5", "an HDF5 file without a network in it", (), f"{_SAVE} give that file"),
    Kind("numpy", "a file of NumPy arrays", (), f"{_SAVE} give that file"),
    Kind("zip", "a zip archive without a model in it", (), "unpack it, and give the model's file"),
    Kind(
        "zip-of-images",
        "a zip archive of images",
        (),
        "unpack it, and give the folder behind --data or --calibration",
    ),
    Kind("archive", "a packed archive", (), "unpack it, and give the model's file"),
    # No networks.
    Kind(
        "image",
        "an image, not a model",
        (),
        "give the model first, and images behind it (classify) or behind --data",
    ),
    Kind("video", "a video", (), "give a model; edge-effnet camera --source {file} plays it"),
    Kind(
        "image-folder",
        "a folder, not a model; did you mean --data {file}?",
        (),
        "give the model there, and its images behind --data",
    ),
    Kind(
        "folder-of-model",
        "a folder with a model in it",
        (),
        "give the file in it",
    ),
    Kind("folder", "a folder, not a model", (), "give the model's file"),
    Kind(
        "lfs-pointer",
        "a Git LFS pointer: the note that stands in a repository for a large file",
        (),
        "fetch the file itself: git lfs pull, in the repository it comes from",
    ),
    Kind(
        "html",
        "a web page, saved in the place of a file (a download that failed)",
        (),
        "download the file itself: on GitHub with the button Download raw file",
    ),
    Kind("json", "a JSON file, not a model", (), "give the model's file"),
    Kind("text", "a text file, not a model", (), "give the model's file"),
    Kind("empty", "an empty file", (), "copy or download it again"),
    Kind(
        "unknown",
        "not a TFLite model, nor any other model that is known here",
        (),
        "give a .tflite, .keras or whole-model .h5 file, or a SavedModel folder",
    ),
)
KINDS: dict[str, Kind] = {kind.code: kind for kind in _ROWS}
