"""The page of the gallery and the pictures beside it."""

import html
from collections.abc import Sequence
from pathlib import Path

from autograd_mini import RenderError
from viz.colors import THEMES
from viz.gallery.graphs import GRAPHS
from viz.gallery.networks import NETWORKS
from viz.gallery.picture import Drawn, Picture
from viz.gallery.plots import PLOTS

__all__ = ["PICTURES", "write_gallery"]

_PAGE = Path(__file__).with_name("page.html")

PICTURES: dict[str, Picture] = GRAPHS | NETWORKS | PLOTS
"""Every picture of the gallery by its name."""


def write_gallery(out: Path, only: Sequence[str] = ()) -> Path:
    """Draw the pictures of the gallery in every theme, as SVG and PNG, and a page that shows them.

    Args:
        out: the folder to write into; made if need be.
        only: names from ``PICTURES``; all of them if empty.

    Returns:
        The path of ``index.html``. Where no renderer or no matplotlib is installed the page says how to get it; DOT
        text stands in the place of a picture then.

    Raises:
        ValueError: for an unknown name; nothing is written then.
    """
    for name in only:
        if name not in PICTURES:
            raise ValueError(f"unknown picture {name!r:.60}; the gallery has {', '.join(PICTURES)}")
    out.mkdir(parents=True, exist_ok=True)
    sections = [_section(out, name, PICTURES[name]) for name in only or PICTURES]
    path = out / "index.html"
    path.write_text(_PAGE.read_text(encoding="utf-8").replace("CONTENT", "\n".join(sections)), encoding="utf-8")
    return path


def _section(out: Path, name: str, picture: Picture) -> str:
    text = ""
    try:
        drawn = {theme: picture.draw(theme) for theme in THEMES}
        text = html.escape(drawn["light"].text)
        shown = _shown(out, name, picture, drawn)
    except ImportError as error:  # matplotlib is an extra
        shown = f"<p class=missing>{html.escape(str(error))}</p>"
    except RenderError as error:
        drawn["light"].save(out / f"{name}.dot")
        shown = f'<p class=missing>{html.escape(str(error))}</p><p><a href="{name}.dot">{name}.dot</a></p>'
    words = f"<details><summary>The same in words</summary><pre>{text}</pre></details>" if text else ""
    return (
        f"<section id={name}><h2>{html.escape(picture.caption)}</h2><p><code>{html.escape(picture.call)}</code></p>"
        f"{shown}{words}</section>"
    )


def _shown(out: Path, name: str, picture: Picture, drawn: dict[str, Drawn]) -> str:
    links = []
    for theme, figure in drawn.items():
        for suffix in picture.suffixes:
            file = figure.save(out / f"{name}{'' if theme == 'light' else f'-{theme}'}{suffix}").name
            links.append(f'<a href="{file}">{theme}, {suffix[1:].upper()}</a>')
    alt = html.escape(picture.caption)
    return (
        f'<div class=wide tabindex=0><picture><source srcset="{name}-dark.svg" media="(prefers-color-scheme: dark)">'
        f'<img src="{name}.svg" alt="{alt}"></picture></div><p>{" · ".join(links)}</p>'
    )
