"""`pixelcnn app` at the command line."""

import socket
import sys

import pytest

import pixelcnn.cli.commands.app as app
from pixelcnn.cli import main
from pixelcnn.cli.parsers.parser import parse


def free_port() -> int:
    """A port that no other program of this machine listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_the_server_listens_on_this_machine_alone_by_default():
    command = app.server_command(parse(["app", "runs/a", "--port", "9000", "--device", "cpu"]))
    assert command[:3] == [sys.executable, "-m", "pixelcnn.app.server"]
    assert {"--server.address=localhost", "--server.port=9000"} <= set(command)
    assert command[-4:] == ["--", "runs/a", "--device", "cpu"]


def test_runs_that_do_not_exist_are_refused_before_the_server_starts(fails, monkeypatch):
    monkeypatch.setattr(app.subprocess, "Popen", None)
    assert "`runs/nosuch` does not exist. Correct the path" in fails("app", "runs/nosuch")
    assert f"`{__file__}` is another file" in fails("app", __file__)
    assert "bundled models are always shown" in fails("app", "digits")


@pytest.mark.parametrize("host", ["nosuch.invalid", "192.0.2.1", "a" * 64 + ".invalid"])
def test_a_wrong_host_is_refused_in_one_line(fails, monkeypatch, host):
    pytest.importorskip("streamlit")
    monkeypatch.setattr(app.subprocess, "Popen", None)
    line = fails("app", "--host", host)
    assert f"`--host` must be a name or an address of this machine, got `{host}` (" in line


def test_a_port_in_use_is_refused_in_one_line(fails, monkeypatch):
    pytest.importorskip("streamlit")
    monkeypatch.setattr(app.subprocess, "Popen", None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = fails("app", "--host", "127.0.0.1", "--port", port)
    assert f"`--port` must be free for a server, got {port} (" in line


def test_its_exit_code_is_that_of_the_server(monkeypatch):
    pytest.importorskip("streamlit")
    ending = [sys.executable, "-c", "raise SystemExit(7)"]
    monkeypatch.setattr(app, "server_command", lambda args: ending)
    assert main(["app", "--port", str(free_port())]) == 7


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_no_server_stays_behind_when_it_is_ended(monkeypatch, name, code):
    pytest.importorskip("streamlit")
    waiting = "import os, signal, time; os.kill(os.getppid(), signal.NAME); time.sleep(60)"
    waiting = waiting.replace("NAME", name)
    monkeypatch.setattr(app, "server_command", lambda args: [sys.executable, "-c", waiting])
    assert main(["app", "--port", str(free_port())]) == code


def test_without_streamlit_it_says_how_to_install_it(monkeypatch, fails):
    monkeypatch.setitem(sys.modules, "streamlit", None)
    monkeypatch.setattr(app.importlib.util, "find_spec", lambda name: None)
    assert 'pip install "pixelcnn[app]"' in fails("app")
