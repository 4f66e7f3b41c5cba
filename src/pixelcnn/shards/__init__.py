"""Work on millions of images in files of equal size, by many processes; any can continue it."""

from pixelcnn.shards.compression import ShardedCompression
from pixelcnn.shards.sampling import ShardedSampling, sample_shards
from pixelcnn.shards.scoring import ShardedScoring
from pixelcnn.shards.work import ShardedWork

__all__ = [
    "ShardedCompression",
    "ShardedSampling",
    "ShardedScoring",
    "ShardedWork",
    "sample_shards",
]
