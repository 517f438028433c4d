"""``Value``: one number that remembers how it was made.

A node holds its op, its ordered arguments and, as plain data, the local derivative along each edge, taken when the
forward pass ran. The operators below are the hot path: each spells out its row of the derivative table, and a test
holds every one of them to that row. Everything else goes through ``apply``, which reads the table.
"""

from collections.abc import Callable
from typing import Any, Protocol, Self, TypeAlias, cast, overload

from autograd_mini import modes
from autograd_mini.anomalies import report_non_finite
from autograd_mini.backward import NOT_COMPUTED, backward, differentiable_arguments
from autograd_mini.copying import copy_graph, copy_node, pack_graph
from autograd_mini.kits import FLOAT
from autograd_mini.number import Comparable, constant, elementwise, number, number_text
from autograd_mini.printing import always_answers
from autograd_mini.rules import RULES
from autograd_mini.source import Origin, user_line
from autograd_mini.tracer import refuse_unknown

__all__ = ["Scalar", "Value", "apply", "leaf", "parameter", "record", "unary"]

_new, _pow, _div = object.__new__, FLOAT.pow, FLOAT.div
_ONE, _MINUS_ONE, _ONE_ONE, _ONE_MINUS_ONE = (1.0,), (-1.0,), (1.0, 1.0), (1.0, -1.0)


class Unary(Protocol):
    """A function of one number that is also a method of Value."""

    @overload
    def __call__(self, x: "Value", /) -> "Value": ...
    @overload
    def __call__(self, x: float, /) -> float: ...
    @overload
    def __call__(self, x: Any, /) -> Any: ...
    @overload
    def __get__(self, instance: None, owner: Any = None) -> "Unary": ...
    @overload
    def __get__(self, instance: object, owner: Any = None) -> Callable[[], "Value"]: ...


def unary(op: str) -> Unary:
    """Make the function of a one-argument row of the table, which serves as a method too."""
    rule = RULES[op]
    forward, (partial,) = rule.forward, cast("tuple[Callable[..., float]]", rule.partials)

    def function(x: Any, /) -> Any:
        if isinstance(x, Value):
            a, alone = x._data, (x,)
            y = forward(FLOAT, a)
            return record(op, y, alone, alone, (partial(FLOAT, y, a),))
        if getattr(x, "shape", ()):
            return elementwise(function, x)
        return apply(op, x)

    function.__name__ = op
    function.__qualname__ = f"Value.{op}"  # where pickle finds it
    function.__doc__ = f"""{rule.summary}

    Args:
        x: a Value, a plain number (the result is then a plain float) or a NumPy array (element by element).

    Example:
        >>> from autograd_mini import Value, {op}
        >>> {op}(0.5), {op}(Value(0.5)).local_derivatives
        {(forward(FLOAT, 0.5), (partial(FLOAT, forward(FLOAT, 0.5), 0.5),))}
    """
    return cast(Unary, function)


