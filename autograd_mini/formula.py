"""Reading a formula written as text: Python's own parser, and a list of what is allowed in it. Nothing is executed."""

import ast
import difflib
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from autograd_mini import functions
from autograd_mini.number import number
from autograd_mini.rules import RULES

__all__ = ["Call", "Operand", "Program", "parse"]

Operand: TypeAlias = int | float
"""An int is the position of a number: the inputs first, then the result of each call. A float is a constant."""

_INFIX: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One op of the formula; an n-ary op has a tuple of operands as its argument, `dot` has two."""

    op: str
    arguments: tuple[Operand | tuple[Operand, ...], ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A formula as a list of calls, each of which may use what stands before it.

    Attributes:
        calls: the ops in the order in which they are computed.
        names: what each input and each assigned name stands for.
        result: what the last statement stands for.
    """

    calls: tuple[Call, ...]
    names: dict[str, Operand]
    result: Operand


def parse(source: str, inputs: Sequence[str]) -> Program:
    """Read a formula.

    Args:
        source: statements such as ``u = x * y``, one a line or with ``;`` between them; the last one is the result.
            Legal are numbers, names, ``+ - * / **``, and every row of the table by its name: ``tanh(x)``,
            ``maximum(x, y)``, ``sum([x, y])``, ``dot([a, b], [x, y])``.
        inputs: the names that stand for numbers given later.

    Raises:
        TypeError: if `source` is not text.
        ValueError: for anything else in the formula, and for inputs that do not fit it.

    Example:
        >>> parse("tanh(2 * x)", ["x"]).calls
        (Call(op='mul', arguments=(2.0, 0)), Call(op='tanh', arguments=(1,)))
    """
    if not isinstance(source, str):
        raise TypeError(f"a formula is text such as 'tanh(2 * x)', got {source!r:.60} of type {type(source).__name__}")
    for name in inputs:
        if name in RULES:
            raise ValueError(f"the input {name!r} has the name of a function; choose another name for it")
    reader = _Reader(inputs)
    try:
        result = reader.statements(ast.parse(textwrap.dedent(source).strip()).body)
    except SyntaxError as error:
        raise ValueError(f"{_short(source)} is not a formula: {error.msg} in line {error.lineno or 1}") from None
    except (RecursionError, MemoryError):  # the latter is how Python's parser says it
        fix = "give its parts names, as in u = x * y; tanh(u), or add up a list with sum([x, y])"
        raise ValueError(f"{_short(source)} is nested too deeply to be read; {fix}") from None
    unused = [name for name in inputs if name not in reader.used]
    if unused:
        raise ValueError(f"the formula {_short(source)} does not use the input {unused[0]!r}; leave {unused[0]}= out")
    return Program(tuple(reader.calls), reader.names, result)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _text(node: ast.AST) -> str:
    return _short(ast.unparse(node))


class _Reader:
    """Turns syntax trees into calls."""

    def __init__(self, inputs: Sequence[str]) -> None:
        self.count = len(inputs)
        self.names: dict[str, Operand] = {name: i for i, name in enumerate(inputs)}
        self.used: set[str] = set()
        self.calls: list[Call] = []

    def statements(self, statements: Sequence[ast.stmt]) -> Operand:
        result: Operand | None = None
        for statement in statements:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.check_new(name)
                    result = self.names[name] = self.operand(value)
                case ast.Expr(value=value):
                    if statement is not statements[-1]:
                        fix = "give it a name, as in u = ..., or leave it out"
                        raise ValueError(f"nothing uses {_text(value)}, which is not the last statement; {fix}")
                    result = self.operand(value)
                case _:
                    raise self.illegal(statement)
        if result is None:
            raise ValueError("a formula needs at least one statement, such as 'tanh(2 * x)'; got no text")
        return result

    def check_new(self, name: str) -> None:
        if name in self.names:
            raise ValueError(f"{name!r} has a value already; choose a new name, since a formula never changes one")
        if name in RULES:
            raise ValueError(f"{name!r} is the name of a function; choose another name for the result")

    def operand(self, node: ast.expr) -> Operand:
        match node:
            case ast.Constant(value=int() | float() as constant) if not isinstance(constant, bool):
                return number(constant, "a formula")
            case ast.Name(id=name):
                return self.named(name)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.operand(inner)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                operand = self.operand(inner)
                return -operand if isinstance(operand, float) else self.call("neg", operand)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _INFIX:
                return self.call(_INFIX[type(sign)], self.operand(left), self.operand(right))
            case ast.Call(func=ast.Name(id=op), args=arguments, keywords=[]):
                return self.call(op, *self.arguments(op, arguments, _text(node)))
        raise self.illegal(node)

    def named(self, name: str) -> Operand:
        if name not in self.names:
            if name in RULES:
                raise ValueError(f"{name!r} is a function; write {name}(...)")
            known = ", ".join(self.names) or "none"
            fix = f"give it as an input, {name}=0.5, or assign it first"
            raise ValueError(f"unknown name {name!r}; {fix} (known names: {known})")
        self.used.add(name)
        return self.names[name]

    def call(self, op: str, *arguments: Operand | tuple[Operand, ...]) -> int:
        self.calls.append(Call(op, arguments))
        return self.count + len(self.calls) - 1

    def arguments(
        self, op: str, nodes: Sequence[ast.expr], text: str
    ) -> tuple[Operand, ...] | tuple[tuple[Operand, ...], ...]:
        if op not in RULES:
            close = difflib.get_close_matches(op, RULES)
            hint = f"did you mean {' or '.join(close)}? " if close else ""
            raise ValueError(f"unknown function {op!r} in {text}; {hint}the functions are {', '.join(RULES)}")
        arity = RULES[op].arity
        if arity is None:
            lists = [node.elts for node in nodes if isinstance(node, ast.List | ast.Tuple)]
            wanted = 2 if op == "dot" else 1
            if len(lists) != len(nodes) or len(nodes) != wanted or not lists[0] or len(lists[0]) != len(lists[-1]):
                legal = "two lists of the same length, dot([a, b], [x, y])" if wanted == 2 else f"a list, {op}([x, y])"
                raise ValueError(f"{op} takes {legal}, of at least one number each; got {text}")
            return tuple(tuple(map(self.operand, elements)) for elements in lists)
        defaults = getattr(getattr(functions, op, None), "__defaults__", None) or ()  # the slope of leaky_relu
        missing = arity - len(nodes)
        if not 0 <= missing <= len(defaults):
            legal = f"{arity - len(defaults)} or {arity}" if defaults else f"{arity}"
            raise ValueError(f"{op} takes {legal} argument{'s' * (arity > 1)}, got {len(nodes)} in {text}")
        return (*map(self.operand, nodes), *defaults[len(defaults) - missing :])

    def illegal(self, node: ast.AST) -> ValueError:
        hint = "; a power is written **" if isinstance(getattr(node, "op", None), ast.BitXor) else ""
        legal = (
            "numbers, names, + - * / **, functions such as tanh(x) and sum([x, y]), and statements such as u = x * y"
        )
        return ValueError(f"{_text(node)} is not legal in a formula{hint}; legal are {legal}")
