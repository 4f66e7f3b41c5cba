"""The parsers of the commands that train. Nothing heavy is imported here."""

from pixelcnn.cli.parsers.options import (
    DEVICE,
    FLAG,
    IMAGE_SETTINGS,
    PRINT_CONFIG,
    Command,
    Options,
    seed,
)
from pixelcnn.cli.parsers.types import destination, number, positive

# fmt: off
RECIPE: Options = {
    "--config FILE": (str, "Settings in YAML, such as config.yaml of a run."),
    "--preset NAME": (str, "Bundled settings, such as digits or mnist-256."),
}
QUICKSTART = Command("train on small digits, evaluate and sample, in about a minute", {
    "--out DIR": (destination, "Run folder; an earlier quickstart there is replaced (default: "
                  "%(default)s).", "runs/quickstart"),
    **seed("the weights, the batches and the samples", value=0),
    **DEVICE,
}, is_slow=True,
    epilog="`pixelcnn sample digits` samples from a bundled model without training.")
TRAIN = Command("train a model, then evaluate it and sample from it", {
    "settings": RECIPE,
    "--out DIR": (destination, "Run folder (default: runs/NAME-DATE-TIME)."),
    "--resume RUN": (str, "Continue the training in a run folder, or from one of its .ckpt files; "
                     "auto: continue what --out holds, or start."),
    **seed("the weights, the batches and the samples", default="that of the settings"),
    **DEVICE,
    "--find-learning-rate": (FLAG, "Find a learning rate first, and train with it."),
    "--find-batch-size": (FLAG, "Find the largest batch size that fits first, and train with it."),
    "--overwrite": (FLAG, "Replace the training that the run folder holds."),
    **PRINT_CONFIG,
}, is_slow=True,
    settings=("the configuration", "--training.max_epochs 5 --model.hidden_channels 128"))
TRAIN_CLASSIFIER = Command("train the evaluation classifier that measures sample quality", {
    "settings": RECIPE,
    "--out FILE": ({"type": destination, "required": True}, "The .safetensors file to write."),
    "--epochs N": (positive, "Passes over the images (N ≥ 1; default: 10)."),
    "--batch-size N": (positive, "Images in each step (N ≥ 1; default: 64)."),
    "--learning-rate R": (number, "Peak learning rate (0 < R < 1; default: 0.003)."),
    "--width N": (positive, "Channels of the first convolution (N ≥ 1; default: 16)."),
    "--num-features N": (positive, "Features that describe an image (N ≥ 1; default: 64)."),
    **seed("the weights and the batches"),
    **DEVICE,
}, is_slow=True,
    settings=IMAGE_SETTINGS,
    less_memory="Use fewer images at once (--batch-size) or a smaller --width.")
# fmt: on
