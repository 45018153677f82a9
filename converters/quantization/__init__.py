"""Quantization recipes, and the steps that quantize and correct a model."""
