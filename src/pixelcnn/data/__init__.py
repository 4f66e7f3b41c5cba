"""Real images: reading them, splitting them, cutting them into batches."""

from pixelcnn.data.batches import Batch, Batches, batches
from pixelcnn.data.conditions import Conditions
from pixelcnn.data.load import DATASETS, FILE_SETS, IMAGE_FILES, load_data
from pixelcnn.data.notice import DataWarning
from pixelcnn.data.part import Part
from pixelcnn.data.prepare import Binarization
from pixelcnn.data.sets import DataSplits, ImageSet, TensorImageSet
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
    "Part",
    "TensorImageSet",
    "batches",
    "load_data",
]
