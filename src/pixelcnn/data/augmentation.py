"""Changes of training images that change what is learned, in words."""

from pixelcnn.data.data_warnings import notice

# What their images show, mirrored, is something else.
UNMIRRORED = {
    "digits": "digits",
    "mnist": "digits",
    "binarized_mnist": "digits",
}


def warn_of_augmentation(dataset_name: str, *, flips: bool, colour_jitter: float) -> None:
    """Says why the changes asked for may be unwise.

    Args:
        dataset_name: Of the images, as `load_data` takes it.
        flips: Whether images are mirrored.
        colour_jitter: As `batches` takes it.

    Example:
        >>> warn_of_augmentation("cifar10", flips=True, colour_jitter=0.0)  # nothing to be said
    """
    if flips and dataset_name in UNMIRRORED:
        what = UNMIRRORED[dataset_name]
        notice(
            f"`data.use_augmentation` mirrors the images of {dataset_name}, and mirrored {what} "
            f"are no {what}: the model spends probability on images that do not occur. Flips are "
            f"for natural images."
        )
    if colour_jitter:
        notice(
            f"`data.colour_jitter` {colour_jitter:g}: the model learns the density of images with "
            f"changed colours, not of those that are scored. Likelihoods are of exact levels, and "
            f"jitter makes levels that no image has: NLL on validation and test images will be "
            f"worse than without."
        )


def changes_in_words(colour_jitter: float, mutation_rate: float) -> list[str]:
    """What a reader of figures must know of the training images.

    Example:
        >>> changes_in_words(0.1, 0.0)
        ['colours of training images changed by up to 0.1']
    """
    changes = []
    if colour_jitter:
        changes.append(f"colours of training images changed by up to {colour_jitter:g}")
    if mutation_rate:
        changes.append(f"{mutation_rate:g} of the sub-pixels of training images replaced")
    return changes
