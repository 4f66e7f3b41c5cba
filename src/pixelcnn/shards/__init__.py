"""Work on images by the million: in files of equal size, by many processes, and gone on with."""

from pixelcnn.shards.drawing import ShardedDrawing, draw_shards
from pixelcnn.shards.scoring import ShardedScoring
from pixelcnn.shards.work import ShardedWork

__all__ = ["ShardedDrawing", "ShardedScoring", "ShardedWork", "draw_shards"]
