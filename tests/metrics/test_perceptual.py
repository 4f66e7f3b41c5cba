"""LPIPS distances of images."""

import sys
from urllib.error import URLError

import lpips
import pytest
import torch
import torch.nn.functional as F

from pixelcnn.errors import CheckpointError, ConfigError, MissingDependencyError
from pixelcnn.metrics import PerceptualDistance
from pixelcnn.metrics.perceptual import distance_to_nearest, diversity
from tests.metrics.made import noise, save_backbone, save_squeezenet


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_squeezenet(tmp_path_factory.mktemp("weights") / "squeezenet.pth")


@pytest.fixture(scope="module")
def distance(weights):
    return PerceptualDistance("squeeze", weights=weights)


@pytest.mark.parametrize(
    "backbone",
    ["squeeze", *(pytest.param(name, marks=pytest.mark.slow) for name in ("alex", "vgg"))],
)
def test_it_is_the_distance_of_lpips_with_the_same_weights(backbone, tmp_path, monkeypatch):
    weights = save_backbone(tmp_path / "backbone.pth", backbone)
    distance = PerceptualDistance(backbone, weights=weights)
    # As lpips loads it where torchvision finds its file.
    monkeypatch.setattr(
        "torchvision.models._api.load_state_dict_from_url",
        lambda *_, **__: torch.load(weights, weights_only=True),
    )
    with pytest.warns(UserWarning):
        theirs = lpips.LPIPS(net=backbone, verbose=False)
    x, y = (noise(3, 3, 70, 66, seed=seed) for seed in (0, 1))
    expected = theirs(x / 255, y / 255, normalize=True).flatten().detach()
    found = distance(x, y, levels=256, batch_size=2)
    torch.testing.assert_close(found, expected.double(), rtol=1e-5, atol=0)
    downloaded = PerceptualDistance(backbone)(x, y, levels=256)
    assert torch.equal(downloaded, distance(x, y, levels=256))


def test_an_image_is_no_distance_from_itself_and_distances_are_symmetric(distance):
    x, y = noise(2, 1, 8, 8, levels=17), noise(2, 1, 8, 8, levels=17, seed=1)
    assert (distance(x, x, levels=17) == 0).all()
    assert (distance(x, y, levels=17) > 0).all()
    torch.testing.assert_close(distance(x, y, levels=17), distance(y, x, levels=17))


def test_small_grey_images_are_enlarged_and_read_as_rgb(distance):
    x, y = noise(2, 1, 8, 16), noise(2, 1, 8, 16, seed=1)
    # Enlarged beforehand, up to the rounding to levels.
    large = [
        F.interpolate(image.float(), (64, 128), mode="bilinear").round().long() for image in (x, y)
    ]
    as_rgb = [image.expand(-1, 3, -1, -1) for image in large]
    torch.testing.assert_close(
        distance(x, y, levels=256), distance(*as_rgb, levels=256), rtol=0.02, atol=0
    )


def test_copies_have_no_diversity_and_more_noise_has_more(distance):
    x = noise(20, 1, 8, 8)
    assert diversity(distance, x[:1].expand(9, -1, -1, -1), levels=256).tolist() == [0] * 4
    faint = 120 + x // 16
    among = [diversity(distance, images, levels=256).mean() for images in (faint, x)]
    assert 0 < among[0] < among[1]


def test_no_image_comes_twice_among_the_pairs_of_diversity(monkeypatch):
    monkeypatch.setattr("pixelcnn.metrics.perceptual.DIVERSITY_PAIRS", 8)
    x = torch.arange(21).view(21, 1, 1, 1)
    for count, num_pairs in ((21, 8), (7, 3), (2, 1)):
        first, second = diversity(lambda x, y, levels: (x, y), x[:count], levels=256)
        assert len(first) == len(second) == num_pairs
        assert len({*first.flatten().tolist(), *second.flatten().tolist()}) == 2 * num_pairs


def test_samples_that_are_real_images_have_distance_zero_to_the_nearest(distance):
    real = noise(30, 1, 8, 8)
    found = distance_to_nearest(distance, real[[4, 9]], real, levels=256)
    assert found.tolist() == [0, 0]
    others = distance_to_nearest(distance, noise(2, 1, 8, 8, seed=9), real, levels=256)
    every = [
        distance(image.expand(30, -1, -1, -1), real, levels=256).min().item()
        for image in noise(2, 1, 8, 8, seed=9)
    ]
    # An upper bound of the least of all, and not far from it.
    assert (others >= torch.tensor(every).double() * 0.999).all()


def test_without_weights_the_error_says_exactly_that(monkeypatch):
    def unreachable(*_, **__):
        raise URLError("no network")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    with pytest.raises(CheckpointError) as caught:
        PerceptualDistance("squeeze")
    message = str(caught.value)
    assert message.startswith("The weights of the LPIPS backbone 'squeeze' are missing: https://")
    assert "could not be downloaded" in message
    assert "by `--lpips-weights` or `PerceptualDistance(weights=FILE)`" in message


def test_a_file_of_another_network_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"does not hold torchvision's weights .*has no"):
        PerceptualDistance("squeeze", weights=tmp_path / "other.pth")


def test_images_and_backbones_that_it_does_not_know_are_refused(distance, monkeypatch):
    with pytest.raises(ConfigError, match="grey or RGB images, got 2 channels"):
        distance(noise(1, 2, 8, 8), noise(1, 2, 8, 8), levels=256)
    with pytest.raises(ConfigError, match="alex, vgg, squeeze, got 'vit'"):
        PerceptualDistance("vit")
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(MissingDependencyError, match=r"pixelcnn\[metrics\]"):
        PerceptualDistance()
