"""Warnings and protocol notes about the augmentation of training images."""

from pixelcnn.data.data_warnings import warn_about_data

DIGITS = ("digits", "mnist", "binarized_mnist")  # whose mirrored images are no digits


def warn_about_augmentation(dataset_name: str, *, flips: bool, colour_jitter: float) -> None:
    """Warns of augmentation that changes the learned density.

    Args:
        dataset_name: As `load_data` takes it.
        flips: Whether images are mirrored.
        colour_jitter: As `batches` takes it.
    """
    if flips and dataset_name in DIGITS:
        warn_about_data(
            f"`data.use_augmentation` mirrors the images of {dataset_name}, and mirrored "
            f"digits are no digits: the model spends probability on images that do not occur. "
            f"Flips are for natural images."
        )
    if colour_jitter:
        warn_about_data(
            f"`data.colour_jitter` {colour_jitter:g}: the model learns the density of images with "
            f"changed colours, not of those that are scored. Likelihoods are of exact levels, and "
            f"jitter makes levels that no image has: NLL on validation and test images will be "
            f"worse than without."
        )


def augmentation_notes(colour_jitter: float, mutation_rate: float) -> list[str]:
    """Notes for the protocol on changed training images."""
    changes = []
    if colour_jitter:
        changes.append(f"colours of training images changed by up to {colour_jitter:g}")
    if mutation_rate:
        changes.append(f"{mutation_rate:g} of the sub-pixels of training images replaced")
    return changes
