"""The page in a real browser, as a person uses it.

pip install playwright; apt-get install chromium
python -m pytest -m slow tests/app/test_browser.py
"""

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.app.conftest import ENTRY

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
MINUTE = 60_000  # a minute, in milliseconds
SOON = MINUTE / 4

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="the browser `chromium` is not installed"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Address and process number of a server that all tests share."""
    with serving(tmp_path_factory.mktemp("served")) as served:
        yield served


@contextmanager
def serving(folder):
    """A server on a free port, in a folder without runs."""
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        port = taken.getsockname()[1]
    flags = [f"--server.port={port}", "--server.headless=true"]
    words = [sys.executable, "-m", "streamlit", "run", str(ENTRY), *flags, "--", "--device", "cpu"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_for(f"http://localhost:{port}/_stcore/health", process)
            yield f"http://localhost:{port}", process.pid
        finally:
            process.kill()
            process.wait()


def _wait_for(address, process):
    for _ in range(300):
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing at {address}")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--headless", "--no-sandbox"]
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser, server):
    """A visitor's page, ready to draw."""
    context = browser.new_context(viewport={"width": 1280, "height": 1800})
    yield ready(context, server)
    context.close()


def ready(context, server):
    """Opens the page and waits for its first button."""
    page = context.new_page()
    page.set_default_timeout(MINUTE)
    page.goto(server[0])
    page.get_by_role("button", name="Draw", exact=True).wait_for()
    return page


def choose(page, label, option):
    """Takes an option of a select box."""
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def turn_to(page, title):
    """Shows another page of the app."""
    page.get_by_role("radiogroup", name="Page").get_by_text(title, exact=True).click()


def settled(page):
    """Waits until the server has nothing more to say."""
    page.wait_for_timeout(300)
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")


def stop(page):
    """There is one such button: that of Streamlit's own, which says nothing, is hidden."""
    page.get_by_role("button", name="Stop", exact=True).click()


def draw(page):
    page.get_by_role("button", name="Draw", exact=True).click()


def test_a_visitor_draws_sevens_and_takes_them_along(page):
    choose(page, "Label", "7")
    page.get_by_role("slider", name="Temperature").press("ArrowLeft")
    draw(page)
    began = time.monotonic()
    page.locator("[data-testid=stImage] img").first.wait_for()
    first = time.monotonic() - began
    page.get_by_text("temperature 0.95").wait_for()
    settled(page)
    assert page.get_by_text(re.compile(r"^\d+\.\d bits$")).count() == 16
    with page.expect_download() as download:
        page.get_by_role("button", name="Levels (npz)").click()
    with np.load(Path(download.value.path()), allow_pickle=False) as arrays:
        assert arrays["x"].shape == (16, 1, 8, 8)
        assert arrays["labels"].tolist() == [7] * 16
    with page.expect_download() as download:
        page.get_by_role("button", name="Growth (GIF)").click()
    with Image.open(Path(download.value.path())) as film:
        assert film.format == "GIF" and film.n_frames > 1
    print(f"first image after {first:.2f} s")


def test_a_page_is_ready_and_draws_soon_after_its_start(browser, tmp_path):
    began = time.monotonic()
    with serving(tmp_path) as served:
        context = browser.new_context(viewport={"width": 1280, "height": 1800})
        page = ready(context, served)
        usable = time.monotonic() - began
        choose(page, "Model", "mnist-256")
        settled(page)
        draw(page)
        began = time.monotonic()
        page.locator("[data-testid=stImage] img").first.wait_for()
        print(
            f"usable after {usable:.1f} s, mnist-256: first {time.monotonic() - began:.2f} s",
            end="",
        )
        page.get_by_text("temperature 1").wait_for()
        print(f", all {time.monotonic() - began:.1f} s after the click")
        context.close()


def test_a_drawing_is_stopped_half_way_and_its_rows_stay(page):
    _ask_for_many(page)
    draw(page)
    page.locator("[data-testid=stImage] img").first.wait_for()
    stop(page)
    page.get_by_text(re.compile(r"stopped after \d+%")).wait_for(timeout=SOON)
    settled(page)
    assert page.locator("[data-testid=stImage] img").count() == 256
    page.get_by_role("button", name="Levels (npz)").wait_for()


def test_a_drawing_is_stopped_at_once_and_says_so(page):
    _ask_for_many(page)
    draw(page)
    stop(page)
    page.get_by_text(re.compile("stopped (before the first row|after)")).wait_for(timeout=SOON)
    draw(page)  # it can be drawn again
    page.get_by_text("measuring bits").wait_for()
    stop(page)
    page.get_by_text("stopped before all bits were measured").wait_for(timeout=SOON)


def _ask_for_many(page):
    choose(page, "Model", "mnist-256")
    page.wait_for_timeout(2000)
    settled(page)
    page.get_by_label("Images", exact=True).fill("256")


def test_completing_is_stopped_and_says_so(page):
    turn_to(page, "Complete")
    page.get_by_label("Particles", exact=True).fill("512")
    page.get_by_label("Completions", exact=True).fill("64")
    choose(page, "Method", "gibbs")
    page.get_by_role("button", name="Complete").click()
    stop(page)
    page.get_by_text("Stopped; nothing new was completed.").wait_for(timeout=SOON)


