"""From a file or camera frame to the pixels that a network sees."""
