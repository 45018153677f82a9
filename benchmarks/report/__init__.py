"""Results as one self-contained page: plots inside, no script, nothing fetched."""