class Value(Comparable):
    """A real number that records the computation it takes part in and can be differentiated through it.

    Args:
        data: any real number; it becomes a Python float.
        label: a name for pictures, messages and the repr.

    Attributes:
        data: the number. Assigning to it changes neither what was computed from it nor those local derivatives.
        grad: ∂root/∂self after ``root.backward()``; 0.0 before. Assign None to make it *not computed* again.
        label: the name.
        op: how the number came to be: a row of the table, or for a leaf ``""``, ``"constant"`` or ``"parameter"``.
        parents: the arguments of the op, in order, duplicates kept; ``()`` for a leaf.

    Raises:
        TypeError: if `data` is not one real number or `label` is not text.

    Example:
        >>> x = Value(3.0, label="x")
        >>> y = x * x + 1
        >>> y.backward()
        >>> y.data, x.grad
        (10.0, 6.0)
    """

    __slots__ = ("_args", "_grad", "_inputs", "_locals", "label", "op")

    _args: tuple["Value | float", ...]
    _grad: float
    _inputs: tuple["Value", ...]
    _locals: tuple[float, ...]
    label: str
    op: str

    def __init__(self, data: Any, label: str = "") -> None:
        if isinstance(data, Value):
            raise TypeError(f"a Value needs one real number, got {data!r}; use it as it is, or write Value(v.data)")
        if not isinstance(label, str):
            raise TypeError(f"a label is text, got {label!r} of type {type(label).__name__}; write str(...)")
        self._data = data if type(data) is float else number(data)
        self._grad = NOT_COMPUTED
        self.label = label
        self.op = ""
        self._args = self._inputs = self._locals = ()

    @property
    def grad(self) -> float:
        if modes.switched:
            refuse_unknown("grad", self)
        return self._grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        if modes.switched:
            refuse_unknown("grad", self)
        self._grad = NOT_COMPUTED if grad is None else number(grad, "a gradient") - 0.0  # a new float, never the mark

    @property
    def has_grad(self) -> bool:
        """False while no backward pass (and no assignment) has written the gradient."""
        return self._grad is not NOT_COMPUTED

    @property
    def parents(self) -> tuple["Value", ...]:
        args = self._args
        if float in map(type, args):  # constants stay plain numbers until somebody looks
            self._args = args = tuple(leaf(arg, "constant") if isinstance(arg, float) else arg for arg in args)
        return args  # type: ignore[return-value]  # no float is left

    @property
    def local_derivatives(self) -> tuple[float | None, ...]:
        """∂self/∂parent for each of ``parents`` as the forward pass found it; None for a constant."""
        refuse_unknown("local derivatives", self)
        result: list[float | None] = [None] * len(self._args)
        for argument, local in zip(differentiable_arguments(self), self._locals, strict=True):
            result[argument] = local
        return tuple(result)

    def backward(self) -> None:
        """Write ∂self/∂node into ``.grad`` of every node that self depends on.

        Leaves accumulate over passes, as in PyTorch; interior nodes hold the last pass's gradient.
        """
        backward(self)

    @always_answers
    def __repr__(self) -> str:
        grad = number_text(self._grad) if self.has_grad else "not computed"
        made = f", op={self.op}" if self.op else ""
        label = f", label={str(self.label)[:40]!r}" if self.label else ""
        return f"Value(data={number_text(self._data)}, grad={grad}{made}{label})"

    def __add__(self, other: Any) -> "Value":
        if isinstance(other, Value):
            both = (self, other)
            return record("add", self._data + other._data, both, both, _ONE_ONE)
        if (c := constant(other)) is None:
            return NotImplemented
        return record("add", self._data + c, (self, c), (self,), _ONE)

    def __radd__(self, other: Any) -> "Value":
        if (c := constant(other)) is None:
            return NotImplemented
        return record("add", c + self._data, (c, self), (self,), _ONE)

    def __sub__(self, other: Any) -> "Value":
        if isinstance(other, Value):
            both = (self, other)
            return record("sub", self._data - other._data, both, both, _ONE_MINUS_ONE)
        if (c := constant(other)) is None:
            return NotImplemented
        return record("sub", self._data - c, (self, c), (self,), _ONE)

    def __rsub__(self, other: Any) -> "Value":
        if (c := constant(other)) is None:
            return NotImplemented
        return record("sub", c - self._data, (c, self), (self,), _MINUS_ONE)

    def __mul__(self, other: Any) -> "Value":
        if isinstance(other, Value):
            a, b = self._data, other._data
            both = (self, other)
            return record("mul", a * b, both, both, (b, a))
        if (c := constant(other)) is None:
            return NotImplemented
        return record("mul", self._data * c, (self, c), (self,), (c,))

    def __rmul__(self, other: Any) -> "Value":
        if (c := constant(other)) is None:
            return NotImplemented
        return record("mul", c * self._data, (c, self), (self,), (c,))

    def __truediv__(self, other: Any) -> "Value":
        if isinstance(other, Value):
            b = other._data
            y = _div(self._data, b)
            both = (self, other)
            return record("div", y, both, both, (_div(1.0, b), _div(-y, b)))
        if (c := constant(other)) is None:
            return NotImplemented
        return record("div", _div(self._data, c), (self, c), (self,), (_div(1.0, c),))

    def __rtruediv__(self, other: Any) -> "Value":
        if (c := constant(other)) is None:
            return NotImplemented
        y = _div(c, self._data)
        return record("div", y, (c, self), (self,), (_div(-y, self._data),))

    def __pow__(self, other: Any) -> "Value":
        if isinstance(other, Value):
            return cast(Value, apply("pow", self, other))
        if (c := constant(other)) is None:
            return NotImplemented
        a = self._data
        return record("pow", _pow(a, c), (self, c), (self,), (c * _pow(a, c - 1.0) if c else 0.0,))

    def __rpow__(self, other: Any) -> "Value":
        if (c := constant(other)) is None:
            return NotImplemented
        return cast(Value, apply("pow", c, self))

    def __neg__(self) -> "Value":
        alone = (self,)
        return record("neg", -self._data, alone, alone, _MINUS_ONE)

    def __pos__(self) -> Self:
        return self

    exp, expm1, log, log1p = unary("exp"), unary("expm1"), unary("log"), unary("log1p")
    sqrt, square, abs, sign = unary("sqrt"), unary("square"), unary("abs"), unary("sign")
    sin, cos, tan, tanh = unary("sin"), unary("cos"), unary("tan"), unary("tanh")
    sigmoid, erf, erfc = unary("sigmoid"), unary("erf"), unary("erfc")
    relu, gelu, silu, softplus = unary("relu"), unary("gelu"), unary("silu"), unary("softplus")
    __abs__ = abs

    def leaky_relu(self, slope: Any = 0.01) -> "Value":
        """This number above 0, `slope` times it below."""
        return cast(Value, apply("leaky_relu", self, slope))

    def elu(self, alpha: Any = 1.0) -> "Value":
        """This number above 0, ``alpha * (exp(self) - 1)`` below."""
        return cast(Value, apply("elu", self, alpha))

    def _held(self, op: str, data: float, args: tuple["Value | float", ...]) -> "Value":
        return record(op, data, args, (), ())

    __copy__, __deepcopy__, __reduce__ = copy_node, copy_graph, pack_graph


