"""FID, KID, Inception score, precision and recall, by torch-fidelity."""

from contextlib import nullcontext

import torch
from torch import Tensor
from torch.utils.data import Dataset

from pixelcnn.errors import require
from pixelcnn.metrics.features import Features
from pixelcnn.metrics.results import MetricResults
from pixelcnn.spec import ImageSpec

ISC_SPLITS = 10
KID_SUBSETS = 100
KID_SUBSET_SIZE = 1_000
LEAST_FOR_KID = 50
NEIGHBOURHOOD = 3
# Options of torch-fidelity, and the metric that says whether there are enough images.
COMPUTED = {"fid": "fid", "kid": "kid", "isc": "inception_score", "prc": "precision"}
# The name of each metric in torch-fidelity.
NAMES = {
    "fid": "frechet_inception_distance",
    "kid": "kernel_inception_distance_mean",
    "kid_sd": "kernel_inception_distance_std",
    "inception_score": "inception_score_mean",
    "inception_score_sd": "inception_score_std",
    "precision": "precision",
    "recall": "recall",
}


def compare_sets(
    generated: Tensor,
    real: Tensor,
    *,
    spec: ImageSpec,
    features: Features,
    seed: int = 0,
    batch_size: int = 64,
    device: str | torch.device = "cpu",
) -> MetricResults:
    """Compares samples with real images.

    Args:
        generated: Levels. (N, C, H, W).
        real: Levels. (M, C, H, W).
        spec: Shape and levels of both.
        features: Features of images.
        seed: Of the subsets of KID and the splits of the Inception score.
        batch_size: Images per pass through the network.
        device: Where the network runs: a CUDA device, else the CPU.

    Returns:
        `fid`; `kid`, the mean over 100 subsets of at most 1,000 images, and its standard deviation
        `kid_sd` over them; `inception_score` of the samples, the mean over 10 splits, and
        `inception_score_sd`; `precision`, the share of samples on the manifold of real images, and
        `recall`, that of real images on the manifold of samples: within the distance of some
        image to its third nearest neighbour.

    Raises:
        ShapeError: If images are not as `spec` says.
        ConfigError: If the features are not for such images.
        CheckpointError: If the weights of the features cannot be had.
        MissingDependencyError: If torch-fidelity is not installed.

    References:
        FID: Heusel et al. (2017), https://arxiv.org/abs/1706.08500. KID: Demystifying MMD GANs
        (Bińkowski et al., 2018), section 4, https://arxiv.org/abs/1801.01401. Inception score:
        Improved techniques for training GANs (Salimans et al., 2016), section 4,
        https://arxiv.org/abs/1606.03498. Improved precision and recall metric for assessing
        generative models (Kynkäänniemi et al., 2019), section 3.1,
        https://arxiv.org/abs/1904.06991.
    """
    for x in (generated, real):
        spec.check(x)
    library = require("torch_fidelity", extra="metrics")
    reasons = shortfalls(features, len(generated), len(real))
    wanted = {theirs: ours not in reasons for theirs, ours in COMPUTED.items()}
    settings = {
        "isc_splits": ISC_SPLITS,
        "kid_subsets": KID_SUBSETS,
        "kid_subset_size": min(KID_SUBSET_SIZE, min(len(generated), len(real)) // 2),
        "prc_neighborhood": NEIGHBOURHOOD,
        "rng_seed": seed % 2**32,
    }
    device, found = torch.device(device), {}
    on_gpu = torch.cuda.device(device) if device.type == "cuda" else nullcontext()
    if any(wanted.values()):
        with on_gpu:
            found = library.calculate_metrics(
                input1=_Images(generated, spec, features),
                input2=_Images(real, spec, features),
                batch_size=batch_size,
                cuda=device.type == "cuda",
                cache=False,
                save_cpu_ram=True,  # no workers, and no matrix of all distances
                verbose=False,
                **wanted,
                **settings,
                **features.options,
            )
    protocol = {
        "num_generated": len(generated),
        "num_real": len(real),
        **features.describe(),
        "caution": features.caution(spec),
        **settings,
        "torch_fidelity": library.__version__,
    }
    return MetricResults({ours: found.get(key) for ours, key in NAMES.items()}, reasons, protocol)


def shortfalls(features: Features, num_generated: int, num_real: int) -> dict[str, str]:
    """The metrics for which there are too few images, each with the reason."""
    smaller = min(num_generated, num_real)
    counts = f"got {num_generated:,} samples and {num_real:,} real images"
    rank = features.num_features + 1
    full_rank = f"since the covariance of {rank - 1:,} features has full rank only then"
    score = f"{ISC_SPLITS} splits of a score of {features.num_classes:,} classes"
    neighbours = f"for their {NEIGHBOURHOOD} nearest neighbours"
    least = ISC_SPLITS * min(features.num_classes, 100)
    needs = [
        (("fid",), smaller, rank, f"images of each set, {full_rank}, {counts}"),
        (("kid", "kid_sd"), smaller, LEAST_FOR_KID, f"images of each set, {counts}"),
        (
            ("inception_score", "inception_score_sd"),
            *(num_generated, least, f"samples for {score}, got {num_generated:,}"),
        ),
        (
            ("precision", "recall"),
            *(smaller, NEIGHBOURHOOD + 2, f"images of each set {neighbours}, {counts}"),
        ),
    ]
    return {
        name: f"needs at least {needed:,} {what}"
        for names, count, needed, what in needs
        if count < needed
        for name in names
    }


class _Images(Dataset[Tensor]):
    """Images as torch-fidelity reads them: one after another, prepared for the features."""

    def __init__(self, x: Tensor, spec: ImageSpec, features: Features) -> None:
        self.x = x.cpu()
        self.spec = spec
        self.features = features

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, number: int) -> Tensor:
        return self.features.prepare(self.x[number][None], self.spec)[0]
