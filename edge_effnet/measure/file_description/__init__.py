"""What a file is, who made it, what it expects and what is wrong with it, for ``doctor FILE``."""