def test_half_a_digit_is_erased_and_completed(page):
    turn_to(page, "Complete")
    page.get_by_role("button", name="Complete").click()
    page.get_by_text("8 completions").wait_for()
    page.get_by_text("1: -").first.wait_for()


def test_a_digit_is_painted_and_parts_are_brushed_away(page):
    turn_to(page, "Complete")
    page.get_by_text("Canvas", exact=True).click()
    sheet = page.get_by_label("Picture to paint")
    sheet.wait_for()
    settled(page)
    _stroke(page, sheet, (0.5, 0.1), (0.5, 0.9))
    page.get_by_text("known", exact=True).wait_for()
    choose(page, "Erase", "brush")
    image = page.get_by_label("Picture to erase")
    image.wait_for()
    settled(page)
    _stroke(page, image, (0.1, 0.7), (0.9, 0.7))
    settled(page)
    page.get_by_role("button", name="Complete").click()
    page.get_by_text("8 completions").wait_for()


def _stroke(page, sheet, start, end):
    box = sheet.bounding_box()
    (x, y), (u, v) = (
        (box["x"] + across * box["width"], box["y"] + down * box["height"])
        for across, down in (start, end)
    )
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(u, v, steps=8)
    page.mouse.up()


def test_a_click_asks_for_a_pixel(page):
    turn_to(page, "Probabilities")
    image = page.get_by_label("Picture to point at")
    image.wait_for()
    settled(page)
    box = image.bounding_box()
    page.mouse.click(box["x"] + 2.5 / 8 * box["width"], box["y"] + 5.5 / 8 * box["height"])
    playwright.expect(page.get_by_label("Row", exact=True)).to_have_value("5", timeout=MINUTE)
    playwright.expect(page.get_by_label("Column", exact=True)).to_have_value("2")
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("row 5, column 2").wait_for()


def test_what_is_expected_as_pixels_arrive_is_a_film(page):
    turn_to(page, "Probabilities")
    page.get_by_role("button", name="Expect").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Film (GIF)").click()
    with Image.open(Path(download.value.path())) as film:
        assert film.format == "GIF" and film.n_frames > 5


def test_a_finger_paints_on_a_phone_without_moving_the_page(browser, server):
    phone = {"viewport": {"width": 390, "height": 900}, "has_touch": True, "is_mobile": True}
    context = browser.new_context(**phone)
    page = ready(context, server)
    turn_to(page, "Complete")
    page.get_by_text("Canvas", exact=True).click()
    sheet = page.get_by_label("Picture to paint")
    sheet.wait_for()
    settled(page)
    sheet.scroll_into_view_if_needed()
    before = sheet.bounding_box()
    finger = context.new_cdp_session(page)
    for kind, share in [
        ("touchStart", 0.2),
        *(("touchMove", 0.2 + step / 10) for step in range(6)),
    ]:
        place = {
            "x": before["x"] + before["width"] / 2,
            "y": before["y"] + before["height"] * share,
        }
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.get_by_text("known", exact=True).wait_for()
    assert sheet.bounding_box() == before
    context.close()


def test_two_models_are_compared(page):
    turn_to(page, "Compare")
    page.get_by_text("The protocols differ").wait_for()
    settled(page)
    draw(page)
    page.get_by_text(re.compile(r"mean \d+\.\d bits")).nth(1).wait_for()


def test_a_text_file_named_png_is_refused_in_words(page):
    turn_to(page, "Complete")
    page.get_by_text("File", exact=True).click()
    words = {"name": "words.png", "mimeType": "image/png", "buffer": b"only words"}
    page.locator("input[type=file]").set_input_files(words)
    page.get_by_text("cannot be read as an image").wait_for()
    file = io.BytesIO()
    Image.new("L", (9, 9), 255).save(file, "PNG")
    good = {"name": "white.png", "mimeType": "image/png", "buffer": file.getvalue()}
    page.locator("input[type=file]").set_input_files(good)
    page.get_by_text("known", exact=True).wait_for()


def test_eight_visitors_draw_at_once_and_none_sees_the_images_of_another(browser, server):
    contexts = [browser.new_context(viewport={"width": 900, "height": 1400}) for _ in range(8)]
    pages = [ready(context, server) for context in contexts]
    for label, page in enumerate(pages):
        page.set_default_timeout(4 * MINUTE)  # eight pages in one browser, beside the server
        choose(page, "Model", "mnist-256")
        page.wait_for_timeout(1000)
        settled(page)
        choose(page, "Label", str(label))
    began = time.monotonic()
    for page in pages:
        draw(page)
    for label, page in enumerate(pages):
        page.get_by_role("button", name="Levels (npz)").wait_for()
        settled(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Levels (npz)").click()
        with np.load(Path(download.value.path()), allow_pickle=False) as arrays:
            assert arrays["labels"].tolist() == [label] * 16
    seconds = time.monotonic() - began
    status = Path(f"/proc/{server[1]}/status")
    memory = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    megabytes = int(memory[1]) / 1024 if memory else float("nan")
    print(f"8 visitors in {seconds:.1f} s, {os.cpu_count()} cores, {megabytes:.0f} MB")
    for context in contexts:
        context.close()
