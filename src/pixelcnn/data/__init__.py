"""Real images: reading them, splitting them, cutting them into batches."""

from pixelcnn.data.batches import Batch, Batches, batches
from pixelcnn.data.load import DATASETS, FILE_SETS, Binarization, load_data
from pixelcnn.data.sets import DataSplits, ImageSet, TensorImageSet
from pixelcnn.data.streaming import FileImageSet

__all__ = [
    "DATASETS",
    "FILE_SETS",
    "Batch",
    "Batches",
    "Binarization",
    "DataSplits",
    "FileImageSet",
    "ImageSet",
    "TensorImageSet",
    "batches",
    "load_data",
]
