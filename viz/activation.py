"""``draw_activation``: an activation function and its derivative, with the points where neurons stand on it."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from autograd_mini import Value, gradients, modes
from autograd_mini.number import number, number_text
from autograd_mini.printing import printable
from autograd_mini.replay import branches
from nn import MLP, Layer, Neuron
from nn.activations import Activation, activation_function
from nn.network import name_of
from viz.colors import theme_named
from viz.curve import Curve, Kink, Point, curve_chart
from viz.figure import Figure
from viz.observing import observe

__all__ = ["draw_activation"]

_SAMPLES = 240  # kinks are looked for between any two; every other one is drawn
_FAR, _FARTHEST = 4.0, 1e300


def draw_activation(activation: Activation | Neuron | Layer, at: Any = (), *, theme: str = "light") -> Figure:
    """Draw an activation function, its derivative, its kinks, and where neurons stand on them.

    Args:
        activation: a name from ``ACTIVATIONS`` or a function of one Value; or a ``Neuron`` or ``Layer``, of which the
            function is drawn with a point for the weighted sum of each neuron.
        at: the points: numbers or Values, a number for each name, as in ``{"my neuron": -1.5}``; of a neuron or layer
            the example to run it on.
        theme: a name from ``viz.colors.THEMES``.

    Returns:
        A Figure; its ``text`` says the same in lines.

    Raises:
        TypeError: for a function that does not give a Value, a network of several layers, or points that are no
            numbers.
        ValueError: for an unknown name, a point that is not finite, a neuron without an example, or neurons of a layer
            with different functions.

    Example:
        >>> print(draw_activation("relu", at=[-1.0, 2.0]).text)
        relu and its derivative
        kink at 0: the slope is 0 on the left and 1 on the right, and is taken as 0 there
        at -1: relu = 0, derivative 0
        at 2: relu = 2, derivative 1
    """
    colors = theme_named(theme)
    if isinstance(activation, (Neuron, Layer)):
        function, places = _stand(activation, at)
    elif isinstance(activation, MLP):
        raise TypeError(f"draw_activation draws one layer or neuron, got {activation!r:.60}; take model.layers[0]")
    else:
        function, places = activation_function(activation), _named(at)
    name = printable(name_of(function), 30)
    for label, x in places:
        if not abs(x) < _FARTHEST:
            raise ValueError(f"the point {label or x} is {x}, which is on no chart; leave it out")
    far = max(_FAR, *(1.15 * abs(x) for _, x in places)) if places else _FAR
    with modes.recording(), modes.quiet():
        points = tuple(
            _point(function, x, printable(label, 40)) for label, x in sorted(places, key=lambda place: place[1])
        )
        xs = [far * (2 * i / _SAMPLES - 1) for i in range(_SAMPLES + 1)]
        samples = tuple(_point(function, x) for x in xs[::2])
        curve = Curve(name, samples, tuple(_kinks(function, xs)), points)
    return Figure(curve_chart(curve, colors), f"{name} and its derivative", "\n".join(_lines(curve)))


def _stand(layer: Neuron | Layer, example: Any) -> tuple[Callable[[Any], Any], list[tuple[str, float]]]:
    """The function of these neurons, and where each of them stands on it."""
    if example is None or (hasattr(example, "__len__") and not len(example)):
        raise ValueError(f"{layer!r:.60} stands somewhere only for an example: draw_activation(layer, [0.5, 1.0])")
    functions = {neuron.activation: None for neuron in getattr(layer, "neurons", [layer])}
    if len(functions) > 1:
        names = ", ".join(map(name_of, functions))
        raise ValueError(f"the neurons of {layer!r:.60} have different functions, {names}; draw them one by one")
    cards = observe(layer, example).layers[0]
    sums = [(card.title, card.norm.output if card.norm else card.z) for card in cards]
    return next(iter(functions)), [(title, z.value) for title, z in sums if z.value is not None]


def _named(at: Any) -> list[tuple[str, float]]:
    if isinstance(at, Mapping):
        return [(str(name), number(x, f"the point {name}")) for name, x in at.items()]
    each: Iterable[Any] = at if hasattr(at, "__iter__") else [at]
    return [(getattr(x, "label", ""), x.data if isinstance(x, Value) else number(x, "a point")) for x in each]


def _point(function: Callable[[Any], Any], x: float, name: str = "") -> Point:
    z = Value(x)
    y = function(z)
    if not isinstance(y, Value):
        raise TypeError(f"the activation {name_of(function)} must return a Value, got {y!r:.60}")
    return Point(name, x, y.data, gradients(y).get(z, 0.0))


def _kinks(function: Callable[[Any], Any], xs: list[float]) -> Iterator[Kink]:
    """Find the places where the function changes its branch and its slope jumps."""
    between = [(a + b) / 2 for a, b in itertools.pairwise(xs)]  # a kink at a round number is between two of these
    sides = [_branch(function, x) for x in between]
    last = -math.inf
    for i, (before, after) in enumerate(itertools.pairwise(sides)):
        if before == after:
            continue
        low, high = between[i], between[i + 1]
        while high - low > 1e-14 * max(1.0, abs(high)):
            middle = (low + high) / 2
            low, high = (middle, high) if _branch(function, middle) == before else (low, middle)
        at = round(high, 12) + 0.0
        here, left, right = (_point(function, at + step * max(1.0, abs(at))) for step in (0.0, -1e-7, 1e-7))
        is_new = at - last > 1e-7 * max(1.0, abs(at))  # one that lies on a place between two samples is met twice
        if is_new and abs(left.slope - right.slope) > 1e-4:
            last = at
            yield Kink(at, here.y, *(round(point.slope, 5) + 0.0 for point in (left, right, here)))


def _branch(function: Callable[[Any], Any], x: float) -> Any:
    return branches(function(Value(x)))


def _lines(curve: Curve) -> Iterator[str]:
    yield f"{curve.name} and its derivative"
    for kink in curve.kinks:
        at, left, right, taken = (number_text(x) for x in (kink.x, kink.left, kink.right, kink.taken))
        yield f"kink at {at}: the slope is {left} on the left and {right} on the right, and is taken as {taken} there"
    for point in curve.points:
        where = f"{point.name} at {number_text(point.x)}" if point.name else f"at {number_text(point.x)}"
        yield f"{where}: {curve.name} = {number_text(point.y)}, derivative {number_text(point.slope)}"
