"""Frequencies are equal on every machine, and those of nearly the same model."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import pixelcnn
from pixelcnn.codec.portable import Portable, PortableNetwork
from pixelcnn.errors import ConfigError
from pixelcnn.models import PixelCNN

SCRIPT = Path(__file__).parents[3] / "scripts" / "frequency_digest.py"
SCRIPT_NAMES = runpy.run_path(str(SCRIPT))
MODELS, digest = SCRIPT_NAMES["MODELS"], SCRIPT_NAMES["digest"]

# A change of these breaks every file that was written before.
DIGESTS = """
b546d607525bba5326c72bc456e54994  digits
916d7d54e15521c267c8e1bdd8ee33f5  mnist-binary
b94b98e47938a840c650da828705b018  mnist-256
38e978394a88b7ca598a0a1f8dbc95b3  pixelcnn, RGB
41ac49dc4692ecfbda50fa95231ca621  gated, RGB
67805e5b9d7967525a18a08a4e06becb  pixelcnnpp, mixture
1d09722d2f6fb15075baa41a681d9958  pixelsnail, mixture
""".strip()
QUICK = {"digits": (3, 4), "mnist-256": (4, 3), "pixelcnnpp, mixture": (3, 2)}
QUICK_DIGESTS = {
    "digits": "98064513b0601105",
    "mnist-256": "318a0dd33cb26096",
    "pixelcnnpp, mixture": "03b8182c46777d30",
}


@pytest.mark.parametrize("name", QUICK)
def test_frequencies_are_those_of_the_format_in_any_batch(name):
    model = MODELS[name]()
    for batch_size in (None, 1):
        found = digest(model, size=QUICK[name], num_images=2, batch_size=batch_size)
        assert found[:16] == QUICK_DIGESTS[name]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ([], {}),
        (["--threads", "2", "--batch-size", "1"], {}),
        (["--threads", "4", "--batch-size", "2"], {"ATEN_CPU_CAPABILITY": "avx2"}),
        ([], {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}),
    ],
)
def test_frequencies_are_equal_for_all_threads_and_processors(options, variables):
    done = subprocess.run(
        [sys.executable, SCRIPT, *options],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == DIGESTS


def test_a_bundled_model_loses_next_to_nothing():
    model = pixelcnn.load("digits")
    x = model.generate(num_samples=8, cond=3, seed=0)
    cond = model.prepare_cond(3, len(x))
    with torch.inference_mode():
        exact = model.log_prob(x, cond).sum()
        portable = model.likelihood.log_prob(PortableNetwork(model)(x, cond), x).sum()
    assert abs(portable / exact - 1) < 1e-3
    assert portable != exact


def test_sums_that_could_overflow_are_refused():
    model = PixelCNN(num_residual_blocks=1, hidden_channels=128)
    with torch.no_grad():
        model.mix.weight.fill_(127)
    with pytest.raises(ConfigError, match="the weights of `mix` are too large for exact sums"):
        Portable(model)


def test_weights_that_would_be_clipped_are_refused():
    model = PixelCNN(num_residual_blocks=1, hidden_channels=8)
    for value in (128.5, torch.nan):
        with torch.no_grad():
            model.mix.bias[3] = value
        with pytest.raises(ConfigError, match="`mix` has weights beyond ±128"):
            Portable(model)


def test_layers_that_are_not_known_are_refused():
    model = PixelCNN(num_residual_blocks=1, hidden_channels=8)
    model.mix = nn.Conv2d(8, 8, 1)
    with pytest.raises(ConfigError, match=r"it has a layer Conv2d\. Use"):
        Portable(model)


def test_the_model_itself_stays_as_it_was():
    model = PixelCNN(num_residual_blocks=1, hidden_channels=8)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    Portable(model)
    after = model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
