"""Label dropout trains one model with labels and without."""

import pytest
import torch

from pixelcnn.errors import ConfigError, ShapeError
from pixelcnn.models import MODELS, build
from pixelcnn.nn import ConditionBias


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


def biases(model):
    return [module for module in model.modules() if isinstance(module, ConditionBias)]


def test_short_training_moves_the_row_of_no_label_and_scores_without_labels(name):
    torch.manual_seed(0)
    model = build(name, hidden_channels=8, num_classes=3, num_labels=2, label_dropout=0.5).train()
    optimizer = torch.optim.Adam(model.parameters(), 2e-2)
    labels = torch.arange(16) % 2
    x = (2 * labels)[:, None, None, None].expand(16, 1, 4, 4)  # the label says all
    for _ in range(30):
        optimizer.zero_grad()
        (-model.log_prob(x, labels)).mean().backward()
        optimizer.step()
    model.eval()
    assert all(bias.weight[-1].abs().max() > 1e-3 for bias in biases(model))
    with torch.no_grad():
        scores = model.log_prob(x)
        assert scores.isfinite().all()
        first = model.site_log_prob(x)[:, :, 0, 0].mean()
        told = model.site_log_prob(x, labels)[:, :, 0, 0].mean()
    assert told > first + 0.3  # of at most ln 2 nats that the label is worth there


def test_all_layers_lose_the_same_labels(name):
    model = build(name, num_labels=4, label_dropout=0.5, hidden_channels=8).train()
    seen = []
    for bias in biases(model):
        read = bias._whole  # what both ways of calling it read
        bias._whole = lambda cond, read=read: seen.append(cond) or read(cond)
    labels = torch.arange(64) % 4
    model.log_prob(torch.zeros(64, 1, 2, 2, dtype=torch.int64), labels)
    assert len(seen) >= len(biases(model))
    assert all(torch.equal(cond, seen[0]) for cond in seen)
    assert 8 < (seen[0] == 4).sum() < 56


def test_labels_are_left_out_in_training_only(name):
    model = build(name, num_labels=4, label_dropout=0.5, hidden_channels=8)
    for bias in biases(model):
        torch.nn.init.normal_(bias.weight)
    x, labels = torch.randint(2, (64, 1, 3, 3)), torch.arange(64) % 4
    model.eval()
    given, without = model.log_prob(x, labels), model.log_prob(x)
    assert torch.equal(model.log_prob(x, labels), given)
    torch.manual_seed(5)
    mixed = model.train().log_prob(x, labels)
    is_given = (mixed - given).abs() < 1e-4
    is_without = (mixed - without).abs() < 1e-4
    assert (is_given | is_without).all()  # a label is left out in all layers, or in none
    assert 8 < is_without.sum() < 56
    torch.manual_seed(5)
    assert torch.equal(model.log_prob(x, labels), mixed)


def test_only_label_dropout_lets_a_label_model_do_without(name):
    x = torch.zeros(1, 1, 2, 2, dtype=torch.int64)
    with pytest.raises(ShapeError, match=r"needs `cond`: one label per image, .* from 0 to 3"):
        build(name, num_labels=4).log_prob(x)
    model = build(name, num_labels=4, label_dropout=0.1, image_size=4)
    assert model.config["label_dropout"] == 0.1
    assert model.generate(num_samples=2).shape == (2, 1, 4, 4)
    with pytest.raises(ShapeError, match="from 0 to 3"):
        model.log_prob(x, 4)  # the number of no label is nobody's to give


def test_guidance_is_refused_where_there_is_nothing_to_guide_by(name):
    with pytest.raises(ConfigError, match="without labels"):
        build(name, image_size=4).generate(guidance=2.0)
    with pytest.raises(ConfigError, match="`label_dropout`"):
        build(name, image_size=4, num_labels=4).generate(cond=1, guidance=0.0)
    with pytest.raises(ConfigError, match="from 0 to"):
        build(name, image_size=4, num_labels=4, label_dropout=0.1).generate(cond=1, guidance=-1.0)
