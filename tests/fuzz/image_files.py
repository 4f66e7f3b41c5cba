"""Images, masks and maps of a visitor or a folder, damaged and read."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pixelcnn import load_data
from pixelcnn.data.files.uploads import read_map_upload, read_upload
from pixelcnn.inference.masks import known_mask
from pixelcnn.spec import ImageSpec
from tests.fuzz.data_files import check, images, twist_npy
from tests.fuzz.mutations import damage
from tests.fuzz.target import Target


def make_image(kind: str, mode: str = "RGB") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"mine.{kind}"
        Image.fromarray(images(9, 7, 3)).convert(mode).save(path)
        return path

    return make


def read_image(path: Path) -> None:
    x = read_upload(path.read_bytes(), path.name, ImageSpec(3, 6, 6, 16))
    assert x.shape == (1, 3, 6, 6) and x.min() >= 0 and x.max() < 16


def read_map_file(path: Path) -> None:
    assert torch.isfinite(read_map_upload(path.read_bytes(), path.name, 2)).all()


def make_maps(folder: Path) -> Path:
    path = folder / "maps.npy"
    np.save(path, np.zeros((2, 5, 6), np.float32))
    return path


def twist_png(content: bytes, rng: np.random.Generator) -> bytes:
    """Other sizes and kinds in a header whose checksum is right: an image of a billion pixels."""
    header = bytearray(content[16:29])
    at = int(rng.integers(13))
    header[at] = int(rng.integers(256))
    if rng.random() < 0.3:
        header[:8] = struct.pack(">II", 2**31 - 1, 2**31 - 1)
    return with_header(content, bytes(header))


def with_header(content: bytes, header: bytes) -> bytes:
    """A PNG with another header, whose checksum is right."""
    return content[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + content[33:]


def make_mask_file(folder: Path) -> Path:
    path = folder / "mask.png"
    Image.fromarray(images(8, 8)).save(path)
    Image.fromarray(images(8, 8)).save(folder / "image.png")
    return path


def read_mask_file(path: Path) -> None:
    assert known_mask(str(path), (1, 8, 8)).dtype == torch.bool


def make_folder(folder: Path) -> Path:
    for name in ("train", "test"):
        (folder / name).mkdir()
        for number in range(3):
            Image.fromarray(images(9, 7, 3)).save(folder / name / f"{number}.png")
    return folder / "train" / "0.png"


def read_folder(path: Path) -> None:
    check(load_data(f"folder:{path.parents[1]}", val_fraction=0.4, image_size=8))


def score(path: Path, out: Path) -> list[object]:
    return ["score", "digits", path, "--label=0", f"--out={out}"]


def complete(path: Path, out: Path) -> list[object]:
    words = ["complete", "digits", path.with_name("image.png"), "--missing", path, "--label=0"]
    return [*words, "--num-completions=1", "--method=raster", f"--out={out}"]


PNG = (damage, twist_png)

TARGETS = (
    Target("png", make_image("png"), read_image, PNG, score),
    Target("palette png", make_image("png", "P"), read_image, words=score),
    Target("jpeg", make_image("jpg"), read_image, words=score),
    Target("webp", make_image("webp"), read_image, words=score),
    Target("gif", make_image("gif", "P"), read_image, words=score),
    Target("tiff", make_image("tif"), read_image, words=score),
    Target("mask", make_mask_file, read_mask_file, PNG, complete),
    Target("folder", make_folder, read_folder, PNG),
    Target("maps", make_maps, read_map_file, (damage, twist_npy)),
)
