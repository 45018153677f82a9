"""frames.py SOURCE NUMBER FILE [SIZE…]: frames of a camera with the answers of the packaged model,
for each size that is asked for."""

import sys
from itertools import islice

import numpy as np

import edge_effnet
from edge_effnet.data.demo import demo_model

source, number, file, *sizes = sys.argv[1:]
if source == "picamera2":
    import virtual_camera  # noqa: F401
model = edge_effnet.open_model(demo_model())
found: dict[str, np.ndarray] = {}
for size in sizes:
    width, height = map(int, size.split("x"))
    with edge_effnet.open_camera(
        source, model=model, top=1, smooth_s=0, size=(width, height)
    ) as camera:
        taken = list(islice(camera, int(number)))
    found[f"{size}-pixels"] = np.stack([frame.pixels for frame, _ in taken])
    found[f"{size}-frames"] = np.array([frame.number for frame, _ in taken])
    found[f"{size}-labels"] = np.array([answers[0].label for _, answers in taken])
    found[f"{size}-scores"] = np.array([answers[0].probability for _, answers in taken])
np.savez(file, **found)
