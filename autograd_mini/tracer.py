"""What a function may know while it is traced to be compiled, and what its program must be given at every call.

A compiled program is the graph of one run with other numbers in its leaves. A number that depends on those leaves is
*unknown*: computing with it is recorded, but a branch on it, or a float made of it, would be that of the example for
good, so that reading one raises a ``TraceError``. Everything else is known, and a constant of the program.
"""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from autograd_mini import modes
from autograd_mini.errors import TraceError
from autograd_mini.kits import FLOAT
from autograd_mini.printing import printable
from autograd_mini.source import user_line

__all__ = [
    "HELD",
    "Draw",
    "Observation",
    "Read",
    "Tracer",
    "current_tracer",
    "held",
    "is_unknown",
    "known",
    "refuse_unknown",
    "tracing",
]

HELD: dict[str, Callable[..., Any]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "largest": lambda *numbers: max(numbers),
    "on_grid": FLOAT.on_grid,
}
"""What nodes that hand on no gradient are made by, as functions of floats; a condition counts as 1 or 0."""

_SIGNS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="}
_NOT_YET = "a number that is not known until the compiled program runs"
_READING = {
    "bool": f"a branch on {_NOT_YET}; write where(CONDITION, a, b), which records both branches, maximum(a, b) "
    "and minimum(a, b) for max and min, and (a > 0) * (b > 0) for `and`",
    "float": f"float() of {_NOT_YET}; leave it a Value, and use the functions of "
    "autograd_mini (exp, sin, …) for those of math; what you only want to look at, return",
    "data": f".data of {_NOT_YET}; use the Value itself, under no_grad() where no gradient is to go through it",
    "assigned data": f"an assignment to {_NOT_YET}; compute a new Value, and assign outside of what is compiled",
    "format": f"a format of {_NOT_YET}; write {{x}} or {{x!r}} to see the number of the example, or return it",
    "grad": f".grad of {_NOT_YET}; return the loss, whose gradients the program gives, or call grad(f) in the function",
    "local derivatives": f"the local derivatives of {_NOT_YET}; call grad(f) or jacobian(f) in the function",
    "backward": f"backward() from {_NOT_YET}; return it, since the program gives its gradients, or call grad(f) or "
    "gradients(root, inputs, create_graph=True) in the function",
    "steps": f"the steps of a gradient of {_NOT_YET}; look at them outside of what is compiled",
    "copy": f"a copy of {_NOT_YET}; write x * 1.0, which records where it comes from",
    "class": f"a class is {_NOT_YET}; give the probability of each class instead, [0.0, 1.0, 0.0] for class 1 of 3",
}


@dataclass(frozen=True, slots=True)
class Draw:
    """Random numbers that the program needs afresh at every call.

    Attributes:
        name: what they are for.
        values: a leaf for each, rows × columns as in the run that was traced.
        draw: ``draw(rows)`` gives rows × columns numbers.
    """

    name: str
    values: list[list[Any]]
    draw: Callable[[int], Any]


