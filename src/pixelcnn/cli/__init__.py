"""The command `pixelcnn`. A command's module is imported when that command is chosen."""

from pixelcnn.cli.entry import main

__all__ = ["main"]
