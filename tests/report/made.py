"""Small untrained models to compare."""

import torch

from pixelcnn.models import PixelCNN
from pixelcnn.report import Effort

COUNT = 70
EFFORT = Effort(max_images=COUNT, num_generated=80, seed=3)
NASTY = '<b>bold & "quoted"</b>'
HISTORY = [
    {"epoch": epoch, "train_nll": 90.0 - epoch, "val_nll": 91.0 - epoch, "learning_rate": 1e-3}
    for epoch in (1, 2)
]


def made(seed: int, **options) -> PixelCNN:
    torch.manual_seed(seed)
    options = {"image_size": 8, "num_classes": 17, "hidden_channels": 4, **options}
    return PixelCNN(num_residual_blocks=1, **options).eval()
