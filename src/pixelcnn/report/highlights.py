"""The main findings of a comparison, in sentences."""

from pixelcnn.report.compare import Comparison
from pixelcnn.report.measure import NUM_TIMED


def highlights(found: Comparison) -> list[str]:
    """What a reader in a hurry should know."""
    said = [likelihood(found)] if len(found.names) > 1 else []
    return [*said, *distances(found), *label_accuracies(found), *speed(found)]


def likelihood(found: Comparison) -> str:
    """Which model is best, and whether the difference is significant."""
    first, second, *_ = found.ranking
    best, other = found.names[first], found.names[second]
    gap = found.difference(second, first)
    nats = found.measured[first].nll.mean()
    low, high = gap.interval
    if gap.nats == 0:
        return f"{best} and {other} have the same NLL of p(x), the lowest: {nats:.2f} nats/image."
    said = f"{best} has the lowest NLL of p(x): {nats:.2f} nats/image"
    if gap.is_significant:
        return f"{said}, {gap.nats:.2f} nats less than {other} ({low:.2f} … {high:.2f})."
    return (
        f"{said}, but {other} is not significantly worse "
        f"({gap.nats:+.2f} nats, {low:+.2f} … {high:+.2f})."
    )


def distances(found: Comparison) -> list[str]:
    """Which model has the best and the worst FID."""
    fids = {
        name: measured.quality.values["fid"]
        for name, measured in zip(found.names, found.measured, strict=True)
        if measured.quality.values.get("fid") is not None
    }
    if len(set(fids.values())) < 2:
        return []
    best, worst = min(fids, key=fids.__getitem__), max(fids, key=fids.__getitem__)
    return [f"{best} has the lowest FID, {fids[best]:.2f}; {worst} the highest, {fids[worst]:.2f}."]


def label_accuracies(found: Comparison) -> list[str]:
    """How often samples show the label that they are conditioned on."""
    said = []
    for name, measured in zip(found.names, found.measured, strict=True):
        values = measured.quality.values
        if values.get("label_accuracy") is not None:
            low, high = (100 * end for end in values["label_accuracy_ci95"])
            said.append(
                f"A classifier finds the label in {100 * values['label_accuracy']:.1f} % of "
                f"{len(measured.samples.x):,} samples of {name} ({low:.1f} … {high:.1f} %)."
            )
    return said


def speed(found: Comparison) -> list[str]:
    """Which model samples fastest, and which slowest."""
    seconds = [measured.sampling_seconds for measured in found.measured]
    if len(seconds) < 2:
        return []
    slow, fast = seconds.index(max(seconds)), seconds.index(min(seconds))
    return [
        f"{found.names[fast]} samples {NUM_TIMED} images in {seconds[fast]:.2g} s, "
        f"{found.names[slow]} takes {seconds[slow] / seconds[fast]:.1f} times as long."
    ]
