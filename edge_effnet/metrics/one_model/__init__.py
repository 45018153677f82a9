"""How right one model is."""
