"""From float network to small ``.tflite`` file, with proof of what it cost."""
