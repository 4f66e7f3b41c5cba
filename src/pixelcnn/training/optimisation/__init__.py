"""Optimisers and learning-rate schedules, and a check that losses and gradients are finite."""
