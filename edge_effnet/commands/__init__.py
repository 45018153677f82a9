"""The commands of ``edge-effnet``, one module each; imported only when called."""
