"""``push``: models and photos come to a Pi whole, and edge-effnet where it is missing."""
