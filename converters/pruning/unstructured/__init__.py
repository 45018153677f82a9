"""Single weights to zero: a smaller download, not a faster network."""
