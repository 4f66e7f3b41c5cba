"""From a foreign file to a model: the sources that are known, and what all of them share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from pixelcnn.arguments import check_choice
from pixelcnn.checkpoint import restore_model
from pixelcnn.importing.foreign import Foreign, read_state_dict
from pixelcnn.importing.pixelcnnpp_port import from_pixelcnnpp_port
from pixelcnn.importing.pytorch_generative import from_pytorch_generative
from pixelcnn.importing.uva_tutorial import from_uva_tutorial
from pixelcnn.models import AutoregressiveModel


@dataclass(frozen=True)
class Program:
    """A program whose checkpoints can be imported.

    Attributes:
        convert: From the weights of its file to those of a model of this package.
        url: Where the program is published.
        image_size: Height and width of the images it was made for; the file does not tell.
    """

    convert: Callable[[Foreign], tuple[str, dict[str, object], dict[str, Tensor]]]
    url: str
    image_size: tuple[int, int]


SOURCES = {
    "uva-tutorial": Program(
        from_uva_tutorial, "https://github.com/phlippe/uvadlc_notebooks (tutorial 12)", (28, 28)
    ),
    "pixelcnnpp-port": Program(
        from_pixelcnnpp_port, "https://github.com/pclucas14/pixel-cnn-pp", (32, 32)
    ),
    "pytorch-generative": Program(
        from_pytorch_generative, "https://github.com/EugenHotaj/pytorch-generative", (28, 28)
    ),
}


def import_model(
    source: str, path: str | Path, *, image_size: tuple[int, int] | None = None
) -> AutoregressiveModel:
    """Builds the model of a checkpoint that another program wrote.

    Args:
        source: "uva-tutorial" (the gated model of the UvA deep learning course, tutorial 12),
            "pixelcnnpp-port" (PixelCNN++ in PyTorch, as pclucas14/pixel-cnn-pp writes it) or
            "pytorch-generative" (its `PixelCNN` of binary images).
        path: A file of `torch.save`: a state dict, or a dictionary that holds one under
            `state_dict` or `model`, as Lightning's checkpoints do.
        image_size: Height and width to sample by default; None for those of the source.

    Returns:
        The model, in evaluation mode. It gives the log-probabilities of the foreign network;
        `pixelcnn.save` writes it.

    Raises:
        ConfigError: If `source` is unknown.
        CheckpointError: If the file is missing, damaged, or not of that source.
    """
    check_choice("source", source, SOURCES)
    known = SOURCES[source]
    foreign = Foreign(read_state_dict(path), origin=Path(path), source=source)
    name, config, weights = known.convert(foreign)
    foreign.check_all_read()
    config["image_size"] = list(image_size or known.image_size)
    return restore_model(name, config, weights, None, origin=path)
