"""Where a run's answers go: page, recording, window, JSON lines, hooks, systemd."""
