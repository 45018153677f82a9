"""edge-effnet: EfficientNet on small devices, small, fast and still right.

What a program of your own needs, imported when it is first used: ``import edge_effnet`` alone
loads neither NumPy nor OpenCV nor TensorFlow, and only ``build`` ever loads TensorFlow.

    import edge_effnet

    model = edge_effnet.open_model("b0-int8.tflite")
    print(model.classify("cat.jpg", top=1)[0].label)

    with edge_effnet.open_camera("0", model=model) as camera:
        for frame, answers in camera:
            print(frame.number, answers[0].label)

    network = edge_effnet.build("v2-b0", classes=5, weights="imagenet")    # needs the extra train
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_effnet.camera.frames import Frame
    from edge_effnet.camera.stream import Camera, open_camera
    from edge_effnet.errors import EdgeEffnetError
    from edge_effnet.network.pretrained import build
    from edge_effnet.runtime.answers import Answer
    from edge_effnet.runtime.model import Model, open_model

# OpenCV reads this when it is loaded, and then refuses a larger image of any format by its header.
_most_pixels = os.environ.get("EDGE_EFFNET_MAX_IMAGE_PIXELS", "")
os.environ.setdefault(
    "OPENCV_IO_MAX_IMAGE_PIXELS", _most_pixels if _most_pixels.isdecimal() else "100000000"
)

__version__ = "0.2.0"
__all__ = [
    "Answer",
    "Camera",
    "EdgeEffnetError",
    "Frame",
    "Model",
    "__version__",
    "build",
    "open_camera",
    "open_model",
]

_MODULES = {
    "Answer": "runtime.answers",
    "Camera": "camera.stream",
    "EdgeEffnetError": "errors",
    "Frame": "camera.frames",
    "Model": "runtime.model",
    "build": "network.pretrained",
    "open_camera": "camera.stream",
    "open_model": "runtime.model",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
