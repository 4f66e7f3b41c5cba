"""This process, as torchrun, srun or pixelcnn started it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pixelcnn.errors import ConfigError
from pixelcnn.processes import PARENT, Process, this_process


def test_a_process_of_torchrun_knows_its_place():
    found = {"RANK": "5", "WORLD_SIZE": "6", "LOCAL_RANK": "2", "LOCAL_WORLD_SIZE": "3"}
    here = this_process(found)
    assert here == Process(5, 6, 2, 3)
    assert (here.num_nodes, here.node_rank, here.is_first, here.is_alone) == (2, 1, False, False)


def test_a_task_of_slurm_knows_its_place():
    step = {"SLURM_PROCID": "3", "SLURM_STEP_NUM_TASKS": "8", "SLURM_LOCALID": "3"}
    assert this_process({**step, "SLURM_STEP_TASKS_PER_NODE": "4(x2)"}) == Process(3, 8, 3, 4)
    # torchrun, begun by a task of SLURM, is nearer.
    nearer = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}
    assert this_process({**step, **nearer}) == Process(1, 2, 1, 2)


def test_a_batch_script_of_slurm_is_alone():
    assert this_process({"SLURM_PROCID": "0", "SLURM_NTASKS": "8"}).is_alone


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"RANK": "2", "WORLD_SIZE": "2"}, "`RANK` must be below `WORLD_SIZE`"),
        ({"RANK": "one", "WORLD_SIZE": "2"}, "`RANK` in the environment must be a whole number"),
        (
            {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "7", "SLURM_STEP_TASKS_PER_NODE": "4,3"},
            "the same for every machine, got '4,3'",
        ),
        (
            {"RANK": "0", "WORLD_SIZE": "3", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"},
            "as many processes on each machine",
        ),
    ],
)
def test_an_environment_that_cannot_be_is_refused(found, message):
    with pytest.raises(ConfigError, match=message):
        this_process(found)


@pytest.mark.skipif(os.name != "posix", reason="pipes are handed on by number")
def test_a_process_ends_when_the_one_that_holds_its_pipe_is_gone():
    watched, held = os.pipe()
    code = "import time; from pixelcnn.processes import end_with_parent as f; f(); time.sleep(60)"
    environment = {**os.environ, PARENT: str(watched)}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, pass_fds=[watched])
    os.close(watched)
    time.sleep(0.2)
    assert process.poll() is None
    os.close(held)
    assert process.wait(timeout=20) == -signal.SIGTERM
