"""Images decoded batch by batch, in this process and in workers."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest
import torch

from pixelcnn.data import FileImageSet, batches, streaming
from pixelcnn.data.files.packed_paths import PackedPaths
from pixelcnn.data.streaming import Files
from pixelcnn.errors import DataError
from pixelcnn.spec import ImageSpec
from pixelcnn.training.loaders import EpochLoader

pytestmark = [
    # Python from 3.12 on warns of every fork of a process with threads, which PyTorch always has.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
    # PyTorch warns of more workers than there are processors.
    pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning"),
]


def decode(path, *, log):
    """An image whose pixels are the number that the file is named by; the log says who read it."""
    with log.open("a") as file:
        file.write(f"{os.getpid()} {path.name}\n")
    return torch.full((1, 2, 2), int(path.name))


def killed(path):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def images(log):
    paths = PackedPaths.of(Path(), map(str, range(12)))
    return FileImageSet(Files(paths, partial(decode, log=log)), spec=ImageSpec(1, 2, 2, 12))


def readers_of(log):
    return {line.split()[0] for line in log.read_text().splitlines()}


def read_by(log):
    return sorted(int(line.split()[1]) for line in log.read_text().splitlines())


def numbers_of(epoch):
    return [batch.x[:, 0, 0, 0].tolist() for batch in epoch]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_workers_stay_from_epoch_to_epoch(images, log, num_workers):
    loader = EpochLoader(images, 2, seed=0, num_workers=num_workers)
    alone = EpochLoader(images, 2, seed=0)
    for epoch in range(3):
        loader.epoch = alone.epoch = epoch
        log.unlink(missing_ok=True)
        assert numbers_of(loader) == numbers_of(alone)
    log.unlink()
    loader.epoch = 3
    list(loader)
    first = readers_of(log)
    loader.epoch = 4
    list(loader)
    assert readers_of(log) == first
    assert len(first) == max(num_workers, 1)
    assert (str(os.getpid()) in first) == (num_workers == 0)
    loader.close()


def test_closing_ends_the_workers_and_reading_again_starts_others(images, log):
    loader = batches(images, 2, num_workers=1)
    whole = numbers_of(loader)
    first = readers_of(log)
    loader.close()
    assert numbers_of(loader) == whole
    assert len(readers_of(log)) == 2 and readers_of(log) > first
    loader.close()
    for reader in map(int, readers_of(log)):
        with pytest.raises(ProcessLookupError):
            os.kill(reader, 0)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_resumed_epoch_decodes_nothing_that_it_skips(images, log, num_workers):
    loader = EpochLoader(images, 2, seed=0, num_workers=num_workers)
    whole = numbers_of(loader)
    log.unlink()
    loader.position = 4
    assert numbers_of(loader) == whole[4:]
    assert read_by(log) == sorted(number for batch in whole[4:] for number in batch)
    loader.close()


def test_an_epoch_left_early_does_not_leak_into_the_next(images):
    loader = EpochLoader(images, 2, seed=0, num_workers=2)
    alone = EpochLoader(images, 2, seed=0)
    epoch = iter(loader)
    next(epoch)
    del epoch
    loader.epoch = alone.epoch = 1
    assert numbers_of(loader) == numbers_of(alone)
    loader.close()


@pytest.mark.parametrize("num_workers", [0, 1])
def test_two_that_read_at_once_do_not_disturb_each_other(images, num_workers):
    loader = batches(images, 2, num_workers=num_workers)
    for one, other in zip(loader, loader, strict=True):
        assert torch.equal(one.x, other.x)
    loader.close()


def test_a_worker_that_dies_is_one_error_and_another_takes_its_place(images):
    dying = FileImageSet(Files(images.store.paths, killed), spec=images.spec)
    loader = batches(dying, 2, num_workers=1)
    for _ in range(2):
        with pytest.raises(DataError, match=r"has died .*`num_workers`") as caught:
            list(loader)
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_is_left_to_the_one_that_reads(images, log, capfd, sent):
    loader = batches(images, 2, num_workers=1)
    whole, epoch = numbers_of(loader), iter(loader)
    next(epoch)
    for reader in map(int, readers_of(log)):
        os.kill(reader, sent)
    assert numbers_of(epoch) == whole[1:]
    loader.close()
    assert capfd.readouterr().err == ""


@pytest.mark.filterwarnings("ignore:.*pin_memory:UserWarning")  # there may be no such device here
def test_batches_for_a_cuda_device_are_pinned_and_sent_without_waiting(images, monkeypatch):
    made = []

    class Noted(streaming.DataLoader):
        def __init__(self, *args, pin_memory, **options):
            made.append((pin_memory, options["persistent_workers"]))
            super().__init__(*args, **options)

    monkeypatch.setattr(streaming, "DataLoader", Noted)
    sent, to = [], torch.Tensor.to

    def send(self, where, **options):
        if where != torch.device("cuda:0"):
            return to(self, where, **options)
        sent.append(options)
        return self

    on_device = images.to("cuda:0")
    monkeypatch.setattr(torch.Tensor, "to", send)
    assert [x.shape[0] for x in on_device.read([torch.tensor([3, 4])])] == [2]
    assert (made, sent) == ([(True, False)], [{"non_blocking": True}])
    list(images.read([torch.tensor([3])]))
    assert made[1:] == [(False, False)]


def test_what_is_taken_resized_or_binarized_stays_on_its_device(images):
    moved = images.to("meta")
    for other in (
        moved.take(torch.tensor([1])),
        moved.dynamically_binarized(),
        moved.apply(abs, images.spec),
    ):
        assert other.device == torch.device("meta")
