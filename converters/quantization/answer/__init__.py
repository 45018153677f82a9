"""The end of a network: the logits and what becomes of them."""
