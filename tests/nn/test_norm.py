import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.nn import Norm


def test_channel_norm_is_by_pixel_and_colour():
    h = torch.randn(2, 3, 3, 6, dtype=torch.float64)
    norm = Norm("channel", 6, groups=3).double()
    normal = norm(h)
    changed = h.clone()
    changed[:, :, :, 4:] += 1 + torch.rand(2)  # a later colour
    changed[:, 2] += 1 + torch.rand(6)  # another pixel
    assert torch.equal(
        Norm("channel", 6, groups=3).double()(changed)[:, :2, :, :4], normal[:, :2, :, :4]
    )


def test_channel_norm_has_mean_zero_and_variance_one_in_each_colour():
    runs = Norm("channel", 12, groups=3)(5 + 3 * torch.randn(2, 3, 3, 12)).view(2, 3, 3, 3, 4)
    torch.testing.assert_close(runs.mean(-1), torch.zeros(2, 3, 3, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        runs.var(-1, correction=0), torch.ones(2, 3, 3, 3), atol=1e-3, rtol=0
    )


def test_batch_norm_agrees_with_the_one_of_torch():
    ours, theirs = Norm("batch", 4), torch.nn.BatchNorm2d(4)
    h = torch.randn(3, 5, 5, 4)
    for mode in (True, False):
        ours.train(mode), theirs.train(mode)
        expected = theirs(h.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        torch.testing.assert_close(ours(h), expected)
    torch.testing.assert_close(ours.running_var, theirs.running_var)


def test_batch_norm_in_eval_mode_is_exact_for_one_image():
    norm = Norm("batch", 4)
    norm(torch.randn(8, 5, 5, 4))
    norm.eval()
    h = torch.randn(8, 5, 5, 4)
    torch.testing.assert_close(norm(h)[:1], norm(h[:1]))


def test_unknown_norms_are_refused():
    with pytest.raises(ConfigError, match="group"):
        Norm("group", 4)
