"""`pixelcnn sample --shards`: any number of images into a folder, gone on with after a stop."""

import argparse
import sys
from pathlib import Path
from typing import Any

from pixelcnn.cli.conditions import Wish, share_condition
from pixelcnn.cli.progress import progress_bar
from pixelcnn.cli.words import counted
from pixelcnn.errors import ConfigError, OutputError
from pixelcnn.models import AutoregressiveModel
from pixelcnn.shards import ShardedDrawing

SHARD_SIZE = 4096


def check_options(args: argparse.Namespace) -> None:
    """Raises `ConfigError` unless options of shards and of pictures stand apart."""
    if args.shards is None and args.shard_size is not None:
        raise ConfigError("`--shard-size` needs `--shards DIR`.")
    if args.shards is None:
        return
    for option in ("separate", "columns", "scale"):
        if vars(args)[option]:
            raise ConfigError(f"`--shards` writes levels, not pictures: leave out --{option}.")


def draw_into_shards(
    model: AutoregressiveModel, args: argparse.Namespace, wish: Wish, how: dict[str, Any]
) -> str:
    """Draws what is missing of a folder of shards.

    Args:
        model: Where it stands is where it draws.
        args: What was typed.
        wish: What shall be drawn.
        how: The settings of `ShardedDrawing` that say how.

    Returns:
        What there is now, in words.

    Raises:
        KeyboardInterrupt: After Ctrl-C, with a line that says how to go on.
    """
    cond, count = share_condition(model, wish)
    drawing = ShardedDrawing(
        model,
        Path(args.shards),
        num_samples=count,
        shard_size=args.shard_size or SHARD_SIZE,
        cond=cond,
        shape=None if args.size is None else (model.in_channels, *args.size),
        **how,
    )
    missing, num_shards = drawing.missing(), drawing.recipe.num_shards
    if len(missing) < num_shards:
        there = f"{num_shards - len(missing):,} of {counted(num_shards, 'shard')}"
        print(f"Going on in {args.shards}: {there} are there.", file=sys.stderr)
    damaged = drawing.damaged(missing)
    if damaged:
        told = f"{counted(len(damaged), 'shard')} damaged or of another drawing"
        print(f"In {args.shards}: {told}, drawn again.", file=sys.stderr)
    try:
        with progress_bar(f"drawing {counted(len(missing), 'shard')}") as tell:
            drawing.draw(missing, on_progress=tell)
    except KeyboardInterrupt:
        whole = f"{num_shards - len(drawing.missing()):,} of {counted(num_shards, 'shard')}"
        raise KeyboardInterrupt(
            f"Stopped with {whole} in {args.shards}. The same command draws the rest."
        ) from None
    if not drawing.finish():
        raise OutputError(
            f"`{args.shards}` must hold what was written there, and does not. "
            f"Check its disk, and whether something else writes there; then run this again."
        )
    return f"{counted(count, 'image')} in {args.shards}, {counted(num_shards, 'shard')}"
