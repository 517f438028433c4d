"""The functions of the table by name, for Values and plain numbers alike, and what is built on them.

Every function returns a plain float when no argument is a Value, so the same formula serves both worlds.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from autograd_mini import modes
from autograd_mini.kits import FLOAT, Kit
from autograd_mini.number import number
from autograd_mini.tracer import held, is_unknown
from autograd_mini.value import Scalar, Value, apply, record

__all__ = [
    "VALUE",
    "abs",
    "add",
    "cos",
    "div",
    "dot",
    "elu",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "gelu",
    "leaky_relu",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "mul",
    "neg",
    "pow",
    "relu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "sub",
    "sum",
    "tan",
    "tanh",
    "where",
]

exp, expm1, log, log1p = Value.exp, Value.expm1, Value.log, Value.log1p
sqrt, square, abs, sign = Value.sqrt, Value.square, Value.abs, Value.sign
sin, cos, tan, tanh = Value.sin, Value.cos, Value.tan, Value.tanh
sigmoid, erf, erfc = Value.sigmoid, Value.erf, Value.erfc
relu, gelu, silu, softplus = Value.relu, Value.gelu, Value.silu, Value.softplus


def add(a: Scalar, b: Scalar) -> Any:
    """``a + b``."""
    return apply("add", a, b)


def sub(a: Scalar, b: Scalar) -> Any:
    """``a - b``."""
    return apply("sub", a, b)


def mul(a: Scalar, b: Scalar) -> Any:
    """``a * b``."""
    return apply("mul", a, b)


def div(a: Scalar, b: Scalar) -> Any:
    """``a / b``, but with the infinities of IEEE 754 for a plain zero divisor too."""
    return apply("div", a, b)


def neg(a: Scalar) -> Any:
    """``-a``."""
    return apply("neg", a)


def pow(a: Scalar, b: Scalar) -> Any:
    """``a ** b``, but nan, never a complex number, for a negative base with a fractional exponent.

    Example:
        >>> pow(2.0, 3), pow(0.0, 0.0)
        (8.0, 1.0)
    """
    return apply("pow", a, b)


def leaky_relu(a: Scalar, slope: Scalar = 0.01) -> Any:
    """`a` above 0 and ``slope * a`` below (Maas et al. 2013); at 0 the derivative is `slope`."""
    return apply("leaky_relu", a, slope)


def elu(a: Scalar, alpha: Scalar = 1.0) -> Any:
    """`a` above 0 and ``alpha * (exp(a) - 1)`` below (Clevert et al. 2015); at 0 the derivative is `alpha`."""
    return apply("elu", a, alpha)


def maximum(a: Scalar, b: Scalar) -> Any:
    """The larger of two numbers; nan if either is. At a tie each gets half the gradient.

    Example:
        >>> maximum(Value(1.0), 1.0).local_derivatives
        (0.5, None)
    """
    return apply("maximum", a, b)


def minimum(a: Scalar, b: Scalar) -> Any:
    """The smaller of two numbers; nan if either is. At a tie each gets half the gradient."""
    return apply("minimum", a, b)


def where(condition: Any, a: Scalar, b: Scalar) -> Any:
    """`a` where `condition` is true (not 0), else `b`; only the chosen one gets a gradient.

    Example:
        >>> x = Value(-2.0)
        >>> where(x > 0, x, 0.1 * x).data
        -0.2
    """
    return apply("where", condition, a, b)


def sum(values: Iterable[Scalar], start: Scalar | None = None) -> Any:
    """Add up a sequence in one node, however long. ``sum([])`` is 0.0.

    Args:
        values: Values and plain numbers, in any mixture; a generator will do.
        start: one more term in front, as the built-in ``sum`` has it.

    Example:
        >>> sum([Value(1.0), 2, Value(3.5)]).data
        6.5
    """
    terms = _terms("sum", values) if start is None else (start, *_terms("sum", values))
    data = _data_of_values(terms)
    if not data:
        return apply("sum", *terms)
    values_ = cast("tuple[Value, ...]", terms)
    return record("sum", FLOAT.sum(data), values_, values_, (1.0,) * len(values_))


def mean(values: Iterable[Scalar]) -> Any:
    """The arithmetic mean of a sequence, in one node.

    Raises:
        ValueError: for an empty sequence.

    Example:
        >>> mean([1, 2, 6])
        3.0
    """
    return apply("mean", *_not_empty("mean", values))


def logsumexp(values: Iterable[Scalar]) -> Any:
    """``log(exp(a) + exp(b) + …)`` in one node, finite for numbers as large as ±1e300.

    Raises:
        ValueError: for an empty sequence.

    Example:
        >>> logsumexp([1e4, 1e4])
        10000.69314718056
    """
    terms = _not_empty("logsumexp", values)
    data = _data_of_values(terms)
    if not data:
        return apply("logsumexp", *terms)
    y = FLOAT.logsumexp(data)
    parts = [FLOAT.exp(x - y) for x in data]
    whole = FLOAT.sum(parts)  # once, where the row adds it up for every argument
    if whole != whole:
        whole = 1.0
    values_ = cast("tuple[Value, ...]", terms)
    return record("logsumexp", y, values_, values_, tuple([FLOAT.div(part, whole) for part in parts]))


def dot(a: Sequence[Scalar], b: Sequence[Scalar]) -> Any:
    """The dot product ``Σ a[i] * b[i]`` of two sequences of the same length, in one node with an edge per factor.

    Raises:
        ValueError: if the lengths differ.

    Example:
        >>> w, x = [Value(2.0), Value(3.0)], [Value(10.0), Value(1.0)]
        >>> y = dot(w, x)
        >>> y.data, y.local_derivatives
        (23.0, (10.0, 1.0, 2.0, 3.0))
    """
    if not (hasattr(a, "__len__") and hasattr(b, "__len__")):
        raise TypeError(f"dot needs two sequences of numbers, got {a!r:.60} and {b!r:.60}; for two numbers write a * b")
    if len(a) != len(b):
        raise ValueError(f"dot needs two sequences of the same length, got {len(a)} and {len(b)} numbers")
    a_data, b_data = _data_of_values(a), _data_of_values(b)
    if a_data and b_data:
        both = cast("tuple[Value, ...]", (*a, *b))
        return record("dot", FLOAT.dot(a_data, b_data), both, both, (*b_data, *a_data))
    if a_data and set(map(type, b)) == {float}:
        values, plain = cast("tuple[Value, ...]", tuple(a)), cast("tuple[float, ...]", tuple(b))
        return record("dot", FLOAT.dot(a_data, plain), (*values, *plain), values, plain)
    return apply("dot", *a, *b)


def softmax(values: Iterable[Scalar]) -> Any:
    """``exp(v) / Σ exp(v)`` for each number: positive, adding up to 1, finite for any logits.

    Args:
        values: n logits; a list, tuple, generator or 1-D NumPy array.

    Returns:
        A list of n Values, or of n floats if no logit is a Value.

    Raises:
        ValueError: for an empty sequence.

    Example:
        >>> softmax([0.0, 0.0])
        [0.5, 0.5]
    """
    return [exp(log_share) for log_share in _log_shares("softmax", values)]


def log_softmax(values: Iterable[Scalar]) -> Any:
    """``v - logsumexp(values)`` for each number: the logarithm of softmax, accurate where softmax is near 0.

    Raises:
        ValueError: for an empty sequence.

    Example:
        >>> log_softmax([0.0, -1e4])
        [0.0, -10000.0]
    """
    return _log_shares("log_softmax", values)


def _log_shares(op: str, values: Iterable[Scalar]) -> list[Any]:
    """Shift by the largest first, as a constant: the shares do not change, and large logits keep their differences."""
    logits = _not_empty(op, values)
    largest: Scalar
    if modes.switched and is_unknown(*logits):
        largest = held("largest", *(x if isinstance(x, Value) else number(x, op) for x in logits))
    else:
        largest = max(float(x) if isinstance(x, Value) else number(x, op) for x in logits)
    shifted = [sub(logit, largest) for logit in logits]
    total = logsumexp(shifted)
    return [sub(logit, total) for logit in shifted]


def _terms(op: str, values: Iterable[Scalar]) -> tuple[Scalar, ...]:
    if not hasattr(values, "__iter__") or isinstance(values, str | bytes):
        raise TypeError(f"{op} needs a sequence of numbers, got {values!r:.60}; write {op}([x, y, ...])")
    return tuple(values)


def _not_empty(op: str, values: Iterable[Scalar]) -> tuple[Scalar, ...]:
    terms = _terms(op, values)
    if not terms:
        raise ValueError(f"{op} needs at least one number, got an empty sequence")
    return terms


def _data_of_values(xs: Sequence[Scalar]) -> list[float] | None:
    """The data of a sequence of Values; None when a plain number is among them."""
    try:
        return [x._data for x in xs]  # type: ignore[union-attr]  # a plain number raises, which is the test
    except AttributeError:
        return None


def _equal(a: Scalar, b: Scalar) -> Scalar | bool:
    return held("equal", a, b) if modes.switched and is_unknown(a, b) else float(a) == float(b)


def _on_grid(a: Scalar) -> Scalar:
    return held("on_grid", a) if modes.switched and is_unknown(a) else cast(float, FLOAT.on_grid(float(a)))


VALUE = Kit(
    exp=exp,
    expm1=expm1,
    log=log,
    log1p=log1p,
    sqrt=sqrt,
    sin=sin,
    cos=cos,
    tan=tan,
    tanh=tanh,
    sigmoid=sigmoid,
    erf=erf,
    erfc=erfc,
    abs=abs,
    sign=sign,
    maximum=maximum,
    minimum=minimum,
    div=div,
    pow=pow,
    where=where,
    equal=_equal,
    on_grid=_on_grid,
    sum=sum,
    dot=dot,
    logsumexp=logsumexp,
)
"""The kit of Values: a rule run on it records nodes, which is how derivatives of derivatives come about."""
