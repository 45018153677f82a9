"""Recovers accuracy after slicing: least squares, BatchNorm re-estimation, distillation."""
