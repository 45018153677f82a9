"""Weights of networks that were ported to PyTorch: their files, and their names for our layers."""
