"""Which layer of a quantized model costs most."""
