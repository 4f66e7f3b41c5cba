"""What a browser sends of a canvas is a picture, or on_error."""

import base64

import numpy as np
import pytest
import streamlit as st
import torch

from pixelcnn.app.widgets import canvas
from pixelcnn.errors import DataError
from pixelcnn.spec import ImageSpec


def test_what_a_browser_sends_is_a_picture_of_its_size_or_refused():
    good = base64.b64encode(bytes(range(4))).decode()
    assert canvas._bytes(good, (2, 2)).tolist() == [[0, 1], [2, 3]]
    for bad in (good, "no base64!", "", 5, None):
        with pytest.raises(DataError, match="sent no picture of 3×3"):
            canvas._bytes(bad, (3, 3))


@pytest.mark.parametrize("sent", ["9,0", "-1,0", "0", "a,b", "1,2,3"])
def test_a_place_outside_of_the_image_is_refused(sent, monkeypatch):
    monkeypatch.setattr(canvas, "_mount", lambda *_, **__: sent)
    with pytest.raises(DataError, match="no place in an image of 4×4"):
        canvas.point(torch.zeros(1, 1, 4, 4).long(), 2, "key", site=(0, 0))


def test_what_a_browser_sends_of_another_picture_does_not_count(monkeypatch):
    """As after another image was chosen, of which the browser has not heard yet."""
    erased = base64.b64encode(bytes([1, 0, 0, 0])).decode()
    sent = {}

    def component(*_, **__):
        def mount(data, **_):
            sent["token"] = data["token"]
            return {"value": sent.get("value")}

        return mount

    monkeypatch.setattr(st.components.v2, "component", component)
    one, other = torch.zeros(1, 1, 2, 2).long(), torch.ones(1, 1, 2, 2).long()
    larger = torch.zeros(1, 1, 3, 3).long()
    assert not canvas.erase(one, 2, "key", brush=1.0).any()
    sent["value"] = f"{sent['token']} {erased}"
    assert canvas.erase(one, 2, "key", brush=1.0).tolist() == [[True, False], [False, False]]
    assert not canvas.erase(other, 2, "key", brush=1.0).any()
    assert not canvas.erase(larger, 2, "key", brush=1.0).any()


def test_what_is_painted_becomes_levels(monkeypatch):
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[0, 1] = 255
    sent = base64.b64encode(pixels.tobytes()).decode()
    monkeypatch.setattr(canvas, "_mount", lambda *_, **__: sent)
    found = canvas.paint(ImageSpec(1, 2, 2, 17), "key", brush=1.0, ink=(255, 255, 255))
    assert found.tolist() == [[[[0, 16], [0, 0]]]]
    colours = canvas.paint(ImageSpec(3, 2, 2, 256), "key", brush=1.0, ink=(255, 255, 255))
    assert colours.shape == (1, 3, 2, 2)
