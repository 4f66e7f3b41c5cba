"""Facts about the state of a training on disk."""

import pickle
from pathlib import Path

import pytest
import torch

from pixelcnn.errors import CheckpointError, OutputError
from pixelcnn.models import PixelCNN
from pixelcnn.runs.state import STATE_FORMAT, load_trained, read_state
from pixelcnn.training.checkpoint_io import AtomicCheckpointIO


def tiny(**options) -> PixelCNN:
    return PixelCNN(
        **{
            "num_classes": 2,
            "hidden_channels": 8,
            "num_residual_blocks": 1,
            "image_size": 8,
            **options,
        }
    )


def state_of(model: PixelCNN) -> dict:
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    about = {"format": STATE_FORMAT, "model": model.name, "config": model.config}
    return {"state_dict": weights, "pixelcnn": about}


def write(path: Path, state: dict) -> Path:
    AtomicCheckpointIO().save_checkpoint(state, path)
    return path


def test_a_model_comes_back_from_a_state(tmp_path):
    model = tiny(num_labels=3).eval()
    again = load_trained(write(tmp_path / "last.ckpt", state_of(model)))
    x = model.generate(num_samples=2, cond=1)
    assert torch.equal(again.log_prob(x, 1), model.log_prob(x, 1))
    assert not again.training


@pytest.mark.parametrize("keep", [0, 10, 500, -10])
def test_a_truncated_state_is_refused(tmp_path, keep):
    path = write(tmp_path / "last.ckpt", state_of(tiny()))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"last\.ckpt is damaged, or not the state") as caught:
        read_state(path)
    assert "\n" not in str(caught.value)


def test_what_another_program_wrote_is_refused(tmp_path):
    path = tmp_path / "other.ckpt"
    torch.save({"state_dict": {}}, path)
    with pytest.raises(CheckpointError, match="is damaged, or not the state"):
        read_state(path)
    write(path, {"state_dict": {}})
    with pytest.raises(CheckpointError, match="not written by a training of pixelcnn"):
        read_state(path)
    path.write_text("hello")
    with pytest.raises(CheckpointError, match="is damaged, or not the state"):
        read_state(path)


def test_a_pickle_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    path = tmp_path / "trap.ckpt"
    torch.save({"pixelcnn": Trap()}, path)
    with pytest.raises(CheckpointError):
        read_state(path)
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(CheckpointError):
        read_state(path)
    write(path, {"pixelcnn": Trap()})  # with the right checksum
    with pytest.raises(CheckpointError):
        read_state(path)
    assert not (tmp_path / "sprung").exists()


def test_a_missing_state_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"Cannot read .*none\.ckpt: No such file"):
        read_state(tmp_path / "none.ckpt")
    with pytest.raises(CheckpointError, match="Is a directory"):
        read_state(tmp_path)


def test_a_model_this_version_does_not_know_is_named(tmp_path):
    state = state_of(tiny())
    state["pixelcnn"]["model"] = "pixelrnn"
    with pytest.raises(CheckpointError, match="a model 'pixelrnn', which this version"):
        read_state(write(tmp_path / "last.ckpt", state))


def test_weights_that_do_not_fit_their_model_are_refused(tmp_path):
    state = state_of(tiny())
    del state["state_dict"]["model.out.bias"]
    with pytest.raises(CheckpointError, match="can build"):
        load_trained(write(tmp_path / "last.ckpt", state))


def test_a_write_that_fails_leaves_the_older_state(tmp_path, monkeypatch):
    path = write(tmp_path / "last.ckpt", state_of(tiny()))
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        write(path, state_of(tiny(num_labels=3)))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_every_flipped_byte_is_detected(tmp_path):
    path = write(tmp_path / "last.ckpt", state_of(tiny()))
    content = path.read_bytes()
    positions = torch.randint(len(content), (50,), generator=torch.Generator().manual_seed(0))
    for position in positions.tolist():
        flipped = bytearray(content)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError, match=r"last\.ckpt is damaged"):
            read_state(path)
    path.write_bytes(content)
    assert torch.load(path, weights_only=True)["pixelcnn"] == read_state(path)["pixelcnn"]
