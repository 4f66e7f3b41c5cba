"""Prints digests of the frequencies that the portable entropy model gives, to compare machines.

python scripts/frequency_digest.py [--threads N] [--batch-size B] [--device cuda]

They must be the same everywhere: for any processor, number of threads, batch size, device and
version of torch.
"""

import argparse
import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from pixelcnn import build, load
from pixelcnn.codec import level_frequencies
from pixelcnn.codec.portable import Portable
from pixelcnn.models import AutoregressiveModel
from pixelcnn.order import Front
from pixelcnn.walk import image_noise, walk

SMALL = {"in_channels": 3, "num_classes": 256, "hidden_channels": 12}


def made(name: str, **options: object) -> AutoregressiveModel:
    """A model whose weights are noise of numpy, which is the same everywhere."""
    model = build(name, **SMALL, **options).eval()
    for number, (key, weight) in enumerate(model.state_dict().items()):
        if weight.is_floating_point():
            noise = image_noise(number, 0, 1, 1, 1, weight.numel()).view(weight.shape)
            width = 1.0 if key.endswith("running_var") else (3 / max(1, weight[0].numel())) ** 0.5
            weight.copy_(noise * width if width == 1 else (2 * noise - 1) * width)
    return model


MODELS: dict[str, Callable[[], AutoregressiveModel]] = {
    "digits": lambda: load("digits"),
    "mnist-binary": lambda: load("mnist-binary"),
    "mnist-256": lambda: load("mnist-256"),
    "pixelcnn, RGB": lambda: made("pixelcnn", norm="batch", level_embedding_dim=2),
    "gated, RGB": lambda: made("gated", num_layers=3, norm="channel", attention_every=1),
    "pixelcnnpp, mixture": lambda: made(
        "pixelcnnpp", num_resnets=1, num_resolutions=2, likelihood="logistic_mixture"
    ),
    "pixelsnail, mixture": lambda: made(
        "pixelsnail", num_blocks=1, num_resnets=1, likelihood="logistic_mixture", num_labels=3
    ),
}


def frequencies(
    model: AutoregressiveModel, x: Tensor, *, batch_size: int | None = None
) -> Iterator[Tensor]:
    """Those of every sub-pixel, for each batch of images (B, C, H, W). (B, C, H, W, K), int32."""
    entropy_model = Portable(model)
    optional = model.condition.is_none or model.condition.is_optional
    for batch in x.split(batch_size or len(x)):
        found = batch.new_zeros((*batch.shape, model.num_classes), dtype=torch.int32)

        def choose(logits: Tensor, front: Front, batch: Tensor = batch) -> Tensor:
            by_row = level_frequencies(logits).split(len(batch))
            for given, site in zip(by_row, front.sites(), strict=True):
                found[:, site.channel, site.row, site.column] = given  # noqa: B023
            return front.of(batch).flatten()

        cond = model.prepare_cond(None if optional else 1, len(batch))
        walk(entropy_model.stepper(), batch.clone(), choose, cond=cond)
        yield found


def digest(
    model: AutoregressiveModel,
    *,
    num_images: int = 3,
    size: tuple[int, int] = (9, 7),
    batch_size: int | None = None,
) -> str:
    """SHA-256 of the frequencies of images of noise."""
    noise = image_noise(0, 0, num_images, model.in_channels, *size)
    x = (noise * model.num_classes).long().to(model.device)
    sha = hashlib.sha256()
    for found in frequencies(model, x, batch_size=batch_size):
        sha.update(found.cpu().numpy().astype(np.dtype("<i4")).tobytes())
    return sha.hexdigest()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for name, make in MODELS.items():
        model = make().to(arguments.device)
        print(f"{digest(model, batch_size=arguments.batch_size)[:32]}  {name}")
