"""Turns images into grids of codes, for the recipe `codes`, and codes back into a picture.

    python scripts/codes.py make fashion_mnist --out data/codes.npz
    pixelcnn train --preset codes --out runs/codes
    pixelcnn sample runs/codes --per-label 10 --out samples.npz
    python scripts/codes.py decode samples.npz --codebook data/codes.npz --columns 10

A code is the number of the nearest of 512 patches, found by k-means among the patches of the
training images: the plainest vector quantiser. It is learned in seconds; its loss shows as blocks.

The codes of a VQ-VAE serve as well: save them by np.savez as `x_train`, `x_val`, `x_test`
(N, H, W), labels as `y_train` …, and `levels=512`, and make the picture by its own decoder.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from torch import Generator, Tensor

from pixelcnn.cli.entry import explain
from pixelcnn.cli.parsers.options import OneLineParser
from pixelcnn.cli.parsers.types import non_negative, positive
from pixelcnn.data import DataSplits, ImageSet, load_data
from pixelcnn.data.sources.arrays.arrays import load_arrays
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.files import atomic_write
from pixelcnn.plots import image_grid, save_png, screen_scale
from pixelcnn.spec import check_levels, quantise, to_unit

MAX_PATCHES = 200_000  # learned from by k-means
CHUNK = 1024  # images encoded at once
SHOWN_LEVELS = 256


def main(words: Sequence[str]) -> int:
    """Makes codes or a picture of them; returns an exit code."""
    args = parser().parse_args(words)
    try:
        line = make(args) if args.command == "make" else decode(args)
    except (Exception, KeyboardInterrupt) as error:
        line, code = explain(error)
        print(f"codes: {line}", file=sys.stderr)
        return code
    print(line)
    return 0


def parser() -> argparse.ArgumentParser:
    """The options."""
    parser = OneLineParser(prog="codes.py", description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    maker = commands.add_parser("make", help="learn a codebook and encode a data set by it")
    maker.add_argument("dataset_name", help="as `data.dataset_name` in configs/")
    maker.add_argument("--data-root", metavar="DIR", help="as `data.data_root`")
    maker.add_argument("--image-size", type=positive, metavar="N", help="as `data.image_size`")
    maker.add_argument("--max-samples", type=positive, metavar="N", help="as `data.max_samples`")
    maker.add_argument("--num-codes", type=positive, default=512, metavar="K")
    maker.add_argument("--patch", type=positive, default=4, metavar="N", help="side in pixels")
    maker.add_argument("--seed", type=non_negative, default=0, help="decides the codebook")
    maker.add_argument("--out", type=Path, default=Path("data/codes.npz"), metavar="FILE")
    decoder = commands.add_parser("decode", help="make a picture of codes")
    decoder.add_argument("codes", type=Path, help="what `pixelcnn sample --out FILE.npz` wrote")
    decoder.add_argument("--codebook", type=Path, default=Path("data/codes.npz"), metavar="FILE")
    decoder.add_argument("--columns", type=positive, metavar="N", help="images in a row")
    decoder.add_argument("--out", type=Path, default=Path("decoded.png"), metavar="FILE")
    return parser


def make(args: argparse.Namespace) -> str:
    """Writes codes and their codebook, and reports the error of the rebuilt images."""
    data = load_data(
        args.dataset_name,
        data_root=args.data_root,
        image_size=args.image_size,
        max_samples=args.max_samples,
        seed=args.seed,
    )
    codebook = learn_codebook(data.train, args.num_codes, args.patch, seed=args.seed)
    codes = {name: encode(part, codebook) for name, part in splits_of(data)}
    with atomic_write(args.out) as temporary:
        np.savez_compressed(temporary, **arrays_of(data, codes, codebook))
    height, width = codes["test"].shape[2:]
    used = len(codes["train"].unique())
    return (
        f"{args.out}: grids of {height}×{width} codes, {used} of {args.num_codes} in use; rebuilt "
        f"test images are {loss_of(data.test, codes['test'], codebook):.1f} of 255 levels off "
        f"(root mean square)\nof: {data.protocol}"
    )


def splits_of(data: DataSplits) -> list[tuple[str, ImageSet]]:
    """The splits by the names that files give them."""
    return [("train", data.train), ("val", data.val), ("test", data.test)]


def arrays_of(data: DataSplits, codes: dict[str, Tensor], codebook: Tensor) -> dict[str, Any]:
    """Codes, labels and codebook as `pixelcnn.data.sources.arrays.arrays.read_npz` reads them."""
    arrays: dict[str, Any] = {"levels": len(codebook), "codebook": codebook.numpy()}
    for name, part in splits_of(data):
        arrays[f"x_{name}"] = codes[name][:, 0].numpy().astype(np.uint16)
        if part.labels is not None:
            arrays[f"y_{name}"] = part.labels.numpy()
    if data.label_names is not None:
        arrays["label_names"] = np.array(data.label_names)
    return arrays


def chunks(images: ImageSet) -> Iterator[Tensor]:
    """The images as floats in [0, 1], a thousand at a time. Shape of each: (N, C, H, W)."""
    for x in images.read(torch.arange(len(images)).split(CHUNK)):
        yield to_unit(x, images.stored_levels)


def patches_of(unit: Tensor, patch: int) -> Tensor:
    """Cuts images (N, C, H, W) into patches: (N, H / patch, W / patch, C × patch × patch).

    Raises:
        ConfigError: If there would be a rest.
    """
    height, width = unit.shape[2:]
    if height % patch or width % patch:
        raise ConfigError(
            f"`--patch` must divide images of {height}×{width} pixels, got {patch}. Choose "
            f"another, or resize the images by `--image-size`."
        )
    return rearrange(unit, "n c (h p) (w q) -> n h w (c p q)", p=patch, q=patch)


def learn_codebook(images: ImageSet, num_codes: int, patch: int, *, seed: int) -> Tensor:
    """Finds representative patches by k-means over a random part of the images.

    Args:
        images: Training images.
        num_codes: K.
        patch: Side of a patch, in pixels.
        seed: Decides the images used and the start of k-means.

    Returns:
        Patches of floats in [0, 1]. Shape: (K, C, patch, patch).

    Raises:
        ConfigError: If there are fewer different patches than codes, or K is below 2.

    References:
        Neural Discrete Representation Learning (van den Oord et al., 2017), section 3, whose
        codebook is learned together with a network instead. https://arxiv.org/abs/1711.00937
    """
    from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped]

    num_images = max(1, MAX_PATCHES * patch**2 // (images.spec.height * images.spec.width))
    chosen = torch.randperm(len(images), generator=Generator().manual_seed(seed))[:num_images]
    found = torch.cat([patches_of(unit, patch) for unit in chunks(images.take(chosen))])
    # Each once: among the many blank patches of digits and clothes, codes would die out.
    patches = np.unique(found.flatten(0, 2).numpy(), axis=0)
    if not 2 <= num_codes <= len(patches):
        raise ConfigError(
            f"`--num-codes` must be from 2 to {len(patches):,}, the different patches of these "
            f"images, got {num_codes}."
        )
    kmeans = MiniBatchKMeans(num_codes, batch_size=4096, n_init=1, random_state=seed)
    centres = torch.from_numpy(kmeans.fit(patches).cluster_centers_).float().clamp(0, 1)
    return rearrange(centres, "k (c p q) -> k c p q", p=patch, q=patch)


def encode(images: ImageSet, codebook: Tensor) -> Tensor:
    """The number of the patch of `codebook` nearest to each patch. (N, 1, H / p, W / p)."""
    flat = codebook.flatten(1)
    squares = flat.square().sum(1)
    codes = []
    for unit in chunks(images):
        # |a - b|² without |a|², which is the same for all b.
        products = patches_of(unit, codebook.shape[2]) @ flat.T
        codes.append((squares - 2 * products).argmin(-1)[:, None])
    return torch.cat(codes)


def rebuild(codes: Tensor, codebook: Tensor) -> Tensor:
    """Images of codes (N, 1, h, w), as floats in [0, 1]. (N, C, h × p, w × p).

    Example:
        >>> codebook = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 1, 2)
        >>> rebuild(torch.tensor([[[[0, 1]]]]), codebook)
        tensor([[[[0., 0., 1., 1.]]]])
    """
    return rearrange(codebook[codes[:, 0].long()], "n h w c p q -> n c (h p) (w q)")


def loss_of(images: ImageSet, codes: Tensor, codebook: Tensor) -> float:
    """Root mean square error of rebuilt images, in levels of 255."""
    parts = zip(chunks(images), codes.split(CHUNK), strict=True)
    sums = [(unit - rebuild(part, codebook)).square().sum().item() for unit, part in parts]
    return float(255 * np.sqrt(sum(sums) / (len(images) * images.spec.num_dims)))


def decode(args: argparse.Namespace) -> str:
    """Makes a picture of sampled codes, or of the codes of the test images.

    Raises:
        DataError: If a file does not hold codes, or the codebook is not theirs.
    """
    codebook = array_of(load_arrays(args.codebook), args.codebook, "codebook").float()
    arrays = load_arrays(args.codes)
    codes = array_of(arrays, args.codes, "x", "x_test")
    if "levels" in arrays and arrays["levels"].tolist() != len(codebook):
        raise DataError(
            f"{args.codes} holds {arrays['levels']} levels, and the codebook of {args.codebook} "
            f"has {len(codebook)} codes. Name the codebook that made them by `--codebook`."
        )
    codes = codes.reshape(len(codes), 1, *codes.shape[-2:]).long()
    check_levels(codes, len(codebook))
    unit = rebuild(codes, codebook)
    grid = image_grid(
        quantise(unit, SHOWN_LEVELS),
        SHOWN_LEVELS,
        columns=args.columns,
        scale=screen_scale(*unit.shape[2:]),
    )
    save_png(args.out, grid)
    return f"{args.out}: {len(codes)} images"


def array_of(arrays: dict[str, Any], path: Path, *names: str) -> Tensor:
    """The first of the named arrays that a file holds."""
    for name in names:
        if name in arrays:
            array = arrays[name]
            return torch.from_numpy(array.astype(np.float32 if name == "codebook" else np.int64))
    raise DataError(
        f"{path} must hold {' or '.join(f'`{name}`' for name in names)}, got "
        f"{', '.join(sorted(arrays))}. Codes come from `pixelcnn sample --out FILE.npz`, their "
        f"codebook from `codes.py make`."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
