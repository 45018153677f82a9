"""What a file is, told from its bytes, never from its name; and what to do with it.

``identify`` names the kind of any file or folder, ``refusal`` is the one line for a command that
cannot use it, ``unpacked`` and ``packed_tflite`` take the model out of the zip archives that
Teachable Machine and Edge Impulse write. The standard library alone is needed.
"""

from edge_effnet.model_files.archives import packed_labels, packed_tflite, unpacked
from edge_effnet.model_files.convertible import refuse_unconvertible, several_ends
from edge_effnet.model_files.identify import ModelFile, identify, keras_network
from edge_effnet.model_files.kinds import KINDS, Kind, Use
from edge_effnet.model_files.refusals import quoted, refusal, way

__all__ = [
    "KINDS",
    "Kind",
    "ModelFile",
    "Use",
    "identify",
    "keras_network",
    "packed_labels",
    "packed_tflite",
    "quoted",
    "refusal",
    "refuse_unconvertible",
    "several_ends",
    "unpacked",
    "way",
]
