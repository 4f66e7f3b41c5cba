"""What the text of an option must be, and the value it stands for."""

import argparse
import math
import re

from pixelcnn.errors import ConfigError


def whole(text: str, least: int, most: int, most_in_words: str) -> int:
    """A whole number from `least` to `most`."""
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from {least} to {most_in_words}, got {text}"
        )
    return int(text)


def positive(text: str) -> int:
    """A whole number of at least 1, and no larger than a tensor can be."""
    return whole(text, 1, 2**31 - 1, "2**31 - 1")


def non_negative(text: str) -> int:
    """A whole number of at least 0, and of at most 64 bits, as seeds are."""
    return whole(text, 0, 2**64 - 1, "2**64 - 1")


def port(text: str) -> int:
    """A TCP port that a server can listen on."""
    return whole(text, 1, 65535, "65535")


def any_whole(text: str) -> int:
    """Any whole number; what is done with it decides its range."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None


def number(text: str) -> float:
    """Any number; what is done with it decides its range."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from None


def seconds(text: str) -> float:
    """A duration above 0."""
    value = number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, got {text}")
    return value


def sites(text: str) -> int:
    """How many sub-pixels to check: a whole number of at least 1, or all of them.

    Example:
        >>> sites("50"), sites("all") > 10**9
        (50, True)
    """
    return positive(str(2**31 - 1) if text.lower() == "all" else text)


def destination(text: str) -> str:
    """Where to write: any path but the empty one, which would be the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must name a place to write to, got an empty text")
    return text


def size(text: str) -> tuple[int, int]:
    """Height and width, as `data.image_size` reads them.

    Example:
        >>> size("40x20"), size("28")
        ((40, 20), (28, 28))
    """
    # Here, because it brings PyTorch, which `--help` does without.
    from pixelcnn.hints import read_size

    try:
        return read_size(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(
            f"must be a side or HEIGHTxWIDTH such as 40x20, each at least 1, got {text!r}"
        ) from error


def site(text: str) -> tuple[int, ...]:
    """Row and column of a sub-pixel, or channel, row and column, all from 0.

    Example:
        >>> site("14,14"), site("2, 0, 31")
        ((14, 14), (2, 0, 31))
    """
    if not re.fullmatch(r"\d+(,\d+){1,2}", re.sub(r"\s", "", text)):
        raise argparse.ArgumentTypeError(
            f"must be ROW,COLUMN such as 14,14, or CHANNEL,ROW,COLUMN, from 0, got {text!r}"
        )
    return tuple(non_negative(each.strip()) for each in text.split(","))
