"""What a walk keeps is known beforehand, for every architecture, and bounded."""

import pytest

from pixelcnn.inference.memory import kept_bytes, walk_memory
from pixelcnn.models import GatedPixelCNN, PixelCNN, PixelCNNPlusPlus, PixelSNAIL
from pixelcnn.walk import CachedStepper, sampling_chooser, walk_rows
from tests.laws.zoo import cases, condition_for, make

FLOAT = 4
# The head of a network keeps nothing; two of them cover networks with colour groups and without.
CASES = [
    pytest.param(*case.values, id=case.id)
    for case in cases()
    if case.id.endswith(("categorical-rgb", "mixture-grey"))
]


@pytest.mark.parametrize("case", CASES)
def test_it_is_what_a_whole_walk_keeps_at_most(case):
    model = make(*case).float()
    shape = (model.in_channels, 5, 6)
    x = model.blank(3, shape)
    stepper, cond = CachedStepper(model), condition_for(model, 3, shape[1:])
    cond = cond.float() if cond is not None and cond.is_floating_point() else cond
    rows = walk_rows(stepper, x, sampling_chooser(x, seed=0), cond=cond)
    kept = max(kept_bytes(stepper.cursor, model) for _ in rows)
    memory = walk_memory(model, shape)
    assert kept == memory.of(3)
    assert memory.per_image > 0


def per_image(model, height, width):
    return walk_memory(model, (model.in_channels, height, width)).per_image


def test_pixelcnn_keeps_a_ring_of_times_for_each_window():
    model = PixelCNN(hidden_channels=16, num_residual_blocks=3, num_classes=2)
    lag, height, width = model.lag, 9, 11
    numbers = 0
    for conv in (model.first, *(block.conv for block in model.blocks)):
        up = conv.kernel_size[0] // 2
        numbers += (1 + up * lag + up) * (height + up) * conv.in_channels
    assert per_image(model, height, width) == FLOAT * numbers


def test_two_stacks_keep_rows_and_do_not_grow_with_the_height():
    for model in (
        GatedPixelCNN(hidden_channels=8, num_layers=3, num_classes=2),
        PixelCNNPlusPlus(hidden_channels=8, num_resnets=1, num_resolutions=2, num_classes=2),
    ):
        assert per_image(model, 8, 12) == per_image(model, 16, 12)
        assert per_image(model, 8, 24) < 2 * per_image(model, 8, 12)


def test_attention_keeps_keys_and_values_of_all_pixels():
    plain = GatedPixelCNN(hidden_channels=8, num_layers=3, num_classes=2)
    model = GatedPixelCNN(
        hidden_channels=8, num_layers=3, attention_every=1, num_heads=2, num_classes=2
    )
    number = len(model.attentions)
    assert number == 2
    assert per_image(model, 6, 7) - per_image(plain, 6, 7) == FLOAT * number * 2 * 6 * 7 * 8
    snail = PixelSNAIL(
        hidden_channels=8, num_blocks=3, num_resnets=1, key_width=4, num_heads=2, num_classes=2
    )
    added = per_image(snail, 12, 7) - per_image(snail, 6, 7)
    assert added == FLOAT * 3 * (6 * 7) * 2 * (4 + 2)


def test_maps_are_kept_as_biases_of_all_pixels_and_labels_are_not():
    options = {"num_classes": 2, "hidden_channels": 8, "num_residual_blocks": 2}
    plain, by_label = PixelCNN(**options), PixelCNN(**options, num_labels=3)
    by_map = PixelCNN(**options, num_map_channels=1)
    biases = sum(block.cond_bias.weight.shape[1] for block in by_map.blocks)
    assert per_image(by_map, 6, 7) - per_image(plain, 6, 7) == FLOAT * 6 * 7 * biases
    assert per_image(by_label, 6, 7) - per_image(plain, 6, 7) == FLOAT * biases


def test_16_bits_take_half():
    model = GatedPixelCNN(
        hidden_channels=8, num_layers=2, attention_every=1, image_size=6, num_classes=2
    )
    exact, rounded = walk_memory(model), walk_memory(model, precision="bf16")
    assert (rounded.per_image, rounded.shared) == (exact.per_image / 2, exact.shared / 2)
