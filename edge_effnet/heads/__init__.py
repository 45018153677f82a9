"""What the numbers of a network's last layer mean."""
