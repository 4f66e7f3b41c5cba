"""What docs/adding.md says: a model, a head and a data set are one file and one decorator each."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import pixelcnn
from examples.row_lstm import RowLSTM
from pixelcnn.cli import main
from pixelcnn.data import DATASETS
from pixelcnn.likelihoods import LIKELIHOODS
from pixelcnn.models import MODELS, AutoregressiveModel
from pixelcnn.registry import Registry

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "examples" / "row_lstm.py").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)
# Those that are whole files: of the head and of the data set.
FILES = [block for block in BLOCKS if "import" in block]


@pytest.fixture(scope="module")
def added() -> Iterator[None]:
    """The head and the data set of the document, for as long as the tests of this file run."""
    registries: list[Registry] = [LIKELIHOODS, DATASETS]
    before = [dict(registry) for registry in registries]
    for file in FILES:
        exec(compile(file, "docs/adding.md", "exec"), {"__name__": "adding"})
    yield
    for registry, entries in zip(registries, before, strict=True):
        registry.clear()
        registry.update(entries)


def test_the_document_shows_what_the_example_holds():
    shown = [block for block in BLOCKS if block not in FILES]
    assert len(shown) >= 5
    for block in shown:
        assert "".join(block.split()) in "".join(EXAMPLE.split()), block  # indents differ


def test_an_added_model_head_and_data_set_serve_every_command(added, tmp_path, capsys):
    run = tmp_path / "run"
    words = ["--model.name=row_lstm", "--model.hidden_channels=8", "--model.num_layers=1"]
    words += ["--model.likelihood=binomial", "--model.num_labels=2", "--training.max_epochs=2"]
    words += ["--data.dataset_name=stripes", "--data.num_images=200"]
    words += ["--sampling.num_samples=4", "--device=cpu"]
    assert main(["train", "--out", str(run), *words]) == 0
    assert "num_images: 200" in (run / "config.yaml").read_text(encoding="utf-8")
    model = pixelcnn.load(run / "model.safetensors")
    assert "stripes, 4 levels, 162/18/20" in pixelcnn.runs.open_model(run).training["protocol"]
    assert isinstance(model, RowLSTM)
    assert (model.config["hidden_channels"], model.num_classes) == (8, 4)
    assert model.condition.names == ("horizontal", "vertical")
    assert main(["sample", str(run), "--num-samples", "2", "--label", "1"]) == 0
    assert main(["train", "--resume", str(run), "--training.max_epochs=3"]) == 0
    capsys.readouterr()
    assert main(["verify", str(run)]) == 0
    assert "row_lstm" in capsys.readouterr().out


def test_settings_of_an_added_model_are_those_of_its_constructor(added, capsys):
    assert main(["train", "--print-config", "--model.name=row_lstm"]) == 0
    settings = capsys.readouterr().out
    assert "  num_layers: 2\n" in settings and "num_residual_blocks" not in settings
    for word, message in [
        ("--data.num_images=few", r"`data.num_images` must be a whole number, got 'few'"),
        (
            "--data.num_image=3",
            r"`data.num_image` is not a setting.*mean `data.num_images`",
        ),
        ("--model.num_layer=3", r"`model.num_layer` is not a setting .*mean `model.num_layers`"),
        ("--model.num_layers=0", r"`model.num_layers` must be at least 1, got 0"),
        ("--model.num_layers=two", r"`model.num_layers` must be a whole number, got 'two'"),
        ("--model.likelihood=binomal", r"`model.likelihood` .* Did you mean `binomial`"),
    ]:
        assert main(["train", "--model.name=row_lstm", word]) == 2
        assert re.search(message, capsys.readouterr().err)


def test_the_added_head_sums_to_one_and_agrees_with_itself(added):
    head = LIKELIHOODS["binomial"](2, 5)
    params, x = torch.randn(3, 2, 4, 4).double(), torch.randint(5, (3, 2, 4, 4))
    table = head.level_logits(params[:, :, 1, 2], x[:, :1, 1, 2], 1)
    torch.testing.assert_close(table.exp().sum(1), torch.ones(3).double())
    own = table.gather(1, x[:, 1:, 1, 2])[:, 0]
    torch.testing.assert_close(own, head.log_prob(params, x)[:, 1, 1, 2])


def test_a_taken_name_is_refused_and_the_same_class_replaces_itself():
    with pytest.raises(pixelcnn.PixelCNNError, match=r"`name` 'gated' must be a new name, but .*G"):
        MODELS.register("gated")(RowLSTM)
    assert MODELS.register("row_lstm")(RowLSTM) is RowLSTM is MODELS["row_lstm"]
    assert issubclass(MODELS["row_lstm"], AutoregressiveModel)
