"""Data sets in CSV files: the table, and what its rows say of images."""
