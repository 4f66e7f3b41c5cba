import pytest
import torch
from torch import nn

from pixelcnn.nn import DownConv, DownRightConv, WeightNormed, concat_elu, standardise

H = 3 + 2 * torch.randn(4, 6, 7, 6, generator=torch.Generator().manual_seed(0))


class Stack(nn.Module):
    """Two layers one after another, the second with another start."""

    def __init__(self):
        super().__init__()
        self.first = DownConv(6, 8)
        self.second = DownRightConv(16, 4, init_scale=0.1)

    def forward(self, h):
        return self.second(concat_elu(self.first(h)))


def outputs(stack, h):
    """What each layer gives, flat. (N, O) each."""
    found = []
    hooks = [
        layer.register_forward_hook(lambda _layer, _arguments, y: found.append(y.flatten(0, -2)))
        for layer in (stack.first, stack.second)
    ]
    stack(h)
    for hook in hooks:
        hook.remove()
    return found


@torch.no_grad()
def test_a_first_batch_gives_every_layer_mean_0_and_variance_1():
    stack = Stack()
    standardise(stack, lambda: stack(H))
    for y, scale in zip(outputs(stack, H), (1, 0.1), strict=True):
        torch.testing.assert_close(y.mean(0), torch.zeros(y.shape[1]), atol=1e-5, rtol=0)
        torch.testing.assert_close(y.std(0, correction=0), torch.full((y.shape[1],), float(scale)))


def test_only_new_layers_are_set():
    stack = Stack()
    standardise(stack, lambda: stack(H))
    before = {name: value.clone() for name, value in stack.state_dict().items()}
    standardise(stack, lambda: pytest.fail("nothing is new"))
    stack.second = DownRightConv(16, 4)
    standardise(stack, lambda: stack(2 * H))
    assert all(torch.equal(before[k], v) for k, v in stack.state_dict().items() if "first" in k)
    assert not stack.second.is_new


def test_a_feature_that_does_not_vary_keeps_its_gain_and_gets_mean_0():
    conv = DownConv(2, 3, (1, 1))
    standardise(conv, lambda: conv(torch.ones(2, 3, 3, 2)))
    assert torch.equal(conv.gain.data, torch.ones(3))
    torch.testing.assert_close(conv(torch.ones(1, 1, 1, 2)).data, torch.zeros(1, 1, 1, 3))


def test_the_length_of_weights_is_the_gain_whatever_the_direction():
    conv = DownConv(3, 5, init_scale=0.5)
    torch.testing.assert_close(conv.weight().flatten(1).norm(dim=1), torch.full((5,), 0.5))
    conv.direction.data *= 7
    torch.testing.assert_close(conv.weight().flatten(1).norm(dim=1), torch.full((5,), 0.5))


def test_hidden_directions_get_no_gradient_and_add_nothing_to_the_norm():
    conv = DownRightConv(6, 6, (2, 2), groups=3, kind="A")
    hidden = conv.mask == 0
    assert (conv.direction[hidden] == 0).all()
    conv(H).square().sum().backward()
    assert (conv.direction.grad[hidden] == 0).all()
    assert (conv.direction.grad[~hidden] != 0).all()
    weight = conv.weight()
    conv.direction.data[hidden] = 100.0
    assert torch.equal(conv.weight(), weight)


def test_a_feature_that_reads_nothing_has_weights_and_gradients_of_zero():
    conv = DownRightConv(2, 2, (1, 1), groups=2, kind="A")
    conv(torch.randn(1, 2, 2, 2)).sum().backward()
    assert not conv.weight()[0].any()
    assert conv.direction.grad.isfinite().all()


def test_every_layer_with_a_gain_is_weight_normed():
    assert [isinstance(m, WeightNormed) for m in Stack().modules()] == [False, True, True]


def test_in_16_bits_a_feature_that_reads_nothing_still_gives_zero():
    layer = DownRightConv(3, 6, (1, 1), kind="A", groups=3).half()  # R sees no feature
    assert (layer.weight()[:2] == 0).all()
    assert layer.weight().dtype == torch.float16
