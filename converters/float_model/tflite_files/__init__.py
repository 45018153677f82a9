"""Other people's ``.tflite`` files: read, corrected and turned into one float network."""
