"""Labels of the splits of a set: which are known, and which classes have images."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from pixelcnn.data.data_warnings import first_names, warn_about_data

UNKNOWN = -1


class KnownLabels(NamedTuple):
    """The labels of a set.

    Attributes:
        of: Class numbers of each split, (N,); None for a split in which some are unknown.
        names: One name per class; None if the training images have no labels.
        notes: For the protocol.
    """

    of: dict[str, Tensor | None]
    names: tuple[str, ...] | None
    notes: tuple[str, ...]


def known_labels(
    labels: Mapping[str, Tensor],
    names: Sequence[str],
    where: str,
    *,
    foreign: Mapping[str, Sequence[str]] | None = None,
) -> KnownLabels:
    """Leaves out the labels of a split where not all are known; a warning says so.

    Models without labels read such images as any others. For the rest, labels must be all or
    none: an average of p(x | label) and p(x) means nothing.

    Args:
        labels: Class numbers of each split, (N,); `UNKNOWN` where there is none.
        names: One name per class.
        where: The name of the set in messages.
        foreign: Names of classes of a split that the training images lack, for the message.

    Example:
        >>> found = known_labels({"train": torch.tensor([0, 1])}, ["cat", "dog"], "pets")
        >>> found.names, found.notes
        (('cat', 'dog'), ())
    """
    kept: dict[str, Tensor | None] = dict(labels)
    notes = []
    for split, values in labels.items():
        count = int((values == UNKNOWN).sum())
        if not count:
            continue
        others = (foreign or {}).get(split, ())
        which = f" ({first_names(list(others))}: no training images)" if others else ""
        note = f"{count:,} of {len(values):,} {split} images without a known label{which}"
        warn_about_data(f"{where} has {note}: the labels of this split are not used.")
        kept[split] = None
        notes.append(note)
    if kept["train"] is None:
        return KnownLabels(dict.fromkeys(labels), None, tuple(notes))
    present = set(labels["train"].unique().tolist())
    empty = [name for number, name in enumerate(names) if number not in present]
    if empty:
        s = "class" if len(empty) == 1 else "classes"
        warn_about_data(
            f"{where} has no training images of {s} {first_names(empty)}: a model of its labels "
            f"learns nothing about {'it' if len(empty) == 1 else 'them'}."
        )
    return KnownLabels(kept, tuple(names), tuple(notes))


def numbered(names: Sequence[str], known: Sequence[str]) -> Tensor:
    """The number of each name among the known ones, (M,); `UNKNOWN` for others.

    Example:
        >>> numbered(["dog", "owl"], ["cat", "dog"])
        tensor([ 1, -1])
    """
    numbers = {name: number for number, name in enumerate(known)}
    return torch.tensor([numbers.get(name, UNKNOWN) for name in names], dtype=torch.int64)
