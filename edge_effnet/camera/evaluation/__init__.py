"""What a feed proves of one model or of two: ground truth, scenes, shares."""
