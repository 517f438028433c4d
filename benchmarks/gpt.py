"""A training step of the GPT of ``examples/gpt.py`` on one word of 7 letters: forward, backward, SGD on all weights.

The scalar engines run the example's own lines. The step in NumPy is written by hand, with all positions and heads of a
layer in one product, every gradient written in place, and, like the model, no largest logit subtracted before exp.
"""

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_mini import parameter
from autograd_mini.compiler import compile
from examples.gpt import CHANNELS, GPT, HEADS, POSITIONS, VOCABULARY, encode

__all__ = ["GPT_ENGINES", "NumPyGPT"]

Array: TypeAlias = NDArray[np.float64]
Step: TypeAlias = Callable[[], tuple[float, Any]]
"""It returns the loss and the gradients, which the next step may overwrite."""

INPUTS, TARGETS = encode("pathlib")
LEARNING_RATE = 0.01
WIDTH = CHANNELS // HEADS
MATRICES = {
    "token": (VOCABULARY, CHANNELS),
    "position": (POSITIONS, CHANNELS),
    "queries_keys_values": (3 * CHANNELS, CHANNELS),
    "mix": (CHANNELS, CHANNELS),
    "up": (4 * CHANNELS, CHANNELS),
    "down": (CHANNELS, 4 * CHANNELS),
    "head": (VOCABULARY, CHANNELS),
}
total = np.add.reduce


def scalar_gpt(number: Callable[[float, str], Any] = parameter) -> Step:
    """The step on any engine's Value."""
    model = GPT(number)
    parameters = model.parameters()

    def step() -> tuple[float, list[float]]:
        loss = model.loss(INPUTS, TARGETS)
        for p in parameters:
            p.grad = 0
        loss.backward()
        for p in parameters:
            p.data -= LEARNING_RATE * p.grad
        return loss.data, [p.grad for p in parameters]

    return step


def micrograd_gpt() -> Step:
    """The same on micrograd's Value, which is given the exp and log it lacks, in its own manner."""
    number: Any = import_module("micrograd.engine").Value

    def exp(self: Any) -> Any:
        out = number(math.exp(self.data), (self,), "exp")

        def backward() -> None:
            self.grad += out.data * out.grad

        out._backward = backward
        return out

    def log(self: Any) -> Any:
        out = number(math.log(self.data), (self,), "log")

        def backward() -> None:
            self.grad += out.grad / self.data

        out._backward = backward
        return out

    number.exp, number.log = exp, log
    return scalar_gpt(lambda data, name: number(data))


def compiled_gpt() -> Step:
    """The same lines, compiled."""
    model = GPT()
    compiled = compile(model.loss, INPUTS, TARGETS, parameters=model.parameters())
    inputs, targets = np.array(INPUTS), np.array(TARGETS)

    def step() -> tuple[float, Array]:
        loss, gradients = compiled(inputs, targets)
        compiled.parameters -= LEARNING_RATE * gradients
        return loss, gradients

    return step


def numpy_gpt() -> Step:
    """The same by hand."""
    model = NumPyGPT(np.array([p.data for p in GPT().parameters()]))
    inputs, targets = np.array(INPUTS), np.array(TARGETS)

    def step() -> tuple[float, Array]:
        loss = model.differentiate(inputs, targets)
        model.parameters -= LEARNING_RATE * model.gradients
        return loss, model.gradients

    return step


