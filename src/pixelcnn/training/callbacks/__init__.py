"""Callbacks of the trainer: they record, show and save while a model trains."""
