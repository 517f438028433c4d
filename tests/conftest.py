"""Hypothesis profiles: `ci` draws the same examples every time; ``--deep`` draws many more, and new ones each time."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from autograd_mini import RULES, Value
from tests.browser import chromium_or_skip, lecture_page

# A busy machine is no reason to fail, so neither profile measures time.
_UNTIMED = {"deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("ci", derandomize=True, **_UNTIMED)
settings.register_profile("deep", max_examples=2000, **_UNTIMED)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="run hypothesis with many random examples")
    parser.addoption("--peers", action="store_true", help="compare with jax and PyTorch too")
    parser.addoption("--browser", action="store_true", help="open the explorer in Chromium too")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with chromium_or_skip() as browser:
        yield browser


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Value]:
    return lecture_page(tmp_path_factory.mktemp("explorer"))


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("deep" if config.getoption("--deep") else "ci")


def is_peer_test(item: pytest.Item) -> bool:
    return item.path.name.startswith("test_peers")


def is_browser_test(item: pytest.Item) -> bool:
    return item.path.name.startswith("test_browser")


def leave_out(config: pytest.Config, items: list[pytest.Item], left_out: list[pytest.Item], reason: str) -> None:
    """Skip the first of these tests, and deselect the others, so that one line says it for all."""
    if left_out:
        first, *rest = left_out
        first.add_marker(pytest.mark.skip(reason=f"{len(left_out)} {reason}"))
        items[:] = [item for item in items if item not in rest]
        config.hook.pytest_deselected(items=rest)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--browser"):
        browser = list(filter(is_browser_test, items))
        leave_out(config, items, browser, "tests of the explorer in Chromium: ./dev test --browser")
    if not config.getoption("--peers"):
        leave_out(
            config, items, list(filter(is_peer_test, items)), "comparisons with JAX and PyTorch: ./dev test --peers"
        )
    else:  # last: JAX starts threads, and from then on the process should not fork, as the terminal tests do
        items.sort(key=is_peer_test)


@pytest.fixture(autouse=True)
def _ops_of_one_test_are_gone_in_the_next() -> Iterator[None]:
    before = dict(RULES)
    yield
    if before != RULES:
        RULES.clear()
        RULES.update(before)


@pytest.fixture
def heeded_ctrl_c() -> Iterator[None]:
    """What a shell starts in the background ignores SIGINT, and so do its children; here they do not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
