"""Tests; a package of its own, because some libraries install another `tests`."""
