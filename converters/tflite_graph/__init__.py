"""A ``.tflite`` as a graph: parts of it, what flows through, what an error does to the answer."""
