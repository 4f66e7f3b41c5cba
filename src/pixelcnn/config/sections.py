"""The settings of a run as typed sections. What each may be is in `rules`."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pixelcnn.arguments import named_arguments
from pixelcnn.config.model import ModelConfig


@named_arguments
@dataclass
class TrainingConfig:
    """How the weights are found.

    Attributes:
        optimizer: "adamw", "adam" or "muon" (kernels move along orthogonal matrices, all else by
            AdamW at a quarter of the learning rate). With "muon" rates are near 0.02.
        weight_decay: Decoupled with "adamw" and "muon", an L2 penalty with "adam".
        schedule: Learning rate over time: "cosine" to zero, "plateau" (halved when the
            validation NLL stalls) or "constant".
        warmup_steps: Optimiser steps of linear rise at the start; not with "plateau".
        gradient_clip_val: Largest norm of the gradient. None: no clipping.
        precision: "32-true", "bf16-mixed", "16-mixed" (GPUs only), or "auto": the fastest by a few
            steps of the run, where the device has bf16 or fp16; else, and if the training is short,
            "32-true".
        compile: Whether to run the training step through `torch.compile`. "auto": on a GPU, if the
            training takes long and a few compiled steps are faster.
        early_stopping_patience: Epochs without a better validation NLL. None: never stop.
        accumulate_grad_batches: Batches per optimiser step.
        find_learning_rate: Whether to find `learning_rate` before training, by raising it.
        find_batch_size: Whether to find `data.batch_size` before training: the largest that fits.
        num_devices: Devices of each machine, with a process for each.
        num_nodes: Machines. More than one are started by torchrun or SLURM, which then say how
            many processes there are.
        strategy: How processes share the work: "ddp" (each has the whole model), "fsdp" (each has
            a part of its weights, gradients and optimiser state) or "auto": "ddp" where there is
            more than one.
        deterministic: Whether to refuse algorithms that may round differently each time, as some
            of GPUs do; slower. On processors results are the same without it.
        ema_decay: Share of the moving average of the weights that stays at each step, such as
            0.999. Validation, samples and the model that is kept then use the average. None: none.
        checkpoint_every_n_steps: Optimiser steps after which the last state is written within an
            epoch. None: at the end of every epoch only.
        num_checkpoints: How many of the last states are kept, besides the best one.
    """

    max_epochs: int = 100
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    optimizer: Literal["adam", "adamw", "muon"] = "adamw"
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    warmup_steps: int = 0
    gradient_clip_val: float | None = 1.0
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    compile: bool | Literal["auto"] = "auto"
    early_stopping_patience: int | None = None
    accumulate_grad_batches: int = 1
    find_learning_rate: bool = False
    find_batch_size: bool = False
    num_devices: int = 1
    num_nodes: int = 1
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    deterministic: bool = False
    ema_decay: float | None = None
    checkpoint_every_n_steps: int | None = None
    num_checkpoints: int = 2

    @property
    def precision_of_trainer(self) -> Literal["32-true", "bf16-mixed", "16-mixed"]:
        """What Lightning computes in: 32 bits as long as "auto" has not chosen."""
        return "32-true" if self.precision == "auto" else self.precision


@named_arguments
@dataclass
class DataConfig:
    """Which images, and in which form.

    Attributes:
        image_size: Side in pixels, or [height, width]. None: as they are.
        dataset_name: A name in `pixelcnn.data.DATASETS`, npz:FILE, npy:FILE, folder:DIR or
            hf:NAME_OR_PATH (a set of the Hugging Face hub, or a file or folder in its formats).
        data_root: Folder that holds the images. None: the usual place of the data set.
        use_augmentation: Whether training images are flipped left to right at random: for natural
            images, and not for digits or letters.
        colour_jitter: How far brightness, contrast and saturation of RGB training images of 256
            levels are changed at random; the model then learns the density of such images.
        mutation_rate: Share of sub-pixels of training images that get a random level, anew in every
            epoch: makes a background model for `pixelcnn score --against --background`.
        max_samples: Keep at most so many images of each split.
        levels: Levels K to round to, exactly. None: as they are.
        binarization: "none", "threshold" (at half) or "dynamic" (sampled anew every epoch).
        val_fraction: Part of the training images kept for validation, if none come apart.
        num_workers: Processes that decode images which do not fit into the memory.
        bits: Bits per channel that the images use: levels below 2^bits are kept exactly. None: all
            of their type; files of 16 bits are rounded to 8.
        categorical: Whether levels have no order, like the ids of a mask or codes: images are
            scaled to the nearest pixel, and the indices of a palette are the levels. None: for
            arrays with a codebook.
        pages: What the pages of image files with several are: "images", "channels" of one, or
            "first", to read no other. None: such files are refused.
        skip_broken_files: Whether images of folder: or hf: that cannot be decoded are left out,
            counted and named, instead of ending the run.
        subset: Which one, of a set of hf: that has several.
        image_column: Column of the images of hf:. None: the one of type Image.
        label_column: Column of the labels of hf:. None: the one of type ClassLabel, if any. "": no
            labels.
        labels: CSV file of the labels of folder:, with columns file_name and label. None: the
            folders name them.
        label_depth: Nested folders of folder: whose names make the class. None: 1. 0: no labels.
        options: Those of the reader of a data set that was registered; in files and on the command
            line they stand among the others, as `data.NAME`.
    """

    dataset_name: str = "digits"
    batch_size: int = 64
    num_workers: int = 0
    image_size: int | tuple[int, int] | None = None
    data_root: str | None = None
    use_augmentation: bool = False
    colour_jitter: float = 0.0
    mutation_rate: float = 0.0
    max_samples: int | None = None
    levels: int | None = None
    binarization: Literal["none", "threshold", "dynamic"] = "none"
    val_fraction: float = 0.1
    bits: int | None = None
    categorical: bool | None = None
    pages: Literal["images", "channels", "first"] | None = None
    skip_broken_files: bool = False
    subset: str | None = None
    image_column: str | None = None
    label_column: str | None = None
    labels: str | None = None
    label_depth: int | None = None
    options: dict[str, Any] = field(default_factory=dict)


AUTO = "auto"
"""Of `resume`: begin a run, or go on from whatever whole state its folder holds.

