"""The discretised logistic mixture, against its definition."""

import itertools
import math
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext

import pytest
import torch

from pixelcnn.errors import ConfigError
from pixelcnn.likelihoods import LogisticMixture, logistic_mixture, make_likelihood
from pixelcnn.likelihoods.logistic_mixture import MIN_LOG_SCALE

EXACT = Context(prec=300, Emin=MIN_EMIN, Emax=MAX_EMAX)
EXTREMES = torch.tensor([-1e30, -1e4, -50.0, -7.0, 0.0, 7.0, 50.0, 1e4, 1e30])


def random_params(head, count, *, spread=1.0):
    generator = torch.Generator().manual_seed(4)
    shape = (count, head.num_params)
    return spread * torch.randn(shape, generator=generator, dtype=torch.float64)


def one_part(mean, log_scale):
    """Parameters of one part of a grey pixel. (1, 3)."""
    return torch.tensor([[0.0, mean, log_scale]], dtype=torch.float64)


def level_logits(head, params, earlier=()):
    seen = torch.tensor([list(earlier)], dtype=torch.int64).expand(len(params), -1)
    return head.level_logits(params, seen, len(earlier))


def joint_by_definition(head, params, levels):
    """Probability of one pixel (levels) as the paper writes it, on [-1, 1]."""
    count, last = head.num_mixtures, head.levels - 1
    least = MIN_LOG_SCALE - math.log(last / 2)
    logits, *rest = params.view(-1, count).double()
    means, log_scales = rest[: head.channels], rest[head.channels : 2 * head.channels]
    slopes = iter(rest[2 * head.channels :])  # G on R, B on R, B on G
    joint = logits.softmax(0)
    x = [2 * level / last - 1 for level in levels]
    for c, level in enumerate(levels):
        mean = means[c] + sum(next(slopes).tanh() * x[b] for b in range(c))
        scale = log_scales[c].clamp(min=least).exp()
        below = ((x[c] - 1 / last - mean) / scale).sigmoid() if level > 0 else 0
        up_to = ((x[c] + 1 / last - mean) / scale).sigmoid() if level < last else 1
        joint = joint * (up_to - below)
    return joint.sum().item()


def exact_log_mass(mean, log_scale, level, levels):
    """Log-probability of a level under one part, in 300 digits, from the same float parameters."""
    with localcontext(EXACT):
        half = Decimal(levels - 1) / 2
        scale = max(Decimal(log_scale) + half.ln(), Decimal(MIN_LOG_SCALE)).exp()
        distance = level - half - Decimal(mean) * half
        if distance > 0:  # mirrored: only in the left tail does the difference keep its digits
            distance, level = -distance, levels - 1 - level
        below, up_to = (
            1 / (1 + (-(distance + shift) / scale).exp())
            for shift in (-Decimal("0.5"), Decimal("0.5"))
        )
        mass = (up_to if level < levels - 1 else 1) - (below if level > 0 else 0)
        return float(mass.ln())


