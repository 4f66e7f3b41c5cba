"""What stands out in a comparison, in sentences."""

from pixelcnn.report.compare import Comparison
from pixelcnn.report.measure import NUM_TIMED


def glance(found: Comparison) -> list[str]:
    """The few things that a reader in a hurry should know."""
    said = [likelihood(found)] if len(found.names) > 1 else []
    return [*said, *distances(found), *labels(found), *speed(found)]


def likelihood(found: Comparison) -> str:
    """Which model is best, and whether that is certain."""
    first, second, *_ = found.ranking
    gap = found.difference(second, first)
    nats = found.measured[first].nll.mean()
    low, high = gap.interval
    if gap.nats == 0:
        both = f"{found.names[first]} and {found.names[second]}"
        return f"{both} have the same NLL of p(x), the lowest: {nats:.2f} nats per image."
    if gap.is_significant:
        certain = f"{gap.nats:.2f} nats less than {found.names[second]} ({low:.2f} … {high:.2f})"
    else:
        certain = (
            f"but {found.names[second]} is not worse beyond chance "
            f"({gap.nats:+.2f} nats, {low:+.2f} … {high:+.2f})"
        )
    return f"{found.names[first]} has the lowest NLL of p(x): {nats:.2f} nats per image, {certain}."


def distances(found: Comparison) -> list[str]:
    """Whose images are nearest to real ones."""
    fids = {
        name: measured.judged.figures["fid"]
        for name, measured in zip(found.names, found.measured, strict=True)
        if measured.judged.figures.get("fid") is not None
    }
    if len(fids) < 2:
        return []
    best, worst = min(fids, key=fids.__getitem__), max(fids, key=fids.__getitem__)
    if best == worst:
        return []
    return [
        f"The images of {best} are nearest to real ones (FID {fids[best]:.2f}), those of {worst} "
        f"farthest ({fids[worst]:.2f})."
    ]


def labels(found: Comparison) -> list[str]:
    """How often models draw what they are told."""
    said = []
    for name, measured in zip(found.names, found.measured, strict=True):
        figures = measured.judged.figures
        if figures.get("label_accuracy") is not None:
            low, high = (100 * end for end in figures["label_accuracy_ci95"])
            said.append(
                f"Told a label, {name} draws it in {100 * figures['label_accuracy']:.1f} % of "
                f"{len(measured.drawn.x):,} images, as a classifier sees them "
                f"({low:.1f} … {high:.1f} %)."
            )
    return said


def speed(found: Comparison) -> list[str]:
    """How far apart the models are in drawing."""
    seconds = [measured.seconds_to_draw for measured in found.measured]
    if len(seconds) < 2:
        return []
    slow, fast = seconds.index(max(seconds)), seconds.index(min(seconds))
    return [
        f"{found.names[fast]} draws {NUM_TIMED} images in {seconds[fast]:.2g} s, "
        f"{found.names[slow]} takes {seconds[slow] / seconds[fast]:.1f} times as long."
    ]
