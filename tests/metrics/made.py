"""Networks and images for tests: nothing is downloaded."""

from pathlib import Path

import torch
from torch import Tensor, nn

from pixelcnn.metrics import ImageClassifier, TrainedClassifier
from pixelcnn.spec import ImageSpec


def seeing_as_is(num_dims: int, levels: int) -> TrainedClassifier:
    """A classifier of single pixels whose features are their channels, as numbers from 0 to 1.

    Channels below the middle level have the feature 0: its layers end with ReLU.
    """
    spec = ImageSpec(num_dims, 1, 1, levels)
    network = ImageClassifier(spec, 2, width=num_dims, num_features=num_dims).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.dirac_(module.weight)
            elif isinstance(module, nn.BatchNorm2d):
                module.running_var.fill_(1 - module.eps)  # type: ignore[union-attr]
        nn.init.eye_(network.hidden.weight)
        network.hidden.bias.zero_()
    return TrainedClassifier("as is", network, {})


def random_classifier(spec: ImageSpec, *, num_labels: int = 10) -> TrainedClassifier:
    """A classifier that has learned nothing, with features that differ from image to image."""
    torch.manual_seed(0)
    network = ImageClassifier(spec, num_labels, width=8, num_features=12).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    return TrainedClassifier("random", network, {})


def save_inception(path: Path) -> Path:
    """Random weights of Inception, in the form of the file that torch-fidelity downloads."""
    from torch_fidelity import FeatureExtractorInceptionV3

    class Untrained(FeatureExtractorInceptionV3):  # type: ignore[misc]
        def load_state_dict(self, *_: object, **__: object) -> None:
            """Keeps the weights that it begins with."""

    torch.manual_seed(0)
    torch.save({}, path)
    network = Untrained("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(path))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            # By default signals would fade from layer to layer.
            module.weight.normal_(std=(2 / module.weight[0].numel()) ** 0.5)
    # Else all images would be of all classes alike, and the Inception score 1.
    network.fc.weight.normal_()
    torch.save(network.state_dict(), path)
    return path


def save_backbone(path: Path, backbone: str) -> Path:
    """Random weights of a backbone of LPIPS, in the form of the file that torchvision downloads."""
    from torchvision import models

    names = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}
    torch.manual_seed(0)
    torch.save(models.get_model(names[backbone], weights=None).state_dict(), path)
    return path


def save_squeezenet(path: Path) -> Path:
    """The smallest of them."""
    return save_backbone(path, "squeeze")


def noise(count: int, *shape: int, levels: int = 256, seed: int = 0) -> Tensor:
    """Images of independent levels. (N, C, H, W), int64."""
    return torch.randint(levels, (count, *shape), generator=torch.Generator().manual_seed(seed))
