"""`pixelcnn sample`: samples images from a trained model."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pixelcnn.cli.inputs.conditions import ConditionRequest, choose_condition, share_condition
from pixelcnn.cli.inputs.image_size import typed_shape
from pixelcnn.cli.outputs.console import counted, print_lines
from pixelcnn.cli.outputs.sample_files import (
    SamplingOutput,
    sample_with_progress,
    save_animation,
    save_grid,
    save_levels,
    save_separate,
)
from pixelcnn.cli.sharding import check_sharing, device_of, fill, shared
from pixelcnn.device import has_bf16
from pixelcnn.errors import ConfigError
from pixelcnn.files import provisional_folder
from pixelcnn.logger import logger
from pixelcnn.nn import Condition
from pixelcnn.runs import open_model
from pixelcnn.shards import ShardedSampling
from pixelcnn.shards.plan import SHARD_SIZE
from pixelcnn.walk import SamplingKeywords

SUFFIXES = (".png", ".gif", ".npz")
LISTED = 20  # labels named where none was typed
OPTIONS = tuple(SamplingKeywords.__annotations__)


def run(args: argparse.Namespace) -> int:
    """Samples, writes, and prints where."""
    check_sharing(args)
    if args.shards is None:
        return sample_into_file(args)
    for option in ("separate", "columns", "scale"):
        if vars(args)[option]:
            raise ConfigError(f"`--shards` writes levels, not pictures: leave out --{option}.")
    return shared(args, lambda: sample_into_shards(args))


def sample_into_shards(args: argparse.Namespace) -> int:
    """Writes a folder of shards."""
    request, options = sampling_request(args)
    trained = open_model(args.run, device=device_of(args))
    model, shape = trained.model, typed_shape(trained, args.size)
    warn_if_slow(options, model.device)
    cond, count = share_condition(model, request)
    work = ShardedSampling(
        model,
        Path(args.shards),
        num_samples=count,
        shard_size=args.shard_size or SHARD_SIZE,
        cond=cond,
        shape=shape,
        **options,
    )
    if fill(work, args, "sampling"):
        shards = counted(work.plan.num_shards, "shard")
        what = f"{counted(count, 'image')} in {args.shards}, {shards}"
        print_lines(f"{what}{labels_note(model.condition, args)}")
    return 0


def sample_into_file(args: argparse.Namespace) -> int:
    """Writes one file, or one for each image."""
    out = Path(args.out or ("samples" if args.separate else "samples.png"))
    if not args.separate and out.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"`--out` must end in {', '.join(SUFFIXES)}, got `{out}`. "
            f"For one file per image add --separate."
        )
    request, options = sampling_request(args)
    with provisional_folder(out if args.separate else out.parent):
        trained = open_model(args.run, device=args.device)
        shape = typed_shape(trained, args.size)
        warn_if_slow(options, trained.model.device)
        cond, count = choose_condition(trained.model, request)
        samples = sample_with_progress(
            trained.model,
            count,
            cond=cond,
            shape=shape,
            keep_frames=out.suffix.lower() == ".gif" and not args.separate,
            per_label=request.per_label,
            **options,
        )
        write_samples(samples, out, args)
    what = f"{counted(len(samples.images), 'image')} in {out}"
    print_lines(f"{what}{labels_note(trained.model.condition, args)}")
    return 0


def warn_if_slow(options: Mapping[str, Any], device: torch.device) -> None:
    """Warns about fewer bits on a processor that has no instructions for them."""
    precision = options.get("precision", "float32")
    is_slow = precision == "16" or (precision == "bf16" and not has_bf16("cpu"))
    if device.type == "cpu" and is_slow:
        logger.warning(
            f"`--precision {precision}` is slower than float32 on this processor. Leave it out "
            f"unless memory is short."
        )


def labels_note(condition: Condition, args: argparse.Namespace) -> str:
    """Which labels the images have, where none was typed."""
    if condition.kind != "labels" or args.label:
        return ""
    names = condition.every_name
    more = " …" if len(names) > LISTED else ""
    return f", of all labels in turn; choose with --label: {', '.join(names[:LISTED])}{more}"


def sampling_request(args: argparse.Namespace) -> tuple[ConditionRequest, dict[str, Any]]:
    """What to sample and how: as typed, else as `--config` says, else the defaults."""
    options: dict[str, Any] = {}
    counts: dict[str, Any] = {"num_samples": None, "per_label": None}
    if args.config is not None:
        # Here, because few need it, and it takes a while to import.
        from pixelcnn.config import load_config

        config = load_config(args.config)
        options = config.sampling.options | {"seed": config.seed}
        counts = {name: getattr(config.sampling, name) for name in counts}
    typed = {name: value for name, value in vars(args).items() if value is not None}
    if "num_samples" in typed:
        counts["per_label"] = None
    counts |= {name: typed[name] for name in counts if name in typed}
    options |= {name: typed[name] for name in OPTIONS if name in typed}
    return ConditionRequest.typed(args, **counts), options


def write_samples(samples: SamplingOutput, out: Path, args: argparse.Namespace) -> None:
    """Writes the samples in the form that `out` names."""
    if args.separate:
        save_separate(samples, out, scale=args.scale)
    elif out.suffix.lower() == ".npz":
        save_levels(samples, out)
    else:
        save = save_animation if out.suffix.lower() == ".gif" else save_grid
        save(samples, out, columns=args.columns, scale=args.scale)
