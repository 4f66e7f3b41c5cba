"""Causal convolutions over whole images and along a walk, and their masks."""
