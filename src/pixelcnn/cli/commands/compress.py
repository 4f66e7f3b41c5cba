"""`pixelcnn compress`: images into one file, without loss."""

import argparse
import shutil
from pathlib import Path

from torch import Tensor

from pixelcnn.cli.inputs.conditions import label_number
from pixelcnn.cli.inputs.image_files import ARRAYS, image_files, read_levels
from pixelcnn.cli.outputs.console import counted, print_lines
from pixelcnn.cli.sharding import check_sharing, device_of, fill, shared
from pixelcnn.codec.encoding import CHEAPEST, NO_LABEL, Encoding, Labels, plan_encoding
from pixelcnn.codec.entropy_model import MachineBound
from pixelcnn.codec.sources import FileSource, ImageSource, LevelSource
from pixelcnn.errors import ConfigError
from pixelcnn.files import atomic_write, provisional_folder
from pixelcnn.models import AutoregressiveModel
from pixelcnn.processes import this_process
from pixelcnn.runs import open_model
from pixelcnn.shards.compression import ShardedCompression

SUFFIX = ".pxc"
FIRST = "shard-00000.npz"


def run(args: argparse.Namespace) -> int:
    """Compresses, and prints the size of the file."""
    if Path(args.out).suffix.lower() != SUFFIX:
        raise ConfigError(f"`--out` must end in {SUFFIX}, got `{args.out}`.")
    # Finished chunks are kept in this folder, so that a killed command can be continued.
    args.shards, args.shard_size = f"{args.out}.parts", None
    check_sharing(args)
    code = shared(args, lambda: compress_files(args))
    if not code and args.num_processes is not None:
        shutil.rmtree(args.shards, ignore_errors=True)
    return code


def compress_files(args: argparse.Namespace) -> int:
    """Makes the chunks of this worker, and the file if they are the last."""
    model = open_model(args.run, device=device_of(args)).model
    source, labels = named_images([Path(file) for file in args.files], model)
    encoding = plan_encoding(
        model,
        source,
        labels=typed_labels(args.label, model, labels),
        entropy_model=args.entropy_model,
        chunk_size=args.chunk_size,
        context=args.context,
        verify=args.verify,
    )
    with provisional_folder(args.shards, keep=FIRST):
        work = ShardedCompression(args.shards, encoding)
        if not fill(work, args, "compressing", note=lambda: work.rate):
            return 0
    with atomic_write(args.out) as temporary, temporary.open("wb") as file:
        num_bytes = work.write_file(file, source.notes() if args.keep_names else {})
    if args.worker is None and this_process().is_alone:
        shutil.rmtree(args.shards, ignore_errors=True)
    print_lines(*summary(args, work, num_bytes))
    return 0


def named_images(
    files: list[Path], model: AutoregressiveModel
) -> tuple[ImageSource, Tensor | None]:
    """The images of files, folders or one NumPy file of levels; and labels that it holds."""
    if len(files) == 1 and files[0].suffix.lower() in ARRAYS:
        found = read_levels(files[0], model)
        is_labelled = model.condition.kind == "labels"
        return LevelSource(list(found.x), found.names), found.cond if is_labelled else None
    paths, names = [], []
    for file in files:
        for path, _ in image_files(file):
            paths.append(path)
            names.append((path.relative_to(file) if file.is_dir() else Path(path.name)).as_posix())
    return FileSource(paths, names, model.in_channels, model.num_classes), None


def typed_labels(typed: str | None, model: AutoregressiveModel, stored: Tensor | None) -> Labels:
    """The labels as typed, else those stored with the images, else the default."""
    if typed is None:
        return stored
    if typed in (CHEAPEST, NO_LABEL) or model.condition.kind != "labels":
        return typed
    return label_number(typed, model.condition.every_name)


def summary(args: argparse.Namespace, work: ShardedCompression, num_bytes: int) -> list[str]:
    """The size of the file beside PNG, and what was stored and what was not."""
    encoding = work.encoding
    count = sum(map(len, encoding.chunks))
    bits = f"{8 * num_bytes / work.num_dims:.4g} bits/dim"
    lines = [f"{counted(count, 'image')} in {args.out}: {num_bytes:,} bytes, {bits}"]
    if work.png:
        change = 100 * (num_bytes / work.png - 1)
        lines.append(f"as one PNG file each: {work.png:,} bytes ({change:+.1f} %)")
    lines += label_lines(encoding)
    metadata = encoding.source.notes().get("metadata", {})
    if metadata and not args.keep_names:
        what = counted(len(metadata), "image")
        lines.append(f"EXIF data and colour profiles of {what} left out: keep them by --keep-names")
    header = encoding.header
    is_bound = header.entropy_model == MachineBound.name
    where = f"with {header.requirements}" if is_bound else "on any machine"
    lines.append(f"{header.entropy_model}: decompress it {where}")
    return lines


def label_lines(encoding: Encoding) -> list[str]:
    """Which labels are stored."""
    model = encoding.coder.entropy_model.model
    if model.condition.kind != "labels":
        return []
    if encoding.labels is None:
        return ["labels: none stored, p(x)"]
    how = "the cheapest" if isinstance(encoding.labels, str) else "those given"
    return [f"labels: one of {model.num_labels} stored with each image, {how}"]
