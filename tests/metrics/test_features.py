"""Features of images, and where the weights of their networks come from."""

import hashlib
import sys
from urllib.error import URLError

import pytest
import torch

from pixelcnn.errors import CheckpointError, ConfigError, MissingDependencyError
from pixelcnn.metrics import ClassifierFeatures, InceptionFeatures, compare_sets
from pixelcnn.spec import ImageSpec
from tests.metrics.made import noise, random_classifier, save_inception


@pytest.fixture(scope="module")
def inception(tmp_path_factory):
    return save_inception(tmp_path_factory.mktemp("weights") / "inception.pth")


def test_inception_reads_its_weights_from_a_file(inception):
    features = InceptionFeatures(inception, layer="64")
    x, spec = noise(6, 1, 9, 9, levels=4), ImageSpec(1, 9, 9, 4)
    found = compare_sets(x, x.flip(0), spec=spec, features=features)
    assert (found.values["precision"], found.values["recall"]) == (1, 1)
    assert "at least 65 images" in found.not_measured["fid"]
    assert found.protocol["features"] == "inception-v3-compat"
    assert found.protocol["feature_layer"] == "64"
    digest = hashlib.sha256(inception.read_bytes()).hexdigest()[:16]
    assert found.protocol["feature_weights"] == f"inception.pth, sha256 {digest}"
    assert "not on images of 1×9×9 of 4 levels; use" in found.protocol["caution"]


def test_inception_cautions_about_small_or_grey_images_only():
    features = InceptionFeatures()
    assert features.caution(ImageSpec(3, 32, 48, 256)) is None
    assert "classifier" in features.caution(ImageSpec(1, 64, 64, 256))
    assert "classifier" in features.caution(ImageSpec(3, 31, 64, 256))
    assert ClassifierFeatures("digits").caution(ImageSpec(1, 8, 8, 17)) is None


def test_inception_reads_grey_levels_as_rgb_of_256():
    x = torch.tensor([0, 1, 2, 3]).reshape(1, 1, 2, 2)
    prepared = InceptionFeatures().prepare(x, ImageSpec(1, 2, 2, 4))
    assert prepared.dtype == torch.uint8
    assert prepared[0].tolist() == [[[0, 85], [170, 255]]] * 3


def test_without_weights_the_error_says_exactly_that(monkeypatch):
    def unreachable(*_, **__):
        raise URLError("no network")

    module = "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url"
    monkeypatch.setattr(module, unreachable)
    with pytest.raises(CheckpointError) as caught:
        InceptionFeatures().options  # noqa: B018
    message = str(caught.value)
    assert message.startswith("The weights of Inception are missing: https://github.com/toshas/")
    assert "could not be downloaded" in message
    assert "no network" in message
    assert "by `--inception-weights` or `InceptionFeatures(FILE)`" in message
    assert "--features classifier" in message


class Bomb:
    """Would leave a trace if it were unpickled."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return open, (self.trace, "w")


def test_a_file_that_runs_code_is_refused_and_does_not_run(tmp_path):
    torch.save({"weight": Bomb(tmp_path / "trace")}, tmp_path / "bomb.pth")
    with pytest.raises(CheckpointError, match="no file of weights that can be read safely"):
        InceptionFeatures(tmp_path / "bomb.pth").options  # noqa: B018
    assert not (tmp_path / "trace").exists()


def test_a_file_of_something_else_is_refused(tmp_path):
    for name, content in (("text.pth", b"text"), ("empty.pth", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointError, match="no file of weights") as caught:
            InceptionFeatures(tmp_path / name).options  # noqa: B018
        assert "takes the file from https://github.com/toshas/" in str(caught.value)
        assert "weights_only" not in str(caught.value)
    torch.save({"weight": torch.zeros(999)}, tmp_path / "half.pth")
    (tmp_path / "half.pth").write_bytes((tmp_path / "half.pth").read_bytes()[:2000])
    with pytest.raises(CheckpointError, match=r"read safely \([^.]*\)\. .*download it again"):
        InceptionFeatures(tmp_path / "half.pth").options  # noqa: B018
    with pytest.raises(CheckpointError, match="is a folder"):
        InceptionFeatures(tmp_path).options  # noqa: B018
    with pytest.raises(CheckpointError, match=r"must name the file from https.* is missing"):
        InceptionFeatures(tmp_path / "missing.pth").options  # noqa: B018
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="a state dict, got list"):
        InceptionFeatures(tmp_path / "list.pth").options  # noqa: B018
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="does not hold torch-fidelity's Inception"):
        InceptionFeatures(tmp_path / "other.pth").options  # noqa: B018


def test_an_unknown_layer_is_refused():
    with pytest.raises(ConfigError, match="'2048', got '100'"):
        InceptionFeatures(layer="100")


def test_without_the_library_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    spec = ImageSpec(1, 4, 4, 2)
    features = ClassifierFeatures(random_classifier(spec))
    x = noise(4, 1, 4, 4, levels=2)
    with pytest.raises(MissingDependencyError, match=r'pip install "pixelcnn\[metrics\]"'):
        compare_sets(x, x, spec=spec, features=features)


def test_a_classifier_is_registered_once_under_a_name_of_its_weights():
    spec = ImageSpec(1, 4, 4, 2)
    one = ClassifierFeatures(random_classifier(spec)).options["feature_extractor"]
    assert ClassifierFeatures(random_classifier(spec)).options["feature_extractor"] == one
    other = random_classifier(spec)
    with torch.no_grad():
        other.network.out.bias += 1
    assert ClassifierFeatures(other).options["feature_extractor"] != one
