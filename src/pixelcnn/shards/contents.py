"""What a shard holds: images as data sets are read, and how they came about."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pixelcnn.nn import Condition
from pixelcnn.shards.archive import Arrays
from pixelcnn.shards.recipe import Recipe


def shard_arrays(
    recipe: Recipe, x: NDArray[Any], condition: Condition, cond: Tensor | None
) -> Arrays:
    """The arrays of a shard, by the keys of `pixelcnn.data.sources.arrays.read_npz`.

    Args:
        recipe: What is drawn.
        x: Levels of n images. (n, C, H, W).
        condition: What the model is conditioned on.
        cond: What these images were drawn by. (n, …); or None.
    """
    return {
        "x_train": x,
        "levels": np.array(recipe.levels),
        "layout": np.array("NCHW"),
        # With guidance 0 the images are of no label.
        **({} if cond is None or recipe.guidance == 0 else _named(condition, cond)),
    }


def _named(condition: Condition, cond: Tensor) -> Arrays:
    names = np.array(condition.every_name)
    if condition.kind == "labels":
        # All names: a shard need not hold an image of the last label.
        return {"y_train": cond.numpy(), "label_names": names}
    arrays = {f"{condition.kind}_train": cond.float().numpy()}
    if condition.kind == "attributes" and len(set(condition.every_name)) == condition.count:
        arrays["attribute_names"] = names
    return arrays
