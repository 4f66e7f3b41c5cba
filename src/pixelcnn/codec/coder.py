"""Range coding of levels by integer frequencies: the only user of `constriction`."""

import constriction  # type: ignore[import-untyped]
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Without `perfect` the bounds of level k are k + the sum of what is given for the levels below it,
# scaled to 2**24 - K. Given frequency - 1 the scale is 1, and all sums are exact in float64.
FAMILY = constriction.stream.model.Categorical(perfect=False)
WORD = np.dtype("<u4")


class LevelEncoder:
    """Appends levels to one stream of bytes.

    References:
        Understanding Entropy Coding With Asymmetric Numeral Systems (Bamler, 2022);
        https://bamler-lab.github.io/constriction/apidoc/python/stream/queue.html

    Example:
        >>> encoder = LevelEncoder()
        >>> frequencies = torch.tensor([[2**24 - 1, 1]] * 1000, dtype=torch.int32)
        >>> encoder.push(torch.zeros(1000, dtype=torch.int64), frequencies)
        >>> len(encoder.content())
        4
    """

    def __init__(self) -> None:
        self._encoder = constriction.stream.queue.RangeEncoder()

    def push(self, levels: Tensor, frequencies: Tensor) -> None:
        """Appends one level for each row of frequencies.

        Args:
            levels: (N,), integers.
            frequencies: Each at least 1, with the sum 2**24. (N, K), int32.
        """
        if len(levels):
            symbols = levels.cpu().numpy().astype(np.int32)
            self._encoder.encode(symbols, FAMILY, _given(frequencies))

    def content(self) -> bytes:
        """All that was pushed: whole words of 32 bits."""
        return np.asarray(self._encoder.get_compressed()).astype(WORD).tobytes()


class LevelDecoder:
    """Reads levels in the order in which they were pushed.

    Args:
        content: Of a `LevelEncoder`.

    Raises:
        ValueError: If it is no whole number of words.
    """

    def __init__(self, content: bytes) -> None:
        self._decoder = constriction.stream.queue.RangeDecoder(
            np.frombuffer(content, WORD).astype(np.uint32)
        )

    def pop(self, frequencies: Tensor) -> Tensor:
        """The next level for each row of the frequencies (N, K) of its `push`. (N,), int64.

        Raises:
            ValueError: If no encoder writes such a stream with these frequencies.
        """
        if not len(frequencies):
            return torch.empty(0, dtype=torch.int64, device=frequencies.device)
        try:
            levels = self._decoder.decode(FAMILY, _given(frequencies))
        except AssertionError as error:  # by which the library reports an impossible stream
            raise ValueError("the stream is not one of these frequencies") from error
        return torch.from_numpy(levels.astype(np.int64)).to(frequencies.device)

    @property
    def is_at_end(self) -> bool:
        """Whether no word is left; certain only where it is false."""
        return bool(self._decoder.maybe_exhausted())


def _given(frequencies: Tensor) -> NDArray[np.float64]:
    return (frequencies - 1).cpu().numpy().astype(np.float64)
