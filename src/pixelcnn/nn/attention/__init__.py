"""Causal attention, and the keys and values that a walk keeps."""
