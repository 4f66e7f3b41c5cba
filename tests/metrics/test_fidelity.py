"""Distances between sets of images."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torch_fidelity.fidelity
from PIL import Image

from pixelcnn.data import load_data
from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.metrics import ClassifierFeatures, InceptionFeatures, compare_sets
from pixelcnn.metrics.fidelity import NAMES
from pixelcnn.spec import ImageSpec
from tests.metrics.made import noise, random_classifier, save_inception, seeing_as_is

LEVELS = 65_536
# A mean and a root of a covariance for each of two Gaussians of three numbers.
MEANS = torch.tensor([[0.5, 0.4, 0.6], [0.45, 0.45, 0.62]], dtype=torch.float64)
ROOTS = torch.tensor(
    [
        [[0.05, 0.0, 0.0], [0.02, 0.04, 0.0], [0.0, 0.01, 0.03]],
        [[0.03, 0.0, 0.0], [-0.02, 0.05, 0.0], [0.01, 0.0, 0.06]],
    ],
    dtype=torch.float64,
)


@pytest.fixture(scope="module")
def digits():
    """The training images by halves, and the features of the classifier that comes along."""
    train = load_data("digits").train
    x, labels = train.images.long(), train.labels
    return x[::2], x[1::2], labels[::2], ClassifierFeatures("digits"), train.spec


def compared(generated, digits):
    """Figures of a set beside the second half of the digits."""
    return compare_sets(generated, digits[1], spec=digits[4], features=digits[3]).values


def between_gaussians(means, covariances) -> float:
    """The closed form of the Fréchet distance: |m - n|² + tr(A + B - 2 (A^½ B A^½)^½)."""

    def root(matrix):
        values, vectors = torch.linalg.eigh(matrix)
        return vectors @ values.clamp(min=0).sqrt().diag() @ vectors.T

    a, b = covariances
    middle = root(root(a) @ b @ root(a))
    return ((means[0] - means[1]).square().sum() + (a + b - 2 * middle).trace()).item()


def gaussian(which: int, count: int, seed: int) -> torch.Tensor:
    """Pixels of three channels that follow one of the two Gaussians."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(count, 3, generator=generator, dtype=torch.float64) @ ROOTS[which].T
    # Levels are read as numbers from -1 to 1.
    levels = ((points + MEANS[which] + 1) / 2 * (LEVELS - 1)).round().long()
    return levels.reshape(count, 3, 1, 1)


def test_fid_is_the_closed_form_of_two_gaussians():
    sets = [gaussian(0, 2_500, seed=0), gaussian(1, 2_500, seed=1)]
    features = ClassifierFeatures(seeing_as_is(3, LEVELS))
    found = compare_sets(*sets, spec=ImageSpec(3, 1, 1, LEVELS), features=features).values
    points = [x.flatten(1).double() * 2 / (LEVELS - 1) - 1 for x in sets]
    of_samples = between_gaussians(
        torch.stack([p.mean(0) for p in points]), torch.stack([p.T.cov() for p in points])
    )
    assert found["fid"] == pytest.approx(of_samples, rel=1e-4)
    # As far as the two sets follow the Gaussians: off by more with probability about 1e-3.
    true = between_gaussians(MEANS, ROOTS @ ROOTS.mT)
    assert found["fid"] == pytest.approx(true, rel=0.1)


def test_a_set_is_no_distance_from_itself(digits):
    found = compared(digits[1], digits)
    assert found["fid"] == pytest.approx(0, abs=1e-4)
    assert (found["precision"], found["recall"]) == (1, 1)
    assert found["kid"] < found["kid_sd"]


def test_other_images_of_the_same_set_are_near(digits):
    found = compared(digits[0], digits)
    assert found["precision"] > 0.8
    assert found["recall"] > 0.8
    assert found["inception_score"] > 8  # of at most 10, the number of digits


def test_blur_and_noise_move_away_and_cost_precision(digits):
    x, spec = digits[0], digits[4]
    near = compared(x, digits)
    blurred = F.avg_pool2d(x.float(), 3, stride=1, padding=1).round().long()
    last = near["fid"]
    for share in (0.1, 0.3, 0.6):
        replaced = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < share
        noisy = torch.where(replaced, noise(len(x), *spec.shape, levels=spec.levels), x)
        found = compared(noisy, digits)
        assert found["fid"] > 2 * last, share
        assert found["kid"] > near["kid"]
        last = found["fid"]
    assert found["precision"] < near["precision"] / 2
    assert found["inception_score"] < near["inception_score"]
    found = compared(blurred, digits)
    assert found["fid"] > 3 * near["fid"]
    assert found["precision"] < near["precision"]


def test_dropped_classes_cost_recall_and_not_precision(digits):
    near = compared(digits[0], digits)
    found = compared(digits[0][digits[2] < 5], digits)
    assert found["fid"] > 3 * near["fid"]
    assert found["recall"] < 0.7 * near["recall"]
    assert found["precision"] > near["precision"] - 0.1
    assert found["inception_score"] < 0.7 * near["inception_score"]


