"""Quantization-aware training: a short one, of exactly what the int8 file computes.

``graph`` reads the float ``.tflite``, ``simulation`` computes it as the int8 file will,
``training`` moves kernels, biases and ranges until the answers are float's again.
"""
