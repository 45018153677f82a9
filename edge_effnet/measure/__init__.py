"""Measuring on this machine: latency."""
