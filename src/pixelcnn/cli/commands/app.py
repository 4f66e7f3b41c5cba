"""`pixelcnn app`: serves the web page."""

import argparse
import importlib.util
import signal
import subprocess
import sys
from pathlib import Path

import pixelcnn
from pixelcnn.errors import require

ENTRY = Path(pixelcnn.__file__).parent / "app" / "entry.py"


def run(args: argparse.Namespace) -> int:
    """Serves until Ctrl-C, or until it is told to end.

    Raises:
        MissingDependencyError: If Streamlit is not installed.
    """
    if importlib.util.find_spec("streamlit") is None:
        require("streamlit", extra="app")
    with subprocess.Popen(server_command(args)) as server:
        # Otherwise the server would stay behind, and hold its port, when this process is ended.
        former = signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        try:
            return server.wait()
        except KeyboardInterrupt:  # which the server got as well
            return server.wait()
        finally:
            signal.signal(signal.SIGTERM, former)


def server_command(args: argparse.Namespace) -> list[str]:
    """The server as a process of its own, as Streamlit wants to be started."""
    settings = {
        "server.address": args.host,
        "server.port": str(args.port),
        "server.headless": str(not args.browser).lower(),
        "server.maxUploadSize": "10",  # MB, as `pixelcnn.data.files.uploads` allows
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "viewer",
    }
    device = [] if args.device is None else ["--device", args.device]
    return [
        *(sys.executable, "-m", "streamlit", "run", str(ENTRY)),
        *(f"--{name}={value}" for name, value in settings.items()),
        *("--", *args.runs, *device),
    ]
