"""Keys of other projects' configurations, among them the original's, and ours instead."""

SETTINGS = {
    "accelerator": "device",
    "checkpoint_dir": "out",
    "dataset": "data.dataset_name",
    "experiment_name": "out",
    "gpus": "training.num_devices",
    "gradient_accumulation_steps": "training.accumulate_grad_batches",
    "hidden_dim": "model.hidden_channels",
    "horizontal_flip": "data.use_augmentation",
    "log_dir": "out",
    "log_interval": "logger.log_every_n_steps",
    "lr": "training.learning_rate",
    "num_blocks": "model.num_residual_blocks",
    "num_channels": "model.in_channels",
    "num_filters": "model.hidden_channels",
    "num_levels": "model.num_classes",
    "num_gpus": "training.num_devices",
    "output_dir": "out",
    "path": "data.data_root",
    "patience": "training.early_stopping_patience",
    "project_name": "logger.wandb_project",
    "run_name": "out",
    "sample_every": "logger.sample_every_n_epochs",
    "sample_interval": "logger.sample_every_n_epochs",
    "save_dir": "out",
    "save_top_k": "training.num_checkpoints",
    "shape": "data.image_size",
}
"""Keys of any section, without it."""

GENERATED = "Give it to the command: `pixelcnn evaluate RUN --num-generated N`."
FEATURES = "It is measured by `pixelcnn evaluate RUN --features inception` (or classifier)."
LOGGERS = "Switch `logger.tensorboard`, `logger.csv` and `logger.wandb` on or off."
ADVICE = {
    "data.pin_memory": "Leave it out: batches for a GPU are pinned.",
    "data.normalize": "Leave it out: images are integer levels.",
    "data.shuffle": "Leave it out: training images are shuffled, others are not.",
    "evaluation.num_samples": GENERATED,
    "evaluation.num_generated": GENERATED,
    "evaluation.num_generated_samples": GENERATED,
    **dict.fromkeys((f"evaluation.{each}" for each in ("fid", "is", "kid", "metrics")), FEATURES),
    "evaluation.lpips": "It is measured by `pixelcnn evaluate RUN --lpips alex`.",
    **dict.fromkeys(("logger.type", "logger.name", "logger.logger"), LOGGERS),
    "sampling.batch_size": "Give it to the command: `pixelcnn sample RUN --batch-size N`.",
    "sampling.save_format": "Give it to the command: `pixelcnn sample RUN --out FILE.png`.",
}


def advice_on(key: str) -> str:
    """What to use instead of a key that other configurations have; empty if it is none of them.

    Example:
        >>> advice_on("training.lr")
        ' Use `training.learning_rate`.'
    """
    if key in ADVICE:
        return f" {ADVICE[key]}"
    ours = SETTINGS.get(key.rpartition(".")[2])
    return f" Use `{ours}`." if ours else ""
