"""What two models on the same images differ in, and what that proves."""
