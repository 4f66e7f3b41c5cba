"""The models that a visitor can choose, each loaded once for all visitors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pixelcnn.checkpoint import read_card
from pixelcnn.errors import CheckpointError
from pixelcnn.runs import (
    CONFIG_FILE,
    LOGS,
    METRICS_FILE,
    TrainedModel,
    find_model,
    list_runs,
    open_model,
    run_folder,
)
from pixelcnn.spec import ImageSpec
from pixelcnn.verification import find_report
from pixelcnn.weights import FOLDER, list_weights

RUNS = "runs"


@dataclass(frozen=True)
class Choice(TrainedModel):
    """A model that is chosen. All visitors share it: it is never changed.

    Attributes:
        name: Its name on the page.
    """

    name: str

    @property
    def spec(self) -> ImageSpec:
        """Shape and levels of its images, of 32×32 pixels if it has no size of its own."""
        height, width = self.model.image_size or (32, 32)
        return ImageSpec(self.model.in_channels, height, width, self.model.num_classes)


def find_models(
    runs: Sequence[str], *, on_error: Callable[[CheckpointError], object] | None = None
) -> dict[str, Path]:
    """The files of all models by name: runs first, then the bundled models.

    Args:
        runs: Run folders, model files, or folders of runs; those in `runs/` if there are none.
        on_error: Called with the reason for each model left out; None to raise it.

    Raises:
        CheckpointError: If one holds no model, or is a file that would have to be unpickled.
    """
    named: list[tuple[str, Path]] = []
    for run in runs or ([RUNS] if Path(RUNS).is_dir() else []):
        inside = list_runs(run) if Path(run).is_dir() else []
        try:
            if inside:
                named += [(folder.name, find_model(str(folder))) for folder in inside]
            elif runs:
                named.append((Path(run).resolve().name, _file_of(run)))
        except CheckpointError as error:
            if on_error is None:
                raise
            on_error(error)
    # Not by `find_model`, which prefers a folder of that name.
    named += [(name, FOLDER / f"{name}.safetensors") for name in list_weights()]
    choices: dict[str, Path] = {}
    for name, file in named:
        if file.resolve() in [known.resolve() for known in choices.values()]:
            continue
        # Models of the same name are distinguished by their place.
        place = "bundled" if file.parent == FOLDER else file.parent
        choices[name if name not in choices else f"{name} ({place})"] = file
    return choices


def first_readable(choices: Mapping[str, Path]) -> str:
    """The first whose file can be opened, so that the page does not start with a damaged run."""
    for name, file in choices.items():
        try:
            read_card(file)
        except CheckpointError:
            continue
        return name
    return next(iter(choices))


@dataclass(frozen=True)
class Models:
    """All models that can be chosen.

    Attributes:
        files: By name.
        device: Where the weights go.
    """

    files: Mapping[str, Path]
    device: str

    def open(self, name: str) -> Choice:
        """The model, loaded on first use and when its file has changed.

        Raises:
            CheckpointError: If the file is missing, damaged or not one of ours, or if the run has
                links to elsewhere.
        """
        file = self.files[name]
        _refuse_links(file)
        try:
            state = file.stat()
        except OSError as error:
            raise CheckpointError(f"`{file}` is gone: choose another model.") from error
        found = _load(str(file), self.device, (state.st_mtime_ns, state.st_size))
        return Choice(**vars(found), name=name)


@st.cache_resource(max_entries=8, show_spinner="Loading the model …")
def _load(file: str, device: str, stamp: tuple[int, int]) -> TrainedModel:
    """`stamp`, time and size of the file, distinguishes its versions in the cache."""
    return open_model(file, device=device)


def _refuse_links(file: Path) -> None:
    """Refuses a run with files that are links out of it, whose content the page would show.

    Raises:
        CheckpointError: If there is such a link.
    """
    folder = run_folder(file)
    if folder is None:
        return
    shown = (file, folder / CONFIG_FILE, folder / METRICS_FILE, find_report(file))
    for each in (*shown, *folder.glob(LOGS)):
        if each is not None and each.exists() and folder.resolve() not in each.resolve().parents:
            raise CheckpointError(
                f"`{each}` must lie in its run folder, got a link to elsewhere: copy it there."
            )


def _file_of(run: str) -> Path:
    file = find_model(run)
    if file.suffix == ".ckpt":
        raise CheckpointError(
            f"The page opens .safetensors files only, which cannot run code, got `{run}`. "
            f"`pixelcnn sample` and the other commands take the state of a training."
        )
    return file
