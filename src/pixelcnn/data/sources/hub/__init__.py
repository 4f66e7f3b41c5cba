"""Data sets of the Hugging Face hub, and its tables."""
