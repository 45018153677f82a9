"""Data sets: folders and CSV files of images."""
