"""From the options of ``edge-effnet camera`` to everything that a run needs, open."""
