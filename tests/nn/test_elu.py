import torch
import torch.nn.functional as F

from pixelcnn.nn import concat_elu

# Vectorised code may round an element by where it stands in memory.
ROUNDING = {"rtol": 1e-14, "atol": 1e-15}
H = torch.randn(2, 3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_both_signs_of_every_feature_are_kept():
    both = concat_elu(H)
    torch.testing.assert_close(both[..., :6], F.elu(H), **ROUNDING)
    torch.testing.assert_close(both[..., 6:], F.elu(-H), **ROUNDING)


def test_colours_stay_in_their_runs():
    runs = concat_elu(H, groups=3)
    for colour in range(3):
        own = concat_elu(H[..., 2 * colour : 2 * colour + 2])
        torch.testing.assert_close(
            runs[..., 4 * colour : 4 * colour + 4], own, rtol=1e-14, atol=1e-15
        )


def test_no_derivative_is_zero():
    h = H.clone().requires_grad_()
    concat_elu(h).sum().backward()
    assert (h.grad != 0).all()
