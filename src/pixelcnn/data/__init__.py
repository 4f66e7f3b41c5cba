"""Real images: data sets, their splits and batches."""

from pixelcnn.data.batches import Batch, Batches, batches
from pixelcnn.data.conditions import Conditions
from pixelcnn.data.data_warnings import DataWarning
from pixelcnn.data.image_sets import DataSplits, ImageSet, Source, TensorImageSet
from pixelcnn.data.load import DATASETS, load_data, reader_options, register, takes_path
from pixelcnn.data.rank_slice import RankSlice
from pixelcnn.data.streaming import FileImageSet

__all__ = [
    "DATASETS",
    "Batch",
    "Batches",
    "Conditions",
    "DataSplits",
    "DataWarning",
    "FileImageSet",
    "ImageSet",
    "RankSlice",
    "Source",
    "TensorImageSet",
    "batches",
    "load_data",
    "reader_options",
    "register",
    "takes_path",
]
