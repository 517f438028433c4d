"""Graphviz's HTML-like labels in a few words, and the door through which foreign text enters a picture.

Source: https://graphviz.org/doc/info/shapes.html#html
"""

import html
import unicodedata

import graphviz

__all__ = ["cell", "clean", "font", "html_text", "row", "stacked", "table", "tooltip_text"]

_ROOM = 2  # points
_CONTROL = {"Cc", "Cs", "Zl", "Zp"}  # controls, lone surrogates, line and paragraph separators


def clean(text: str, limit: int = 40) -> str:
    """Make one short printable line of any text: what XML forbids becomes a space, a long text is cut.

    Example:
        >>> clean("one" + chr(0) + "two"), clean("a" * 50, limit=5)
        ('one two', 'aaaa…')
    """
    start = text[: limit + 1]
    line = "".join(" " if unicodedata.category(c) in _CONTROL or c in "\ufffe\uffff" else c for c in start)
    return (line[: limit - 1] + "…" if len(line) > limit else line).strip()


def html_text(text: str, limit: int = 40) -> str:
    r"""Write foreign text so that an HTML-like label shows it letter by letter.

    Example:
        >>> html_text(r"<b>\N & co")
        '&lt;b&gt;\\\\N &amp; co'
    """
    escaped = html.escape(clean(text, limit)).replace("]", "&#93;")  # dot loses a text that is only a "]"
    return str(graphviz.escape(escaped))


def tooltip_text(text: str) -> str:
    """Write foreign text so that a tooltip shows it letter by letter; dot resolves its escapes twice."""
    return str(graphviz.nohtml(graphviz.escape(html_text(text, 200))))


def font(text: str, size: float, color: str, *, bold: bool = False) -> str:
    """Set a text, written already, in a size and a colour; Graphviz takes an empty <FONT> for an error."""
    if not text:
        return ""
    text = f"<B>{text}</B>" if bold else text
    return f'<FONT POINT-SIZE="{size:g}" COLOR="{color}">{text}</FONT>'


def stacked(*texts: str) -> str:
    """Lines one below the other, with room above each: Graphviz gives none to bold lines, nor to ones of several sizes.

    Example:
        >>> stacked("a", "b")
        '<FONT POINT-SIZE="2"><BR/></FONT>a<BR/><FONT POINT-SIZE="2"><BR/></FONT>b'
    """
    return "<BR/>".join(f'<FONT POINT-SIZE="{_ROOM}"><BR/></FONT>{text}' for text in texts if text)


def cell(content: str, **attributes: str | float) -> str:
    """One cell of a table: some text, or a table within."""
    return f"<TD{_written(attributes)}>{content}</TD>"


def row(*cells: str) -> str:
    """Cells side by side."""
    return f"<TR>{''.join(cells)}</TR>"


def table(*rows: str, **attributes: str | float) -> str:
    """Rows one below the other; without lines or space between unless `attributes` say so.

    Example:
        >>> table(row(cell("a", colspan=2)), border=1)
        '<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2"><TR><TD COLSPAN="2">a</TD></TR></TABLE>'
    """
    defaults: dict[str, str | float] = {"border": 0, "cellborder": 0, "cellspacing": 0, "cellpadding": 2}
    return f"<TABLE{_written(defaults | attributes)}>{''.join(rows)}</TABLE>"


def _written(attributes: dict[str, str | float]) -> str:
    return "".join(f' {name.upper()}="{html.escape(str(value))}"' for name, value in attributes.items())
