"""``stages_of``: a network as the layers that cards show: weighted sums, and what each of them goes through."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from autograd_mini import Value
from autograd_mini.printing import printable
from nn import MLP, BatchNorm, Dropout, Layer, Neuron, Sequential
from nn.activations import linear
from nn.network import Activate, Network

__all__ = ["Stage", "stages_of"]

_KINDS = (Neuron, Layer, MLP, Sequential, BatchNorm, Dropout, Activate)


@dataclass(slots=True)
class Stage:
    """Neurons side by side, and what comes behind their sums, in this order.

    Attributes:
        neurons: with their names in the model.
        batch_norm: with its name, or None.
        activations: a function for each neuron.
        dropout: or None.
    """

    neurons: list[tuple[str, Neuron]]
    batch_norm: tuple[str, BatchNorm] | None
    activations: list[Callable[[Any], Any]]
    dropout: Dropout | None

    def take(self, name: str, part: Any) -> bool:
        """Take a part of a Sequential in, if it can stand behind what is here already."""
        is_open = self.dropout is None
        is_sum = is_open and all(function is linear for function in self.activations)
        if isinstance(part, BatchNorm) and is_sum and self.batch_norm is None:
            self.batch_norm = name, part
        elif isinstance(part, Activate) and is_sum:
            self.activations = [part.activation] * len(self.neurons)
        elif isinstance(part, Dropout) and is_open:
            self.dropout = part
        else:
            return False
        return True


def stages_of(model: Any) -> list[Stage]:
    """List the stages of an MLP, a Layer, a Neuron, or a Sequential of these with what may stand behind them.

    Raises:
        TypeError: for another model, one with a forward of its own, and a Sequential in another order.

    Example:
        >>> model = Sequential(Layer(2, 3, activation="linear"), BatchNorm(3), "tanh", Neuron(3))
        >>> [[name for name, _ in stage.neurons] for stage in stages_of(model)]
        [['layer1.neuron1', 'layer1.neuron2', 'layer1.neuron3'], ['neuron4']]
    """
    stages: list[Stage] = []
    for name, part in _parts(model, ""):
        front = f"{name}." if name else ""
        if isinstance(part, Layer):
            norm = None if part.batch_norm is None else (f"{front}batch_norm", part.batch_norm)
            neurons = [(f"{front}neuron{i}", neuron) for i, neuron in enumerate(part.neurons, 1)]
            stages.append(Stage(neurons, norm, [neuron.activation for _, neuron in neurons], part.dropout))
        elif isinstance(part, Neuron):
            stages.append(Stage([(name or "neuron", part)], None, [part.activation], None))
        elif not (stages and stages[-1].take(name, part)):
            where = f"{name} of {printable(repr(model), 60)}" if name else printable(repr(model), 60)
            raise TypeError(
                "draw_network draws sums, and behind them batch norm, activation function and dropout, in this order; "
                f'{where} stands elsewhere; write Layer(..., activation="linear") where they follow, or {_FIX}'
            )
    return stages


_FIX = "draw what it computes, draw_dot(loss), of a loss computed from model(example)"


def _parts(model: Any, name: str) -> Iterator[tuple[str, Any]]:
    """List the parts of networks within networks, with their names."""
    kind = next((kind for kind in _KINDS if isinstance(model, kind)), None)
    if kind is None:
        fix = "use draw_dot(value)" if isinstance(model, Value) else "give it a model such as MLP(49, [3, 10])"
        fix = _FIX if isinstance(model, Network) else fix
        got = printable(repr(model), 60)
        raise TypeError(f"draw_network draws an MLP, a Layer, a Neuron or a Sequential of them, got {got}; {fix}")
    if type(model).forward is not kind.forward or type(model).__call__ is not kind.__call__:
        raise TypeError(f"{type(model).__name__} has a forward of its own, which cards cannot show; {_FIX}")
    if not isinstance(model, (MLP, Sequential)):
        yield name, model
        return
    for child, part in model.named_children():
        yield from _parts(part, f"{name}.{child}" if name else child)
