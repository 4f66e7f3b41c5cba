"""Public checkpoints of other programs as models of this package.

Only tensors are read, never code. What a foreign network computes is rebuilt exactly: a converter
finds the settings in the shapes of the weights, and gives the weights new names and scales.
"""

from pixelcnn.importing.convert import SOURCES, import_model

__all__ = ["SOURCES", "import_model"]
