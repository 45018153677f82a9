"""A last layer that is learned from features of images, and how right it is."""
