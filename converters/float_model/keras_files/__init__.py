"""Models that Keras wrote, of any version: read safely, mended where Keras 3 needs it."""
