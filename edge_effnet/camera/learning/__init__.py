"""Learning while the camera runs: from the photos that viewers told, in a process of its own."""
