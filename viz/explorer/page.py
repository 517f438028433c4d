"""One HTML file out of the page's parts: modules joined, data escaped, and a policy that allows nothing else.

Style and script are let in by their hash alone (Content Security Policy Level 3, §2.3.1), so whatever a user's label
holds, it cannot run, and nothing can be loaded from anywhere. Texts from users reach the page as JSON and become text
nodes there; there is no HTML to be injected into.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["MODULES", "html_page", "script_text"]

_STATIC = Path(__file__).with_name("static")

MODULES = (
    "kernels", "table", "words", "engine", "units", "groups", "picture", "products", "answer", "inspector", "stepper",
    "maps", "marks", "boundary", "run", "search", "keys", "main",
)  # fmt: skip
"""The page's modules, each after those it imports; ``table`` is the derivative table, written for the graph."""


def html_page(data: Mapping[str, Any], table: str, *, title: str, theme: str) -> str:
    """Write the page.

    Args:
        data: what JSON can hold.
        table: the derivative table as a JavaScript expression.
        title: of the page; any text.
        theme: ``"auto"``, ``"light"`` or ``"dark"``.
    """
    script, style = script_text(table), _static("style.css")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    parts = {
        "TITLE": html.escape(title), "POLICY": policy, "THEME": theme, "STYLE": style, "SCRIPT": script,
        "DATA": json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "ABOUT": "Drawn and computed by this file alone. Layout: Graphviz. Derivatives: the table of autograd_mini.",
    }  # fmt: skip
    return re.sub("|".join(rf"\b{name}\b" for name in parts), lambda found: parts[found[0]], _static("page.html"))


def script_text(table: str, modules: Sequence[str] = MODULES) -> str:
    """Join modules into one, each in a function of its own that gives what it exports."""
    texts = [""]
    for name in modules:
        text = f"export const table = {table};\n" if name == "table" else _static(f"{name}.js")
        text = re.sub(r"^import .*?;\n", "", text, flags=re.MULTILINE)
        exports = ", ".join(re.findall(r"^export (?:const|class|function) (\w+)", text, flags=re.MULTILINE))
        body = re.sub(r"^export ", "", text, flags=re.MULTILINE)
        texts.append(f"const {{ {exports} }} = (() => {{\n{body}return {{ {exports} }};\n}})();\n")
    return "\n".join(texts)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _static(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")
