"""The page in a real browser, as a person uses it.

pip install playwright; apt-get install chromium
python -m pytest -m slow tests/app/test_browser.py
"""

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelcnn.checkpoint import save
from pixelcnn.models import PixelCNN
from pixelcnn.verification import report_path, verify

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
MINUTE = 60_000  # a minute, in milliseconds
SOON = MINUTE / 4
PATIENCE = (SOON, SOON, 2 * MINUTE)
FOREIGN = (
    "![a](https://example.invalid/a.png)",
    "<img src='https://example.invalid/b.png'>",
    "[c](https://example.invalid/c)",
    "$\\includegraphics{https://example.invalid/d.png}$",
)
BITS = re.compile(r"^\d+\.\d bits$")

playwright.expect.set_options(timeout=MINUTE)

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
    """A server on a free port, of `digits`, of a run with attributes, and of the others."""
    model = PixelCNN(
        num_residual_blocks=1, hidden_channels=4, image_size=6, num_attributes=3, num_classes=2
    )
    run = folder / "faces"
    save(model, run / "model.safetensors")
    x, faces = np.arange(72).reshape(2, 6, 6) % 2, np.eye(3)[:2]
    arrays = {"x_train": x, "x_test": x, "attributes_train": faces, "attributes_test": faces}
    np.savez(run / "data.npz", levels=2, **arrays)
    (run / "config.yaml").write_text(f"data:\n  dataset_name: npz:{run / 'data.npz'}\n")
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        port = taken.getsockname()[1]
    flags = [f"--server.port={port}", "--server.headless=true", "--server.fileWatcherType=none"]
    runs = ["digits", str(run), str(hostile_run(folder)), "--device", "cpu"]
    words = [sys.executable, "-m", "pixelcnn.app.server", *flags, "--", *runs]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_for(f"http://localhost:{port}/_stcore/health", process)
            yield f"http://localhost:{port}", process.pid
        finally:
            process.kill()
            process.wait()


def hostile_run(folder):
    """A run all of whose text asks the browser for a picture of another server."""
    run = folder / "hostile"
    model = PixelCNN(
        num_residual_blocks=1, hidden_channels=4, image_size=6, num_labels=2, num_classes=2
    )
    model.name_condition([f"{text} {number}" for number, text in enumerate(FOREIGN[:2])])
    save(model, run / "model.safetensors", training={text: text for text in FOREIGN})
    x = np.arange(72).reshape(2, 6, 6) % 2
    arrays = {"x_train": x, "x_test": x, "y_train": [0, 1], "y_test": [0, 1]}
    np.savez(run / "data.npz", levels=2, **arrays)
    (run / "config.yaml").write_text(
        f"# {FOREIGN}\ndata:\n  dataset_name: npz:{run / 'data.npz'}\n"
    )
    metrics = {text: text for text in FOREIGN} | {"protocol": " ".join(FOREIGN), "nll_nats": 1.0}
    (run / "metrics.json").write_text(json.dumps(metrics))
    report = verify(model, sites=2)
    checks = tuple(replace(each, scope=FOREIGN[0], claim=FOREIGN[1]) for each in report.checks)
    replace(report, checks=checks).save(report_path(run / "model.safetensors"))
    return run


def _wait_for(address, process):
    began = time.monotonic()
    while time.monotonic() - began < 120:
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
    """A visitor's page, ready to sample."""
    context = browser.new_context(viewport={"width": 1280, "height": 1800})
    yield ready(context, server)
    context.close()


def ready(context, server):
    """Opens the page and waits for the samples that welcome a visitor."""
    page = context.new_page()
    page.set_default_timeout(MINUTE)
    page.goto(server[0])
    page.get_by_role("button", name="Levels (npz)").wait_for()
    return page


def choose(page, label, option):
    """Takes an option of a select box."""
    settled(page)
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def turn_to(page, title):
    """Shows another page of the app."""
    settled(page)
    page.get_by_role("radiogroup", name="Page").get_by_text(title, exact=True).click()


def take(page, model, levels):
    """Chooses a model, and waits for its settings."""
    choose(page, "Model", model)
    # The first: what was there before stays below until all is there.
    playwright.expect(page.get_by_label("Top-k", exact=True).first).to_have_value(str(levels))
    settled(page)


def settled(page):
    """Waits until the server has nothing more to say.

    Nothing on the page tells that a run is about to begin, or that what it left is being put in
    its place: clicks are lost meanwhile, as nobody clicks within a third of a second.
    """
    page.wait_for_timeout(300)
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")


