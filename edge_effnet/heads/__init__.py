"""What the numbers of a network's last layer mean, and how such a layer is learned."""
