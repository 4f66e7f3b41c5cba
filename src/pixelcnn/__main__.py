"""`python -m pixelcnn`, for when the command is not on the path."""

import sys

from pixelcnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
