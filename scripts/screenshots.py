"""Takes the screenshots of docs/page.md: every tab of the web page, wide and narrow, in Chromium.

    pip install playwright; apt-get install chromium
    python scripts/screenshots.py --into docs/images

The page is served from an empty folder and shows the bundled models; runs named on the command
line come first.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

WIDTHS = {"wide": 1280, "narrow": 390}
STRIP = 1700  # greatest height of a narrow picture; a higher one is cut into strips
GAP = 24
FREQUENT = 160  # most frequent colours of a picture, all kept
SEEN = 8  # least pixels of any other colour that is kept
HIGHEST = {"about": 2600}  # below it is the configuration, line by line


def sample(page: Page) -> None:
    """Sixteen digits."""
    press(page, "Sample")
    page.get_by_role("button", name="Levels (npz)").wait_for()


def complete(page: Page) -> None:
    """The upper half of an eight."""
    fill(page, "Number", "1")
    choose(page, "Erase", "top")
    press(page, "Complete")
    page.get_by_role("button", name="Levels (npz)").wait_for()


def probabilities(page: Page) -> None:
    """A clicked pixel of a five, and the expected image after each pixel."""
    fill(page, "Number", "2")
    image = page.get_by_label("Picture to point at")
    image.wait_for()
    settle(page)
    box = image.bounding_box()
    assert box is not None  # it is there
    page.mouse.click(box["x"] + 3.5 / 8 * box["width"], box["y"] + 2.5 / 8 * box["height"])
    settle(page)
    press(page, "Estimate")
    page.get_by_text("row 2, column 3").wait_for()
    settle(page)
    press(page, "Animate")
    page.get_by_role("button", name="Animation (GIF)").wait_for()


def compare(page: Page) -> None:
    """Samples of two models by the same noise."""
    page.get_by_text("The protocols differ").wait_for()
    press(page, "Sample")
    page.get_by_text("mean").nth(1).wait_for()


def about(page: Page) -> None:
    """Everything about one model."""
    page.get_by_text("All checks passed").wait_for()


SHOWN: dict[str, tuple[str, Callable[[Page], None]]] = {
    "sample": ("Sample", sample),
    "complete": ("Complete", complete),
    "probabilities": ("Probabilities", probabilities),
    "compare": ("Compare", compare),
    "about": ("About the run", about),
}


def press(page: Page, name: str) -> None:
    """Clicks a button once the page is idle."""
    settle(page)
    page.get_by_role("button", name=name, exact=True).click()


def fill(page: Page, label: str, text: str) -> None:
    """Types into a field and leaves it."""
    settle(page)
    page.get_by_label(label, exact=True).fill(text)
    page.get_by_label(label, exact=True).press("Enter")


def choose(page: Page, label: str, option: str) -> None:
    """Chooses an option of a select box."""
    settle(page)
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def settle(page: Page) -> None:
    """Waits until the server is idle."""
    page.wait_for_timeout(600)
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")


@contextmanager
def served(runs: Sequence[str]) -> Iterator[str]:
    """The address of the page, served on a free port."""
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        port = taken.getsockname()[1]
    words = [sys.executable, "-m", "pixelcnn", "app", *(str(Path(run).resolve()) for run in runs)]
    address = f"http://localhost:{port}"
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([*words, "--port", str(port)], cwd=folder)
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait()


def picture(browser: Any, address: str, name: str, width: int) -> Image.Image:
    """A screenshot of one page, at the height of its content."""
    title, act = SHOWN[name]
    page = browser.new_context(viewport={"width": width, "height": 1000}).new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    page.get_by_role("button", name="Sample", exact=True).wait_for()
    page.get_by_role("radiogroup", name="Page").get_by_text(title, exact=True).click()
    settle(page)
    act(page)
    settle(page)
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    height = page.get_by_test_id("stMainBlockContainer").evaluate("block => block.scrollHeight")
    page.set_viewport_size({"width": width, "height": min(height, HIGHEST.get(name, height))})
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
    page.wait_for_timeout(1500)
    shot = Image.open(BytesIO(page.screenshot())).convert("RGB")
    page.context.close()
    return shot


def in_strips(shot: Image.Image) -> Image.Image:
    """A picture cut into strips of equal height, side by side."""
    count = -(-shot.height // STRIP)
    height = -(-shot.height // count)
    sheet = Image.new("RGB", (count * shot.width + (count - 1) * GAP, height), "white")
    for number in range(count):
        strip = shot.crop((0, number * height, shot.width, min(shot.height, (number + 1) * height)))
        sheet.paste(strip, (number * (shot.width + GAP), 0))
    return sheet


def _few_colours(sheet: Image.Image) -> Image.Image:
    """Reduces to a palette: the most frequent colours, then those farthest from all of these.

    The file has a third of the bytes; greys stay grey, and thin lines keep their colours.
    """

    pixels = np.asarray(sheet).reshape(-1, 3)
    found, which, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    colours, order = found.astype(float), np.argsort(-counts)
    nearest, distance = np.zeros(len(found), np.uint8), np.full(len(found), np.inf)
    palette = []
    for number in range(min(256, len(found))):
        often = number < FREQUENT
        pick = order[number] if often else np.argmax(distance * (counts >= SEEN))
        palette.append(found[pick])
        away = np.square(colours - colours[pick]).sum(1)
        nearest[away < distance] = number
        distance = np.minimum(distance, away)
    few = Image.fromarray(nearest[which.reshape(-1)].reshape(sheet.height, sheet.width))
    few.putpalette(np.concatenate(palette).tolist())
    return few


def main(words: Sequence[str] | None = None) -> None:
    """Takes the named screenshots, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", metavar="RUN")
    parser.add_argument("--into", default="docs/images", metavar="FOLDER")
    parser.add_argument("--only", choices=list(SHOWN), help="one page instead of all")
    parser.add_argument("--browser", default="/usr/bin/chromium", metavar="FILE")
    args = parser.parse_args(words)
    with served(args.runs) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=args.browser, args=["--headless", "--no-sandbox"]
        )
        for name in [args.only] if args.only else SHOWN:
            for kind, width in WIDTHS.items():
                shot = picture(browser, address, name, width)
                sheet = in_strips(shot) if kind == "narrow" else shot
                file = Path(args.into, f"page-{name}-{kind}.png")
                _few_colours(sheet).save(file, optimize=True)
                print(f"{file}  {sheet.width}×{sheet.height}  {file.stat().st_size / 1024:.0f} KB")
        browser.close()


if __name__ == "__main__":
    main()
