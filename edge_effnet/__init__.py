"""edge-effnet: EfficientNet on small devices, small, fast and still right."""

__version__ = "0.1.0"
