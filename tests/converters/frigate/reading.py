"""What Frigate does with a custom classifier, in our own words: the figures a test compares with.

From ``frigate/data_processing/real_time/custom_classification.py`` and ``frigate/util/builtin.py``
of Frigate 0.17, read on 29 November 2026; none of their code is here. Frigate opens the file with a
plain TFLite interpreter, resizes the RGB region as OpenCV does by itself, and hands the bytes over;
it divides the first output by its sum, and takes the place of the largest share as the line of
``labelmap.txt`` and that share, of two digits, as the score.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter


class FrigateReading:
    """A classifier's folder, read as Frigate reads it."""

    def __init__(self, folder: Path) -> None:
        lines = (folder / "labelmap.txt").read_text(encoding="utf-8").splitlines()
        self.names = [line.strip() for line in lines]
        self._interpreter = Interpreter(str(folder / "model.tflite"), num_threads=2)
        self._interpreter.allocate_tensors()
        self.input = self._interpreter.get_input_details()[0]
        self.outputs = self._interpreter.get_output_details()

    def shares(self, region: np.ndarray) -> np.ndarray:
        """Args: region: RGB pixels of any size. Returns: the score of each class."""
        square = cv2.resize(region, (224, 224))
        # Refuses any other type than the file's: so the file must take bytes.
        self._interpreter.set_tensor(self.input["index"], square[None])
        self._interpreter.invoke()
        stored = self._interpreter.get_tensor(self.outputs[0]["index"])[0]
        return np.asarray(stored / stored.sum(axis=0))

    def answer(self, region: np.ndarray) -> tuple[str, float]:
        shares = self.shares(region)
        best = int(shares.argmax())
        return self.names[best], round(float(shares[best]), 2)
