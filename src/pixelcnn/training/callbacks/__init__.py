"""Callbacks of the trainer: what is recorded, shown and saved while a model trains."""
