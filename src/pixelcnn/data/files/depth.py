"""Whether images use the levels of their type."""

from pixelcnn.arguments import whole_number
from pixelcnn.errors import ConfigError, DataError

FEW_BITS = 6  # of 8: photographs and drawings use more


def check_bits(bits: int | None) -> None:
    """Raises `ConfigError` unless files can have so many bits per channel; None is fine."""
    if bits is not None and not 1 <= whole_number("bits", bits, at_least=None) <= 16:
        raise ConfigError(f"`bits` must be from 1 to 16, got {bits}.")


def check_in_use(
    highest: int, levels: int, where: str, *, is_array: bool = False
) -> tuple[str, ...]:
    """Refuses images that use few of the levels of their type, which nothing else states.

    12 bits in files of 16 would all round to black, and so would ids of objects.

    Args:
        highest: The highest level of the images.
        levels: Levels of their type: 256 or 65,536.
        where: The name of the images in messages.
        is_array: Whether a file of arrays holds them, which may state their levels too.

    Returns:
        A note for the protocol, if they use few of 8 bits.

    Raises:
        DataError: If they use 1 bit, or fewer than all of more than 8.
    """
    bits, all_bits = max(highest.bit_length(), 1), (levels - 1).bit_length()
    key = f", or with the key `levels`: np.savez(..., levels={2**bits})" if is_array else ""
    if bits == 1 or (levels > 256 and bits < all_bits):
        uses = "holds only 0 and 1" if bits == 1 else f"uses {bits} bits, levels 0 to {highest:,},"
        raise DataError(
            f"{where} {uses} of {all_bits} bits ({levels:,} levels). State how many there are "
            f"by `data.bits={bits}`{key}; or by `data.bits={all_bits}` if all are "
            f"meant{' (with `data.levels=256` they are then rounded)' * (levels > 256)}."
        )
    few = bits <= FEW_BITS
    return (
        (f"no levels above {highest} of {levels}: `data.bits={bits}` keeps those",) if few else ()
    )
