"""The files around the code agree with it and with each other."""

import re
from pathlib import Path

import pytest
import yaml

from pixelcnn.version import __version__

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
ADDRESS = "https://github.com/pixelcnn/pixelcnn"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = [
    path
    for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    if path.name != "config.yml"
]


def project():
    """The section `project` of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def jobs(path):
    """The jobs of a workflow."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]


def commands(job):
    """What the steps of a job run."""
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_well_formed(path):
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", True, "jobs"} <= set(found)  # YAML 1.1 reads the key `on` as true
    for job in found["jobs"].values():
        assert job["runs-on"]
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"])
        used = set(re.findall(r"matrix\.(\w+)", str(job)))
        assert used == set(job["strategy"]["matrix"])


def test_the_workflow_runs_on_three_systems_with_the_oldest_python():
    found = jobs(ROOT / ".github" / "workflows" / "tests.yml")
    systems = {*found["unix"]["strategy"]["matrix"]["os"], found["windows"]["runs-on"]}
    assert {name.partition("-")[0] for name in systems} == {"ubuntu", "macos", "windows"}
    oldest = project()["requires-python"].removeprefix(">=")
    for job in found.values():
        versions = job["strategy"]["matrix"]["python"]
        assert versions[0] == oldest
        assert len(versions) == 2


def test_unix_runs_the_script_and_windows_its_commands():
    found = jobs(ROOT / ".github" / "workflows" / "tests.yml")
    assert commands(found["unix"]) == ["./.ci/run"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    typed = [line.replace(".venv\\Scripts\\", "$(BIN)/") for line in commands(found["windows"])]
    assert all(f"\t{line}\n" in makefile for line in typed if line.startswith("$(BIN)"))
    assert sum(line.startswith("$(BIN)") for line in typed) == len(typed) - 1
    made = re.findall(r"^make (\w+)$", (ROOT / ".ci" / "run").read_text(), flags=re.MULTILINE)
    assert made == ["test", "elsewhere", "wheel", "browser"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_is_well_formed(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"] and form["description"]
    assert len({field["id"] for field in form["body"]}) == len(form["body"])
    assert all(field["attributes"]["label"] for field in form["body"])


def test_the_citation_is_of_this_version():
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert found["version"] == __version__
    assert found["license"] == project()["license"]
    assert found["repository-code"] == ADDRESS
    assert {"cff-version", "message", "title", "authors"} <= set(found)


def test_the_project_has_one_address():
    assert all(url.startswith(ADDRESS) for url in project()["urls"].values())
