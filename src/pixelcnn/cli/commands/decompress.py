"""`pixelcnn decompress`: the images of a .pxc file, as they were."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import torch

from pixelcnn.cli.launch import launch
from pixelcnn.cli.outputs.console import counted, print_lines, progress_bar
from pixelcnn.cli.sharding import device_of
from pixelcnn.codec import DecodedImage, PxcFile, opened
from pixelcnn.codec.archive import bundled_model
from pixelcnn.codec.pixels import to_file_image
from pixelcnn.data.sources.arrays.arrays import sample_arrays
from pixelcnn.errors import ConfigError, DataError
from pixelcnn.files import atomic_write, make_folder
from pixelcnn.models import AutoregressiveModel
from pixelcnn.processes import this_process
from pixelcnn.runs import open_model

PLAIN = re.compile(r'[^\\:*?"<>|\x00-\x1f]+')
"""A part of a path on any system."""


def run(args: argparse.Namespace) -> int:
    """Decompresses, and prints where."""
    is_array = Path(args.out).suffix.lower() == ".npz"
    if (args.num_processes or 1) > 1:
        if is_array:
            raise ConfigError("`--num-processes` writes image files: name a folder by `--out`.")
        words = without_processes(args.words)
        return launch(words, args.num_processes, waits_for_all=True)
    with opened(args.file) as archive:
        numbers = archive.check_index(args.index or None)
        if is_array:
            write_array(archive, args, numbers)
        else:
            write_files(archive, args, numbers)
        if this_process().is_first:
            print_lines(f"{counted(len(numbers), 'image')} in {args.out}")
            header = archive.container.header
            if header.num_labels and not is_array:
                print_lines("labels are not part of image files: get them by -o FILE.npz")
    return 0


def without_processes(words: list[str]) -> list[str]:
    """The words of one process."""
    found, skip = [], False
    for word in words:
        if not skip and not re.match(r"--num-processes(=|$)", word):
            found.append(word)
        skip = word == "--num-processes"
    return found


def decoded(
    archive: PxcFile, args: argparse.Namespace, numbers: list[int]
) -> Iterator[DecodedImage]:
    """The images of these numbers, chunk by chunk: those of this process."""
    process = this_process()
    coder = archive.coder(model_of(archive, args))
    chunks = archive.chunks_of(numbers)[process.rank :: process.world_size]
    total, wanted, done = sum(map(archive.num_dims, chunks)), set(numbers), 0
    title = f"decompressing {counted(len(numbers), 'image')}"
    with progress_bar(title, shown=process.is_first) as tell:

        def report(count: int) -> None:
            nonlocal done
            done += count
            tell(done, total)

        for chunk in chunks:
            for image in archive.decode(chunk, coder, report):
                if image.number in wanted:
                    yield image


def model_of(archive: PxcFile, args: argparse.Namespace) -> AutoregressiveModel:
    """The model of `--run`, else the bundled one that made the file."""
    if args.run is not None:
        return open_model(args.run, device=device_of(args)).model
    return bundled_model(archive.container.header.fingerprint).to(torch.device(device_of(args)))


def write_files(archive: PxcFile, args: argparse.Namespace, numbers: list[int]) -> None:
    """Writes one PNG file for each image."""
    out, levels = make_folder(args.out), archive.container.header.levels
    places = file_names(archive, numbers)
    for image in decoded(archive, args, numbers):
        picture = to_file_image(image.x, image.format, levels=levels)
        with atomic_write(out / places[image.number]) as temporary:
            picture.save(temporary, "PNG", **image.metadata)


def file_names(archive: PxcFile, numbers: list[int]) -> dict[int, str]:
    """A name for the file of each image: its own, ending in .png, else its number.

    Raises:
        DataError: If a name leads out of the folder.
    """
    names = archive.container.notes.get("names")
    listed = names if isinstance(names, list) else []
    found: dict[int, str] = {}
    taken: set[str] = set()
    for number in numbers:
        given = listed[number] if number < len(listed) else f"image-{number:05d}"
        name = safe_name(str(given))
        if name.lower() in taken:
            name = f"{name.removesuffix('.png')}-{number}.png"
        taken.add(name.lower())
        found[number] = name
    return found


def safe_name(name: str) -> str:
    """A relative path below a folder, ending in .png.

    Raises:
        DataError: If the name leads out of the folder.

    Example:
        >>> safe_name("cats/one.jpg")
        'cats/one.png'
    """
    path = PurePosixPath(name)
    is_plain = all(each != ".." and PLAIN.fullmatch(each) for each in path.parts)
    if path.is_absolute() or not path.parts or not is_plain:
        raise DataError(
            f"The .pxc file holds the name {name!r}, which may lead out of the folder. Write the "
            f"images into an .npz file: -o FILE.npz."
        )
    return str(path.with_suffix(".png"))


def write_array(archive: PxcFile, args: argparse.Namespace, numbers: list[int]) -> None:
    """Writes levels and labels of images of one size, as `pixelcnn sample --out FILE.npz` does."""
    images = {each.number: each for each in decoded(archive, args, numbers)}
    sizes = {tuple(each.x.shape) for each in images.values()}
    if len(sizes) > 1:
        raise DataError(
            f"Images must have one size for an .npz file, got {len(sizes)} sizes. Name a folder."
        )
    found = [images[number] for number in numbers]
    labels = [each.label for each in found if each.label is not None]
    arrays = sample_arrays(
        torch.stack([each.x for each in found]),
        archive.container.header.levels,
        {"description": f"decompressed from {Path(args.file).name}"},
        "labels" if labels else None,
        torch.tensor(labels) if labels else None,
    )
    with atomic_write(args.out) as temporary:
        np.savez_compressed(temporary, **arrays)
