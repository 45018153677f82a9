"""The input tensors that ``camera`` makes of a video or of frames, and the model's raw answers.

python camera_tensors.py MODEL SOURCE TENSORS.npy
"""

import sys
from pathlib import Path

import numpy as np

from edge_effnet.camera.sources.base import SourceEnded
from edge_effnet.camera.sources.kinds import open_source
from edge_effnet.image.preprocessing import preprocess
from edge_effnet.runtime.classifier import open_classifier

classifier = open_classifier(Path(sys.argv[1]))
source = open_source(sys.argv[2])
tensors = []
while True:
    try:
        shot = source.read()
    except SourceEnded:
        break
    if shot is not None:
        tensors.append(classifier.tensor(preprocess(shot.pixels, classifier.preprocess))[0])
np.save(sys.argv[3], np.stack(tensors))
