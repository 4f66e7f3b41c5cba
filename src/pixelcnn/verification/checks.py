"""What a certificate says: a line for each claim, and all of them as one file."""

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pixelcnn.checkpoint import fingerprint
from pixelcnn.errors import CheckpointError
from pixelcnn.files import write_json
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import ImageSpec

FORMAT = "pixelcnn-certificate/1"


@dataclass(frozen=True)
class Line:
    """One claim about a model, and what was found out about it.

    Attributes:
        name: One word.
        claim: What is claimed.
        figure: What was found; NaN where nothing could be.
        limit: What the figure may be at most, or must be at least.
        measure: What the figure is.
        looked_at: On what it was found: images, sites, sizes.
        is_sample: Whether that was a sample of the sites or images that the claim is about.
        is_least: Whether the figure must be at least the limit, and not at most.
        seconds: How long it took.

    Example:
        >>> found = {"measure": "sites", "looked_at": "two images", "is_sample": True}
        >>> Line("poison", "No NaN comes through.", 0.0, 0.0, **found).passed
        True
        >>> Line("poison", "No NaN comes through.", math.nan, 0.0, **found).passed
        False
    """

    name: str
    claim: str
    figure: float
    limit: float
    measure: str
    looked_at: str
    is_sample: bool
    is_least: bool = False
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the figure keeps to the limit; NaN never does."""
        return self.figure >= self.limit if self.is_least else self.figure <= self.limit


@dataclass(frozen=True)
class VerificationReport:
    """What was proved of a model, on the very weights.

    Attributes:
        lines: One for each claim.
        fingerprint: Tells the architecture and weights, see `pixelcnn.checkpoint.fingerprint`.
        architecture: Name in `MODELS`.
        spec: Shape and levels of the images that were looked at.
        dtype: Of the weights.
        device: Where the model was.
        seed: Decides the images, and the sites where not all were looked at.
        made: When: date and time in UTC, ISO 8601.
        versions: As `pixelcnn.version.versions` gives them.
    """

    lines: tuple[Line, ...]
    fingerprint: str
    architecture: str
    spec: ImageSpec
    dtype: str
    device: str
    seed: int
    made: str
    versions: dict[str, str]

    @property
    def passed(self) -> bool:
        """Whether every line holds."""
        return bool(self.lines) and not self.failed

    @property
    def failed(self) -> list[str]:
        """Names of the lines that do not hold."""
        return [line.name for line in self.lines if not line.passed]

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(line.seconds for line in self.lines)

    def is_of(self, model: AutoregressiveModel) -> bool:
        """Whether these are the weights that were looked at."""
        return self.fingerprint == fingerprint(model)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        facts = {"format": FORMAT, "passed": self.passed, **asdict(self)}
        lines = [{**asdict(line), "passed": line.passed} for line in self.lines]
        return {**facts, "lines": [_without_nan(line) for line in lines]}

    def save(self, path: str | Path) -> None:
        """Writes the certificate as JSON, whole or not at all.

        Raises:
            OutputError: If the file cannot be written.
        """
        write_json(path, self.as_dict())


def read_report(path: str | Path) -> VerificationReport:
    """Reads what `VerificationReport.save` wrote.

    Whether the lines hold is decided by their figures again.

    Raises:
        CheckpointError: If the file is missing, damaged or no certificate of this format.
    """
    try:
        facts = json.loads(Path(path).read_text(encoding="utf-8"))
        if facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']!r}, not {FORMAT!r}")
        given = {field.name: facts[field.name] for field in fields(VerificationReport)}
        lines = tuple(_line_of(line) for line in facts["lines"])
        return VerificationReport(**{**given, "lines": lines, "spec": ImageSpec(**facts["spec"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} is no certificate that this version can read ({error}). Make it again with "
            f"`pixelcnn verify`."
        ) from error


def report_path(file: Path) -> Path:
    """Where the certificate of a model file stands: beside it.

    Example:
        >>> report_path(Path("runs/small/model.safetensors")).name
        'model.certificate.json'
    """
    return file.with_suffix(".certificate.json")


def _line_of(facts: dict[str, Any]) -> Line:
    given = {field.name: facts[field.name] for field in fields(Line)}
    for name in ("figure", "limit", "seconds"):
        given[name] = math.nan if given[name] is None else float(given[name])
    return Line(**given)


def _without_nan(facts: dict[str, Any]) -> dict[str, Any]:
    """JSON has no numbers that are not finite; None stands for them."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in facts.items()
    }
