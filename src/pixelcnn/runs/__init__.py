"""Trained models on disk: run folders, model files and the states of trainings."""

from pixelcnn.runs.folder import (
    BEST_STATE,
    CONFIG_FILE,
    ENVIRONMENT_FILE,
    LAST_STATE,
    LOGS,
    METRICS_FILE,
    MODEL_FILE,
    STATES,
    config_of,
    figures_of,
    find_model,
    history_of,
    is_state_of,
    list_runs,
    own_data,
    read_starts,
    run_folder,
)
from pixelcnn.runs.open import TrainedModel, load, open_model
from pixelcnn.runs.state import load_trained, read_state

__all__ = [
    "BEST_STATE",
    "CONFIG_FILE",
    "ENVIRONMENT_FILE",
    "LAST_STATE",
    "LOGS",
    "METRICS_FILE",
    "MODEL_FILE",
    "STATES",
    "TrainedModel",
    "config_of",
    "figures_of",
    "find_model",
    "history_of",
    "is_state_of",
    "list_runs",
    "load",
    "load_trained",
    "open_model",
    "own_data",
    "read_starts",
    "read_state",
    "run_folder",
]
