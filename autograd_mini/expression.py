"""``Expression``: a formula as text, with the point at which to evaluate it.

It is a function of its inputs, for ``grad`` and the checks; a graph to be drawn or stepped through; the same formula
for another engine; and its repr is the Python that makes it again, which is how a failing test hands you its example.
"""

import inspect
import math
import operator
import textwrap
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from autograd_mini import functions
from autograd_mini.formula import Operand, parse
from autograd_mini.number import number
from autograd_mini.printing import always_answers
from autograd_mini.rules import RULES
from autograd_mini.value import Value, apply

__all__ = ["Expression"]

_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
}


class Expression:
    """A formula and a number for each of its inputs.

    Args:
        source: the formula: one statement a line, or with ``;`` between them; the last one is the result. Legal are
            numbers, names, ``+ - * / **`` and every row of ``RULES`` by its name. It is parsed, never executed.
        **inputs: the number for each name that the formula does not assign itself.

    Attributes:
        source: the formula, without indentation.
        inputs: the numbers by name.

    Raises:
        TypeError: if `source` is not text or an input is not a real number.
        ValueError: for anything that is not legal in a formula, and for a missing or a superfluous input.

    Example:
        >>> wave = Expression("u = 2 * x; tanh(u + b)", x=0.5, b=-1.0)
        >>> wave
        Expression('u = 2 * x; tanh(u + b)', x=0.5, b=-1.0)
        >>> wave(0.5, -1.0), wave(Value(0.5), -1)
        (0.0, Value(data=0, grad=not computed, op=tanh))
    """

    source: str
    inputs: dict[str, float]

    def __init__(self, source: str, /, **inputs: float) -> None:
        self._program = parse(source, tuple(inputs))
        self.source = textwrap.dedent(source).strip()
        self.inputs = {name: number(x, f"the input {name!r}") for name, x in inputs.items()}
        kind = inspect.Parameter.POSITIONAL_ONLY
        self.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in self.inputs])

    def __call__(self, *numbers: Any) -> Any:
        """Evaluate the formula.

        Args:
            *numbers: a Value or a plain number for each input, in the order of `inputs`.

        Returns:
            A Value; or a plain float if no argument is a Value.

        Raises:
            TypeError: for a wrong number of arguments, or one that is not a number.
        """
        return _at(self._numbers(_function, numbers), self._program.result)

    def evaluate(self, functions: Mapping[str, Callable[..., Any]], *numbers: Any) -> Any:
        """Evaluate the formula with the functions of another engine.

        Args:
            functions: a function for each op of the formula by its name in ``RULES``; ``+ - * / **`` and the sign are
                `add`, `sub`, `mul`, `div`, `pow` and `neg`. An n-ary one, such as `sum`, is called with a list, `dot`
                with two. Constants come as Python floats.
            *numbers: one for each input, in the order of `inputs`, of whatever kind the functions take.

        Raises:
            TypeError: for a wrong number of arguments.
            ValueError: if an op has no function.

        Example:
            >>> Expression("2 * tanh(x)", x=0.5).evaluate({"mul": "{} * {}".format, "tanh": "tanh({})".format}, "x")
            '2.0 * tanh(x)'
        """

        def function(op: str) -> Callable[..., Any]:
            if op not in functions:
                given = ", ".join(functions) or "none"
                raise ValueError(f"the formula needs a function for {op!r}; the functions given are {given}")
            return functions[op]

        return _at(self._numbers(function, numbers), self._program.result)

    def build(self) -> Value:
        """Evaluate the formula at its inputs.

        Returns:
            The root of the graph. Inputs and the results of assignments carry their names as labels.

        Example:
            >>> from autograd_mini import topological_order
            >>> root = Expression("u = x * y; u + u", x=2.0, y=3.0).build()
            >>> [node.label for node in topological_order(root)]
            ['x', 'y', 'u', '']
        """
        numbers = self._numbers(_function, tuple(Value(x, name) for name, x in self.inputs.items()))
        for name, position in self._program.names.items():
            named = _at(numbers, position)
            if isinstance(named, Value) and not named.label:
                named.label = name
        root = _at(numbers, self._program.result)
        return root if isinstance(root, Value) else Value(root)

    def _numbers(self, function: Callable[[str], Callable[..., Any]], inputs: tuple[Any, ...]) -> list[Any]:
        """The inputs and the result of each call."""
        if len(inputs) != len(self.inputs):
            names = ", ".join(self.inputs) or "none"
            raise TypeError(f"the formula has {len(self.inputs)} inputs ({names}), got {len(inputs)} numbers")
        numbers = list(inputs)
        for call in self._program.calls:
            arguments = (
                [_at(numbers, one) for one in argument] if isinstance(argument, tuple) else _at(numbers, argument)
                for argument in call.arguments
            )
            numbers.append(function(call.op)(*arguments))
        return numbers

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other) if isinstance(other, Expression) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.source)

    @always_answers
    def __repr__(self) -> str:
        lines = self.source.split("\n")
        plain = len(lines) > 1 and '"""' not in self.source and "\\" not in self.source
        plain = plain and all(map(str.isprintable, lines))  # a comment may hold anything
        source = f'"""\n{self.source}\n"""' if plain else repr(self.source)
        return f"Expression({', '.join([source, *(f'{name}={_python(x)}' for name, x in self.inputs.items())])})"


def _at(numbers: list[Any], operand: Operand) -> Any:
    return operand if isinstance(operand, float) else numbers[operand]


def _python(x: float) -> str:
    return repr(x) if math.isfinite(x) else f"float('{x}')"


def _function(op: str) -> Callable[..., Any]:
    """What a person would have written for the op: an operator, a public function, or `apply` for a row of theirs."""
    if op in _OPERATORS:
        return partial(_operate, op)
    if op in functions.__all__:
        function: Callable[..., Any] = getattr(functions, op)
        return function
    return partial(apply, op) if RULES[op].arity is not None else lambda numbers: apply(op, *numbers)


def _operate(op: str, *numbers: Any) -> Any:
    if any(isinstance(x, Value) for x in numbers):
        return _OPERATORS[op](*numbers)
    return apply(op, *numbers)  # an operator between plain floats would raise where IEEE 754 has an infinity