@pytest.mark.parametrize("levels", [2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_chain_of_conditionals_is_the_joint_of_the_paper(channels, levels):
    head = LogisticMixture(channels, levels, num_mixtures=3)
    pixels = list(itertools.product(range(levels), repeat=channels))
    params = random_params(head, 1)
    image = params[:, :, None, None].expand(len(pixels), -1, 1, 1)
    by_channel = head.log_prob(image, torch.tensor(pixels)[:, :, None, None])[:, :, 0, 0]
    expected = [joint_by_definition(head, params, pixel) for pixel in pixels]
    joint = by_channel.sum(1).exp()
    torch.testing.assert_close(
        joint, torch.tensor(expected, dtype=torch.float64), rtol=1e-11, atol=0
    )
    assert abs(joint.sum().item() - 1) < 1e-12


@pytest.mark.parametrize("levels", [2, 3, 17, 256])
def test_level_logits_are_the_conditionals_of_the_joint(levels):
    head = LogisticMixture(3, levels, num_mixtures=4)
    params = random_params(head, 1)
    red, green, blue = levels - 1, 0, levels // 2
    reds, greens, blues = (level_logits(head, params, (red, green, blue)[:c])[0] for c in range(3))
    chain = (reds[red] + greens[green] + blues[blue]).exp().item()
    assert chain == pytest.approx(joint_by_definition(head, params, (red, green, blue)), rel=1e-9)
    image = params[:, :, None, None]
    nats = head.log_prob(image, torch.tensor([red, green, blue]).view(1, 3, 1, 1)).flatten()
    torch.testing.assert_close(nats, torch.stack([reds[red], greens[green], blues[blue]]))


@pytest.mark.parametrize("levels", [2, 3, 4, 17, 256, 4096, 65_536])
@pytest.mark.parametrize("spread", [0.0, 1.0, 10.0, 1e4])
def test_mass_is_one(levels, spread):
    head = LogisticMixture(3, levels, num_mixtures=3)
    params = random_params(head, 2, spread=spread)
    for earlier in ((), (0,), (levels - 1, levels // 2)):
        mass = level_logits(head, params, earlier).exp().sum(1)
        assert (mass - 1).abs().max() < 1e-12


@pytest.mark.parametrize("levels", [2, 3, 256, 65_536])
@pytest.mark.parametrize("log_scale", [-1e3, -7.0, -3.0, 0.0, 5.0, 60.0, 500.0])
@pytest.mark.parametrize("mean", [-1e6, -30.0, -1.0, 0.0, 0.3, 1.0, 2.0, 1e6])
def test_log_mass_is_exact_from_the_mode_to_the_tails(mean, log_scale, levels):
    head = LogisticMixture(1, levels, num_mixtures=1)
    # A mean on [-1, 1] is known to one rounding; with the least scale that is worth this much.
    slack = 2e-16 * abs(mean) * levels * math.exp(-MIN_LOG_SCALE)
    logits = level_logits(head, one_part(mean, log_scale))[0]
    for level in sorted({0, 1, levels // 2, levels - 2, levels - 1}):
        expected = exact_log_mass(mean, log_scale, level, levels)
        assert logits[level].item() == pytest.approx(expected, rel=1e-13, abs=1e-14 + slack)


def test_single_precision_is_as_exact_as_its_parameters():
    head = LogisticMixture(3, 256)
    params = random_params(head, 20).float()
    for earlier in ((), (3,), (250, 128)):
        single = level_logits(head, params, earlier)
        double = level_logits(head, params.double(), earlier)
        assert single.dtype == torch.float32
        torch.testing.assert_close(single.double(), double, rtol=1e-5, atol=1e-3)
        assert (single.double().exp().sum(1) - 1).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("levels", [2, 256, 65_536])
def test_numbers_and_gradients_are_finite_whatever_the_parameters(levels, dtype):
    head = LogisticMixture(3, levels, num_mixtures=2)
    generator = torch.Generator().manual_seed(5)
    choice = torch.randint(len(EXTREMES), (500, head.num_params, 1, 1), generator=generator)
    params = EXTREMES.to(dtype)[choice].requires_grad_()
    middle = torch.randint(levels, (500, 3, 1, 1), generator=generator)
    for x in (middle, torch.zeros_like(middle), torch.full_like(middle, levels - 1)):
        nats = head.log_prob(params, x)
        (gradient,) = torch.autograd.grad(nats.sum(), params)
        assert nats.isfinite().all()
        assert (nats <= 1e-6).all()
        assert gradient.isfinite().all()
    sites = params[:5, :, 0, 0]
    assert head.level_logits(sites, middle[:5, :2, 0, 0], 2).isfinite().all()


def test_gradients_are_those_of_finite_differences():
    head = LogisticMixture(3, 5, num_mixtures=2)
    params = random_params(head, 6)[:, :, None, None].requires_grad_()
    x = torch.tensor(list(itertools.islice(itertools.product((0, 2, 4), repeat=3), 0, 24, 4)))
    assert torch.autograd.gradcheck(lambda p: head.log_prob(p, x[:, :, None, None]), params)


@pytest.mark.parametrize("levels", [3, 256, 65_536])
def test_scales_stop_at_the_same_number_of_levels(levels):
    head = LogisticMixture(1, levels, num_mixtures=1)
    step = 2 / (levels - 1)
    mean = (levels // 2) * step - 1  # on a level
    sharpest = level_logits(head, one_part(mean, -100.0)).exp().max().item()
    assert sharpest == pytest.approx(math.tanh(math.exp(-MIN_LOG_SCALE) / 4), rel=1e-9)
    if levels == 256:  # the paper's bound
        at_bound, above = (level_logits(head, one_part(mean, s)) for s in (-7.0, -6.9))
        torch.testing.assert_close(at_bound, level_logits(head, one_part(mean, -8.0)))
        assert above.max() < at_bound.max()


def test_a_large_table_made_in_parts_is_the_same_table(monkeypatch):
    head = LogisticMixture(2, 100, num_mixtures=3)
    params = random_params(head, 4)
    whole = level_logits(head, params, (7,))
    monkeypatch.setitem(logistic_mixture.TABLE_SIZE, "cpu", 4 * 3 * 7)
    torch.testing.assert_close(level_logits(head, params, (7,)), whole, rtol=0, atol=0)
    monkeypatch.setitem(logistic_mixture.TABLE_SIZE, "cpu", 1)
    torch.testing.assert_close(level_logits(head, params, (7,)), whole, rtol=0, atol=0)


def test_each_parameter_is_where_the_packing_says():
    head = LogisticMixture(3, 5, num_mixtures=1)
    sharp, slope = -9.0, 1e3  # tanh of the slope is 1
    #                      logit, means of R, G, B, their log-scales, G on R, B on R, B on G
    params = torch.tensor([[0.0, 0.0, -0.5, 0.5, sharp, sharp, sharp, slope, 0.0, -slope]])
    modes = {
        (): 2,  # R at 0
        (4,): 3,  # G at -0.5 + R at 1
        (0,): 0,  # G at -0.5 + R at -1
        (4, 4): 1,  # B at 0.5 - G at 1
        (0, 4): 1,  # whatever R
        (0, 1): 4,  # B at 0.5 - G at -0.5
    }
    for earlier, mode in modes.items():
        assert level_logits(head, params, earlier).argmax().item() == mode


def test_earlier_channels_tell_which_part_it_is():
    head = LogisticMixture(2, 3, num_mixtures=2)
    # Part 0 has both channels dark, part 1 both light; rows as in the packing.
    rows = [[0, 0], [-1, 1], [-1, 1], [-9, -9], [-9, -9], [0, 0]]
    params = torch.tensor(rows, dtype=torch.float64).view(1, -1)
    assert level_logits(head, params)[0].exp()[[0, 2]].tolist() == pytest.approx(
        [0.5, 0.5], abs=0.02
    )
    assert level_logits(head, params, (0,)).exp()[0, 0] > 0.97
    assert level_logits(head, params, (2,)).exp()[0, 2] > 0.97


def test_ten_parts_have_the_parameters_of_the_paper():
    assert LogisticMixture(3, 256).num_params == 100
    assert LogisticMixture(1, 256).num_params == 30
    assert LogisticMixture(2, 256, num_mixtures=5).num_params == 30


def test_what_the_head_cannot_serve_is_refused():
    with pytest.raises(ConfigError, match="`num_mixtures` must be at least 1, got 0"):
        make_likelihood("logistic_mixture", channels=3, levels=256, num_mixtures=0)
    for name in ("categorical", None):
        with pytest.raises(ConfigError, match=r"`num_mixtures` needs .* got categor"):
            make_likelihood(name, channels=3, levels=256, num_mixtures=5)
