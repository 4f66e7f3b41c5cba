"""The parsers of the commands that evaluate and inspect models. Nothing heavy is imported here."""

from pixelcnn.cli.parsers.options import (
    DEVICE,
    FLAG,
    IMAGE_SETTINGS,
    PRINT_CONFIG,
    RUN,
    RUN_HELP,
    SIZE,
    SPLIT,
    Command,
    Options,
    output,
    seed,
)
from pixelcnn.cli.parsers.types import destination, positive, seconds, sites, size

# fmt: off
NETWORKS: Options = {
    "--classifier FILE": (str, "Evaluation classifier: a file of `pixelcnn train-classifier`, or "
                          "the name of a bundled one (default: the bundled one of the same "
                          "images)."),
    "--inception-weights FILE": (str, "Weights of torch-fidelity's Inception network (default: "
                                 "that library downloads them)."),
}
EVALUATE = Command("measure likelihood on held-out images, and sample quality", {
    **RUN,
    **SPLIT,
    "--out FILE": (destination, "JSON file for the metrics (default: RUN/metrics-SPLIT.json)."),
    **seed("the samples, and of the images that a smaller set holds",
           default="that of the settings"),
    "--sum-labels": (FLAG, "Also compute p(x) as a sum over labels, with one pass over the images "
                     "for each."),
    **DEVICE,
    "sample quality: The model is sampled if --features, --lpips or --num-generated is given.": {
        "--features": (["inception", "classifier"], "Network whose features give FID, KID, "
                       "Inception score, precision and recall (default with --num-generated: the "
                       "one that fits the images)."),
        "--num-generated N": (positive, "Images to sample (N ≥ 1; default: as many as real ones, "
                              "at most 10,000)."),
        **NETWORKS,
        "--lpips": (["alex", "vgg", "squeeze"], "Measure LPIPS with this backbone."),
        "--lpips-weights FILE": (str, "Weights of torchvision's backbone (default: torchvision "
                                 "downloads them)."),
    },
    **PRINT_CONFIG,
}, is_slow=True,
    settings=("the images and the evaluation", "--evaluation.max_samples 1000"),
    less_memory="Score fewer images at once: --evaluation.batch_size.")
COMPARE = Command("compare models side by side on one page", {
    "runs [NAME=]RUN": ({"nargs": "+"}, f"{RUN_HELP}; with NAME to show it as."),
    "--quick": (FLAG, "A first look: 200 test images, 128 samples, at most 10 seconds of "
                "sampling."),
    "--max-images N": (positive, "Test images (N ≥ 1; default: 2,000)."),
    "--num-generated N": (positive, "Images to sample from each model (N ≥ 1; default: 500)."),
    "--sampling-seconds S": (seconds, "Longest time in seconds to sample one model. If the slowest "
                             "model needs longer, fewer images are sampled from every model "
                             "(S > 0; default: 60)."),
    "--features": (["classifier", "inception", "none"], "Network whose features measure sample "
                   "quality (default: the bundled classifier of the same images, if there is "
                   "one)."),
    **NETWORKS,
    **seed("the samples"),
    **output("comparison", "report.html, report.md with its figures, and report.json"),
}, is_slow=True,
    settings=IMAGE_SETTINGS,
    less_memory="Use fewer images (--max-images, --num-generated).")
VERIFY = Command("check the causality, sampling and likelihood of a trained model on its own "
                 "weights", {
    **RUN,
    "--sites N": (sites, "Sub-pixels to check one by one (N ≥ 1, or all; default: as many as take "
                  "about a minute)."),
    **SIZE,
    "--out FILE": (destination, "JSON file for the verification report (default: "
                   "MODEL.verification.json beside the model; none for a bundled model)."),
    **seed("the images and sub-pixels that are checked"),
    **DEVICE,
}, is_slow=True,
    less_memory="Verify on a device with more memory: --device.",
    epilog="Exit code 0 if every check passes, 1 if one fails, 2 if the checks could not be run.")
IMPORT = Command("make a model file of a checkpoint that another program wrote", {
    "source": (["uva-tutorial", "pixelcnnpp-port", "pytorch-generative"], "Program: the gated "
               "model of the UvA deep learning course (tutorial 12); PixelCNN++ in PyTorch "
               "(pclucas14/pixel-cnn-pp); the plain PixelCNN of pytorch-generative."),
    "file FILE": (str, "Checkpoint: a state dict, or a Lightning checkpoint."),
    "--out FILE": (destination, "Model file, ending in .safetensors (default: the name of the "
                   "checkpoint, in this folder)."),
    "--size HxW": (size, "Height and width of the images that it was trained on (default: 28x28; "
                   "32x32 for pixelcnnpp-port)."),
})
INFO = Command("describe a trained model or a .pxc file, or list the bundled models", {
    "run RUN": ({"nargs": "?"}, f"{RUN_HELP}; or a .pxc file (default: list the bundled models)."),
    "--json": (FLAG, "Print JSON instead of a table."),
})
# fmt: on
