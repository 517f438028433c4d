"""Who may import whom: the sources are parsed, so that a file added later is held to the same directions."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("autograd_mini", "nn", "viz")

# The floors of the engine from the ground up. A file that is not named stands on the floor of the transforms; files on
# one floor may import each other as long as there is no cycle.
FLOORS = [
    "errors", "printing", "source", "kits", "modes", "tracer", "number", "partials", "rules", "graph", "anomalies",
    "backward", "copying", "value", "functions", "transforms", "__init__", "cli", "__main__",
]  # fmt: skip
STRATEGIES = ("autograd_mini.strategies", "autograd_mini.hypothesis_plugin")
SHELL = tuple(
    f"autograd_mini.shell.{name}"
    for name in (
        "__init__", "exploring", "judging", "run_messages", "run_model", "run_notes", "run_options", "run_output",
        "run_scores", "saved_run", "session", "signals", "subject", "terminal", "training", "words",
    )
)  # fmt: skip
TOP = ("autograd_mini.cli", "autograd_mini.__main__", "autograd_mini.pytest_plugin", *STRATEGIES, *SHELL)
CORE = ["__init__", *FLOORS[: FLOORS.index("transforms")]]


class Import(NamedTuple):
    """One imported module, and whether the statement stands inside a function."""

    module: str
    deferred: bool
    line: int


def module_name(path: Path) -> str:
    """``nn.data`` for ``nn/data.py`` and ``nn.__init__`` for the package file itself."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


SOURCES = {module_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}
EVERY_MODULE = pytest.mark.parametrize("name", TREES)


def file_of(module: str) -> str:
    """The name in SOURCES that importing `module` runs; outside the project the module itself."""
    return f"{module}.__init__" if f"{module}.__init__" in SOURCES else module


def imports(name: str, tree: ast.AST) -> Iterator[Import]:
    """Every module that the source imports, at any depth; `from package import module` counts as the module."""

    def walk(node: ast.AST, deferred: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(file_of(alias.name), deferred, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = name.split(".")[: -node.level]
                base = ".".join([*parents, base] if base else parents)
            for alias in node.names:
                whole = file_of(f"{base}.{alias.name}")
                yield Import(whole if whole in SOURCES else file_of(base), deferred, node.lineno)
        inside = deferred or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)

    yield from walk(tree, False)


def own_imports(name: str, tree: ast.AST) -> list[Import]:
    return [found for found in imports(name, tree) if package_of(found.module) in PACKAGES]


def package_of(module: str) -> str:
    return module.partition(".")[0]


def floor(module: str) -> int:
    stem = module.removeprefix("autograd_mini.")
    return FLOORS.index(stem if stem in FLOORS else "transforms")


def objection(name: str, found: Import) -> str | None:
    """Why the source `name` must not import what it imports here; None if it may."""
    importer, imported = package_of(name), package_of(found.module)
    if name in TOP:
        return None
    if found.deferred:
        return "an import of our own inside a function may hide a cycle"
    if found.module in TOP:
        return "it is on the top floor, imported by nobody"
    if PACKAGES.index(imported) > PACKAGES.index(importer):
        return f"{importer} must not import {imported}"
    if importer == imported == "autograd_mini" and floor(found.module) > floor(name):
        return "it stands on a higher floor"
    return None


@EVERY_MODULE
def test_imports_point_downwards(name: str) -> None:
    for found in own_imports(name, TREES[name]):
        reason = objection(name, found)
        assert reason is None, f"{SOURCES[name]}:{found.line} imports {found.module}: {reason}"


def test_no_files_import_each_other_in_a_circle() -> None:
    graph = {name: {found.module for found in own_imports(name, tree)} for name, tree in TREES.items()}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("autograd_mini.kits", "from autograd_mini.rules import RULES"),
        ("autograd_mini.kits", "import autograd_mini.rules"),
        ("autograd_mini.kits", "from autograd_mini import rules"),
        ("autograd_mini.kits", "from . import rules"),
        ("autograd_mini.kits", "from .rules import RULES"),
        ("autograd_mini.value", "from autograd_mini import Value"),
        ("autograd_mini.value", "if True:\n    from autograd_mini.functions import exp"),
        ("autograd_mini.value", "def f():\n    from autograd_mini.kits import FLOAT"),
        ("autograd_mini.value", "class A:\n    import autograd_mini.transforms"),
        ("autograd_mini.transforms", "import nn"),
        ("autograd_mini.transforms", "from autograd_mini.cli import main"),
        ("autograd_mini.explain", "from viz.dot import draw"),
        ("autograd_mini.__init__", "from autograd_mini.cli import main"),
        ("nn.layers", "from viz import draw_dot"),
        ("viz.dot", "from autograd_mini.cli import main"),
        ("nn.layers", "from autograd_mini.strategies import values"),
        ("autograd_mini.expression", "import autograd_mini.hypothesis_plugin"),
    ],
)
def test_a_wrong_import_is_caught(name: str, source: str) -> None:
    found = own_imports(name, ast.parse(source))
    assert found
    assert all(objection(name, one) for one in found)


@pytest.mark.parametrize("stem", CORE)
def test_the_core_imports_nothing_but_the_standard_library(stem: str) -> None:
    name = f"autograd_mini.{stem}"
    foreign = {package_of(found.module) for found in imports(name, TREES[name])} - {"autograd_mini"}
    assert foreign <= sys.stdlib_module_names


def test_only_the_strategies_import_hypothesis() -> None:
    users = {
        name for name, tree in TREES.items() if any(i.module.startswith("hypothesis") for i in imports(name, tree))
    }
    assert users == set(STRATEGIES)


@pytest.mark.parametrize("name", [name for name in TREES if not name.endswith("__main__")])
def test_every_module_lists_its_public_names_and_has_them(name: str) -> None:
    tree = TREES[name]
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]
    ]
    assert len(listed) == 1, f"{SOURCES[name]} has no __all__, or several"
    assert len(set(listed[0])) == len(listed[0])
    assert set(listed[0]) <= set(top_level_names(tree.body))


def top_level_names(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
        elif isinstance(node, (ast.If, ast.Try)):
            yield from top_level_names([*node.body, *node.orelse])


@pytest.mark.parametrize("name", [name for name in TREES if name.endswith("__init__")])
def test_package_files_only_re_export(name: str) -> None:
    docstring, *rest = TREES[name].body
    assert isinstance(docstring, ast.Expr)
    for node in rest:
        is_dunder = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "__version__")
        assert is_dunder or isinstance(node, ast.ImportFrom), ast.unparse(node)


def test_importing_the_core_loads_no_heavy_library() -> None:
    script = "import sys, autograd_mini; print(*{module.partition('.')[0] for module in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "autograd_mini" in loaded
    assert not loaded & {"numpy", "jax", "graphviz", "hypothesis", "tqdm", "matplotlib", "nn", "viz"}
