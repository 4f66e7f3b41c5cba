"""LPIPS, by the library lpips."""

import warnings
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from pixelcnn.errors import CheckpointError, ConfigError, require
from pixelcnn.metrics.features import check_weights, digest_of
from pixelcnn.metrics.neighbours import nearest
from pixelcnn.spec import ImageSpec, check_levels, to_signed

Backbone: TypeAlias = Literal["alex", "vgg", "squeeze"]
# How torchvision calls the weights of each backbone.
WEIGHTS = {"alex": "AlexNet_Weights", "vgg": "VGG16_Weights", "squeeze": "SqueezeNet1_1_Weights"}
LEAST_SIDE = 64
# At most: more make the standard errors smaller and the evaluation slower.
DIVERSITY_PAIRS = 1_000
COMPARED_IMAGES = 200
CANDIDATES = 5


class PerceptualDistance:
    """LPIPS: a perceptual distance of two images, by features of a network for photographs.

    Images with a side below 64 pixels are enlarged to it bilinearly, since the networks halve the
    resolution several times. Grey images are read as RGB.

    Args:
        backbone: "alex", the authors' choice for comparing images; "vgg" or "squeeze".
        weights: File of the backbone's weights that torchvision publishes. None: torchvision
            downloads it once and keeps it. lpips has the weights of the distance itself.
        device: Where it runs.

    Raises:
        ConfigError: If there is no such backbone.
        CheckpointError: If the weights cannot be had.
        MissingDependencyError: If lpips is not installed.

    References:
        The unreasonable effectiveness of deep features as a perceptual metric (Zhang et al.,
        2018), section 3. https://arxiv.org/abs/1801.03924
    """

    def __init__(
        self,
        backbone: Backbone = "alex",
        *,
        weights: str | Path | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        if backbone not in WEIGHTS:
            raise ConfigError(f"`backbone` must be one of {', '.join(WEIGHTS)}, got {backbone!r}.")
        library = require("lpips", extra="metrics")
        self.backbone = backbone
        self.weights = None if weights is None else Path(weights)
        self.device = torch.device(device)
        read = None
        if self.weights is not None:
            read = check_weights(self.weights, "--lpips-weights", url=self._url)
        try:
            with warnings.catch_warnings():
                # lpips uses a deprecated argument of torchvision.
                warnings.simplefilter("ignore", UserWarning)
                network = library.LPIPS(net=backbone, pnet_rand=read is not None, verbose=False)
            if read is not None:
                network.net.load_state_dict(_by_slices(read, network.net))
        except (OSError, RuntimeError, KeyError) as error:
            raise CheckpointError(self._explain(error)) from error
        self._network = network.to(self.device).eval()

    @torch.no_grad()
    def __call__(self, x: Tensor, y: Tensor, *, levels: int, batch_size: int = 64) -> Tensor:
        """Distances of images in pairs.

        Args:
            x: Levels. (N, C, H, W), of one or three channels.
            y: Likewise, the other of each pair.
            levels: Number of levels K.
            batch_size: Pairs per pass.

        Returns:
            Distances, from 0. (N,), float64, on the CPU.

        Raises:
            ConfigError: If the images are neither grey nor RGB.
        """
        parts = []
        for first in range(0, len(x), batch_size):
            pair = [self._read(side[first : first + batch_size], levels) for side in (x, y)]
            parts.append(self._network(*pair).flatten().cpu().double())
        return torch.cat(parts)

    def check(self, spec: ImageSpec) -> None:
        """Raises `ConfigError` unless images are grey or RGB."""
        if spec.channels not in (1, 3):
            raise ConfigError(f"LPIPS reads grey or RGB images, got {spec.channels} channels.")

    def describe(self) -> dict[str, Any]:
        """The part of the protocol that describes this distance, in JSON types."""
        weights = "torchvision's" if self.weights is None else digest_of(self.weights)
        return {"lpips": self.backbone, "lpips_weights": weights, "lpips_least_side": LEAST_SIDE}

    def _read(self, x: Tensor, levels: int) -> Tensor:
        """Levels (B, C, H, W) as RGB in [-1, 1], large enough."""
        channels, height, width = x.shape[1:]
        self.check(ImageSpec(channels, height, width, levels))
        check_levels(x, levels)
        pixels = to_signed(x.to(self.device), levels).expand(-1, 3, -1, -1)
        scale = LEAST_SIDE / min(x.shape[2:])
        if scale <= 1:
            return pixels
        size = [round(side * scale) for side in x.shape[2:]]
        return F.interpolate(pixels, size, mode="bilinear", align_corners=False)

    @property
    def _url(self) -> str:
        """The address of torchvision's weights of the backbone."""
        models = require("torchvision.models", extra="metrics")
        return str(getattr(models, WEIGHTS[self.backbone]).DEFAULT.url)

    def _explain(self, error: Exception) -> str:
        reason = " ".join(str(error).split())[:200]
        if isinstance(error, KeyError):
            reason = f"it has no {reason}"
        if self.weights is not None:
            return (
                f"{self.weights} does not hold torchvision's weights for the LPIPS backbone "
                f"{self.backbone!r} ({reason}). `--lpips-weights` must name the file from "
                f"{self._url}."
            )
        return (
            f"The weights of the LPIPS backbone {self.backbone!r} are missing: {self._url} could "
            f"not be downloaded ({reason}), and no file of them is named. Download that file "
            f"elsewhere and name it by `--lpips-weights` or `PerceptualDistance(weights=FILE)`."
        )


def diversity(distance: PerceptualDistance, x: Tensor, *, levels: int, seed: int = 0) -> Tensor:
    """LPIPS within random pairs of samples that share no sample.

    The mean is an unbiased estimate of that over all pairs, with the usual standard error. It is 0
    for a model whose samples are all the same.

    Args:
        distance: The distance.
        x: Levels. (N, C, H, W), with N at least 2.
        levels: Number of levels K.
        seed: Of the pairs.

    Returns:
        One distance a pair, of at most 1,000. (P,), float64.
    """
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    num_pairs = min(len(x) // 2, DIVERSITY_PAIRS)
    first, second = order[: 2 * num_pairs].split(num_pairs)
    return distance(x[first], x[second], levels=levels)


def distance_to_nearest(
    distance: PerceptualDistance, x: Tensor, real: Tensor, *, levels: int
) -> Tensor:
    """LPIPS of samples to their nearest real images.

    It is the least LPIPS to the five real images that are nearest in pixel space: an upper bound
    of the least of all, which would take a pass for each pair.

    Args:
        distance: The distance.
        x: Samples, of which the first 200 are compared. Levels. (N, C, H, W).
        real: Levels. (M, C, H, W).
        levels: Number of levels K of both.

    Returns:
        One distance for each image compared. (at most 200,), float64.
    """
    x = x[:COMPARED_IMAGES]
    count = min(CANDIDATES, len(real))
    _, numbers = nearest(x, real.split(4096), levels=levels, count=count)
    candidates = rearrange(real[numbers], "n k c h w -> (n k) c h w")
    found = distance(x.repeat_interleave(count, 0), candidates, levels=levels)
    return rearrange(found, "(n k) -> n k", k=count).amin(1)


def _by_slices(weights: dict[str, Tensor], network: torch.nn.Module) -> dict[str, Tensor]:
    """Weights of torchvision's network by their names in lpips.

    lpips splits the layers `features.0`, `features.1` … into slices but keeps their numbers:
    `slice2.3.weight` is `features.3.weight`.
    """
    return {name: weights[f"features.{name.partition('.')[2]}"] for name in network.state_dict()}
