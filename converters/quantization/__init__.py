"""Steps that make a float model small and keep its answers."""
