"""Structured pruning: which channels go, how the rest is fine-tuned, what it brought."""