Scalar: TypeAlias = Value | float
"""What an op takes: a Value, or a plain number that counts as a constant."""


def leaf(data: Any, op: str, label: str = "") -> Value:
    """Make a leaf of a kind: ``"parameter"``, ``"constant"`` or, for an input, ``""``."""
    value = Value(data, label)
    value.op = op
    return value


def parameter(data: Any, label: str = "") -> Value:
    """Make a leaf that training may change; pictures tell it apart from inputs and constants.

    Example:
        >>> parameter(0.5, "w")
        Value(data=0.5, grad=not computed, op=parameter, label='w')
    """
    return leaf(data, "parameter", label)


def apply(op: str, *args: Any) -> Any:
    """Compute a row of the table on Values and plain numbers and record it.

    Args:
        op: the row's name.
        *args: as many as the row takes; a plain number counts as a constant.

    Returns:
        A Value; or a plain float when no argument is a Value.

    Example:
        >>> apply("mul", Value(3.0), 2), apply("mul", 3.0, 2)
        (Value(data=6, grad=not computed, op=mul), 6.0)
    """
    rule = RULES[op]
    recorded = tuple(arg if isinstance(arg, Value) else number(arg, op) for arg in args)
    data = [arg._data if isinstance(arg, Value) else arg for arg in recorded]
    y = rule.forward(FLOAT, *data)
    inputs = tuple(arg for arg in recorded if isinstance(arg, Value))
    if not inputs and y * 0.0:
        report_non_finite(op, y, recorded)
    if not inputs:
        return y
    local = tuple(rule.partial(FLOAT, i, y, data) for i, arg in enumerate(recorded) if isinstance(arg, Value))
    return record(op, y, recorded if len(inputs) < len(recorded) else inputs, inputs, local)


def record(
    op: str, data: float, args: tuple[Scalar, ...], inputs: tuple[Value, ...], locals_: tuple[float, ...]
) -> Value:
    """Record one operation. `inputs` are the Values among `args`, `locals_` the derivative along each of them."""
    if data * 0.0 or modes.switched:  # inf * 0 and nan * 0 are nan, which is true
        return _record_carefully(op, data, args, inputs, locals_)
    node = _new(Value)
    node._data = data
    node._grad = NOT_COMPUTED
    node.label = ""
    node.op = op
    node._args = args
    node._inputs = inputs
    node._locals = locals_
    return node


def _record_carefully(
    op: str, data: float, args: tuple[Scalar, ...], inputs: tuple[Value, ...], locals_: tuple[float, ...]
) -> Value:
    if data * 0.0:
        report_non_finite(op, data, args)
    mode = modes.current()
    node = _new(Value)
    node._data, node._grad, node.label = data, NOT_COMPUTED, ""
    if mode.recording:
        node.op, node._args, node._inputs, node._locals = op, args, inputs, locals_
    else:  # a program needs to know what it is made of; no gradient goes that way
        node.op, node._args = (op, args) if mode.tracer else ("", ())
        node._inputs = node._locals = ()
    if mode.lines:
        node._origin = Origin(user_line(), mode.origin.scope)
    elif mode.origin.scope:
        node._origin = mode.origin  # one for all nodes of the scope
    return node
