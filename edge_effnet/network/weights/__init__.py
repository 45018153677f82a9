"""Weights on their way into a network: official files, our checkpoints, whatever was typed."""
