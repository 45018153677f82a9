"""Learned rounding: kernels on their grid that make float's sums of the integers they read."""
