"""A chain rule on a page: as text in columns, and as LaTeX."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from autograd_mini.algebra import LATEX, TEXT, Script
from autograd_mini.backward import Step
from autograd_mini.chain_rule import Fold, Gradient
from autograd_mini.way import Way

__all__ = ["latex_page", "text_page"]


class _Row(NamedTuple):
    """One term: in symbols (or words), in numbers, and what it comes to."""

    symbols: str
    numbers: str
    result: str


class _Writer:
    """Writes the parts of a page in one script."""

    def __init__(self, script: Script, way: Way, lines: Sequence[Gradient | Fold], times: str, words: str) -> None:
        self.script, self.way, self.times, self.words = script, way, times, words
        self.keep: dict[Any, set[int]] = {}
        for line in lines:
            for step in line.steps if isinstance(line, Gradient) else ():
                self.keep.setdefault(step.node, set()).add(step.argument)

    def name(self, node: Any) -> str:
        return self.script.name(self.way.name(node))

    def derivative(self, by: Any, of: Any = None) -> str:
        return self.script.derivative.format(y=self.name(self.way.loss if of is None else of), x=self.name(by))

    def operation(self, node: Any) -> list[str]:
        """``v1``, ``w * x`` and ``6``; of a leaf the name and the number."""
        names = [self.way.name(arg) for arg in node._args]
        made = [self.script.operation(node.op, names, self.keep.get(node, ()))] if node._inputs else []
        return [self.name(node), *made, self.script.number(node.data)]

    def rows(self, line: Gradient) -> list[_Row]:
        rows = [self.row(step) for step in line.steps]
        if line.folded:
            count = f"{line.folded:,} more use{'s' * (line.folded > 1)}, together"
            rows.append(_Row(self.words.format(count), "", self.script.number(line.rest)))
        return rows or [_Row("", "", self.script.number(line.gradient))]

    def row(self, step: Step) -> _Row:
        slope = self.script.slope(step.node, step.argument, self.way.name)
        return _Row(
            self.derivative(step.node) + self.times + slope,
            self.script.number(step.upstream) + self.times + self.script.factor(step.local),
            self.script.number(step.contribution),
        )

    def fold(self, fold: Fold) -> tuple[str, _Row | None]:
        """What is said of the gradients that are left out; for a chain its product, so that the chain rule holds."""
        count = f"… {fold.count:,} operations are folded here"
        if fold.product is None:
            return self.words.format(f"{count}; their gradients come by the same rule"), None
        above, below = fold.above.node, fold.below.node
        return self.words.format(f"{count}, each used by the one before it alone"), _Row(
            self.derivative(above) + self.times + self.derivative(below, above),
            self.script.number(fold.above.gradient) + self.times + self.script.product(fold.product),
            self.script.number(fold.below.gradient),
        )


def text_page(way: Way, lines: Sequence[Gradient | Fold], gradient: float) -> str:
    """Write a chain rule as text.

    Args:
        way: from the loss down to the number.
        lines: what ``chain_rule`` lists; nothing if no path leads there.
        gradient: what it all comes to.
    """
    return "\n".join(_text_lines(_Writer(TEXT, way, lines, " × ", "{}"), lines, gradient))


def _text_lines(writer: _Writer, lines: Sequence[Gradient | Fold], gradient: float) -> Iterator[str]:
    way = writer.way
    top, bottom = way.name(way.loss), way.name(way.w)
    yield f"{writer.derivative(way.w)} = {writer.script.number(gradient)}"
    if not lines:
        yield f"No path leads from {top} to {bottom}: {top} does not depend on it."
        if way.is_reversed:
            yield f"But {bottom} depends on {top}: the order is explain(w, loss)."
        elif way.w.op == "constant":
            yield "It is a constant, a plain number in the formula; Value(number) can be differentiated by."
        else:
            yield "If it should, look for .data, float() or no_grad() on the way."
        return
    if way.order:
        count = f"{len(way.order):,} operation{'s' * (len(way.order) > 1)}"
        yield f"The chain rule, from {top} down to {bottom} over {count}. A gradient is the sum, over all uses of a"
        yield "number, of the gradient of what it is used in × the local derivative."
    if not math.isfinite(gradient):
        step = next(step for step in way.steps() if not math.isfinite(step.after))
        yield f"The first gradient that is not finite is {writer.derivative(step.parent)}, where it gets"
        yield f"  {' = '.join(writer.row(step))}" + f", which brings it to {step.after}" * math.isfinite(
            step.contribution
        )
    for line in lines:
        yield ""
        if isinstance(line, Fold):
            words, row = writer.fold(line)
            yield words
            yield from _text_sum(writer.derivative(line.below.node), [row] if row else [], "")
        else:
            yield " = ".join(writer.operation(line.node))
            yield from _text_sum(writer.derivative(line.node), writer.rows(line), writer.script.number(line.gradient))


def _text_sum(left: str, rows: Sequence[_Row], total: str) -> Iterator[str]:
    """A sum in columns; the total below, if there is more than one term."""
    width = max((len(row.symbols) for row in rows if row.numbers), default=0)
    terms = [f"{row.symbols.ljust(width)} = {row.numbers}" if row.numbers else row.symbols for row in rows]
    width = max(map(len, terms), default=0)
    last = max(len(text) for text in (total, *(row.result for row in rows))) if len(rows) > 1 else 0
    start = f"  {left} = "
    for term, row in zip(terms, rows, strict=True):
        yield start + (f"{term.ljust(width)} = " if term else "") + row.result.rjust(last)
        start = "+ ".rjust(len(start))
    if len(rows) > 1:
        yield " " * (len(start) + width) + " = " + total.rjust(last)


def latex_page(way: Way, lines: Sequence[Gradient | Fold], gradient: float) -> str:
    """Write a chain rule as an ``aligned`` environment of LaTeX.

    Args:
        way: as for ``text_page``.
        lines: as for ``text_page``.
        gradient: as for ``text_page``.
    """
    writer = _Writer(LATEX, way, lines, r" \cdot ", r"\text{{{}}}")
    rows = [(" " + r"\\" + "\n").join(block) for block in _latex_blocks(writer, lines)]
    if not lines:
        why = rf"\text{{no path leads from }} {writer.name(way.loss)} \text{{ to }} {writer.name(way.w)}"
        rows = [rf"{writer.derivative(way.w)} &= {writer.script.number(gradient)} \qquad {why}"]
    return "\n".join([r"\begin{aligned}", (" " + r"\\[1.2ex]" + "\n").join(rows), r"\end{aligned}"])


def _latex_blocks(writer: _Writer, lines: Sequence[Gradient | Fold]) -> Iterator[list[str]]:
    """The rows of each line."""
    for line in lines:
        if isinstance(line, Fold):
            words, row = writer.fold(line)
            yield [f"& {words}", *_latex_sum(writer.derivative(line.below.node), [row] if row else [], "")]
        else:
            name, *rest = writer.operation(line.node)
            total = writer.script.number(line.gradient)
            yield [f"{name} &= {' = '.join(rest)}", *_latex_sum(writer.derivative(line.node), writer.rows(line), total)]


def _latex_sum(left: str, rows: Sequence[_Row], total: str) -> Iterator[str]:
    start = f"{left} &= "
    for row in rows:
        yield start + " = ".join(filter(None, row))
        start = r"&\quad {} + "
    if len(rows) > 1:
        yield f"&= {total}"
