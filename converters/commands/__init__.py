"""The commands that need the converter; imported only when called."""
