"""A network in lines of plain text: the scene of the picture, for a terminal or a screen reader."""

import math
from collections.abc import Iterator

from autograd_mini.number import number_text
from autograd_mini.printing import printable
from viz.marks import Proof
from viz.scene import NetworkScene, NeuronCard, Number
from viz.summary import largest_of

__all__ = ["network_text"]

_MOST_INPUTS = 25


def network_text(scene: NetworkScene, proof: Proof | None = None, most_inputs: int = _MOST_INPUTS) -> str:
    """Write a scene, from the inputs to the loss, one number to a line; of many inputs their range and the largest.

    Args:
        scene: what to write.
        proof: what checks each gradient; None for no verdicts.
        most_inputs: how many inputs are written out; of more, 8.

    Example:
        >>> from nn import Layer
        >>> from viz.observing import observe
        >>> layer = Layer(1, 2, activation="sigmoid", initializer="zeros")
        >>> print(network_text(observe(layer, [2.0], lambda y: y[0])))
        Layer(1, 2, activation='sigmoid'): 2 neurons, 4 parameters
        x[0] = 2, gradient 0
        neuron1 = output[0]: sigmoid, not active: at most 0.5
          Σ w·x = 0, threshold -b = 0
          w[0] = 0, gradient 0.5
          b = 0, gradient 0.25
          z = 0, gradient 0.25
          output = 0.5, gradient 1
        neuron2 = output[1]: sigmoid, not active: at most 0.5
          Σ w·x = 0, threshold -b = 0
          w[0] = 0, no gradient
          b = 0, no gradient
          z = 0, no gradient
          output = 0.5, no gradient
        loss = 0.5
    """
    return "\n".join(_lines(scene, proof, most_inputs))


def _lines(scene: NetworkScene, proof: Proof | None, most_inputs: int) -> Iterator[str]:
    write = _Writer(scene, proof)
    yield printable(scene.title, 200)
    yield from scene.notes
    if scene.has_example:
        yield from map(write.line, scene.inputs) if len(scene.inputs) <= most_inputs else _inputs(scene, write)
    for layer, rest in zip(scene.layers, scene.rests, strict=True):
        for card in layer:
            yield from _card(card, write)
        if rest is not None:
            yield f"… {rest.count:,} {rest.text}"
    if scene.shares:
        yield from (f"softmax of output[{i}] = {number_text(share)}" for i, share in enumerate(scene.shares))
    if scene.loss is not None:
        yield f"{scene.loss_name} = {number_text(scene.loss)}"
    if proof is not None:
        yield f"marks: {proof.legend()}"


def _inputs(scene: NetworkScene, write: "_Writer") -> Iterator[str]:
    """Summarise many inputs: a screen reader would read them one after the other."""
    numbers = [x.value for x in scene.inputs if x.value is not None and math.isfinite(x.value)]
    low, high = (number_text(end(numbers, default=0.0)) for end in (min, max))
    ends = (f", all {low}" if low == high else f", {low} to {high}") if numbers else ""
    by_gradient = any(x.gradient is not None for x in scene.inputs)
    places, rest = largest_of(scene.inputs, by_gradient)
    yield f"{len(scene.inputs):,} inputs{ends}; the largest{' gradients' if by_gradient else ''}:"
    yield from (write.line(scene.inputs[i]) for i in places)
    yield f"… {rest.count:,} inputs {rest.text}"


def _card(card: NeuronCard, write: "_Writer") -> Iterator[str]:
    feeds = f" = {card.feeds}" if card.feeds else ""
    state = f", {card.state}" if card.state else ""
    yield f"{printable(card.title)}{feeds}: {printable(card.activation)}{state}"
    if card.activity is not None:
        yield f"  Σ w·x = {number_text(card.activity.sum)}, threshold -b = {number_text(card.activity.threshold)}"
    listed = range(len(card.weights)) if card.listed is None else card.listed
    numbers = [*(card.weights[i] for i in listed), card.bias]
    yield from (f"  {write.line(number, card.title)}" for number in numbers)
    if card.rest is not None:
        yield f"  … {card.rest.count:,} weights {card.rest.text}"
    if card.z.value is not None:
        yield f"  {write.line(card.z, card.title)}"
    if card.norm is not None:
        yield from (f"  {write.line(parameter)}" for parameter in card.norm.parameters)
        for which, numbers_of in (("batch", card.norm.of_batch), ("running", card.norm.statistics)):
            if numbers_of:
                yield "  {} mean {}, variance {}".format(which, *map(number_text, numbers_of))
    if card.output.value is not None:
        if card.norm is not None:
            if card.norm.parameters and card.norm.standard is not None:
                yield f"  ẑ = {number_text(card.norm.standard)}"
            yield f"  {write.line(card.norm.output)}"
        yield f"  {write.line(card.output, card.title)}"
    if card.dropped is not None:
        fate = "dropped" if card.dropped.factor == 0.0 else "kept"
        yield f"  {write.line(card.dropped.output)}: {fate}, × {number_text(card.dropped.factor)}"


class _Writer:
    """Writes a number with its gradient and the verdict on it."""

    def __init__(self, scene: NetworkScene, proof: Proof | None) -> None:
        self._is_of_gradients = scene.has_gradients
        self._proof = proof

    def line(self, number: Number, owner: str = "") -> str:
        if number.value is None:
            return number.name
        text = f"{number.name} = {number_text(number.value)}"
        if not self._is_of_gradients:
            return text
        gradient = "no gradient" if number.gradient is None else f"gradient {number_text(number.gradient)}"
        text = f"{text}, {gradient}"
        if self._proof is None:
            return text
        mark = self._proof.mark(number.node, number.gradient, f"{owner}.{number.name}" if owner else number.name)
        return text if mark is None else f"{text} ({mark.words})"
