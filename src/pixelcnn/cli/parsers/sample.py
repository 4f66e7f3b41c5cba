"""The parser of `pixelcnn sample`. Nothing heavy is imported here."""

from pixelcnn.cli.parsers.options import DEVICE, FLAG, REPEATED, RUN, SHARING, SIZE, Command, seed
from pixelcnn.cli.parsers.types import any_whole, destination, number, positive

# fmt: off
SAMPLE = Command("sample images from a trained model", {
    **RUN,
    "how many": {
        "--num-samples N": (positive, "Images to sample (N ≥ 1; default: 16, or one for each map "
                            "of --maps)."),
        "--per-label N": (positive, "Images of each label, instead of --num-samples (N ≥ 1)."),
    },
    "--label NAME": (REPEATED, "Label to condition on, by name or number; repeat it, or separate "
                     "several by commas (default: all labels in turn)."),
    "--attributes LIST": (REPEATED, "Attributes to condition on: names of those that are on "
                          "(Smiling,Male), or one number for each (0.5,1,0); repeat it for several "
                          "vectors."),
    "--maps FILE": (str, "Maps to condition on: an .npy or .npz file of one map, or of one for "
                    "each image."),
    "--temperature T": (number, "Divide the logits by T: below 1 favours probable levels "
                        "(T ≥ 1e-6; default: 1)."),
    "--top-k K": (any_whole, "Keep the K most probable levels of each sub-pixel (K ≥ 1; default: "
                  "all)."),
    "--top-p P": (number, "Keep the smallest set of levels whose probability reaches P "
                  "(0 < P ≤ 1; default 1: all)."),
    "--guidance G": (number, "Scale of classifier-free guidance: 0 ignores the condition, 1 "
                     "follows it, above 1 strengthens it (0 ≤ G ≤ 1e6; default: 1)."),
    **seed("the samples; the same seed gives the same images"),
    **SIZE,
    "--precision": (["float32", "bf16", "16"], "Floating-point format of the network (default: "
                    "float32)."),
    "--batch-size N": (positive, "Images sampled together (N ≥ 1; default: 256)."),
    "--config FILE": (str, "Settings in YAML: `sampling` and `seed` hold where no option is "
                      "typed."),
    "where to": {
        "--out FILE": (destination, ".png: a grid; .gif: an animation of the grid; .npz: the "
                       "levels (default: samples.png)."),
        "--shards DIR": (destination, "Write any number of images as .npz shards, which can be "
                         "trained on. Interrupting is safe: rerun the command to generate the "
                         "rest."),
    },
    "--separate": (FLAG, "Write one PNG per image into the folder --out (default: samples)."),
    "--columns N": (positive, "Images in each row of the grid (N ≥ 1; default: --per-label, or a "
                    "square grid)."),
    "--scale N": (positive, "Screen pixels per image pixel (N ≥ 1; default: chosen from the size "
                  "of the grid)."),
    **SHARING,
    **DEVICE,
}, less_memory="Sample fewer images at once (--batch-size), smaller ones (--size, --scale), or "
    "many to disk (--shards).",
    less_memory_of_shards="Sample smaller shards (--shard-size), fewer images at once "
    "(--batch-size) or smaller ones (--size).")
# fmt: on
