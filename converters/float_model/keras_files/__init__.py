"""Models that Keras wrote, of any version: read safely, updated for Keras 3."""
