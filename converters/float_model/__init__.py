"""Where a float model comes from, and its way into a ``.tflite``."""
