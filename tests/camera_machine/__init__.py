"""An emulated PC with cameras: a kernel of its own with V4L2 devices, libcamera and Picamera2."""
