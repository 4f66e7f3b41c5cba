"""Imports only go down, and inside a package they never go in a circle."""

import ast
import graphlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "pixelcnn"
LAYERS = [
    {"errors", "version", "strict_yaml"},
    {
        *("registry", "arguments", "order", "files", "locks", "device", "processes"),
        *("threads", "pauses", "weights"),
    },
    {"spec", "hints", "logger", "tensor_files"},
    {"nn", "likelihoods", "data", "metrics"},
    {"walk"},
    {"models"},
    {"inference", "checkpoint"},
    {"config", "plots", "verification", "codec", "importing"},
    {"charts", "runs", "shards"},
    {"training"},
    {"evaluation"},
    {"report"},
    {"cli", "app"},
    {"__init__", "__main__"},
]
LAYER = {package: number for number, packages in enumerate(LAYERS) for package in packages}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.rglob("*.py")
}


def package_of(module: str) -> str:
    """`nn.masks` is in the package `nn`."""
    return module.partition(".")[0]


def imports(module: str) -> Iterator[str]:
    """Modules of this package that a module imports, also inside functions.

    What only type checkers read, under `TYPE_CHECKING`, builds nothing and does not count.
    """
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    unread = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if node in unread:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            # `from pixelcnn.nn import masks` may name a module or something inside one.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (
            name.removeprefix("pixelcnn.") for name in names if name.startswith("pixelcnn.")
        )


def module_of(name: str) -> str:
    """The module that an imported name lives in: `nn.masks.raster_mask` is in `nn.masks`."""
    while name not in MODULES and f"{name}.__init__" not in MODULES and "." in name:
        name = name.rpartition(".")[0]
    return name if name in MODULES else f"{name}.__init__"


def test_every_package_has_a_layer():
    assert {package_of(module) for module in MODULES} <= set(LAYER)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_only_go_down(module):
    here = package_of(module)
    for name in imports(module):
        there = package_of(name)
        assert there in LAYER, f"{module} imports `{name}`, which is no module"
        assert there == here or LAYER[there] < LAYER[here], f"{module} may not import {name}"


def test_no_two_modules_have_a_public_class_or_function_of_one_name():
    places = defaultdict(set)
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                places[node.name].add(module)
    # Each command has a function `run`, each view of the page a function `show`.
    alike = {"run": "cli.commands.", "show": "app.views."}
    for name, modules in places.items():
        others = {each for each in modules if not each.startswith(alike.get(name, " "))}
        assert len(others) + (len(others) < len(modules)) < 2, (
            f"{name}: {', '.join(sorted(modules))}"
        )


def test_no_import_goes_in_a_circle():
    graph = {module: {module_of(name) for name in imports(module)} for module in MODULES}
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert set(MODULES) <= set(order)


def test_the_architecture_shows_every_package_in_order():
    text = (ROOT.parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \| (.*?) \|", text, flags=re.MULTILINE)
    shown = [package for row in rows for package in re.findall(r"`(\w+)`", row)]
    assert set(shown) == set(LAYER) - {"__init__", "__main__"}
    assert shown == sorted(shown, key=LAYER.__getitem__)
