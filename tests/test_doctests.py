"""Every ``>>>`` in docstrings, the README and the pages in docs/ runs, and every public name says what it is."""

import doctest
import importlib
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("autograd_mini", "nn", "viz")
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.name != "__main__.py"  # importing it would run the command line
]


def run(module: ModuleType) -> doctest.TestResults:
    return doctest.testmod(module, optionflags=FLAGS)


@pytest.fixture
def _no_window_and_no_figure_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.mark.usefixtures("_no_window_and_no_figure_left")
@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    if name.startswith("viz.plots.") and find_spec("matplotlib") is None:
        pytest.skip("plots need matplotlib: pip install autograd_mini[plots], or ./dev test --peers")
    if name == "viz.explorer.explore" and shutil.which("dot") is None:
        pytest.skip("Graphviz's dot is not installed: no page is written")
    assert run(importlib.import_module(name)).failed == 0


def test_examples_of_generated_functions_run_too() -> None:
    value = importlib.import_module("autograd_mini.value")
    named = {test.name.rpartition(".")[2] for test in doctest.DocTestFinder().find(value) if test.examples}
    assert {"Value", "apply", "exp", "tanh", "sigmoid", "relu"} <= named


@pytest.mark.parametrize("page", ["README.md", "docs/wrong_algorithms.md"])
def test_examples_in_the_pages_run(page: str) -> None:
    path = ROOT / page
    if path.exists():
        assert doctest.testfile(str(path), module_relative=False, optionflags=FLAGS, encoding="utf-8").failed == 0


def test_a_wrong_example_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    module = ModuleType("wrong", ">>> 1 + 1\n3\n")
    assert run(module).failed == 1
    assert "Expected:\n    3" in capsys.readouterr().out


@pytest.mark.parametrize("package", [package for package in PACKAGES if (ROOT / package / "__init__.py").exists()])
def test_every_public_name_has_a_docstring_of_its_own(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__doc__
    for name in module.__all__:
        thing = getattr(module, name)
        if callable(thing):
            inherited = isinstance(thing, type) and thing.__doc__ == thing.__mro__[1].__doc__
            assert thing.__doc__, f"{package}.{name} has no docstring"
            assert not inherited, f"{package}.{name} has only the docstring of its base class"
            # What a dataclass or a NamedTuple writes where nobody did.
            assert not thing.__doc__.startswith(f"{name}("), f"{package}.{name} has only a generated docstring"


def test_every_public_method_of_value_has_a_docstring() -> None:
    from autograd_mini import Value

    plain = {"data", "grad", "parents"}  # told among the attributes of the class
    for name, member in vars(Value).items():
        is_described = callable(member) or isinstance(member, property)
        if is_described and not name.startswith("_") and name not in plain:
            assert member.__doc__, f"Value.{name} has no docstring"
