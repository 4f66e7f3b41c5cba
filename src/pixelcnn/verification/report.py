"""The verification report: its checks, and its file."""

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pixelcnn.checkpoint import fingerprint
from pixelcnn.errors import CheckpointError, PixelCNNError
from pixelcnn.files import finite_json, read_json, write_json
from pixelcnn.models import AutoregressiveModel
from pixelcnn.spec import ImageSpec

FORMAT = "pixelcnn-verification/1"
SUFFIX = ".verification.json"

# The format of earlier versions, which is still read: its suffix, its words and its check names.
OLD_FORMAT = "pixelcnn-certificate/1"
OLD_SUFFIX = ".certificate.json"
OLD_FIELDS = {
    "value": "figure",
    "metric": "measure",
    "scope": "looked_at",
    "is_minimum": "is_least",
}
OLD_NAMES = {
    "derivatives": "causality_gradients",
    "field": "receptive_field",
    "colours": "colour_order",
    "changes": "causality_inputs",
    "poison": "unknown_pixels",
    "cached": "cached_equals_full",
    "loss": "walk_equals_loss",
    "neighbours": "batch_independence",
    "draws": "samples_follow_likelihood",
    "levels": "level_round_trip",
}


@dataclass(frozen=True)
class Check:
    """One property of a model, and what was measured of it.

    Attributes:
        name: Such as "causality_gradients"; see `pixelcnn.verify` for all of them.
        claim: The property, as a sentence.
        value: What was measured; NaN where nothing could be.
        limit: The largest value that passes, or the smallest if `is_minimum`.
        metric: What the value is.
        scope: At which inputs and sites it was measured.
        is_sample: Whether the scope is a sample of the inputs or sites that the claim covers.
        is_minimum: Whether the value must be at least the limit, and not at most.
        seconds: Wall time.
    """

    name: str
    claim: str
    value: float
    limit: float
    metric: str
    scope: str
    is_sample: bool
    is_minimum: bool = False
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the value keeps to the limit; NaN never does."""
        return self.value >= self.limit if self.is_minimum else self.value <= self.limit


@dataclass(frozen=True)
class VerificationReport:
    """The results of `pixelcnn.verify` for one set of weights.

    Attributes:
        checks: In the order in which they ran.
        fingerprint: Identifies architecture and weights, see `pixelcnn.checkpoint.fingerprint`.
        architecture: Name in `MODELS`.
        spec: Shape and levels of the images that the checks used.
        dtype: Of the weights.
        device: Where the model was.
        seed: Chooses the images, and the sites where not all were checked.
        made: Date and time in UTC, ISO 8601.
        versions: As `pixelcnn.version.versions` returns them.
    """

    checks: tuple[Check, ...]
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
        """Whether there are checks and all of them passed."""
        return bool(self.checks) and not self.failed

    @property
    def failed(self) -> list[str]:
        """Names of the checks that failed."""
        return [check.name for check in self.checks if not check.passed]

    @property
    def seconds(self) -> float:
        """Wall time of all checks."""
        return sum(check.seconds for check in self.checks)

    def is_of(self, model: AutoregressiveModel) -> bool:
        """Whether the report is about the weights of this model."""
        return self.fingerprint == fingerprint(model)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        checks = [{**asdict(check), "passed": check.passed} for check in self.checks]
        facts = {"format": FORMAT, "passed": self.passed, **asdict(self), "checks": checks}
        plain: dict[str, Any] = finite_json(facts)
        return plain

    def save(self, path: str | Path) -> None:
        """Writes the report as JSON, whole or not at all.

        Raises:
            OutputError: If the file cannot be written.
        """
        write_json(path, self.as_dict())


def read_report(path: str | Path) -> VerificationReport:
    """Reads what `VerificationReport.save` wrote, also in earlier versions.

    Whether a check passed is computed from its value again.

    Raises:
        CheckpointError: If the file is missing, damaged or not a report of a known format.
    """
    try:
        facts = read_json(path)
        if facts["format"] == OLD_FORMAT:
            facts = {**facts, "checks": [_from_old(line) for line in facts["lines"]]}
        elif facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']!r}, not {FORMAT!r}")
        given = _typed(VerificationReport, facts)
        checks = tuple(_check_of(check) for check in facts["checks"])
        return VerificationReport(**{**given, "checks": checks, "spec": ImageSpec(**facts["spec"])})
    except (OSError, ValueError, KeyError, TypeError, OverflowError, PixelCNNError) as error:
        raise CheckpointError(
            f"{path} must be a verification report of format {FORMAT}, and cannot be read as one "
            f"({error}). Make it again with `pixelcnn verify`."
        ) from error


def report_path(file: Path) -> Path:
    """Where the report of a model file is written: beside it.

    Example:
        >>> report_path(Path("runs/small/model.safetensors")).name
        'model.verification.json'
    """
    return file.with_suffix(SUFFIX)


def find_report(file: Path) -> Path | None:
    """The report beside a model file, also one of an earlier version; None if there is none."""
    found = (file.with_suffix(suffix) for suffix in (SUFFIX, OLD_SUFFIX))
    return next((path for path in found if path.exists()), None)


def _from_old(line: dict[str, Any]) -> dict[str, Any]:
    renamed = {new: line[old] for new, old in OLD_FIELDS.items()}
    return {**line, **renamed, "name": OLD_NAMES.get(line["name"], line["name"])}


def _check_of(facts: dict[str, Any]) -> Check:
    given = _typed(Check, facts)
    for name in ("value", "limit", "seconds"):
        given[name] = math.nan if given[name] is None else float(given[name])
    return Check(**given)


def _typed(cls: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """The values of the fields of a class, with text where text belongs."""
    given = {field.name: facts[field.name] for field in fields(cls)}
    for field in fields(cls):
        if field.type is str and not isinstance(given[field.name], str):
            raise ValueError(f"`{field.name}` is no text")
    return given
