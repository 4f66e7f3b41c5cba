"""Real images: reading them, splitting them, cutting them into batches."""

from pixelcnn.data.batches import Batch, Batches, batches
from pixelcnn.data.conditions import Conditions
from pixelcnn.data.data_warnings import DataWarning
from pixelcnn.data.image_sets import DataSplits, ImageSet, TensorImageSet
from pixelcnn.data.load import DATASETS, FILE_SETS, IMAGE_FILES, load_data
from pixelcnn.data.prepare import Binarization
from pixelcnn.data.rank_slice import RankSlice
from pixelcnn.data.streaming import FileImageSet

__all__ = [
    "DATASETS",
    "FILE_SETS",
    "IMAGE_FILES",
    "Batch",
    "Batches",
    "Binarization",
    "Conditions",
    "DataSplits",
    "DataWarning",
    "FileImageSet",
    "ImageSet",
    "RankSlice",
    "TensorImageSet",
    "batches",
    "load_data",
]
