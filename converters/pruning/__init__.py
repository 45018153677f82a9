"""Make networks narrower: which channels leave, how the rest recovers, what it brought."""
