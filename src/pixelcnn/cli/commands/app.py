"""`pixelcnn app`: serves the web page."""

import argparse
import errno
import importlib.util
import signal
import socket
import subprocess
import sys
from pathlib import Path

from pixelcnn.errors import ConfigError, require
from pixelcnn.weights import list_weights


def run(args: argparse.Namespace) -> int:
    """Serves until Ctrl-C, or until SIGTERM.

    Raises:
        ConfigError: If there is no such run, or nothing can listen at this address.
        MissingDependencyError: If Streamlit is not installed.
    """
    check_runs(args.runs)
    if importlib.util.find_spec("streamlit") is None:
        require("streamlit", extra="app")
    check_address(args.host, args.port)
    with subprocess.Popen(server_command(args)) as server:
        received: list[int] = []

        def stop(number: int, _: object) -> None:
            received.append(number)
            server.terminate()

        # Otherwise the server would stay behind, and hold its port, when this process is ended.
        former = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            code = server.wait()
        finally:
            for each, handler in former.items():
                signal.signal(each, handler)
    return 128 + received[0] if received else code


def check_runs(runs: list[str]) -> None:
    """Raises `ConfigError` unless all runs exist and may hold models."""
    for each in runs:
        if Path(each).is_file() and Path(each).suffix not in (".safetensors", ".ckpt"):
            raise ConfigError(
                f"RUN must be a run folder, a folder of them or a .safetensors file, and `{each}` "
                f"is another file. Correct the path, or leave it out."
            )
        if not Path(each).exists():
            hint = "Correct the path, or leave it out."
            if each in list_weights():
                hint = "Leave it out: bundled models are always shown."
            raise ConfigError(
                f"RUN must be a run folder, a folder of them or a .safetensors file, and `{each}` "
                f"does not exist. {hint}"
            )


def check_address(host: str, port: int) -> None:
    """Raises `ConfigError` unless a server of this machine can listen at this address."""
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )
        with socket.socket(family, kind, protocol) as probe:
            if sys.platform != "win32":  # there it would share the port with another server
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (socket.gaierror, UnicodeError) as error:
        raise _wrong_host(host, error) from error
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise ConfigError(
                f"`--port` must be free for a server, got {port} ({error.strerror}). Choose "
                f"another one."
            ) from error
        raise _wrong_host(host, error) from error


def _wrong_host(host: str, error: OSError | UnicodeError) -> ConfigError:
    reason = getattr(error, "strerror", None) or error
    return ConfigError(
        f"`--host` must be a name or an address of this machine, got `{host}` ({reason}). Use "
        f"localhost, or 0.0.0.0 for every machine that reaches this one."
    )


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
        *(sys.executable, "-m", "pixelcnn.app.server"),
        *(f"--{name}={value}" for name, value in settings.items()),
        *("--", *args.runs, *device),
    ]
