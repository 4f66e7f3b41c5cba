"""Autoregressive image models of the PixelCNN family: train, sample, exact likelihoods.

Ten lines to start with:

    import pixelcnn

    model = pixelcnn.load("digits")                  # bundled; or a run folder, file or checkpoint
    images = model.generate(num_samples=4, cond=3)   # integer levels, (4, 1, 8, 8)
    nats = model.log_prob(images, cond=3)            # exact log-likelihood of each image
    mask = pixelcnn.known_mask("top", (1, 8, 8))     # the upper half is unknown
    pixel = pixelcnn.conditional(model, (2, 4), given=images[:1], known=mask, cond=3)
    print(pixel.probabilities, pixel.stderr)         # p(level | lower half), ± standard error

    data = {"dataset_name": "digits"}                # training needs pip install "pixelcnn[train]"
    result = pixelcnn.train_pixelcnn({"name": "gated"}, {"max_epochs": 5}, data, out="runs/gated")
    print(pixelcnn.evaluate(result.model, result.data.test))

Images are integer levels in [0, K), of shape (B, C, H, W); `pixelcnn.quantise(floats, K)` makes
them from floats in [0, 1]. Each part has help of its own: `pixelcnn.models`, `pixelcnn.inference`,
`pixelcnn.training`, `pixelcnn.evaluation`, `pixelcnn.data` and `pixelcnn.config`. The command line
has `pixelcnn --help`.
"""

# The public names below are imported when they are first used, so that `import pixelcnn`, and with
# it `pixelcnn --help`, takes milliseconds and imports neither torch nor any other large package.

import importlib
from typing import TYPE_CHECKING, Any

from pixelcnn.version import __version__ as __version__

if TYPE_CHECKING:
    from pixelcnn.checkpoint import save as save
    from pixelcnn.codec import compress as compress
    from pixelcnn.codec import decompress as decompress
    from pixelcnn.config import Config as Config
    from pixelcnn.config import DataConfig as DataConfig
    from pixelcnn.config import ModelConfig as ModelConfig
    from pixelcnn.config import TrainingConfig as TrainingConfig
    from pixelcnn.config import load_config as load_config
    from pixelcnn.data import load_data as load_data
    from pixelcnn.errors import PixelCNNError as PixelCNNError
    from pixelcnn.evaluation import PixelCNNEvaluator as PixelCNNEvaluator
    from pixelcnn.evaluation import evaluate as evaluate
    from pixelcnn.inference import PixelCNNSampler as PixelCNNSampler
    from pixelcnn.inference import classify as classify
    from pixelcnn.inference import complete as complete
    from pixelcnn.inference import conditional as conditional
    from pixelcnn.inference import known_mask as known_mask
    from pixelcnn.inference import marginal as marginal
    from pixelcnn.inference import score as score
    from pixelcnn.inference import score_unconditionally as score_unconditionally
    from pixelcnn.models import MODELS as MODELS
    from pixelcnn.models import AutoregressiveModel as AutoregressiveModel
    from pixelcnn.models import GatedPixelCNN as GatedPixelCNN
    from pixelcnn.models import PixelCNN as PixelCNN
    from pixelcnn.models import PixelCNNPlusPlus as PixelCNNPlusPlus
    from pixelcnn.models import PixelSNAIL as PixelSNAIL
    from pixelcnn.models import build as build
    from pixelcnn.runs import load as load
    from pixelcnn.shards import ShardedSampling as ShardedSampling
    from pixelcnn.shards import ShardedScoring as ShardedScoring
    from pixelcnn.shards import sample_shards as sample_shards
    from pixelcnn.spec import ImageSpec as ImageSpec
    from pixelcnn.spec import quantise as quantise
    from pixelcnn.training import PixelCNNTrainer as PixelCNNTrainer
    from pixelcnn.training import train_pixelcnn as train_pixelcnn
    from pixelcnn.verification import VerificationReport as VerificationReport
    from pixelcnn.verification import verify as verify
    from pixelcnn.walk import SamplingOptions as SamplingOptions
    from pixelcnn.weights import list_weights as list_weights

_HOMES = {
    "AutoregressiveModel": "models",
    "VerificationReport": "verification",
    "Config": "config",
    "DataConfig": "config",
    "GatedPixelCNN": "models",
    "ImageSpec": "spec",
    "MODELS": "models",
    "ModelConfig": "config",
    "PixelCNN": "models",
    "PixelCNNError": "errors",
    "PixelCNNEvaluator": "evaluation",
    "PixelCNNPlusPlus": "models",
    "PixelCNNSampler": "inference",
    "PixelCNNTrainer": "training",
    "PixelSNAIL": "models",
    "SamplingOptions": "walk",
    "ShardedSampling": "shards",
    "ShardedScoring": "shards",
    "TrainingConfig": "config",
    "build": "models",
    "classify": "inference",
    "complete": "inference",
    "compress": "codec",
    "conditional": "inference",
    "sample_shards": "shards",
    "decompress": "codec",
    "evaluate": "evaluation",
    "known_mask": "inference",
    "list_weights": "weights",
    "load": "runs",
    "load_config": "config",
    "load_data": "data",
    "marginal": "inference",
    "quantise": "spec",
    "save": "checkpoint",
    "score": "inference",
    "score_unconditionally": "inference",
    "train_pixelcnn": "training",
    "verify": "verification",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `pixelcnn` has no attribute `{name}`")
    value = getattr(importlib.import_module(f"pixelcnn.{_HOMES[name]}"), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
