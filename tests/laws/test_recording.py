"""A walk is the same list of operations for all levels, so it may be recorded and replayed."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from pixelcnn.inference import PixelCNNSampler
from pixelcnn.walk import RepeatedSampling, SamplingOptions, sampling_chooser, stepper_for, walk
from tests.laws.test_guidance import optional_cases
from tests.laws.zoo import condition_for, make

SIZE = (2, 4)
BATCH = 2


class Tape(TorchDispatchMode):
    """Notes every operation, and does them all again on demand, without any Python between them.

    It stands for a graph of a graphics card: what Python read from a tensor while it was recorded
    stays as it was then.
    """

    def __init__(self, tensors):
        super().__init__()
        self.tensors = tensors  # by id, of all parts: what the operations made, and make now
        self.operations = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        made = func(*args, **kwargs)
        self.operations.append((func, args, kwargs, made))
        tree_map_only(torch.Tensor, lambda t: self.tensors.setdefault(id(t), t), made)
        return made

    @torch.inference_mode()
    def replay(self):
        def now(tensor):
            return self.tensors.get(id(tensor), tensor)

        for func, args, kwargs, made in self.operations:
            again = func(
                *tree_map_only(torch.Tensor, now, args), **tree_map_only(torch.Tensor, now, kwargs)
            )
            old, new = (torch.utils._pytree.tree_leaves(each) for each in (made, again))
            for before, after in zip(old, new, strict=True):
                if isinstance(before, torch.Tensor) and after is not now(before):
                    self.tensors[id(before)] = after


class TapeRecorder:
    """Also runs the work while it is recorded, unlike a graphics card."""

    def __init__(self):
        self.tensors, self.tapes = {}, []

    def record(self, work):
        tape = Tape(self.tensors)
        with tape:
            work()
        self.tapes.append(tape)
        return tape.replay


def batches(model, recorder, *, count=3, **how):
    """Sampled batch by batch, and each on its own."""
    options = SamplingOptions(seed=3, **how)
    repeated = RepeatedSampling(model, options, recorder=recorder)
    found, expected = [], []
    for number in range(count):
        cond = condition_for(model, count * BATCH, SIZE)
        cond = None if cond is None else cond[number * BATCH : (number + 1) * BATCH]
        x = model.blank(BATCH, (model.in_channels, *SIZE))
        rows = list(repeated.rows(x, first=number * BATCH, cond=cond))
        assert rows[-1] == SIZE[0] and rows == sorted(rows)
        found.append(x)
        alone = torch.zeros_like(x)
        choose = sampling_chooser(alone, seed=3, first=number * BATCH, filters=options.filters)
        expected.append(walk(stepper_for(model, options.guidance), alone, choose, cond=cond))
    return torch.cat(found), torch.cat(expected)


def test_replayed_walks_draw_the_images_of_fresh_ones(model):
    recorder = TapeRecorder()
    found, expected = batches(model, recorder)
    assert recorder.tapes, "nothing was recorded"
    assert torch.equal(found, expected)
    assert len(found.flatten(1).unique(dim=0)) > 1


CASES = [case for case in optional_cases() if "-categorical-" in str(case.id)]


@pytest.mark.parametrize("case", CASES)
def test_guidance_and_filters_are_replayed_too(case):
    how = {"guidance": 1.7, "temperature": 0.8, "top_k": 2, "top_p": 0.9}
    found, expected = batches(make(*case), TapeRecorder(), **how)
    assert torch.equal(found, expected)


def test_a_walk_that_depends_on_what_is_drawn_is_noticed(monkeypatch):
    model = make("pixelcnn", {"num_residual_blocks": 1, "hidden_channels": 8})
    level_logits = model.likelihood.level_logits

    def deciding(params, earlier, channel):
        logits = level_logits(params, earlier, channel)
        return logits if float(1000 * params.sum()) % 2 < 1 else -logits

    monkeypatch.setattr(type(model.likelihood), "level_logits", staticmethod(deciding))
    found, expected = batches(model, TapeRecorder())
    assert torch.equal(found[:BATCH], expected[:BATCH])
    assert not torch.equal(found, expected)


class Refusing:
    def record(self, work):
        raise RuntimeError("operation not permitted when stream is capturing\nand so on")


def test_what_cannot_be_recorded_is_walked_step_by_step_and_says_so():
    model = make("pixelcnn", {"num_residual_blocks": 1, "hidden_channels": 8})
    with pytest.warns(UserWarning, match=r"step by step: .* \(operation not permitted .*\)"):
        found, expected = batches(model, Refusing())
    assert torch.equal(found, expected)


def test_batches_of_another_size_are_walked_and_the_recording_is_kept():
    model = make("pixelcnn", {"num_residual_blocks": 1, "hidden_channels": 8})
    recorder = TapeRecorder()
    repeated = RepeatedSampling(model, SamplingOptions(seed=3), recorder=recorder)
    expected = PixelCNNSampler(model).generate_samples(10, seed=3, shape=(1, *SIZE))
    first, found, recorded = 0, [], []
    for size in (2, 2, 1, 2, 1, 2):
        x = model.blank(size, (1, *SIZE))
        list(repeated.rows(x, first=first))
        found.append(x)
        recorded.append(len(recorder.tapes))
        first += size
    assert torch.equal(torch.cat(found), expected)
    assert recorded[0] == 0 < recorded[1] and set(recorded[1:]) == {recorded[1]}
