"""Images by the million: drawn into files of equal size, by many processes, and gone on with."""

from pixelcnn.shards.drawing import ShardedDrawing, draw_shards

__all__ = ["ShardedDrawing", "draw_shards"]
