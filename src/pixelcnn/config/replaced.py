"""Keys of other projects' configurations, among them the original's, and ours instead."""

SAME_ELSEWHERE = {
    "data.batch_size": ("training.batch_size", "data.batchsize"),
    "data.data_root": ("data.root", "data.data_dir", "data.path", "data.data_path"),
    "data.dataset_name": ("data.dataset", "data.name", "training.dataset"),
    "data.image_size": ("sampling.image_size", "sampling.shape", "model.image_size"),
    "data.num_workers": ("training.num_workers",),
    "data.use_augmentation": ("data.augment", "data.augmentation", "data.horizontal_flip"),
    "device": ("training.device", "training.accelerator", "sampling.device", "evaluation.device"),
    "evaluation.max_samples": ("evaluation.num_images", "evaluation.max_images"),
    "logger.csv": ("logger.use_csv",),
    "logger.log_every_n_steps": (
        "logger.log_interval",
        "logger.log_every",
        "training.log_interval",
    ),
    "logger.sample_every_n_epochs": (
        *("training.sample_every_n_epochs", "training.sample_interval", "training.sample_every"),
        *("logger.sample_interval", "sampling.interval", "sampling.every_n_epochs"),
    ),
    "logger.tensorboard": ("logger.use_tensorboard",),
    "logger.wandb": ("logger.use_wandb", "training.use_wandb", "use_wandb"),
    "logger.wandb_project": ("logger.project", "logger.project_name", "wandb_project"),
    "model.hidden_channels": ("model.hidden_dim", "model.num_filters", "model.n_filters"),
    "model.in_channels": ("model.num_channels", "model.input_channels", "data.num_channels"),
    "model.num_classes": ("model.num_levels", "model.n_classes", "data.num_classes"),
    "model.num_layers": ("model.n_layers",),
    "model.num_residual_blocks": ("model.num_blocks", "model.n_residual_blocks"),
    "out": (
        *("logger.log_dir", "logger.save_dir", "training.output_dir", "training.checkpoint_dir"),
        *("training.save_dir", "sampling.output_dir", "evaluation.output_dir"),
        *("sampling.save_dir", "logger.experiment_name", "experiment_name", "output_dir"),
    ),
    "sampling.num_samples": ("training.num_samples", "sampling.n_samples", "sampling.num_images"),
    "sampling.temperature": ("training.sample_temperature", "sampling.sample_temperature"),
    "seed": ("training.seed", "data.seed", "sampling.seed", "evaluation.seed"),
    "training.accumulate_grad_batches": ("training.gradient_accumulation_steps",),
    "training.early_stopping_patience": ("training.patience", "training.early_stopping"),
    "training.gradient_clip_val": ("training.gradient_clip", "training.grad_clip"),
    "training.learning_rate": ("training.lr", "model.learning_rate", "model.lr"),
    "training.max_epochs": ("training.epochs", "training.num_epochs", "training.n_epochs"),
    "training.num_checkpoints": ("training.save_top_k",),
    "training.num_devices": ("training.devices", "training.gpus", "training.num_gpus"),
    "training.schedule": ("training.scheduler", "training.lr_scheduler"),
    "training.weight_decay": ("model.weight_decay",),
}
GENERATED = "Give it to the command: `pixelcnn evaluate RUN --num-generated N`."
FEATURES = "It is measured by `pixelcnn evaluate RUN --features inception` (or classifier)."
LOGGERS = "Switch `logger.tensorboard`, `logger.csv` and `logger.wandb` on or off."
ADVICE = {
    "data.pin_memory": "Leave it out: batches for a GPU are pinned.",
    "data.normalize": "Leave it out: images are integer levels.",
    "data.shuffle": "Leave it out: training images are shuffled, others are not.",
    "evaluation.num_samples": GENERATED,
    "evaluation.num_generated": GENERATED,
    **dict.fromkeys(
        (
            *("evaluation.fid", "evaluation.compute_fid", "evaluation.inception_score"),
            *("evaluation.is", "evaluation.compute_is", "evaluation.metrics", "evaluation.kid"),
        ),
        FEATURES,
    ),
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
    for ours, others in SAME_ELSEWHERE.items():
        if key in others:
            return f" Use `{ours}`."
    return f" {ADVICE[key]}" if key in ADVICE else ""
