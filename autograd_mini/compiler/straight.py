"""Straight-line code: value and gradients of one number, over Python floats or, in blocks, over arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

from autograd_mini.compiler.symbols import (
    CONDITIONS,
    KIT,
    LARGEST_EXPONENT,
    Sheet,
    Symbol,
    partial_formula,
    value_formula,
)
from autograd_mini.numbered import NO_GRADIENT, Graph

__all__ = ["formulas", "python_lines"]

_INFIX = {"add": ("+", 4), "sub": ("-", 4), "mul": ("*", 5), "div": ("/", 5), "greater": (">", 2), "less": ("<", 2),
          "greater_equal": (">=", 2), "less_equal": ("<=", 2), "equal": ("==", 2)}  # fmt: skip
_LONGEST = 60
_ATOM = 9


def formulas(graph: Graph, names: Mapping[str, str], gradients: bool) -> tuple[list[Any], list[Any]]:
    """Write a graph down as formulas of its arguments.

    Args:
        graph: the graph; each of its arguments is one number.
        names: of each argument's store, what the argument is called.
        gradients: whether to differentiate the first root by each.

    Returns:
        A formula, or a number, for each root; and one for each gradient.
    """
    sheet = Sheet()
    places = {store: sheet.write("argument", name) for store, name in names.items()}
    value: list[Any] = []
    for index, (op, args) in enumerate(zip(graph.op, graph.args, strict=True)):
        if op == "constant":
            value.append(graph.number[index])
        elif op == "source":
            value.append(places[graph.source[index].store])
        else:
            value.append(_value(sheet, op, [value[arg] for arg in args]))
    found = [_number(sheet, value[root]) for root in graph.roots]
    return found, _gradients(graph, sheet, value, places) if gradients else []


def _value(sheet: Sheet, op: str, args: list[Any]) -> Any:
    if op == "largest":
        total = args[0]
        for arg in args[1:]:
            total = KIT.maximum(total, arg)
        return total
    return value_formula(sheet, op, _operands(sheet, op, args))


def _operands(sheet: Sheet, op: str, args: list[Any]) -> list[Any]:
    return args if op == "where" else [_number(sheet, arg) for arg in args]  # where takes a condition as it is


def _number(sheet: Sheet, arg: Any) -> Any:
    return sheet.write("indicator", arg) if isinstance(arg, Symbol) and arg.op in CONDITIONS else arg


def _gradients(graph: Graph, sheet: Sheet, value: list[Any], places: dict[str, Any]) -> list[Any]:
    gradient: dict[int, Any] = {graph.roots[0]: 1.0}
    for index in range(len(graph) - 1, -1, -1):
        upstream = gradient.get(index)
        op, args = graph.op[index], graph.args[index]
        if upstream is None or not args or op in NO_GRADIENT:
            continue
        numbers = _operands(sheet, op, [value[arg] for arg in args])
        for i, arg in enumerate(args):
            if arg not in graph.number:
                local = partial_formula(sheet, op, i, value[index], numbers)
                term = sheet.make("mul", upstream, local)
                gradient[arg] = sheet.make("add", gradient[arg], term) if arg in gradient else term
    by_name = {source.store: gradient.get(index, 0.0) for index, source in graph.source.items()}
    return [by_name.get(name, 0.0) for name in places]


def python_lines(results: Sequence[Any], prefix: str = "t") -> tuple[list[str], list[str]]:
    """Write formulas as Python over floats: assignments for what is used twice or long, and a text for each result."""
    uses: dict[int, int] = {}
    needed: dict[int, Symbol] = {}
    stack = [symbol for symbol in results if isinstance(symbol, Symbol)]
    for symbol in stack:
        uses[symbol.place] = uses.get(symbol.place, 0) + 1
    while stack:
        symbol = stack.pop()
        if symbol.place not in needed:
            needed[symbol.place] = symbol
            for arg in symbol.args:
                if isinstance(arg, Symbol):
                    uses[arg.place] = uses.get(arg.place, 0) + 1
                    stack.append(arg)
    lines: list[str] = []
    text: dict[int, tuple[str, int]] = {}

    def written(arg: Any, level: int) -> str:
        if not isinstance(arg, Symbol):
            return f"({arg!r})" if level and arg < 0 else repr(arg)
        inner, mine = text[arg.place]
        return f"({inner})" if mine < level else inner

    for place in sorted(needed):
        symbol = needed[place]
        if symbol.op == "argument":
            text[place] = symbol.args[0], _ATOM
            continue
        formula, level = _written(symbol, written)
        if uses[place] > 1 or len(formula) > _LONGEST:
            lines.append(f"{prefix}{len(lines) + 1} = {formula}")
            formula, level = f"{prefix}{len(lines)}", _ATOM
        text[place] = formula, level
    return lines, [written(symbol, 0) for symbol in results]


def _written(symbol: Symbol, written: Any) -> tuple[str, int]:
    op, args = symbol.op, symbol.args
    if op in _INFIX and not (op == "div" and not (isinstance(args[1], float) and args[1])):
        sign, level = _INFIX[op]
        return f"{written(args[0], level)} {sign} {written(args[1], level + 1)}", level
    if op == "neg":
        return f"-{written(args[0], 6)}", 6
    if op == "where":
        return f"{written(args[1], 1)} if {written(args[0], 1)} else {written(args[2], 1)}", 0
    if op == "indicator":
        return f"1.0 if {written(args[0], 1)} else 0.0", 0
    if op == "bounded_exp":
        return f"exp(minimum({written(args[0], 0)}, {LARGEST_EXPONENT!r}))", _ATOM
    arguments = ", ".join(written(arg, 0) for arg in args)
    return (f"logsumexp(({arguments},))" if op == "logsumexp" else f"{op.replace(':', '_')}({arguments})"), _ATOM
