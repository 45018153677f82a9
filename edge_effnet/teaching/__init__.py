"""New classes for a network that exists: its features stay, a last layer is learned."""
