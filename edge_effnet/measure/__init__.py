"""Measuring on this machine: latency, memory, the machine's state, and whether to trust it."""
