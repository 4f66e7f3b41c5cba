import torch

from pixelcnn.inference.smc.resampling import systematic


def test_systematic_resampling_takes_each_image_by_its_weight():
    generator = torch.Generator().manual_seed(1)
    log_weights = 2 * torch.randn(50, 8, generator=generator, dtype=torch.float64)
    expected = 8 * log_weights.softmax(1)
    total = torch.zeros_like(expected)
    for uniform in (torch.arange(1000) + 0.5) / 1000:
        ancestors = systematic(log_weights, uniform.double().expand(50))
        counts = torch.zeros_like(expected).scatter_add_(
            1, ancestors, torch.ones_like(ancestors, dtype=torch.float64)
        )
        assert ((counts - expected).abs() < 1).all()
        total += counts
    # Over all beginnings an image is taken as often as its weight says: no more, no less.
    torch.testing.assert_close(total / 1000, expected, rtol=0, atol=2e-3)


def test_images_without_weight_are_never_taken():
    log_weights = torch.tensor([[float("-inf"), 0.0, float("-inf"), 0.0, float("-inf")]]).double()
    for uniform in torch.tensor([0.0, 0.5, 1 - 2**-53], dtype=torch.float64):
        assert set(systematic(log_weights, uniform[None])[0].tolist()) <= {1, 3}