Of other settings: choose what suits the device.
"""

# Settings of `training` that a run may choose by timing its steps.
TIMED = ("precision", "compile")

# Settings of `training` that ask for a search, when a run begins, instead of naming a value.
FINDERS = ("find_batch_size", "find_learning_rate")

# Settings of `data` that do not say which images there are, only what training does with them.
TRAINING_ONLY = (
    *("batch_size", "num_workers"),
    *("use_augmentation", "colour_jitter", "mutation_rate"),
)


@named_arguments
@dataclass
class LoggerConfig:
    """What a run writes while it trains.

    Attributes:
        wandb: Whether to log to Weights & Biases, too; needs the extra `wandb` of this package.
        wandb_project: Name of the project there.
        wandb_mode: "offline" writes into the run folder alone; `wandb sync` uploads it later.
        log_every_n_steps: Optimiser steps between two entries in the logs.
        sample_every_n_epochs: Epochs between two grids of samples, each with the curves so far.
            0: none of these.
        sample_epochs: Single epochs, from 1, after which there are grids and curves besides.
    """

    tensorboard: bool = True
    csv: bool = True
    wandb: bool = False
    wandb_project: str = "pixelcnn"
    wandb_mode: Literal["online", "offline"] = "online"
    log_every_n_steps: int = 50
    sample_every_n_epochs: int = 10
    sample_epochs: list[int] | None = None


@named_arguments
@dataclass
class EvaluationConfig:
    """What `evaluate` measures: which split, and at most how many of its images."""

    batch_size: int = 64
    split: Literal["train", "val", "test"] = "test"
    max_samples: int | None = None


@named_arguments
@dataclass
class SamplingConfig:
    """How images are sampled: see `pixelcnn.SamplingOptions`.

    Attributes:
        num_samples: Images.
        per_label: Images of each label instead.
    """

    num_samples: int = 64
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    guidance: float = 1.0
    per_label: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Those of `pixelcnn.SamplingOptions`, by name."""
        return {k: v for k, v in vars(self).items() if k not in ("num_samples", "per_label")}


@named_arguments
@dataclass
class Config:
    """All settings of a run."""

    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    data: DataConfig = field(default_factory=DataConfig)
    logger: LoggerConfig = field(default_factory=LoggerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    seed: int = 0
    out: str | None = None
    device: str = "auto"
    resume: str | None = None
