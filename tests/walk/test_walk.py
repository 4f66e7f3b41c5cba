import torch

from pixelcnn.models import PixelCNN
from pixelcnn.walk import CachedStepper, NaiveStepper, walk, walk_rows


def known_after_each_row(stepper, size):
    x = torch.zeros(1, 1, *size, dtype=torch.int64)
    ones = torch.ones(1, dtype=torch.int64)
    rows = walk_rows(stepper, x, lambda logits, front: ones.expand(len(logits)))
    return [(done, x[0, 0].clone()) for done in rows]


def test_rows_are_reported_in_order_and_whole():
    model = PixelCNN(num_classes=2).eval()
    for stepper in (
        NaiveStepper(model),
        CachedStepper(model),
        CachedStepper(model, wavefront=False),
    ):
        seen = known_after_each_row(stepper, (4, 9))
        assert [done for done, _ in seen] == [1, 2, 3, 4]
        assert all((x[:done] == 1).all() for done, x in seen)


def test_a_walk_that_is_left_early_gives_the_mode_back():
    model = PixelCNN(num_classes=2).train()
    x = torch.zeros(1, 1, 4, 4, dtype=torch.int64)
    rows = walk_rows(CachedStepper(model), x, lambda logits, _: logits.argmax(1))
    next(rows)
    assert not model.training
    rows.close()
    assert model.training


def test_known_sub_pixels_can_be_kept():
    model = PixelCNN(in_channels=3, num_classes=4)
    x = torch.randint(4, (2, 3, 5, 6))
    known = torch.rand(x.shape) < 0.5
    given = x.clone()

    def choose(logits, front):
        return torch.where(front.of(known).flatten(), front.of(given).flatten(), logits.argmax(1))

    walk(CachedStepper(model), x, choose)
    assert torch.equal(x[known], given[known])


def test_walking_takes_no_part_in_gradients():
    model = PixelCNN(num_classes=2)
    x = torch.zeros(1, 1, 4, 4, dtype=torch.int64)
    seen = []
    walk(CachedStepper(model), x, lambda logits, _: seen.append(logits) or logits.argmax(1))
    assert not any(logits.requires_grad for logits in seen)
