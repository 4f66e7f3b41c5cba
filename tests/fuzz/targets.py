"""Every reader of a file that a stranger could hand over."""

from tests.fuzz import data_files, image_files, model_files, run_files, settings_files
from tests.fuzz.target import Target

TARGETS: tuple[Target, ...] = (
    *model_files.TARGETS,
    *settings_files.TARGETS,
    *run_files.TARGETS,
    *image_files.TARGETS,
    *data_files.TARGETS,
)
