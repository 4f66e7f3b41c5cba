"""Whether levels survive being turned into floats, and into the bytes of a picture."""

from collections.abc import Iterator

import torch

from pixelcnn.spec import quantise, requantise, to_unit
from pixelcnn.verification.checks import Line
from pixelcnn.verification.inputs import VerificationInputs

BYTES = 256  # levels of a sub-pixel in a picture file


def levels(subject: VerificationInputs) -> Iterator[Line]:
    """Every level there and back."""
    count = subject.model.num_classes
    x = torch.arange(count)
    backs = [quantise(to_unit(x, count, dtype=dtype), count) for dtype in DTYPES]
    ways = "as floats of single and of double precision"
    if count <= BYTES:
        backs.append(requantise(requantise(x, count, to=BYTES), BYTES, to=count))
        ways = f"{ways}, and as bytes of a picture"
    lost = torch.stack([back != x for back in backs]).any(0).sum()
    yield Line(
        "levels",
        "Levels survive a round trip.",
        float(lost),
        0.0,
        "levels that come back as others",
        f"all {count:,} levels, {ways}",
        is_sample=False,
    )


DTYPES = (torch.float32, torch.float64)
