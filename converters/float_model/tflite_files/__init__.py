"""Other people's ``.tflite`` files: read, mended and turned into one float network."""
