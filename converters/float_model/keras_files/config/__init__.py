"""The configuration of a Keras network: checked, and brought up to Keras 3, layer by layer."""
