"""Multiply-adds of a network, and the rate of a product of matrices."""

import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from pixelcnn.models import AutoregressiveModel

SECONDS = 0.3  # of products


def multiply_adds(model: AutoregressiveModel, shape: tuple[int, int, int]) -> float:
    """Multiplications, each with an addition, in the products of one forward pass of one image."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(model.blank(1, shape))
    return counter.get_total_flops() / 2


def product_rate(rows: int, width: int) -> float:
    """Multiply-adds per second of (rows × 2 width) (2 width × width), as a layer multiplies.

    The best of many products of matrices that are in the cache already: the roof of a walk.
    """
    left, right = torch.randn(rows, 2 * width), torch.randn(2 * width, width)
    best, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        start = time.perf_counter()
        for _ in range(20):
            left @ right
        best = min(best, (time.perf_counter() - start) / 20)
    return rows * 2 * width * width / best
