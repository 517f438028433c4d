"""Chromium for the tests of the explorer, and a page opened in it."""

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from autograd_mini import Value, record_lines
from nn import MLP, cross_entropy, digits
from viz import explore

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = [name for name in ("playwright", "axe_playwright_python") if importlib.util.find_spec(name) is None]
if CHROMIUM is None or shutil.which("dot") is None:
    MISSING.append("chromium" if CHROMIUM is None else "dot")


@contextmanager
def chromium_or_skip() -> Iterator[Any]:
    if MISSING:
        pytest.skip(f"{', '.join(MISSING)} not installed: the explorer is not opened")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def lecture_page(folder: Path) -> tuple[Path, Value]:
    """The lecture's network on one digit, and its page."""
    data = digits()
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    pixels = [Value(float(x), f"x[{i}]") for i, x in enumerate(data.inputs[0])]
    with record_lines():
        loss = cross_entropy(model(pixels), int(data.targets[0]))
    return explore(loss, folder / "lecture.html").path, loss


class Opened:
    """A page, and everything that it asked for or said."""

    def __init__(self, chromium: Any, path: Path, *, scheme: str = "light", bypass_csp: bool = False) -> None:
        self.context = chromium.new_context(
            color_scheme=scheme, offline=True, viewport={"width": 1440, "height": 900}, bypass_csp=bypass_csp
        )
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]")

    def close(self) -> None:
        """The page has loaded nothing but itself, and has had nothing to complain of."""
        assert len(self.requests) == 1
        assert self.said == []
        self.context.close()

    def numbers(self, what: str) -> list[float]:
        texts = self.page.evaluate(f"Array.from({what}, String)")
        return [float(text) for text in texts]

    def violations(self) -> list[Any]:
        """What axe-core finds; for a page that was opened with ``bypass_csp``."""
        spec = importlib.util.find_spec("axe_playwright_python")
        assert spec is not None
        assert spec.origin is not None
        self.page.evaluate((Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
        found: list[Any] = self.page.evaluate(
            "axe.run().then(({violations}) => violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))"
        )
        return found