class NumPyGPT:
    """The model with its parameters and gradients in one vector each, and a matrix for a view of its part."""

    def __init__(self, parameters: Array) -> None:
        self.parameters, self.gradients = parameters, np.empty_like(parameters)
        self.weights, self.slopes = views(self.parameters), views(self.gradients)
        self.causal = np.triu(np.full((POSITIONS, POSITIONS), -np.inf), 1)
        self.thirds = np.empty((POSITIONS, 3, HEADS, WIDTH))  # the gradients by queries, keys and values

    def differentiate(self, inputs: Array, targets: Array) -> float:
        """Return the loss of one word, and fill in the gradients."""
        token, position, qkv, mix, up, down, head = self.weights
        x0 = inputs @ token
        x0 += position
        norm1, scale1 = normalized(x0)
        queries, keys, values = (norm1 @ qkv.T).reshape(POSITIONS, 3, HEADS, WIDTH).transpose(1, 2, 0, 3)
        logits = queries @ keys.transpose(0, 2, 1)
        logits *= WIDTH**-0.5
        logits += self.causal
        shares = np.exp(logits, out=logits)
        shares /= total(shares, -1, keepdims=True)
        gathered = (shares @ values).transpose(1, 0, 2).reshape(POSITIONS, CHANNELS)
        x1 = gathered @ mix.T
        x1 += x0
        norm2, scale2 = normalized(x1)
        hidden = norm2 @ up.T
        np.maximum(hidden, 0.0, out=hidden)
        x2 = hidden @ down.T
        x2 += x1
        norm3, scale3 = normalized(x2)
        outputs = norm3 @ head.T
        exps = np.exp(outputs)
        sums = total(exps, -1, keepdims=True)
        loss = -float(np.vdot(targets, outputs - np.log(sums)))

        d_token, d_position, d_qkv, d_mix, d_up, d_down, d_head = self.slopes
        exps *= total(targets, -1, keepdims=True) / sums
        exps -= targets  # now the gradient by the outputs
        np.matmul(exps.T, norm3, out=d_head)
        dx = before_norm(exps @ head, norm3, scale3)
        np.matmul(dx.T, hidden, out=d_down)
        d_hidden = dx @ down
        d_hidden *= hidden > 0.0
        np.matmul(d_hidden.T, norm2, out=d_up)
        dx += before_norm(d_hidden @ up, norm2, scale2)
        np.matmul(dx.T, gathered, out=d_mix)
        d_gathered = (dx @ mix).reshape(POSITIONS, HEADS, WIDTH).transpose(1, 0, 2)
        d_logits = d_gathered @ values.transpose(0, 2, 1)
        d_logits -= total(d_logits * shares, -1, keepdims=True)
        d_logits *= shares
        d_logits *= WIDTH**-0.5
        d_queries, d_keys, d_values = self.thirds.transpose(1, 2, 0, 3)
        np.matmul(d_logits, keys, out=d_queries)
        np.matmul(d_logits.transpose(0, 2, 1), queries, out=d_keys)
        np.matmul(shares.transpose(0, 2, 1), d_gathered, out=d_values)
        d_thirds = self.thirds.reshape(POSITIONS, 3 * CHANNELS)
        np.matmul(d_thirds.T, norm1, out=d_qkv)
        np.add(dx, before_norm(d_thirds @ qkv, norm1, scale1), out=d_position)
        np.matmul(inputs.T, d_position, out=d_token)
        return loss


def views(vector: Array) -> list[Array]:
    ends = np.cumsum([math.prod(shape) for shape in MATRICES.values()])
    return [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), MATRICES.values(), strict=True)]


def normalized(x: Array) -> tuple[Array, Array]:
    """The rows by their root mean square, and the scales that make them so."""
    scale = total(x * x, -1, keepdims=True)
    scale *= 1 / CHANNELS
    scale += 1e-5
    np.sqrt(scale, out=scale)
    np.reciprocal(scale, out=scale)
    return x * scale, scale


def before_norm(dy: Array, norm: Array, scale: Array) -> Array:
    """The gradient by the rows that were normalized."""
    dy -= norm * (total(dy * norm, -1, keepdims=True) * (1 / CHANNELS))
    dy *= scale
    return dy


GPT_ENGINES: dict[str, Callable[[], Step]] = {
    "micrograd": micrograd_gpt,
    "scalars": scalar_gpt,
    "compiled": compiled_gpt,
    "numpy": numpy_gpt,
}
