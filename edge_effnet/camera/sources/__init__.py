"""Where frames come from: Picamera2, V4L2, MJPEG over HTTP, files."""
