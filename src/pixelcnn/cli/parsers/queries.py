"""The parsers of the commands that query a trained model. Nothing heavy is imported here."""

from pixelcnn.cli.parsers.methods import (
    COMPLETION_METHODS,
    COMPLETION_MINIMA,
    CONDITIONAL_METHODS,
    CONDITIONAL_MINIMA,
    method_options,
)
from pixelcnn.cli.parsers.options import (
    FLAG,
    IMAGE_SETTINGS,
    REPEATED,
    RUN,
    SHARING,
    SIZE,
    SPLIT,
    Command,
    Options,
    batch_size,
    output,
    seed,
)
from pixelcnn.cli.parsers.types import destination, non_negative, positive, site

MISSING_HELP = (
    "Unknown pixels: bottom, top, left, right, center or random, each with a share such as "
    "random:0.5 (0 < share ≤ 1; default: 0.5); a rectangle ROWS,COLUMNS such as 4:20,8:16; an "
    "image file, white where unknown; all or none (default: %s)."
)
SITE_HELP = "Target pixel, from 0; CHANNEL,ROW,COLUMN for a model of colour images."
SITE = {"type": site, "required": True}
RANDOM = "the samples, of random masks, and of "


def query_options(*, at_once: int, seed_decides: str = "") -> Options:
    """The choice of images: `pixelcnn.cli.inputs.query_images` reads it.

    Args:
        at_once: The default of `--batch-size`: forward passes over images are fastest in small
            batches, which stay in a processor's caches, and walks in large ones.
        seed_decides: What `--seed` decides besides.
    """
    kept = "the images that --data.max_samples keeps of a set (--max-images takes the first)"
    files = "Image files, folders of them, or one .npz of levels as `pixelcnn sample` writes it "
    return {
        **RUN,
        "files FILE": ({"nargs": "*"}, f"{files}(default: the data of the run)."),
        **SPLIT,
        "--max-images N": (positive, "Use only the first N images (N ≥ 1; default: all)."),
        **batch_size(at_once, "processed"),
        **seed(seed_decides + kept),
    }


def shown_images(default: int) -> Options:
    """How many images the figure holds."""
    return {"--show N": (positive, f"Images in the figure (N ≥ 1; default: {default}).", default)}


# fmt: off
CONDITION: Options = {
    "--label NAME": (REPEATED, "Label of the images, by name or number: one for all, or one for "
                     "each, separated by commas."),
    "--attributes LIST": (REPEATED, "Attributes of the images: names of those that are on, or one "
                          "number for each; repeat it for each image."),
    "--maps FILE": (str, "Maps of the images: an .npy or .npz file of one map, or of one for each "
                    "image."),
}
SCORE = Command("compute the likelihood of images, and the most surprising pixels", {
    **query_options(at_once=64, seed_decides="the samples of --animation, and of "),
    **CONDITION,
    **shown_images(16),
    "--against DATA": (str, "Detect out-of-distribution (OOD) images: tell the images from DATA by "
                       "likelihood and by better scores. DATA is a data set, such as "
                       "fashion_mnist or folder:DIR, or an image file, a folder or an .npz of "
                       "levels."),
    "--background RUN": (str, "With --against: background model of the likelihood ratio, such as "
                         "one trained on the same images with --data.mutation_rate 0.2."),
    "--animation": (FLAG, "Also show what the model expects of the 4 most surprising images after "
                    "each pixel: expectation.png and expectation.gif."),
    "--shards DIR": (destination, "Score a data set of any size in shards, and join them in "
                     "scores.csv of this folder. Interrupting is safe: rerun the command to score "
                     "the rest."),
    **SHARING,
    **output("scores", "scores.csv and surprise.png, or ood.json, .csv and .png"),
}, settings=IMAGE_SETTINGS,
    less_memory="Score fewer images at once: --batch-size.",
    less_memory_of_shards="Score fewer images at once (--batch-size) or smaller shards "
    "(--shard-size).")
CLASSIFY = Command("find the label of images by Bayes' rule", {
    **query_options(at_once=64),
    **shown_images(6),
    **output("classes", "classes.csv and posterior.png"),
}, settings=IMAGE_SETTINGS,
    less_memory="Score fewer images at once: --batch-size.")
MARGINAL = Command("estimate the distribution of one sub-pixel of an unknown image", {
    **RUN,
    "--site ROW,COLUMN": (SITE, SITE_HELP),
    **CONDITION,
    "--num-draws N": (positive, "Images sampled up to the pixel (N ≥ 2; default: %(default)s).",
                      1000),
    **SIZE,
    **batch_size(256, "sampled"),
    **seed("the samples", value=0),
    **output("marginal", "levels.csv and levels.png"),
}, less_memory="Sample smaller images (--size), or fewer at once (--batch-size).")
CONDITIONAL = Command("estimate the distribution of one sub-pixel given any others", {
    **query_options(at_once=256, seed_decides=RANDOM),
    "--index N": (non_negative, "Which of the images, from 0 (default: %(default)s).", 0),
    "--site ROW,COLUMN": (SITE, f"{SITE_HELP} It counts as unknown even if --missing leaves it "
                          "known."),
    "--missing MASK": (REPEATED, MISSING_HELP % "none"),
    **CONDITION,
    "--method": ({**REPEATED, "choices": list(CONDITIONAL_METHODS)}, "Method; repeat it to compare "
                 "several (default: exact if that is fast, else smc)."),
    **method_options(CONDITIONAL_METHODS, CONDITIONAL_MINIMA),
    **output("conditional", "levels.csv and levels.png"),
}, settings=IMAGE_SETTINGS,
    less_memory="Use fewer images at once (--batch-size), or fewer in each population "
    "(--num-particles).")
COMPLETE = Command("sample the unknown pixels of images", {
    **query_options(at_once=256, seed_decides=RANDOM),
    "--missing MASK": (REPEATED, MISSING_HELP % "bottom" + " Repeat it: one for each image."),
    **CONDITION,
    "--num-completions N": (positive, "Completions of each image (N ≥ 1; default: %(default)s).",
                            8),
    "--method": (list(COMPLETION_METHODS), "Method (default: raster where that is exact, else "
                 "smc)."),
    **method_options(COMPLETION_METHODS, COMPLETION_MINIMA),
    "--animation": (FLAG, "With --method gibbs: also show the Markov chains after each sweep, as "
                    "chains.png and chains.gif."),
    **output("completions", "completions.png, .csv and .npz"),
}, settings=IMAGE_SETTINGS,
    less_memory="Use fewer completions (--num-completions) or images (--max-images), or fewer "
    "at once (--batch-size).")
# fmt: on
