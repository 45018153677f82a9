"""Frames kept as photos while the camera runs, and their labels."""
