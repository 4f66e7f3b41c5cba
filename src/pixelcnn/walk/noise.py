"""Noise that belongs to the image, and the one way a level is sampled from it."""

import numpy as np
import torch
from torch import Generator, Tensor


def image_noise(
    seed: int, first: int, count: int, channels: int, height: int, width: int
) -> Tensor:
    """Uniform numbers for a run of images, one for each sub-pixel.

    Those of image n depend on (seed, n) and the size alone: on no batch, device or process.

    Args:
        seed: From 0 to 2**64 - 1.
        first: Number of the first image.
        count: Images, B.
        channels: C.
        height: H.
        width: W.

    Returns:
        Floats in [0, 1). (B, C, H, W), float64, on the CPU.

    References:
        Parallel Random Numbers: As Easy as 1, 2, 3 (Salmon et al., 2011): the Philox generator.

    Example:
        >>> noise = image_noise(7, 0, 9, 1, 2, 2)
        >>> bool((image_noise(7, 3, 1, 1, 2, 2)[0] == noise[3]).all())
        True
    """
    return _uniform(seed, first, (count, channels, height, width))


def chain_noise(seed: int, first: int, shape: tuple[int, ...], *, time: int) -> Tensor:
    """Uniform numbers for one step of a run of Markov chains.

    Those of chain n depend on (seed, n, time) and the size alone, and share nothing with
    `image_noise` of the same seed.

    Args:
        seed: From 0 to 2**64 - 1.
        first: Number of the first chain.
        shape: Chains, and the numbers of each. (N, …).
        time: Which step of the chains, from 1.

    Returns:
        Floats in [0, 1). (N, …), float64, on the CPU.
    """
    return _uniform(seed, first, shape, time=time)


def _uniform(seed: int, first: int, shape: tuple[int, ...], *, time: int = 0) -> Tensor:
    noise = np.empty(shape)
    # The generator counts its blocks in 256 bits; the highest 64 tell the times apart.
    counter = np.array([0, 0, 0, time], dtype=np.uint64)
    for n in range(len(noise)):
        # The key goes in as a ready array: a list of both numbers would pass through float64.
        key = np.array([seed, first + n], dtype=np.uint64)
        np.random.Generator(np.random.Philox(counter=counter, key=key)).random(out=noise[n])
    return torch.from_numpy(noise)


def seed_from(generator: Generator | None = None) -> int:
    """A seed for `image_noise` from a generator of torch, or from its global one."""
    device = "cpu" if generator is None else generator.device
    return int(torch.randint(2**63 - 1, (), generator=generator, device=device))


def sample_levels(logits: Tensor, uniform: Tensor) -> Tensor:
    """Samples levels by the inverse of the cumulative distribution.

    Args:
        logits: (B, K). Minus infinity is never sampled.
        uniform: Numbers in [0, 1). (B,), float64.

    Returns:
        Levels. (B,), int64.

    Example:
        >>> sample_levels(torch.zeros(3, 4), torch.tensor([0.0, 0.3, 0.99], dtype=torch.float64))
        tensor([0, 1, 3])
    """
    # Double precision, so that rare levels of large K keep their share. A product u × total is
    # below `total` for every double u < 1, so the count stays below K.
    cumulative = logits.softmax(1, dtype=uniform.dtype).cumsum(1)
    return (cumulative <= uniform[:, None] * cumulative[:, -1:]).sum(1)
