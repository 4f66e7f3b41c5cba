"""Asking a model: drawing images, and later completions and probabilities."""

from pixelcnn.inference.sampler import Growth, PixelCNNSampler

__all__ = ["Growth", "PixelCNNSampler"]