def rows_arrive(page):
    """Waits for the first rows: only then is it known how long the others take."""
    page.get_by_text(re.compile(r", \d.* left$")).wait_for()


def stop(page):
    """There is one such button: that of Streamlit's own, which says nothing, is hidden."""
    page.get_by_role("button", name="Stop", exact=True).click()


def sample(page):
    settled(page)
    page.get_by_role("button", name="Sample", exact=True).click()


def press(page, name, until):
    """Clicks a button until this is seen: a click is lost where the end of a run moves the page."""
    for patience in PATIENCE:
        settled(page)
        page.get_by_role("button", name=name, exact=True).click()
        with suppress(playwright.TimeoutError):
            until.first.wait_for(timeout=patience)
            return
    raise AssertionError(f"pressing {name} shows nothing")


def taken(page, name):
    """The file behind a button, which is pressed again where a click was lost."""
    for patience in PATIENCE:
        settled(page)
        with suppress(playwright.TimeoutError):
            with page.expect_download(timeout=patience) as download:
                page.get_by_role("button", name=name).click()
            return Path(download.value.path())
    raise AssertionError(f"pressing {name} brings no file")


def arrays_of(page):
    """What the file of levels holds."""
    with np.load(taken(page, "Levels (npz)"), allow_pickle=False) as arrays:
        return dict(arrays)


def test_a_visitor_samples_sevens_and_downloads_them(page):
    choose(page, "Label", "7")
    page.get_by_role("slider", name="Temperature").press("ArrowLeft")
    sample(page)
    page.get_by_text("temperature 0.95").wait_for()
    playwright.expect(page.get_by_text(BITS)).to_have_count(16)
    arrays = arrays_of(page)
    assert arrays["x"].shape == (16, 1, 8, 8)
    assert arrays["labels"].tolist() == [7] * 16
    with Image.open(taken(page, "Growth (GIF)")) as animation:
        assert animation.format == "GIF" and animation.n_frames > 1


def test_a_page_welcomes_its_visitors_soon_after_its_start(browser, tmp_path):
    began = time.monotonic()
    with serving(tmp_path) as served:
        for visitor in ("first", "second"):
            context = browser.new_context(viewport={"width": 1280, "height": 1800})
            page = context.new_page()
            page.set_default_timeout(MINUTE)
            page.goto(served[0])
            page.get_by_role("heading", name="pixelcnn").wait_for()
            frame = time.monotonic() - began
            page.locator("[data-testid=stImage] img").first.wait_for()
            print(f"{visitor}: frame {frame:.1f} s, samples {time.monotonic() - began:.1f} s")
            page.get_by_role("button", name="Levels (npz)").wait_for()
            context.close()
            began = time.monotonic()


def test_sampling_is_stopped_half_way_and_its_rows_stay(page):
    _request_many(page)
    sample(page)
    rows_arrive(page)
    stop(page)
    page.get_by_text(re.compile(r"stopped after \d+%")).wait_for(timeout=SOON)
    playwright.expect(page.locator("[data-testid=stImage] img")).to_have_count(256)
    page.get_by_role("button", name="Levels (npz)").wait_for()


def test_sampling_is_stopped_at_once_and_says_so(page):
    _request_many(page)
    sample(page)
    stop(page)
    page.get_by_text(re.compile("stopped (before the first row|after)")).wait_for(timeout=SOON)
    sample(page)  # it can be started again
    page.get_by_text("measuring bits").wait_for()
    stop(page)
    page.get_by_text("stopped before all bits were measured").wait_for(timeout=SOON)


def _request_many(page):
    take(page, "mnist-256", 256)
    page.get_by_label("Images", exact=True).fill("256")


def test_completing_is_stopped_and_says_so(page):
    turn_to(page, "Complete")
    page.get_by_label("Particles", exact=True).fill("512")
    page.get_by_label("Completions", exact=True).fill("64")
    choose(page, "Method", "gibbs")
    page.get_by_label("Sweeps", exact=True).fill("1000")  # minutes of work
    press(page, "Complete", page.get_by_role("button", name="Stop", exact=True))
    stop(page)
    page.get_by_text("Stopped; no new completions.").wait_for(timeout=SOON)


def test_half_a_digit_is_erased_and_completed(page):
    turn_to(page, "Complete")
    page.get_by_label("Completions", exact=True).fill("3")
    choose(page, "Erase", "right")  # the form keeps values that are not sent yet
    press(page, "Complete", page.get_by_text("3 completions"))
    page.get_by_text("1: -").first.wait_for()
    known = arrays_of(page)["known"]
    assert known[..., :4].all() and not known[..., 4:].any()


