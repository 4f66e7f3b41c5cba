"""Where and how a run was started: what its metrics depend on besides its settings."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import torch

from pixelcnn.config import Config
from pixelcnn.device import processor_name, resolve_device
from pixelcnn.runs import ENVIRONMENT_FILE, read_starts
from pixelcnn.version import versions


def list_starts(
    config: Config,
    run_dir: Path,
    *,
    command: str | None,
    found: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """This start of a run, after the earlier ones that it resumes.

    Args:
        config: Settings of the run; `device` and `resume` are read.
        run_dir: Folder of the run. A new one takes the entries of the state's own folder.
        command: The command as it was typed; None from Python.
        found: Settings that were searched before the training, by name, and how.

    Raises:
        DataError: If the entries of earlier starts cannot be read.
    """
    earlier = []
    if config.resume is not None:
        own, other = run_dir, Path(config.resume).parent.parent
        earlier = read_starts(own if (own / ENVIRONMENT_FILE).exists() else other)
    start = {**describe_start(config.device), "command": command, "resumed": config.resume}
    return [*earlier, {**start, "found": dict(found)} if found else start]


def describe_start(device: str) -> dict[str, Any]:
    """Time, versions, revision and machine, in JSON types; no names of people or hosts."""
    kind = resolve_device(device)
    count = torch.cuda.device_count() if kind.startswith("cuda") else 0
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": installed_versions(),
        "git": git_revision(Path.cwd()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": kind,
        "gpus": [torch.cuda.get_device_name(number) for number in range(count)],
        "cuda": torch.version.cuda if count else None,
    }


def installed_versions() -> dict[str, str]:
    """Versions of this package and its dependencies, with extras where installed."""
    try:
        lines = [line for line in requires("pixelcnn") or [] if "'dev'" not in line]
    except PackageNotFoundError:  # run without being installed
        lines = []
    found = versions()
    del found["python"]
    for line in lines:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # of an extra that is not installed
            continue
    return found


def git_revision(folder: Path) -> dict[str, Any] | None:
    """The commit of a folder, and whether tracked files differ from it.

    Returns:
        `revision` and `dirty`; None without git or outside of a repository.
    """
    git = shutil.which("git")
    if git is None:
        return None
    # Without locks, since `git status` would otherwise write to the index.
    command = [git, "--no-optional-locks", "-C", str(folder)]
    answers = []
    for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"]):
        try:
            answer = subprocess.run(
                [*command, *words], capture_output=True, text=True, timeout=20, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return None
        answers.append(answer.stdout.strip())
    return {"revision": answers[0], "dirty": bool(answers[1])}
