"""Numbers that judge a model."""

from pixelcnn.metrics.units import bits_per_dim, perplexity

__all__ = ["bits_per_dim", "perplexity"]
