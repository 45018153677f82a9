"""Measuring: latency and accuracy on the machines people use."""
