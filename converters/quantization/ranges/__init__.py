"""The range of each activation: chosen, narrowed, searched."""
