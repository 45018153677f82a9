"""Dividing images by what they are for: what is one image, what was learned from, which side."""
