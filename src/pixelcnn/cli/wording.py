"""Numbers as people say them."""


def counted(count: int, thing: str) -> str:
    """How many there are of something.

    Example:
        >>> counted(1, "image"), counted(2000, "image")
        ('1 image', '2,000 images')
    """
    return f"{count:,} {thing}" + ("" if count == 1 else "s")
