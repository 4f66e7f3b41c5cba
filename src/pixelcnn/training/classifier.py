"""Trains the evaluation classifier, whose features measure sample quality."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

from pixelcnn.data import DataSplits, ImageSet, batches
from pixelcnn.errors import ConfigError
from pixelcnn.inference.query import Progress
from pixelcnn.metrics import ImageClassifier


@dataclass(frozen=True)
class ClassifierSettings:
    """How a classifier is trained: by AdamW with a one-cycle learning rate.

    Attributes:
        epochs: Passes over the training images.
        batch_size: Images per step.
        learning_rate: Peak of the cycle.
        width: Features of the first convolution, half of those of the others.
        num_features: Features that describe an image.
        seed: Seed of the initial weights and of the order of the images.
    """

    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 3e-3
    width: int = 16
    num_features: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "width", "num_features"):
            if getattr(self, name) < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {getattr(self, name)}.")
        if not 0 < self.learning_rate < 1:
            raise ConfigError(
                f"`learning_rate` must lie between 0 and 1, got {self.learning_rate}."
            )


@dataclass(frozen=True)
class ClassifierResult:
    """A trained classifier.

    Attributes:
        network: In eval mode.
        losses: Mean cross-entropy of each epoch, in nats.
        val_accuracy: Accuracy on the validation images.
        test_accuracy: Accuracy on the test images, which chose nothing.
    """

    network: ImageClassifier
    losses: list[float] = field(repr=False)
    val_accuracy: float
    test_accuracy: float


def train_classifier(
    data: DataSplits,
    settings: ClassifierSettings | None = None,
    *,
    device: str = "cpu",
    progress: Progress | None = None,
) -> ClassifierResult:
    """Trains a classifier of the labels of a data set on its training images.

    Args:
        data: With labels.
        settings: None for the defaults.
        device: Where to train.
        progress: Called with the steps that are done and their number.

    Raises:
        ConfigError: If the images have no labels.
    """
    if data.label_names is None or data.train.labels is None:
        raise ConfigError(
            "A classifier needs images with labels, but these have none: choose another "
            "`data.dataset_name`, or add the labels `y_train` …"
        )
    unlabelled = [name for name in ("val", "test") if getattr(data, name).labels is None]
    if unlabelled:
        raise ConfigError(
            f"A classifier is tried on images with labels, but not all images of the splits "
            f"{' and '.join(unlabelled)} have one. Label them, or leave them out."
        )
    settings = settings or ClassifierSettings()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = ImageClassifier(
            data.spec,
            len(data.label_names),
            width=settings.width,
            num_features=settings.num_features,
            labels=data.label_names,
        ).to(device)
    losses = _fit(network, data.train, settings, progress)
    network.eval()
    return ClassifierResult(
        network.cpu(), losses, accuracy_on(network, data.val), accuracy_on(network, data.test)
    )


def _fit(
    network: ImageClassifier,
    images: ImageSet,
    settings: ClassifierSettings,
    progress: Progress | None,
) -> list[float]:
    """Trains in place; returns the mean loss of each epoch."""
    shuffled = batches(
        images,
        settings.batch_size,
        shuffle=True,
        generator=torch.Generator().manual_seed(settings.seed),
        # Batch norm needs more than one image, and the last batch might have only one.
        drop_last=len(images) > settings.batch_size,
    )
    total = settings.epochs * len(shuffled)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=settings.learning_rate, total_steps=total
    )
    network.train()
    losses, done = [], 0
    for _ in range(settings.epochs):
        summed = 0.0
        for x, conditions in shuffled:
            assert conditions.labels is not None
            loss = F.cross_entropy(
                network(x.to(network.device))[1], conditions.labels.to(network.device)
            )
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            summed += loss.item()
            done += 1
            if progress is not None:
                progress(done, total)
        losses.append(summed / len(shuffled))
    return losses


def accuracy_on(network: ImageClassifier, images: ImageSet) -> float:
    """Accuracy of a classifier on labelled images."""
    assert images.labels is not None
    right = 0
    for x, conditions in batches(images, 500):
        assert conditions.labels is not None
        right += int((network.predict(x) == conditions.labels.cpu()).sum())
    return right / len(images)
