"""Calibration images, and the range that each tensor takes on them."""
