"""The default data set: 1,797 handwritten digits of scikit-learn, which need no download."""

from pathlib import Path

import torch

from pixelcnn.data.image_sets import Source, TensorImageSet
from pixelcnn.errors import importing

LEVELS = 17
TEST_EVERY = 5


def read_digits(root: Path | None = None) -> Source:
    """Reads scikit-learn's digits: 8×8, 17 grey levels, 10 classes.

    Every fifth image of each class is a test image.

    Args:
        root: Not used; the images come with scikit-learn.

    Raises:
        MissingDependencyError: If scikit-learn is not installed.

    Example:
        >>> source = read_digits()
        >>> len(source.train), len(source.test)
        (1442, 355)
    """
    with importing("train"):
        from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    digits = load_digits()
    images = torch.from_numpy(digits.images).to(torch.uint8)[:, None]
    labels = torch.from_numpy(digits.target).long()
    tested = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(10):
        tested[(labels == label).nonzero()[TEST_EVERY - 1 :: TEST_EVERY, 0]] = True
    return Source(
        name="digits",
        train=TensorImageSet(images[~tested], labels[~tested], levels=LEVELS),
        test=TensorImageSet(images[tested], labels[tested], levels=LEVELS),
        label_names=tuple(str(label) for label in range(10)),
    )