@dataclass(frozen=True, slots=True)
class Read:
    """Numbers that the program reads at every call; they are the same for all rows.

    Attributes:
        name: what they are.
        values: a leaf for each.
        read: gives them, in the order of the values.
    """

    name: str
    values: list[Any]
    read: Callable[[], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Observation:
    """Numbers that somebody is to be told after every run of the program.

    Attributes:
        values: nodes, and plain numbers where they are known.
        callback: is given their numbers in that order.
    """

    values: list[Any]
    callback: Callable[[list[float]], None]


class Tracer:
    """What is unknown while a function is traced, and what its program must be given besides its arguments.

    Args:
        leaves: the inputs and parameters, Values whose numbers will be others at each call.

    Attributes:
        draws, reads, observations: what code in the function has asked for, in that order.

    Example:
        >>> from autograd_mini import Value
        >>> x, c = Value(3.0), Value(2.0)
        >>> with tracing(Tracer([x])):
        ...     condition = x * c > 5.0
        ...     known(c), known(x * c), condition.op, condition.parents[1].data
        (2.0, None, 'greater', 5.0)
    """

    def __init__(self, leaves: Iterable[Any]) -> None:
        self.draws: list[Draw] = []
        self.reads: list[Read] = []
        self.observations: list[Observation] = []
        self._is_unknown: dict[Any, bool] = dict.fromkeys(leaves, True)

    def ask(self, request: Draw | Read | Observation) -> None:
        """Note what the program must be given, or must give; the leaves of a draw or a read are unknown from here."""
        match request:
            case Draw():
                self.draws.append(request)
                self._is_unknown.update((x, True) for row in request.values for x in row)
            case Read():
                self.reads.append(request)
                self._is_unknown.update((x, True) for x in request.values)
            case Observation():
                self.observations.append(request)

    def is_unknown(self, node: Any) -> bool:
        """Whether a Value depends on a leaf whose number will be another one."""
        answers = self._is_unknown
        stack = [node]
        while stack:
            node = stack[-1]
            if node not in answers:
                parents = [arg for arg in node._args if not isinstance(arg, float)]
                if any(map(answers.get, parents)):
                    answers[node] = True
                elif waiting := [parent for parent in parents if parent not in answers]:
                    stack.extend(waiting)
                    continue
                else:
                    answers[node] = False
            stack.pop()
        return answers[node]


@contextmanager
def tracing(tracer: Tracer) -> Iterator[None]:
    """Record everything, under ``no_grad`` too, and let nothing read a number that `tracer` does not know.

    What is made under a ``no_grad()`` inside the block has its op and arguments, but hands on no gradient. Neither inf
    nor nan is reported: they are the example's.
    """
    if (outer := current_tracer()) is not None:  # what that one does not know, nobody inside may know
        tracer._is_unknown.update((node, True) for node, is_unknown in outer._is_unknown.items() if is_unknown)
    with modes.switch(tracer=tracer, recording=True, quiet=True, anomaly=False):
        yield


def current_tracer() -> Tracer | None:
    """Return the tracer of the current context, if a function is being traced."""
    if not modes.switched:
        return None
    tracer: Tracer | None = modes.current().tracer
    return tracer


def is_unknown(*numbers: Any) -> bool:
    """Whether a function is being traced and one of these is a Value whose number will be another at each call."""
    tracer = current_tracer()
    return tracer is not None and any(hasattr(x, "_args") and tracer.is_unknown(x) for x in numbers)


def known(x: Any) -> float | None:
    """The number of a Value, or a plain number; None while it is unknown."""
    return None if modes.switched and is_unknown(x) else float(x)


def refuse_unknown(reading: str, x: Any) -> None:
    """Raise a TraceError that says what to write instead, if `x` is unknown; `reading` is what was done to it."""
    if is_unknown(x):
        raise TraceError(f"{user_line()}: {_READING[reading].replace('CONDITION', _condition_text(x))}")


def held(op: str, *args: Any) -> Any:
    """Record a node that has arguments, but hands on no gradient.

    Args:
        op: a name from ``HELD``.
        *args: Values and plain numbers, at least one Value.

    Example:
        >>> from autograd_mini import Value
        >>> node = held("largest", Value(2.0), 3)
        >>> node.data, node.op, len(node.parents), node.local_derivatives
        (3.0, 'largest', 2, (None, None))
    """
    recorded = tuple(arg if hasattr(arg, "_args") else float(arg) for arg in args)
    y = float(HELD[op](*(getattr(arg, "_data", arg) for arg in recorded)))
    return next(arg for arg in recorded if not isinstance(arg, float))._held(op, y, recorded)


def _condition_text(x: Any) -> str:
    names = [_name(arg) for arg in (x._args if x.op in _SIGNS else [x])]
    return f" {_SIGNS.get(x.op, '')} ".join(names) if all(names) else "condition"


def _name(x: Any) -> str:
    return format(x + 0.0, ".6g") if isinstance(x, float) else printable(str(x.label))
