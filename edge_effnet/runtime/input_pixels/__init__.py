"""Finding how an image becomes the input of a network whose file does not say."""
