import torch

from pixelcnn.walk import chain_noise, image_noise, sample_levels, seed_from


def test_noise_of_an_image_depends_on_seed_and_number_alone():
    together = image_noise(5, 0, 6, 1, 3, 4)
    apart = torch.cat([image_noise(5, 0, 2, 1, 3, 4), image_noise(5, 2, 4, 1, 3, 4)])
    assert torch.equal(together, apart)
    assert not (together == image_noise(6, 0, 6, 1, 3, 4)).any()


def test_images_and_seeds_do_not_share_noise():
    values = torch.cat([image_noise(seed, 0, 4, 3, 8, 8).flatten() for seed in (0, 1, 2**64 - 1)])
    assert values.unique().numel() == values.numel()
    assert values.min() >= 0 and values.max() < 1


def test_noise_of_a_chain_depends_on_seed_number_and_time_alone():
    together = chain_noise(5, 0, (6, 2, 8), time=3)
    assert torch.equal(chain_noise(5, 2, (4, 2, 8), time=3), together[2:])
    others = [
        chain_noise(5, 0, (6, 2, 8), time=4),
        chain_noise(6, 0, (6, 2, 8), time=3),
        image_noise(5, 0, 6, 1, 2, 8)[:, 0],
    ]
    assert torch.stack([together, *others]).unique().numel() == 4 * together.numel()


def test_neighbouring_large_seeds_differ():
    assert not torch.equal(image_noise(2**63, 0, 1, 1, 2, 2), image_noise(2**63 + 1, 0, 1, 1, 2, 2))


def test_sampling_inverts_the_cumulative_distribution():
    logits = torch.tensor([0.2, 0.5, 0.3]).log().expand(6, 3)
    uniform = torch.tensor([0.0, 0.19, 0.21, 0.69, 0.71, 0.999]).double()
    assert sample_levels(logits, uniform).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_level_of_no_probability_is_never_sampled():
    logits = torch.tensor([[float("-inf"), 0.0, float("-inf")]]).expand(2, 3)
    edges = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    assert sample_levels(logits, edges).tolist() == [1, 1]


def test_the_largest_uniform_samples_a_level_for_any_table():
    logits = 5 * torch.randn(2000, 37)
    levels = sample_levels(logits, torch.full((2000,), 1 - 2**-53, dtype=torch.float64))
    assert levels.max() == 36


def test_sample_counts_agree_with_the_probabilities():
    # Each of 4 counts is within 6 standard deviations; a right draw fails with p < 1e-8.
    probabilities = torch.tensor([0.01, 0.09, 0.4, 0.5], dtype=torch.float64)
    uniform = image_noise(3, 0, 1, 1, 200, 500).flatten()
    counts = torch.bincount(
        sample_levels(probabilities.log().expand(100_000, 4), uniform), minlength=4
    )
    deviation = (100_000 * probabilities * (1 - probabilities)).sqrt()
    assert ((counts - 100_000 * probabilities).abs() < 6 * deviation).all()


def test_seeds_come_from_the_generator_given_or_the_global_one():
    first, second = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    assert seed_from(first) == seed_from(second) != seed_from(first)
    torch.manual_seed(4)
    seed = seed_from()
    torch.manual_seed(4)
    assert seed_from() == seed
