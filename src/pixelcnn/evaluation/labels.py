"""Matches the labels of a data set with those of a model, by name."""

from dataclasses import replace

import torch

from pixelcnn.data import DataSplits
from pixelcnn.data.data_warnings import first_names
from pixelcnn.nn import Condition


def labels_by_name(condition: Condition, data: DataSplits) -> tuple[DataSplits, str | None]:
    """Renumbers the labels of a data set to those of a model.

    If model and data both have label names, images get the number of their name in the model. If
    the model lacks one of the names, all labels are removed. Without names, numbers are kept.

    Args:
        condition: Condition of the model.
        data: Any images.

    Returns:
        The data set, and the reason if its labels were removed, else None.

    Example:
        >>> from pixelcnn.data import load_data
        >>> data, why = labels_by_name(Condition(num_labels=2, names=("cat", "dog")),
        ...                            load_data("digits"))
        >>> data.test.labels is None
        True
        >>> why
        'the labels of the images (0, 1, 2 and 7 more) are not those of the model (cat, dog)'
    """
    known, given = condition.names, data.label_names
    is_alike = condition.kind != "labels" or not known or not given
    if is_alike or tuple(known or ()) == tuple(given or ()):
        return data, None
    assert known is not None and given is not None
    if set(given) <= set(known):
        numbers = torch.tensor([list(known).index(name) for name in given])
        return _relabelled(data, numbers, tuple(known)), None
    shown = first_names(given), first_names(known)
    reason = "the labels of the images ({}) are not those of the model ({})".format(*shown)
    return _relabelled(data, None, None), reason


def _relabelled(
    data: DataSplits, numbers: torch.Tensor | None, names: tuple[str, ...] | None
) -> DataSplits:
    """All splits with label l turned into `numbers[l]`, or without labels."""
    parts = {name: getattr(data, name) for name in ("train", "val", "test")}
    for name, part in parts.items():
        labels = None if numbers is None or part.labels is None else numbers[part.labels]
        parts[name] = part.with_labels(labels)
    return replace(data, **parts, label_names=names)
