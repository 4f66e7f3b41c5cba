"""PixelCNN++ in PyTorch, as pclucas14/pixel-cnn-pp and its forks write it."""

import torch
from torch import Tensor

from pixelcnn.importing.foreign import Foreign

NUM_RESOLUTIONS = 3
WINDOWS = {"u": (2, 3), "ul": (2, 2)}
OURS = {"u": "above", "ul": "past"}


def from_pixelcnnpp_port(foreign: Foreign) -> tuple[str, dict[str, object], dict[str, Tensor]]:
    """Converts its weights.

    Three things differ. Weights normalised along another side are multiplied out and split into
    length and direction again. The stream of the past reads the other stream and its short-cut
    through one 1×1 convolution, here through two, which share its bias. And the features above and
    to the left of the image are zero there, biases here: the bias of the first layers goes to
    their channel of ones, which is zero there as well.

    Raises:
        CheckpointError: If names or shapes are others.
    """
    hidden, inputs = foreign.normed("u_init.conv", None, None, 2, 3).shape[:2]
    channels = inputs - 1
    num_params = len(foreign.normed("nin_out.lin_a", None, hidden))
    by_component = 1 + 2 * channels + channels * (channels - 1) // 2
    if channels not in (1, 3) or num_params % by_component:
        raise foreign.misfit(f"{num_params} parameters for {channels} channels fit no mixture")
    num_mixtures = num_params // by_component
    num_resnets = foreign.count("up_layers.0.u_stream.{}.conv_input.conv.bias")
    network = _Converter(foreign, hidden)
    network.first_layers(channels)
    for level in range(NUM_RESOLUTIONS):
        prefix = "streams." + "lower." * level
        is_lowest = level == NUM_RESOLUTIONS - 1
        for n in range(num_resnets):
            network.pair(f"up_layers.{level}", f"{prefix}down.{n}", n, takes_shortcut=False)
        # The way up is numbered from the lowest resolution.
        place = NUM_RESOLUTIONS - 1 - level
        for n in range(num_resnets + (not is_lowest)):
            network.pair(f"down_layers.{place}", f"{prefix}up.{n}", n, takes_shortcut=True)
        if not is_lowest:
            network.change_of_resolution(prefix, down=level, up=place - 1)
    order = _order_of_parameters(channels, num_mixtures)
    out = foreign.normed("nin_out.lin_a", num_params, hidden)[order, :, None, None]
    network.add("out", out, foreign.take("nin_out.lin_a.bias", num_params)[order])
    config: dict[str, object] = {
        "hidden_channels": hidden,
        "num_resnets": num_resnets,
        "num_resolutions": NUM_RESOLUTIONS,
        "in_channels": channels,
        "num_classes": 256,
        "likelihood": "logistic_mixture",
        "num_mixtures": num_mixtures,
    }
    return "pixelcnnpp", config, network.weights


class _Converter:
    """Collects the weights of a `PixelCNNPlusPlus`.

    Args:
        foreign: The weights of the port.
        hidden: Features per pixel.
    """

    def __init__(self, foreign: Foreign, hidden: int) -> None:
        self.foreign, self.hidden = foreign, hidden
        self.weights: dict[str, Tensor] = {}

    def add(self, ours: str, weight: Tensor, bias: Tensor) -> None:
        """A weight-normalised layer with these weights. (O, I, height, width), (O,)."""
        self.weights[f"{ours}.direction"] = weight
        self.weights[f"{ours}.gain"] = weight.flatten(1).norm(dim=1)
        self.weights[f"{ours}.bias"] = bias

    def copy(self, theirs: str, ours: str, writes: int, reads: int, size: tuple[int, int]) -> None:
        """A convolution."""
        weight = self.foreign.normed(f"{theirs}.conv", writes, reads, *size)
        self.add(ours, weight, self.foreign.take(f"{theirs}.conv.bias", writes))

    def first_layers(self, channels: int) -> None:
        """The layers that read pixels. Biases go to the newest known pixel's channel of ones."""
        take, hidden, inputs = self.foreign.normed, self.hidden, channels + 1
        zero = torch.zeros(hidden)

        above = take("u_init.conv", hidden, inputs, 2, 3).clone()
        above[:, -1, 1, 1] += self.foreign.take("u_init.conv.bias", hidden)
        self.add("first_above", above, zero)

        row = take("ul_init.0.conv", hidden, inputs, 1, 3).clone()
        row[:, -1, 0, 1] += self.foreign.take("ul_init.0.conv.bias", hidden)
        self.add("first_row_above", row, zero)

        # A column here, whose output is shifted by one; a window of two columns there.
        past = torch.zeros(hidden, inputs, 2, 2)
        past[..., :1] = take("ul_init.1.conv", hidden, inputs, 2, 1)
        past[:, -1, 1, 0] += self.foreign.take("ul_init.1.conv.bias", hidden)
        self.add("first_past", past, zero)

    def pair(self, theirs: str, ours: str, number: int, *, takes_shortcut: bool) -> None:
        """A block of each stream, and what the second reads of the first."""
        hidden = self.hidden
        for stream in ("u", "ul"):
            source, target = f"{theirs}.{stream}_stream.{number}", f"{ours}.{OURS[stream]}"
            size = WINDOWS[stream]
            self.copy(f"{source}.conv_input", f"{target}.first", hidden, 2 * hidden, size)
            self.copy(f"{source}.conv_out", f"{target}.second", 2 * hidden, 2 * hidden, size)
        if takes_shortcut:
            name = f"{theirs}.u_stream.{number}.nin_skip.lin_a"
            weight = self.foreign.normed(name, hidden, 2 * hidden)
            bias = self.foreign.take(f"{name}.bias", hidden)
            self.add(f"{ours}.above.aux", weight[:, :, None, None], bias)
        name = f"{theirs}.ul_stream.{number}.nin_skip.lin_a"
        num_read = 2 if takes_shortcut else 1
        weight = self.foreign.normed(name, hidden, 2 * num_read * hidden)
        bias = self.foreign.take(f"{name}.bias", hidden) / num_read
        # Of the features read, first all as they are, then all of them negative.
        parts = weight.unflatten(1, (2, num_read, hidden)).unbind(2)
        for part, target in zip(parts, (f"{ours}.link", f"{ours}.past.aux"), strict=False):
            self.add(target, part.flatten(1)[:, :, None, None], bias)

    def change_of_resolution(self, prefix: str, *, down: int, up: int) -> None:
        """The strides between two resolutions, and their transposes."""
        hidden = self.hidden
        for stream in ("u", "ul"):
            name, size = OURS[stream], WINDOWS[stream]
            source = f"downsize_{stream}_stream.{down}"
            self.copy(source, f"{prefix}shrink_{name}", hidden, hidden, size)
            source = f"upsize_{stream}_stream.{up}.deconv"
            weight = self.foreign.normed(source, hidden, hidden, *size).transpose(0, 1)
            bias = self.foreign.take(f"{source}.bias", hidden)
            self.add(f"{prefix}grow_{name}", weight.contiguous(), bias)


def _order_of_parameters(channels: int, num_mixtures: int) -> Tensor:
    """Where the port has each parameter of the mixture that stands here, in our order.

    It has the logits of the components, and then for each channel its means, log-scales and one
    slope; here all means come first, then all log-scales, then the slopes.
    """
    runs = 2 + (channels > 1)
    blocks = [0]
    for kind in range(runs):
        blocks += [1 + channel * runs + kind for channel in range(channels)]
    return torch.cat([block * num_mixtures + torch.arange(num_mixtures) for block in blocks])
