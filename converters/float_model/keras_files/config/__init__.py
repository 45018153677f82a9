"""The configuration of a Keras network: checked, and mended for Keras 3, layer by layer."""
