"""`pixelcnn sample`: draws images from a trained model."""

import argparse
from pathlib import Path
from typing import Any

from pixelcnn.cli.inputs.conditions import ConditionRequest, choose_condition, share_condition
from pixelcnn.cli.outputs.console import counted
from pixelcnn.cli.outputs.sample_files import (
    SamplingOutput,
    sample_images,
    save_animation,
    save_grid,
    save_levels,
    save_separate,
)
from pixelcnn.cli.runs import check_size, open_run
from pixelcnn.cli.sharding import check_sharing, device_of, fill, shared
from pixelcnn.errors import ConfigError
from pixelcnn.files import provisional_folder
from pixelcnn.nn import Condition
from pixelcnn.shards import ShardedSampling
from pixelcnn.shards.arguments import SHARD_SIZE

SUFFIXES = (".png", ".gif", ".npz")
BATCH_SIZE = 256
LISTED = 20  # labels named where none was asked for
USUAL = {
    "num_samples": None,
    "per_label": None,
    "temperature": 1.0,
    "top_k": None,
    "top_p": None,
    "guidance": 1.0,
    "seed": 0,
    "precision": "float32",
    "batch_size": None,
}


def run(args: argparse.Namespace) -> int:
    """Draws, writes, and says where."""
    check_sharing(args)
    if args.shards is None:
        return sample_into_file(args)
    for option in ("separate", "columns", "scale"):
        if vars(args)[option]:
            raise ConfigError(f"`--shards` writes levels, not pictures: leave out --{option}.")
    return shared(args, lambda: sample_into_shards(args))


def sample_into_shards(args: argparse.Namespace) -> int:
    """Into a folder of shards."""
    request, how = sampling_request(args)
    trained = open_run(args.run, device=device_of(args))
    model = trained.model
    check_size(trained, args.size)
    cond, count = share_condition(model, request)
    drawing = ShardedSampling(
        model,
        Path(args.shards),
        num_samples=count,
        shard_size=args.shard_size or SHARD_SIZE,
        cond=cond,
        shape=None if args.size is None else (model.in_channels, *args.size),
        **how,
    )
    if fill(drawing, args, "drawing"):
        shards = counted(drawing.plan.num_shards, "shard")
        what = f"{counted(count, 'image')} in {args.shards}, {shards}"
        print(f"{what}{labels_note(model.condition, args)}")
    return 0


def sample_into_file(args: argparse.Namespace) -> int:
    """Into one file, or one for each image."""
    out = Path(args.out or ("samples" if args.separate else "samples.png"))
    if not args.separate and out.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"`--out` must end in {', '.join(SUFFIXES)}, got `{out}`. "
            f"For one file per image add --separate."
        )
    request, how = sampling_request(args)
    with provisional_folder(out if args.separate else out.parent):
        trained = open_run(args.run, device=args.device)
        check_size(trained, args.size)
        cond, count = choose_condition(trained.model, request)
        drawing = sample_images(
            trained.model,
            cond=cond,
            size=args.size,
            keep_frames=out.suffix.lower() == ".gif" and not args.separate,
            num_samples=count,
            per_label=request.per_label,
            **{**how, "batch_size": how["batch_size"] or BATCH_SIZE},
        )
        write_samples(drawing, out, args)
    drawn = counted(len(drawing.images), "image")
    print(f"{drawn} in {out}{labels_note(trained.model.condition, args)}")
    return 0


def labels_note(condition: Condition, args: argparse.Namespace) -> str:
    """Which labels were drawn, where none was asked for."""
    if condition.kind != "labels" or args.label:
        return ""
    names = condition.names or [str(number) for number in range(condition.count)]
    more = " …" if len(names) > LISTED else ""
    return f", of all labels in turn; choose by --label: {', '.join(names[:LISTED])}{more}"


def sampling_request(args: argparse.Namespace) -> tuple[ConditionRequest, dict[str, Any]]:
    """What to sample and how: as typed, else as a file of settings says, else as usual.

    Raises:
        ConfigError: If the file cannot be read.
    """
    how: dict[str, Any] = dict(USUAL)
    if args.config is not None:
        # Here, because few need it, and the reader of settings takes a while to load.
        from pixelcnn.config import load_config

        config = load_config(args.config)
        how |= vars(config.sampling) | {"seed": config.seed}
    typed = {name: vars(args)[name] for name in USUAL if vars(args)[name] is not None}
    if "num_samples" in typed:
        typed["per_label"] = None
    how |= typed
    counts = {name: how.pop(name) for name in ("num_samples", "per_label")}
    return ConditionRequest.typed(args, **counts), how


def write_samples(drawing: SamplingOutput, out: Path, args: argparse.Namespace) -> None:
    """Writes what was drawn in the form that `out` names."""
    if args.separate:
        save_separate(drawing, out, scale=args.scale)
    elif out.suffix.lower() == ".npz":
        save_levels(drawing, out)
    else:
        save = save_animation if out.suffix.lower() == ".gif" else save_grid
        save(drawing, out, columns=args.columns, scale=args.scale)