def test_metrics_of_too_few_images_have_a_reason_and_no_value(digits):
    found = compare_sets(digits[0][:64], digits[1], spec=digits[4], features=digits[3])
    assert found.values["fid"] is None
    assert found.not_measured["fid"] == (
        "needs at least 65 images of each set, since the covariance of 64 features has full rank "
        "only then, got 64 samples and 649 real images"
    )
    assert found.values["kid"] is not None
    assert "at least 100 samples" in found.not_measured["inception_score"]
    real = compare_sets(digits[0][:100], digits[1][:64], spec=digits[4], features=digits[3])
    assert real.not_measured["fid"].endswith("got 100 samples and 64 real images")
    few = compare_sets(digits[0][:4], digits[1], spec=digits[4], features=digits[3])
    assert set(few.not_measured) == set(NAMES) == set(few.values)
    assert all(value is None for value in few.values.values())
    assert "at least 50 images" in few.not_measured["kid"]
    assert "3 nearest neighbours" in few.not_measured["recall"]


def test_the_protocol_holds_what_the_metrics_depend_on(digits):
    found = compare_sets(digits[0][:90], digits[1], spec=digits[4], features=digits[3], seed=5)
    said = found.protocol
    assert (said["num_generated"], said["num_real"], said["rng_seed"]) == (90, 649, 5)
    assert said["features"] == "classifier digits"
    assert (said["kid_subset_size"], said["kid_subsets"], said["isc_splits"]) == (45, 100, 10)
    assert said["classifier_reported_accuracy"] > 0.95
    json.dumps(said)


def test_images_of_another_shape_or_other_levels_are_refused(digits):
    spec = ImageSpec(1, 8, 8, 2)
    with pytest.raises(ConfigError, match="for images of 1×8×8 of 17 levels, got 1×8×8 of 2"):
        compare_sets(digits[0] // 16, digits[1] // 16, spec=spec, features=digits[3])
    with pytest.raises(ShapeError, match=r"\[0, 17\)"):
        compare_sets(digits[0] + 1, digits[1], spec=digits[4], features=digits[3])
    two = ImageSpec(2, 4, 4, 17)
    x = noise(9, 2, 4, 4, levels=17)
    with pytest.raises(ConfigError, match="grey or RGB images, got 2 channels"):
        InceptionFeatures().prepare(x, two)


def save_images(x, folder):
    """RGB images as PNG files, in their order."""
    folder.mkdir()
    for number, image in enumerate(x):
        pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy().astype(np.uint8))
        Image.fromarray(pixels).save(folder / f"{number:05}.png")
    return str(folder)


def folders(tmp_path, *counts):
    """Two sets of small RGB images, each of a tone of its own, and folders of the same."""
    sets = [
        (noise(count, 3, 8, 8, seed=seed) + noise(count, 3, 1, 1, seed=seed + 2)) // 2
        for seed, count in enumerate(counts)
    ]
    sets[1] = (sets[1].float().square() / 255).long()
    return sets, [save_images(x, tmp_path / f"set{number}") for number, x in enumerate(sets)]


def words_of(paths, size: int) -> list[str]:
    """A command line of torch-fidelity."""
    words = ["--input1", paths[0], "--input2", paths[1], "--cpu", "--json", "--silent"]
    return [*words, "--rng-seed", "7", "--no-cache", "--kid-subset-size", str(size)]


def test_all_metrics_are_those_of_the_command_line_of_torch_fidelity(tmp_path, monkeypatch, capsys):
    sets, paths = folders(tmp_path, 110, 120)
    features = ClassifierFeatures(random_classifier(ImageSpec(3, 8, 8, 256)))
    spec = ImageSpec(3, 8, 8, 256)
    ours = compare_sets(*sets, spec=spec, features=features, seed=7).values
    extractor = features.options["feature_extractor"]
    words = [*words_of(paths, 55), "--feature-extractor", extractor, "--save-cpu-ram"]
    monkeypatch.setattr(sys, "argv", ["fidelity", "--isc", "--fid", "--kid", "--prc", *words])
    torch_fidelity.fidelity.main()
    theirs = json.loads(capsys.readouterr().out)
    assert {name: theirs[key] for name, key in NAMES.items()} == pytest.approx(ours, rel=1e-6)


@pytest.mark.slow  # half an hour of one core: FID of 2,048 features needs as many images, and one
@pytest.mark.parametrize(("layer", "counts"), [("64", (66, 70)), ("2048", (2_049, 2_050))])
def test_metrics_by_inception_are_those_of_the_command_line(layer, counts, tmp_path):
    sets, paths = folders(tmp_path, *counts)
    weights = save_inception(tmp_path / "inception.pth")
    features = InceptionFeatures(weights, layer=layer)
    found = compare_sets(*sets, spec=ImageSpec(3, 8, 8, 256), features=features, seed=7)
    ours = {name: value for name, value in found.values.items() if value is not None}
    missing = {"inception_score", "inception_score_sd"} if layer == "64" else set()
    assert set(found.not_measured) == missing == set(NAMES) - set(ours)
    words = [*words_of(paths, min(1_000, min(counts) // 2)), "--fid", "--kid", "--prc"]
    words += [] if missing else ["--isc"]
    words += ["--feature-extractor", "inception-v3-compat"]
    words += [f"--feature-layer-{metric}={layer}" for metric in ("fid", "kid", "prc")]
    words += ["--feature-extractor-weights-path", str(weights)]
    command = [sys.executable, "-m", "torch_fidelity.fidelity", *words]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    theirs = json.loads(out)
    assert {name: theirs[NAMES[name]] for name in ours} == pytest.approx(ours, rel=1e-5)
