"""`pixelcnn sample --shards` makes any number of images, and continues after a stop."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from pixelcnn.cli import main
from pixelcnn.shards import ShardedSampling
from tests.cli.tables import table

SIZES = ["--num-samples=10", "--shard-size=4"]


def sample(model_file, folder, *words) -> int:
    return main(["sample", str(model_file), "--device=cpu", "--shards", str(folder), *words])


def test_shards_hold_the_images_of_one_file(model_file, tmp_path, capsys):
    words = ["--label=coat,1", "--temperature=0.5", "--top-k=3", "--seed=3", "--size=4x3"]
    assert sample(model_file, tmp_path / "a", *SIZES, *words) == 0
    out, err = capsys.readouterr()
    assert (out, err) == (f"10 images in {tmp_path / 'a'}, 3 shards\n", "")
    file = tmp_path / "a.npz"
    assert main(["sample", str(model_file), "--num-samples=10", f"--out={file}", *words]) == 0
    shards = [np.load(each) for each in sorted((tmp_path / "a").glob("*.npz"))]
    with np.load(file) as arrays:
        for ours, theirs in (("x_train", "x"), ("y_train", "labels")):
            assert np.array_equal(np.concatenate([each[ours] for each in shards]), arrays[theirs])


def test_so_many_of_each_label_are_shared_among_shards(model_file, tmp_path):
    assert sample(model_file, tmp_path / "a", "--per-label=2", "--shard-size=4") == 0
    labels = [np.load(each)["y_train"] for each in sorted((tmp_path / "a").glob("*.npz"))]
    assert np.concatenate(labels).tolist() == [0, 0, 1, 1, 2, 2]


def test_ctrl_c_stops_and_the_same_command_continues(model_file, tmp_path, capsys, monkeypatch):
    folder, write = tmp_path / "a", ShardedSampling.write

    def stop_after_one(work, shards, **options):
        write(work, shards[:1], **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ShardedSampling, "write", stop_after_one)
        assert sample(model_file, folder, *SIZES) == 130
    rest = "Rerun the same command to make the rest."
    line = f"pixelcnn: Stopped with 1 of 3 shards in {folder}. {rest}\n"
    assert capsys.readouterr().err == line
    first = (folder / "shard-00000.npz").stat().st_mtime_ns
    assert sample(model_file, folder, *SIZES) == 0
    assert capsys.readouterr().err == f"Continuing in {folder}: 1 of 3 shards exist.\n"
    assert (folder / "shard-00000.npz").stat().st_mtime_ns == first
    assert sample(model_file, tmp_path / "b", *SIZES) == 0
    for file in (tmp_path / "b").iterdir():
        assert file.read_bytes() == (folder / file.name).read_bytes()


def test_damaged_shards_are_counted_and_made_again(model_file, tmp_path, capsys):
    folder = tmp_path / "a"
    assert sample(model_file, folder, *SIZES) == 0
    shard = folder / "shard-00001.npz"
    before = shard.read_bytes()
    shard.write_bytes(before[:-9])
    capsys.readouterr()
    assert sample(model_file, folder, *SIZES) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"Continuing in {folder}: 2 of 3 shards exist."
    assert lines[1] == f"In {folder}: 1 shard damaged or of other settings, made again."
    assert shard.read_bytes() == before


def test_precision_and_batches_are_chosen_and_noted(model_file, tmp_path):
    words = ["--precision=bf16", "--batch-size=2"]
    assert sample(model_file, tmp_path / "a", *SIZES, *words) == 0
    recipe = json.loads((tmp_path / "a" / "manifest.json").read_text())["recipe"]
    assert (recipe["precision"], recipe["batch_size"]) == ("bf16", 2)
    assert main(["sample", str(model_file), f"--out={tmp_path / 'a.npz'}", *words]) == 0
    with np.load(tmp_path / "a.npz") as arrays:
        notes = json.loads(json.loads(str(arrays["notes"]))["Comment"])
    assert (notes["precision"], notes["batch_size"]) == ("bf16", 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shards=a", "--separate"], "leave out --separate"),
        (["--shards=a", "--columns=3"], "leave out --columns"),
        (["--shards=a", "--shard-size=300"], "Take 512, or another `--batch-size`"),
        (["--shard-size=4"], "`--shard-size` needs `--shards DIR`"),
        (["--shards=a", "--label=sofa"], "Ankle boot, bag, coat"),
    ],
)
def test_wrong_options_are_one_line_and_make_no_folder(
    model_file, fails, words, message, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert message in fails("sample", model_file, *words)
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_of_other_samples_is_refused_in_one_line(model_file, fails, tmp_path, capsys):
    assert sample(model_file, tmp_path / "a", *SIZES) == 0
    capsys.readouterr()
    words = ["sample", model_file, "--shards", tmp_path / "a", *SIZES, "--seed=1"]
    assert "`--seed` is 0 there and 1 here" in fails(*words)


def test_no_space_is_one_line_and_loses_no_shard(model_file, fails, tmp_path, capsys):
    resource = pytest.importorskip("resource", reason="limits of file sizes are POSIX")
    folder, before = tmp_path / "a", resource.getrlimit(resource.RLIMIT_FSIZE)
    words = ["--num-samples=900", "--shard-size=300", "--batch-size=300"]
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        line = fails("sample", model_file, "--shards", folder, *words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"Cannot write `{folder / 'shard-00000.npz'}`" in line
    assert [file.name for file in folder.iterdir()] == ["manifest.json"]
    assert sample(model_file, folder, *words) == 0


def test_workers_share_the_shards_and_the_last_one_prints(model_file, tmp_path, capsys):
    folder = tmp_path / "a"
    for worker, said in ((2, "1 shard of worker 2"), (0, "1 shard of worker 0")):
        assert sample(model_file, folder, *SIZES, f"--worker={worker}", "--num-workers=3") == 0
        assert (
            capsys.readouterr().out == f"{said} in {folder}; those of other workers are missing\n"
        )
    assert sample(model_file, folder, *SIZES, "--worker=1", "--num-workers=3") == 0
    assert capsys.readouterr().out.startswith(f"10 images in {folder}, 3 shards")
    assert sample(model_file, tmp_path / "b", *SIZES) == 0
    for file in (tmp_path / "b").iterdir():
        assert file.read_bytes() == (folder / file.name).read_bytes()


def test_processes_of_torchrun_share_without_a_word(model_file, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "a"
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        assert sample(model_file, folder, *SIZES) == 0
        out, err = capsys.readouterr()
        assert err == ""
        assert bool(out) is (rank == "1")  # the last one that is done speaks
    for rank, speaks in (("0", True), ("1", False)):
        monkeypatch.setenv("RANK", rank)
        assert sample(model_file, folder, *SIZES) == 0
        assert bool(capsys.readouterr().out) is speaks


def test_existing_shards_are_counted_of_all_or_of_the_typed_worker(
    model_file, tmp_path, capsys, monkeypatch
):
    folder = tmp_path / "a"
    assert sample(model_file, folder, *SIZES) == 0
    (folder / "shard-00000.npz").unlink()
    (folder / "shard-00001.npz").write_bytes(b"torn")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    said = {
        "0": f"Continuing in {folder}: 2 of 3 shards exist.\n",
        "1": f"In {folder}: 1 shard damaged or of other settings, made again.\n",
    }
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, line in said.items():
        capsys.readouterr()
        monkeypatch.setenv("RANK", rank)
        assert sample(model_file, folder, *SIZES) == 0
        assert capsys.readouterr().err == line
        for name, content in before.items():
            (folder / name).write_bytes(content)
        (folder / "shard-00000.npz").unlink(missing_ok=True)
    monkeypatch.delenv("RANK")
    assert sample(model_file, folder, *SIZES, "--worker=0", "--num-workers=2") == 0
    assert capsys.readouterr().err == (
        f"Continuing in {folder}: 1 of 2 shards of worker 0 exist.\n"
    )


def test_of_several_processes_one_says_what_is_wrong(model_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    said = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("LOCAL_RANK", rank)
        assert sample(model_file, tmp_path / "a", "--label=sofa") == 2
        said.append(capsys.readouterr().err)
    assert "sofa" in said[0] and said[1] == ""


def test_a_split_is_scored_in_shards_as_at_once(run_folder, tmp_path, capsys):
    words = ["score", str(run_folder), "--device=cpu", "--max-images=30", "--batch-size=8"]
    assert main([*words, "--out", str(tmp_path / "once")]) == 0
    folder = tmp_path / "shards"
    capsys.readouterr()
    for worker in (1, 0):
        sharing = [f"--worker={worker}", "--num-workers=2", "--shard-size=16"]
        assert main([*words, "--shards", str(folder), *sharing]) == 0
    assert "nats per image" in capsys.readouterr().out
    once = {row["image"]: row for row in table(tmp_path / "once" / "scores.csv")}
    rows = table(folder / "scores.csv")
    assert [row["image"] for row in rows] == [f"test-{number}" for number in range(30)]
    for row in rows:
        assert f"{float(row['nats']):.4f}" == once[row["image"]]["nats"]
        assert f"{float(row['bits_per_dim']):.6f}" == once[row["image"]]["bits_per_dim"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--worker=1"], "`--worker` needs `--shards DIR`"),
        (["--shards=a", "--worker=1"], "`--worker` and `--num-workers` go together"),
        (["--shards=a", "--worker=2", "--num-workers=2"], "must be from 0 to `--num-workers` - 1"),
        (
            ["--shards=a", "--worker=0", "--num-workers=2", "--num-processes=2"],
            "`--num-processes` starts its own workers",
        ),
    ],
)
@pytest.mark.parametrize("command", ["sample", "score"])
def test_who_shares_is_said_once_and_whole(
    run_folder, fails, command, words, message, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    assert message in fails(command, run_folder, *words)


def test_files_are_not_scored_in_shards(run_folder, fails, tmp_path):
    assert "Leave out files" in fails("score", run_folder, "a.png", "--shards", tmp_path / "a")
    assert "Leave out --animation" in fails(
        "score", run_folder, "--animation", "--shards", tmp_path / "a"
    )


@pytest.mark.slow
def test_a_killed_worker_is_made_up_for_by_processes_of_another_number(model_file, tmp_path):
    words = ["--num-samples=3000", "--shard-size=100", "--batch-size=50", "--size=16x16"]
    command = [sys.executable, "-m", "pixelcnn", "sample", str(model_file), "--device=cpu", *words]
    folder, whole = tmp_path / "a", tmp_path / "whole"
    with subprocess.Popen([*command, f"--shards={folder}", "--worker=1", "--num-workers=3"]) as one:
        while not list(folder.glob("shard-*.npz")):
            time.sleep(0.01)
        one.kill()
    assert len(list(folder.glob("shard-*.npz"))) < 10
    for processes in (2, 3):
        subprocess.run([*command, f"--shards={folder}", f"--num-processes={processes}"], check=True)
        if processes == 2:
            for number in range(0, 30, 7):
                (folder / f"shard-{number:05d}.npz").unlink()
    subprocess.run([*command, f"--shards={whole}"], check=True)
    files = {file.name: file.read_bytes() for file in whole.iterdir()}
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == files
    assert len(files) == 31
