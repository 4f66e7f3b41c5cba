"""The options of everything that samples, with their checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias, TypedDict, get_args

from torch import Tensor

from pixelcnn.arguments import (
    check_choice,
    image_shape,
    named_arguments,
    real_number,
    seed_number,
    whole_number,
)
from pixelcnn.errors import ConfigError, suggestion
from pixelcnn.walk.filters import Filter
from pixelcnn.walk.precision import Precision

ELSEWHERE = {
    "image_size": " Use `shape`.",
    "size": " Use `shape`.",
    "device": " Images are sampled where the model is: use `model.to(device)`.",
}
"""What to use instead of options that other libraries have."""

Cond: TypeAlias = Tensor | Sequence[float] | Sequence[Sequence[float]] | int | None


class SamplingKeywords(TypedDict, total=False):
    """The fields of `SamplingOptions` as keyword arguments; `shape` is an argument of its own."""

    temperature: float
    top_k: int | None
    top_p: float | None
    guidance: float
    cond: Cond
    seed: int
    batch_size: int
    precision: Precision


@named_arguments
@dataclass(frozen=True, eq=False)
class SamplingOptions:
    """How images are sampled. With the defaults they follow the model's likelihood exactly.

    `AutoregressiveModel.generate`, `PixelCNNSampler`, `ShardedSampling` and `pixelcnn sample` take
    these options by name.

    Attributes:
        temperature: Divides the logits; at least 1e-6. Below 1 likely levels become likelier.
        top_k: Keeps the k most probable levels, k ≥ 1, the lower level first among equals. None:
            all.
        top_p: Keeps the smallest set of levels whose probability reaches p, 0 < p ≤ 1. None: all.
        guidance: 0 ignores the condition, 1 follows it, more exaggerates it. Other than 1 needs a
            model with `label_dropout`; see `GuidedStepper`.
        cond: Labels (N,), attributes (N, A) or maps (N, A, H, W); a single one is that of
            all images.
        seed: From 0 to 2**64 - 1. Image n depends on (seed, n) alone: on no batch or device.
        shape: (C, H, W). None: the model's own size.
        batch_size: Images sampled together; bounds the memory. On a CPU with Linux, parts of 128 of
            them are spread over the cores, at most `torch.get_num_threads()`.
        precision: What the network computes in: "float32" as it is, "bf16" or "16" in a copy of so
            many bits; see `RoundedModel`.

    Raises:
        ConfigError: If an option is out of range.
        ShapeError: If `shape` is not (C, H, W).

    Example:
        >>> SamplingOptions(temperature=0).seed
        Traceback (most recent call last):
        pixelcnn.errors.ConfigError: `temperature` must be at least 1e-06 and finite, got 0. \
For the most probable level use top_k=1.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    guidance: float = 1.0
    cond: Cond = None
    seed: int = 0
    shape: tuple[int, ...] | None = None
    batch_size: int = 256
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        checked = {
            "temperature": real_number("temperature", self.temperature),
            "top_k": None if self.top_k is None else whole_number("top_k", self.top_k),
            "top_p": None if self.top_p is None else real_number("top_p", self.top_p),
            "guidance": real_number("guidance", self.guidance),
            "seed": seed_number(self.seed),
            "shape": None if self.shape is None else image_shape(self.shape),
            "batch_size": whole_number("batch_size", self.batch_size),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        check_choice("precision", self.precision, get_args(Precision))
        _ = self.filters  # which checks its own

    @classmethod
    def of(cls, keywords: Mapping[str, Any], shape: Sequence[int] | None) -> "SamplingOptions":
        """Options from keyword arguments.

        Raises:
            ConfigError: If there is no such option, or it is out of range.
        """
        names = [field.name for field in fields(cls)]
        for name in keywords:
            if name not in names:
                near = suggestion(name, [*names, "num_samples"]) or f" Use {', '.join(names)}."
                hint = ELSEWHERE.get(name, near)
                raise ConfigError(f"`{name}` is not an option of sampling.{hint}")
        return cls(**keywords, shape=shape)  # type: ignore[arg-type]

    @property
    def filters(self) -> Filter:
        """Temperature, top-k and top-p."""
        return Filter(self.temperature, self.top_k, self.top_p)

    @property
    def plain(self) -> dict[str, Any]:
        """All but `cond`, in types that JSON has, for the notes of files of samples."""
        return {name: value for name, value in vars(self).items() if name != "cond"}
