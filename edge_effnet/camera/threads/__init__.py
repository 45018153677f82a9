"""The threads from a source to the answers, and the queues between them."""
