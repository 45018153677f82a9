"""The page with the live feed: its server, and what it serves."""
