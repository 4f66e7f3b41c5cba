"""The parsers of the commands that compress. Nothing heavy is imported here."""

from pixelcnn.cli.parsers.options import DEVICE, FLAG, RUN, RUN_HELP, SHARING, Command
from pixelcnn.cli.parsers.types import destination, non_negative, positive

(TITLE,) = SHARING
PROCESSES = SHARING[TITLE]["--num-processes N"]
SHARED = {name: entry for name, entry in SHARING[TITLE].items() if "--shard-size" not in name}

# fmt: off
COMPRESS = Command("compress images without loss, by their likelihood", {
    **RUN,
    "files FILE": ({"nargs": "+"}, "Image files, folders of them, or one .npz of levels as "
                   "`pixelcnn sample` writes it. All their values must be levels of the model."),
    "-o/--out FILE": ({"type": destination, "required": True}, "The .pxc file."),
    "--label NAME": (str, "Label by which all images are compressed, by name or number; cheapest: "
                     "the most probable of each image, at the cost of a forward pass for each "
                     "label; none: p(x) (default: labels of an .npz; else none where the model "
                     "serves without a label, else cheapest)."),
    "--entropy-model": (["portable", "machine-bound"], "Portable: decompress on every machine; "
                        "machine-bound: on machines that compute as this one does, in about a "
                        "third of the time (default: portable, if the model can be run so)."),
    "--chunk-size N": (positive, "Images coded together (1 ≤ N ≤ 4096): one is decompressed with "
                       "its chunk (default: at most 1024, and 4 million sub-pixels)."),
    "--context N": (non_negative, "Pixels above and to the left that each window of an image sees "
                    "which is larger than the model's own (0 ≤ N ≤ half its side; default: a "
                    "quarter of its side)."),
    "--keep-names": (FLAG, "Also store names, EXIF data and colour profiles of files."),
    "--verify": (FLAG, "Decode each chunk at once and compare: takes twice the time."),
    "work: Finished chunks are kept in FILE.pxc.parts, so interrupting is safe: rerun the command "
    "to make the rest. Processes that torchrun or srun starts share them without further "
    "options.": SHARED,
    **DEVICE,
}, less_memory="Compress fewer images at once: --chunk-size.",
    less_memory_of_shards="Compress fewer images at once: --chunk-size.")
DECOMPRESS = Command("decompress the images of a .pxc file", {
    "file FILE": (str, "The .pxc file."),
    "-o/--out DIR": ({"type": destination, "required": True}, "Folder for one PNG file per image, "
                     "or an .npz file for their levels and labels."),
    "--run RUN": (str, f"{RUN_HELP} (default: the bundled model that made the file)."),
    "--index N": ({"type": non_negative, "action": "append"}, "Number of the only image to "
                  "decompress, from 0; repeat it for several (default: all)."),
    "--num-processes N": PROCESSES,
    **DEVICE,
}, less_memory="Decompress on a machine with more memory: a chunk is decompressed as a whole.")
# fmt: on
