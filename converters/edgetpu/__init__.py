"""The Edge TPU: what maps to it, and Google's compiler where it is installed."""
