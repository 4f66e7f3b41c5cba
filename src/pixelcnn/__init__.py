"""Image models with an exact likelihood: the PixelCNN family."""
