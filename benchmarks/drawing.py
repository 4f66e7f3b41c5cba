"""Drawing: cached against naive, against one forward pass, and against the size of the image.

python -m benchmarks.drawing            (three to five minutes on two cores)
python -m benchmarks.drawing --quick    (without the naive loop of 64 images)
"""

import argparse

import torch

from benchmarks.measure import Section, Spread, alternate, machine, ratio
from pixelcnn.models import PixelCNN
from pixelcnn.walk import CachedStepper, NaiveStepper, Stepper, drawing, walk

CACHED_DRAWS = 20  # timed together after each naive loop


def draw(stepper: Stepper, batch: int, side: int) -> torch.Tensor:
    """Draws images with one fixed noise."""
    x = torch.zeros(batch, 1, side, side, dtype=torch.int64)
    return walk(stepper, x, drawing(x, seed=0))


def against_naive(model: PixelCNN, batch: int, side: int, rounds: int) -> list[str | Spread]:
    steppers = {"naive": NaiveStepper(model), "cached": CachedStepper(model)}
    images = {}

    def run(name: str, times: int) -> None:
        for _ in range(times):
            images[name] = draw(steppers[name], batch, side)

    run("cached", CACHED_DRAWS)
    # One naive loop is hundreds of the same pass: its own warm-up, and long beside one cached draw.
    seconds = alternate(
        {"naive": lambda: run("naive", 1), "cached": lambda: run("cached", CACHED_DRAWS)},
        rounds,
        warm_up=False,
    )
    seconds["cached"] = [taken / CACHED_DRAWS for taken in seconds["cached"]]
    return [
        f"naive ÷ cached, {batch} of {side}×{side}",
        Spread.of(seconds["naive"]),
        Spread.of(seconds["cached"]),
        ratio(seconds, "naive", "cached"),
        "same images" if torch.equal(*images.values()) else "images differ",
    ]


def against_forward(model: PixelCNN, batch: int, side: int, rounds: int) -> list[str | Spread]:
    x = torch.randint(2, (batch, 1, side, side))
    cached = CachedStepper(model)

    @torch.inference_mode()
    def forward() -> None:
        model(x)

    seconds = alternate({"cached": lambda: draw(cached, batch, side), "forward": forward}, rounds)
    return [
        f"cached ÷ one forward pass, {batch} of {side}×{side}",
        Spread.of(seconds["cached"]),
        Spread.of(seconds["forward"]),
        ratio(seconds, "cached", "forward"),
        "",
    ]


def growth(model: PixelCNN, batch: int, rounds: int) -> list[list[str | Spread]]:
    cached = CachedStepper(model)
    sides = (28, 56, 112)
    work = {str(side): lambda side=side: draw(cached, batch, side) for side in sides}
    seconds = alternate(work, rounds)
    return [
        [
            f"{side}×{side} ÷ 28×28, {batch} images",
            Spread.of(seconds[str(side)]),
            Spread.of(seconds["28"]),
            ratio(seconds, str(side), "28"),
            f"pixels: {(side // 28) ** 2}×",
        ]
        for side in sides[1:]
    ]


def section(*, quick: bool) -> Section:
    torch.manual_seed(0)
    model = PixelCNN(hidden_channels=64, num_residual_blocks=4).eval()
    rows = [
        *([] if quick else [against_naive(model, 64, 28, rounds=3)]),
        against_naive(model, 1, 28, rounds=5),
        against_forward(model, 64, 28, rounds=15),
        against_forward(model, 1, 28, rounds=15),
        *growth(model, 16, rounds=5),
    ]
    setting = f"PixelCNN 64 × 4 blocks, Bernoulli, float32. {machine()}."
    head = ["what", "seconds of the first", "of the second", "ratio", "note"]
    return Section("Drawing", setting, head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave the slowest rows out")
    print(section(quick=parser.parse_args().quick).text())


if __name__ == "__main__":
    main()
