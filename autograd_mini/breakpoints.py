"""Where the debugger stops: at a node, a label, an op, a source line, a predicate, or a number that is not finite."""

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from autograd_mini.backward import Step
from autograd_mini.printing import printable
from autograd_mini.rules import RULES
from autograd_mini.source import SourceLine
from autograd_mini.value import Value

__all__ = ["Breakpoint", "breakpoint_at", "label_pattern"]

_LEAVES = ("parameter", "constant")


@dataclass(frozen=True, slots=True, eq=False)
class Breakpoint:
    """A place to stop at; ``breakpoint_at`` makes one.

    Attributes:
        text: what it stops at, in words.
        holds: tells of a node whether it is one of those meant.
        leaves, operations: whether leaves and operations can be among them.
        when: tells of a step whether to stop after it; None if the node alone decides.
        non_finite: whether that is for its numbers not being finite.
        by_line: whether a source line is one of the conditions.
    """

    text: str
    holds: Callable[[Value], bool]
    leaves: bool = True
    operations: bool = True
    when: Callable[[Step], bool] | None = None
    non_finite: bool = False
    by_line: bool = False

    def __repr__(self) -> str:
        return f"Breakpoint({self.text})"


def breakpoint_at(
    where: Any = None,
    *,
    op: str | None = None,
    line: str | int | None = None,
    when: Callable[[Step], Any] | None = None,
    non_finite: bool = False,
    called: str = "",
) -> Breakpoint:
    """Make a breakpoint; of several conditions all must hold.

    Args:
        where: a Value; a label, in which ``*`` and ``?`` stand for anything and for one character; several Values; or
            a module, whose parameters are meant.
        op: a row of the table.
        line: the source line that made the node, ``"train.py:12"`` or just 12; known under ``record_lines()``.
        when: a function of the ``Step`` just taken; the other conditions are then asked of its parent.
        non_finite: stop after a step that brings inf or nan.
        called: what the breakpoint calls `where`; its label, or what it is, if empty.

    Raises:
        TypeError: for a condition of the wrong kind.
        ValueError: for no condition at all, an op that does not exist, or a line that cannot be read.

    Example:
        >>> breakpoint_at("hidden.*.w[8]", op="parameter")
        Breakpoint(label hidden.*.w[8], op parameter)
    """
    texts: list[str] = []
    tests: list[Callable[[Value], bool]] = []
    leaves = operations = True
    if where is not None:
        text, test, nodes = _place(where)
        texts.append(called or text)
        tests.append(test)
        leaves, operations = not nodes or any(not n._inputs for n in nodes), not nodes or any(n._inputs for n in nodes)
    if op is not None:
        if op not in RULES and op not in _LEAVES:
            near = difflib.get_close_matches(str(op), [*RULES, *_LEAVES], 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; legal are {', '.join([*RULES, *_LEAVES])}"
            raise ValueError(f"there is no op {op!r}{hint}")
        texts.append(f"op {op}")
        tests.append(lambda node: node.op == op)
        leaves, operations = leaves and op in _LEAVES, operations and op in RULES
    if line is not None:
        file, number = _line(line)
        texts.append(f"line {line}")
        tests.append(lambda node: node.line is not None and node.line.number == number and _ends_with(node.line, file))
    if when is not None and not callable(when):
        raise TypeError(f"when= is a function of a Step, such as lambda step: step.after > 1, got {when!r:.60}")
    if when is not None:
        texts.append(f"when {getattr(when, '__name__', 'a function')}")
    if non_finite:
        texts.append("a number that is not finite")
    if not texts:
        raise ValueError('a breakpoint needs a condition: a node, a label, op="tanh", line="train.py:12", when=... ')
    text, is_hit = ", ".join(map(printable, texts)), _step_test(when, non_finite)
    return Breakpoint(text, _all(tests), leaves, operations, is_hit, non_finite and when is None, line is not None)


def _all(tests: list[Callable[[Value], bool]]) -> Callable[[Value], bool]:
    if len(tests) == 1:
        return tests[0]
    return lambda node: all(test(node) for test in tests)


def _step_test(when: Callable[[Step], Any] | None, non_finite: bool) -> Callable[[Step], bool] | None:
    if when is None and not non_finite:
        return None

    def test(step: Step) -> bool:
        if non_finite and math.isfinite(step.contribution) and math.isfinite(step.after):
            return False
        return when is None or bool(when(step))

    return test


def _place(where: Any) -> tuple[str, Callable[[Value], bool], Collection[Value]]:
    """What is meant in words, a test for it, and the nodes themselves where they are known."""
    if isinstance(where, str):
        pattern = label_pattern(where)
        if pattern is None:
            return f"label {where}", lambda node: node.label == where, ()
        matches = pattern.fullmatch
        return f"label {where}", lambda node: bool(node.label) and matches(str(node.label)) is not None, ()
    if isinstance(where, Value):
        return f"the node {where.label or where.op or 'given'}", {where}.__contains__, (where,)
    parameters = getattr(where, "parameters", None)
    several = parameters() if callable(parameters) else where
    if (
        not isinstance(several, Iterable)
        or not (nodes := list(several))
        or not all(isinstance(n, Value) for n in nodes)
    ):
        raise TypeError(
            f"a breakpoint stands at a Value, a label, a module or several Values, got {where!r:.60}; a condition "
            'has a name: op="tanh", line=12, when=lambda step: ..., non_finite=True'
        )
    return f"{len(nodes)} nodes", set(nodes).__contains__, nodes


def label_pattern(text: str) -> re.Pattern[str] | None:
    """Compile a label with ``*`` or ``?`` in it; brackets stand for themselves. None for a plain label.

    Example:
        >>> bool(label_pattern("w[?]").fullmatch("w[8]")), label_pattern("w[8]")
        (True, None)
    """
    if "*" not in text and "?" not in text:
        return None
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _ends_with(line: SourceLine, file: PurePath) -> bool:
    return not file.parts or PurePath(line.filename).parts[-len(file.parts) :] == file.parts


def _line(line: str | int) -> tuple[PurePath, int]:
    file, _, number = str(line).rpartition(":")
    if isinstance(line, bool) or not number.isdecimal():
        raise ValueError(f'line= is a line number, or a file and a number such as "train.py:12", got {line!r:.60}')
    return PurePath(file), int(number)
