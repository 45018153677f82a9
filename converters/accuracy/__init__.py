"""Limits on what a conversion may cost, and the search for the fastest file within them."""
