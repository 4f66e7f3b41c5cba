"""What every architecture has in common: exact log-probabilities and sampling."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn
from typing_extensions import Unpack

from pixelcnn.arguments import check_tensor, numbers_of, renamed_arguments, whole_number
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.likelihoods import make_likelihood
from pixelcnn.models.generation import sample_images, sample_shape
from pixelcnn.models.options import ModelClass
from pixelcnn.nn import Condition, Cursor, PixelInput, ReceptiveField, standardise
from pixelcnn.spec import ImageSpec, as_levels, check_levels
from pixelcnn.walk import Cond, SamplingKeywords, SamplingOptions, seed_from

# What the fields of an `ImageSpec` are called as arguments of a model.
SPEC_NAMES = {"channels": "in_channels", "levels": "num_classes"}
SPEC_NAMES |= dict.fromkeys(("height", "width"), "image_size")


class AutoregressiveModel(nn.Module, metaclass=ModelClass):
    """A network that predicts each sub-pixel from those before it in raster order.

    Every model takes these arguments besides its own.

    Args:
        in_channels: C, channels of the images.
        num_classes: K, levels of a sub-pixel: 2 for binary images.
        likelihood: Head, a key of `pixelcnn.likelihoods.LIKELIHOODS`; None for "bernoulli" if
            K = 2, else "categorical".
        num_mixtures: Components of a "logistic_mixture"; None for its own default.
        level_embedding_dim: Features of an embedding that is learned for each level, for codes and
            the like; None for one number in [-1, 1]. See `pixelcnn.nn.PixelInput`.
        num_labels: Conditions on that many class labels.
        num_attributes: Conditions on vectors of that many attributes.
        num_map_channels: Conditions on maps of that many channels.
        label_dropout: Share of labels, attribute vectors or maps left out while training. Above 0
            the model also serves without them (`cond` None), and can be sampled with `guidance`.
        image_size: Side, or (height, width), of samples by default. The weights serve any size.

    Raises:
        ConfigError: If an argument is unknown, of another type or out of range.

    Attributes:
        config: The arguments of the constructor, in types that JSON has.
        lag: Columns that rows must be apart to be walked together; None if they cannot be
            (see `pixelcnn.order.WavefrontOrder`).
        likelihood: The head.
        condition: The kind of condition taken.
        groups: Colour groups of the network: C, or 1 where the head couples the channels.
    """

    name: ClassVar[str]
    config: dict[str, Any]
    lag: int | None = None

    def __init__(
        self,
        *,
        in_channels: int = 1,
        num_classes: int = 256,
        likelihood: str | None = None,
        num_mixtures: int | None = None,
        level_embedding_dim: int | None = None,
        num_labels: int | None = None,
        num_attributes: int | None = None,
        num_map_channels: int | None = None,
        label_dropout: float = 0.0,
        image_size: int | tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        height, width = (image_size,) * 2 if isinstance(image_size, int) else image_size or (1, 1)
        with renamed_arguments(SPEC_NAMES):
            ImageSpec(in_channels, height, width, num_classes)
        self._size = None if image_size is None else (height, width)
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.likelihood = make_likelihood(
            likelihood, channels=in_channels, levels=num_classes, num_mixtures=num_mixtures
        )
        self.condition = Condition(
            num_labels, num_attributes, num_map_channels, label_dropout=label_dropout
        )
        self.groups = 1 if self.likelihood.couples_channels else in_channels
        self.embed = PixelInput(
            in_channels, num_classes, groups=self.groups, embedding_dim=level_embedding_dim
        )

    def __call__(
        self, x: Tensor, cond: Cond = None, cursor: Cursor | None = None, *, check: bool = True
    ) -> Tensor:
        """Predicts the parameters of every pixel, as `forward`.

        Args:
            x: Levels. (B, C, H, W). At two levels floats 0 and 1 serve, too.
            cond: As `forward`; one label, attribute vector or map stands for the whole batch.
            cursor: As `forward`.
            check: Whether to check values; never in a walk, compiled or exported.

        Raises:
            ShapeError: If `x` or `cond` does not fit the model.
        """
        if check and cursor is None and not torch.compiler.is_compiling():
            check_tensor("x", x, "integer levels")
            x = as_levels(x, self.num_classes)
            cond = self.prepare_cond(cond, len(x)) if x.ndim else None
            self.check(x, cond)
        params: Tensor = super().__call__(x, cond, cursor)
        return params

    @abstractmethod
    def forward(
        self, x: Tensor, cond: Tensor | None = None, cursor: Cursor | None = None
    ) -> Tensor:
        """Predicts the parameters of every pixel, or of one place of a walk.

        Args:
            x: Levels. (B, C, H, W).
            cond: Labels (B,), attributes (B, A), maps (B, A, H, W), or None: no condition.
            cursor: Where to evaluate, with what is kept of the sites before; None for the
                whole image. See `pixelcnn.nn.cursor`.

        Returns:
            (B, P, H, W); with a cursor (R × B, P / groups).
        """

    @abstractmethod
    def receptive_field(self) -> ReceptiveField:
        """The pixels that the parameters of a pixel depend on."""

    def initialise(self, x: Tensor, cond: Cond = None) -> None:
        """Sets scales and biases of weight-normalised layers by a first batch, without learning.

        Only layers that no batch has set and no training has moved are set (see
        `pixelcnn.nn.standardise`); a model without such layers stays as it is.

        Args:
            x: Levels. (B, C, H, W).
            cond: As `forward`; a single label stands for the whole batch.

        Raises:
            ShapeError: If `x` or `cond` does not fit the model.
        """
        cond = self.prepare_cond(cond, len(x))
        self.check(x, cond)
        was_training = self.training
        self.eval()  # without dropout, whose noise is no feature of the data
        try:
            standardise(self, lambda: self(x, cond, check=False))
        finally:
            self.train(was_training)

    @property
    def num_parameters(self) -> int:
        """Numbers that are learned."""
        return sum(weight.numel() for weight in self.parameters())

    @property
    def num_labels(self) -> int | None:
        """Number of class labels; None if the model takes none."""
        return self.condition.num_labels

    def name_condition(self, names: Sequence[str] | None) -> None:
        """Says what the labels or attributes are called, for messages and checkpoints.

        Raises:
            ConfigError: If there are more names than labels or attributes.
        """
        self.condition = replace(self.condition, names=None if names is None else tuple(names))

    @property
    def image_size(self) -> tuple[int, int] | None:
        """(height, width) of samples by default."""
        return self._size

    @image_size.setter
    def image_size(self, size: tuple[int, int]) -> None:
        height, width = size
        ImageSpec(self.in_channels, height, width, self.num_classes)
        self._check_least(height, width)
        self._size = (height, width)
        self.config["image_size"] = [height, width]

    @property
    def least_side(self) -> int:
        """Sides of images must be at least so long to be trained on or sampled by default."""
        return 1

    def _check_least(self, height: int, width: int) -> None:
        if min(height, width) < self.least_side:
            least = f"{self.least_side}×{self.least_side}"
            raise ConfigError(
                f"Images must be at least {least} pixels for the strides of this network, got "
                f"{height}×{width}. Use larger images, or fewer `num_resolutions`."
            )

    @property
    def spec(self) -> ImageSpec:
        """The images that the model samples by default.

        Raises:
            ConfigError: If no image size was ever given.
        """
        if self._size is None:
            raise ConfigError(
                "The model has no image size of its own: construct it with `image_size`, "
                "or pass `shape=(C, H, W)`."
            )
        return ImageSpec(self.in_channels, *self._size, self.num_classes)

    def site_log_prob(self, x: Tensor, cond: Cond = None, *, check: bool = True) -> Tensor:
        """Log-probability of every sub-pixel given all earlier ones; training drops conditions.

        Args:
            x: Levels. (B, C, H, W).
            cond: As `forward`; one label, attribute vector or map stands for the whole batch.
            check: Whether to check the values of the arguments, which waits for a GPU.

        Returns:
            Nats. (B, C, H, W).

        Raises:
            ShapeError: If `x` or `cond` does not fit the model.
        """
        cond = self.prepare_cond(cond, len(x))
        if check:
            self.check(x, cond)
        if self.training:
            cond = self.condition.drop(cond)
        return self.likelihood.log_prob(self(x, cond, check=False), x)

    def log_prob(self, x: Tensor, cond: Cond = None, *, check: bool = True) -> Tensor:
        """Log-probability of whole images, the sum of `site_log_prob`. Nats. (B,)."""
        return self.site_log_prob(x, cond, check=check).flatten(1).sum(1)

    def generate(
        self,
        shape: tuple[int, int, int] | None = None,
        *,
        num_samples: int = 16,
        generator: Generator | None = None,
        **options: Unpack[SamplingKeywords],
    ) -> Tensor:
        """Samples images, as `PixelCNNSampler.generate_samples` does.

        Args:
            shape: (C, H, W); None for the model's own size, or 32 × 32 pixels.
            num_samples: Images, N.
            generator: Gives the seed where `seed` is not given; None for torch's global generator.
            **options: `temperature`, `top_k`, `top_p`, `guidance`, `cond`, `seed`, `batch_size`,
                `precision`: see `pixelcnn.SamplingOptions`.

        Returns:
            Levels. (N, C, H, W), int64, on the model's device.

        Raises:
            ShapeError: If `shape` or `cond` does not fit the model.
            ConfigError: If an option is out of range, or the model cannot be guided.
        """
        if "seed" not in options:
            options["seed"] = seed_from(generator)
        elif generator is not None:
            raise ConfigError("Give `seed` or `generator`, not both: each decides the images.")
        return sample_images(self, num_samples, SamplingOptions.of(options, shape))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embed.like.device

    def blank(self, num_images: int, shape: Sequence[int] | None = None) -> Tensor:
        """Images of zeros to be filled by a walk. (B, C, H, W), int64."""
        num_images = whole_number("num_samples", num_images)
        sizes = sample_shape(self, shape)
        return torch.zeros(num_images, *sizes, dtype=torch.int64, device=self.device)

    def prepare_cond(self, cond: Cond, num_images: int) -> Tensor | None:
        """A condition as a tensor on the model's device, one entry per image."""
        if cond is None:
            return None
        if not isinstance(cond, Tensor):  # which older compilers could not follow in there
            cond = numbers_of("cond", cond, self.condition.describe())
        is_single = cond.ndim == self.condition.num_axes
        return (cond.expand(num_images, *cond.shape) if is_single else cond).to(self.device)

    def check(self, x: Tensor, cond: Tensor | None, *, name: str = "x") -> None:
        """Raises `ShapeError` unless images, an argument of that name, and condition fit."""
        check_tensor(name, x, "integer levels")
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise ShapeError(
                f"`{name}` must have shape (B, {self.in_channels}, H, W), got {tuple(x.shape)}."
                + (f" Use `{name}[:, None]`." if x.ndim == 3 and self.in_channels == 1 else "")
            )
        check_levels(x, self.num_classes, name=name)
        self.condition.check(cond, x)
