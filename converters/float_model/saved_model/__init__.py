"""SavedModel folders as float ``.tflite``, and which of them TensorFlow is allowed to load."""
