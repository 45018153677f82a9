"""The ``.tflite`` file: read, edited and described, without a runtime."""
