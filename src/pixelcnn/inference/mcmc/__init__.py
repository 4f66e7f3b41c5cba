"""Markov chain Monte Carlo: Gibbs sampling of sub-pixels."""
