"""The settings of a run: typed sections, read from YAML and the command line, checked by key."""

from pixelcnn.config.load import (
    as_config,
    as_dict,
    as_section,
    flatten,
    load_config,
    read_config,
    to_yaml,
)
from pixelcnn.config.model import ModelConfig
from pixelcnn.config.presets import preset_names, preset_path
from pixelcnn.config.sections import (
    AUTO,
    FINDERS,
    TIMED,
    TRAINING_ONLY,
    Config,
    DataConfig,
    EvaluationConfig,
    LoggerConfig,
    SamplingConfig,
    TrainingConfig,
)

__all__ = [
    "AUTO",
    "FINDERS",
    "TIMED",
    "TRAINING_ONLY",
    "Config",
    "DataConfig",
    "EvaluationConfig",
    "LoggerConfig",
    "ModelConfig",
    "SamplingConfig",
    "TrainingConfig",
    "as_config",
    "as_dict",
    "as_section",
    "flatten",
    "load_config",
    "preset_names",
    "preset_path",
    "read_config",
    "to_yaml",
]
