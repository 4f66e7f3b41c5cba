"""The names by which splits are known: of folders, and of the tables of a set."""

import re

SPLITS = {
    "train": ("train", "training"),
    "val": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}
FILLERS = {"image", "images", "img", "imgs", "set", "data", "split"}


def split_named(name: str) -> str | None:
    """The split that a name stands for, in any case; None if it stands for none.

    Words such as "images" and numbers may surround it.

    Example:
        >>> split_named("Training"), split_named("images_val2017"), split_named("trains")
        ('train', 'val', None)
    """
    words = [word for word in re.findall("[^\\W\\d_]+", name.casefold()) if word not in FILLERS]
    found = [split for split, spellings in SPLITS.items() if set(words) & set(spellings)]
    return found[0] if len(words) == len(found) == 1 else None
