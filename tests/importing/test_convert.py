import pytest
import torch

from pixelcnn import load, save
from pixelcnn.data import load_data
from pixelcnn.errors import CheckpointError, ConfigError
from pixelcnn.importing import import_model
from pixelcnn.importing.pixelcnnpp_port import _order_of_parameters
from tests.importing.published import PlusPlusPort, PytorchGenerative, UvaTutorial


def images(levels, channels=1, size=(8, 8)):
    return torch.randint(levels, (3, channels, *size))


def saved(network, path, wrap=None):
    """A file of the network's weights, of which none is zero."""
    weights = {
        name: value if name.endswith("mask") else value + 0.05 * torch.randn_like(value)
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(weights)
    torch.save(weights if wrap is None else wrap(weights), path)
    return path


def equal(theirs, ours):
    return torch.allclose(theirs.double(), ours, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_file_of_the_tutorial_gives_its_logits(tmp_path):
    network = UvaTutorial(hidden=6)
    path = saved(network, tmp_path / "a.ckpt", lambda w: {"state_dict": w, "epoch": 150})
    x = images(256)
    assert equal(network(x), import_model("uva-tutorial", path)(x).double())


@torch.no_grad()
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_file_of_the_port_gives_the_parameters_of_its_mixture(tmp_path, channels, prefix):
    network = PlusPlusPort(hidden=5, num_resnets=2, num_mixtures=3, channels=channels)
    path = saved(network, tmp_path / "a.pth", lambda w: {f"{prefix}{k}": v for k, v in w.items()})
    x = images(256, channels, (8, 12))
    order = _order_of_parameters(channels, 3)
    model = import_model("pixelcnnpp-port", path)
    assert equal(network(x)[:, order], model(x).double())
    assert model.generate(num_samples=1, shape=x.shape[1:]).shape == (1, *x.shape[1:])


def test_the_parameters_of_a_port_stand_channel_by_channel():
    # 2 components: 2 logits, then for each channel 2 means, 2 log-scales and 2 slopes.
    assert _order_of_parameters(3, 2).tolist() == [
        *(0, 1),
        *(2, 3, 8, 9, 14, 15),
        *(4, 5, 10, 11, 16, 17),
        *(6, 7, 12, 13, 18, 19),
    ]
    assert _order_of_parameters(1, 2).tolist() == [0, 1, 2, 3, 4, 5]


@torch.no_grad()
@pytest.mark.parametrize("head", [5, 8])
def test_a_file_of_pytorch_generative_gives_its_logits(tmp_path, head):
    network = PytorchGenerative(residual=4, num_blocks=3, head=head)
    path = saved(network, tmp_path / "a.pt", lambda w: {"model": w, "step": 7})
    x = images(2)
    assert equal(network(x), import_model("pytorch-generative", path)(x).double())


def test_an_imported_model_is_saved_and_loaded(tmp_path):
    path = saved(PytorchGenerative(residual=2, num_blocks=1, head=3), tmp_path / "a.pt")
    model = import_model("pytorch-generative", path, image_size=(5, 6))
    save(model, tmp_path / "ours.safetensors")
    again = load(tmp_path / "ours.safetensors")
    x = model.generate(num_samples=2, seed=1)
    assert x.shape == (2, 1, 5, 6)
    assert torch.equal(model.log_prob(x), again.log_prob(x))


def test_what_is_no_file_of_the_source_is_refused_with_the_reason(tmp_path):
    path = saved(PytorchGenerative(residual=2, num_blocks=1, head=3), tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"it has no `conv_out\.weight`"):
        import_model("uva-tutorial", path)
    with pytest.raises(ConfigError, match="`source` must be one of"):
        import_model("tutorial", path)
    wider = saved(PytorchGenerative(residual=2, num_blocks=1, head=9), tmp_path / "b.pt")
    with pytest.raises(CheckpointError, match="its head has 9 features"):
        import_model("pytorch-generative", wider)


def test_weights_that_nothing_reads_are_refused(tmp_path):
    network = PytorchGenerative(residual=2, num_blocks=1, head=3)
    path = saved(network, tmp_path / "a.pt", lambda w: {**w, "_extra.weight": torch.ones(2)})
    with pytest.raises(CheckpointError, match=r"it also has `_extra\.weight`"):
        import_model("pytorch-generative", path)


class Arbitrary:
    def __reduce__(self):
        return print, ("this code ran",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not a file of torch", "an undamaged file"),
        ({"state_dict": {"a": 1}}, "its weights are no tensors by name"),
        ([1, 2], "it has no weights"),
        (Arbitrary(), "can run code"),
    ],
)
def test_other_files_are_refused_and_run_no_code(tmp_path, capsys, content, reason):
    path = tmp_path / "a.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(CheckpointError, match=reason):
        import_model("uva-tutorial", path)
    assert "ran" not in capsys.readouterr().out
    with pytest.raises(CheckpointError, match="Cannot read"):
        import_model("uva-tutorial", tmp_path / "nowhere.pt")


@pytest.mark.slow
@torch.no_grad()
def test_the_published_checkpoint_has_its_published_likelihood(real_data):
    model = import_model("uva-tutorial", real_data / "checkpoints/uva_tutorial12_PixelCNN.ckpt")
    batches = load_data("mnist").test.images
    nats = -torch.cat([model.log_prob(part) for part in batches[:500].split(50)]).double().mean()
    assert nats == pytest.approx(435.66, abs=0.01)