def test_attributes_are_given_and_a_rectangle_is_erased(page):
    take(page, "faces", 2)
    page.get_by_label("Attributes that are on").click()
    page.get_by_role("option", name="1", exact=True).click()
    page.keyboard.press("Escape")
    sample(page)
    playwright.expect(page.get_by_text(BITS)).to_have_count(16)
    assert arrays_of(page)["attributes"].tolist() == [[0, 1, 0]] * 16
    turn_to(page, "Complete")
    choose(page, "Erase", "rectangle")
    page.get_by_role("slider", name="Columns").nth(1).press("End")
    page.get_by_role("slider", name="Rows").first.press("Home")
    press(page, "Complete", page.get_by_text("8 completions"))
    known = arrays_of(page)["known"][0]
    assert not known[:, :4, 1:].any() and known[:, 4:].all() and known[:, :, 0].all()


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
    press(page, "Complete", page.get_by_text("8 completions"))
    known = arrays_of(page)["known"][0, 0]
    assert not known[5].any() and known[:4].all()
    page.get_by_text("Test set", exact=True).click()
    page.get_by_label("Number", exact=True).wait_for()
    settled(page)
    press(page, "Complete", page.get_by_text("by digits and raster"))
    assert arrays_of(page)["known"].all(), "what was erased of another image is forgotten"


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


def test_a_click_chooses_a_pixel(page):
    turn_to(page, "Probabilities")
    image = page.get_by_label("Picture to point at")
    image.wait_for()
    settled(page)
    box = image.bounding_box()
    page.mouse.click(box["x"] + 2.5 / 8 * box["width"], box["y"] + 5.5 / 8 * box["height"])
    playwright.expect(page.get_by_label("Row", exact=True)).to_have_value("5")
    playwright.expect(page.get_by_label("Column", exact=True)).to_have_value("2")
    press(page, "Estimate", page.get_by_text("row 5, column 2"))
    page.get_by_label("Row", exact=True).fill("1")
    page.get_by_label("Row", exact=True).press("Enter")
    settled(page)
    image.click(position={"x": 2.5 / 8 * box["width"], "y": 5.5 / 8 * box["height"]})
    playwright.expect(page.get_by_label("Row", exact=True)).to_have_value("5")
    choose(page, "Model", "faces")
    playwright.expect(image.first).to_have_js_property("width", 6)
    playwright.expect(page.get_by_label("Row", exact=True).first).to_have_value("3")
    assert not page.get_by_test_id("stAlert").count()


def test_the_expected_image_after_each_pixel_is_an_animation(page):
    turn_to(page, "Probabilities")
    page.get_by_role("button", name="Animate").click()
    with Image.open(taken(page, "Animation (GIF)")) as animation:
        assert animation.format == "GIF" and animation.n_frames > 5


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
    means = page.get_by_text(re.compile(r"mean \d+\.\d bits"))
    press(page, "Sample", means)
    means.nth(1).wait_for()


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


def test_eight_visitors_sample_at_once_and_none_sees_the_images_of_another(browser, server):
    contexts = [browser.new_context(viewport={"width": 900, "height": 1400}) for _ in range(8)]
    pages = [ready(context, server) for context in contexts]
    for label, page in enumerate(pages):
        page.set_default_timeout(4 * MINUTE)  # eight pages in one browser, beside the server
        take(page, "mnist-256", 256)
        choose(page, "Label", str(label))
    began = time.monotonic()
    for page in pages:
        sample(page)
    for label, page in enumerate(pages):
        page.get_by_role("button", name="Levels (npz)").wait_for()
        settled(page)
        assert arrays_of(page)["labels"].tolist() == [label] * 16
    seconds = time.monotonic() - began
    status = Path(f"/proc/{server[1]}/status")
    memory = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    megabytes = int(memory[1]) / 1024 if memory else float("nan")
    print(f"8 visitors in {seconds:.1f} s, {os.cpu_count()} cores, {megabytes:.0f} MB")
    for context in contexts:
        context.close()


def test_text_of_a_run_is_never_markdown_or_html(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 1800})
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    page = ready(context, server)
    take(page, "hostile", 2)
    sample(page)
    for title in ("Complete", "Probabilities", "Compare", "About the run"):
        turn_to(page, title)
        settled(page)
    page.get_by_text(FOREIGN[0]).first.wait_for()
    assert any("localhost" in url for url in asked)
    assert not [url for url in asked if "example.invalid" in url]
    context.close()
