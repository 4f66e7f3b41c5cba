"""`pixelcnn import`: makes a model file of a checkpoint that another program wrote."""

import argparse
import hashlib
from pathlib import Path

from pixelcnn.checkpoint import save
from pixelcnn.cli.outputs.console import print_lines
from pixelcnn.errors import ConfigError
from pixelcnn.files import provisional_folder
from pixelcnn.importing import SOURCES, import_model


def run(args: argparse.Namespace) -> int:
    """Converts the checkpoint, and prints what it holds and where it is."""
    out = Path(args.out or Path(args.file).with_suffix(".safetensors").name)
    if out.suffix != ".safetensors":
        raise ConfigError(f"`--out` must end in .safetensors, got `{out}`.")
    model = import_model(args.source, args.file, image_size=args.size)
    digest = hashlib.sha256(Path(args.file).read_bytes()).hexdigest()
    origin = {"source": args.source, "url": SOURCES[args.source].url, "sha256": digest}
    with provisional_folder(out.parent):
        save(model, out, training={"imported": {**origin, "file": Path(args.file).name}})
    spec = model.spec
    print_lines(
        f"{type(model).__name__}, {model.num_parameters:,} weights, images of "
        f"{spec.channels}×{spec.height}×{spec.width} sub-pixels and {spec.levels} levels",
        out,
    )
    return 0
