"""Training steps as a good NumPy user writes them by hand: the measure that compiled steps are held to.

Parameters and gradients are one flat vector each, so that the update is one line; the matrices are views into them,
which ``out=`` fills. Losses are dot products, and what is no longer needed is overwritten.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

__all__ = ["NUMPY_STEPS", "NumPyStep"]

Array: TypeAlias = Any
Views: TypeAlias = list[Array]
NumPyStep: TypeAlias = Callable[[Array, Array], float]
"""From inputs (batch, features) and targets (batch, outputs) to the loss; it fills the gradients."""


def regression(parameters: Views, gradients: Views) -> NumPyStep:
    """Two hidden layers of relu, and the mean squared error."""
    W1, b1, W2, b2, W3, b3 = parameters
    dW1, db1, dW2, db2, dW3, db3 = gradients

    def step(X: Array, Y: Array) -> float:
        h1 = X @ W1
        h1 += b1
        np.maximum(h1, 0.0, out=h1)
        h2 = h1 @ W2
        h2 += b2
        np.maximum(h2, 0.0, out=h2)
        error = h2 @ W3
        error += b3
        error -= Y
        loss: float = np.vdot(error, error) / error.size
        error *= 2.0 / error.size
        np.dot(h2.T, error, out=dW3)
        error.sum(axis=0, out=db3)
        dh2 = error @ W3.T
        dh2 *= h2 > 0.0
        np.dot(h1.T, dh2, out=dW2)
        dh2.sum(axis=0, out=db2)
        dh1 = dh2 @ W2.T
        dh1 *= h1 > 0.0
        np.dot(X.T, dh1, out=dW1)
        dh1.sum(axis=0, out=db1)
        return loss

    return step


def softmax_cross_entropy(logits: Array, Y: Array) -> tuple[float, Array]:
    """The mean loss and its gradient by the logits, which are overwritten."""
    logits -= logits.max(axis=1, keepdims=True)
    exponentials = np.exp(logits)
    sums = exponentials.sum(axis=1, keepdims=True)
    loss: float = (np.log(sums).sum() - np.vdot(Y, logits)) / len(Y)
    exponentials /= sums
    exponentials -= Y
    exponentials *= 1.0 / len(Y)
    return loss, exponentials


def classification(parameters: Views, gradients: Views) -> NumPyStep:
    """One hidden layer of relu, and cross entropy."""
    W1, b1, W2, b2 = parameters
    dW1, db1, dW2, db2 = gradients

    def step(X: Array, Y: Array) -> float:
        h = X @ W1
        h += b1
        np.maximum(h, 0.0, out=h)
        logits = h @ W2
        logits += b2
        loss, dlogits = softmax_cross_entropy(logits, Y)
        np.dot(h.T, dlogits, out=dW2)
        dlogits.sum(axis=0, out=db2)
        dh = dlogits @ W2.T
        dh *= h > 0.0
        np.dot(X.T, dh, out=dW1)
        dh.sum(axis=0, out=db1)
        return loss

    return step


def lecture(parameters: Views, gradients: Views) -> NumPyStep:
    """One hidden layer of sigmoid, and cross entropy."""
    W1, b1, W2, b2 = parameters
    dW1, db1, dW2, db2 = gradients

    def step(X: Array, Y: Array) -> float:
        h = X @ W1
        h += b1
        np.negative(h, out=h)
        np.exp(h, out=h)
        h += 1.0
        np.divide(1.0, h, out=h)
        logits = h @ W2
        logits += b2
        loss, dlogits = softmax_cross_entropy(logits, Y)
        np.dot(h.T, dlogits, out=dW2)
        dlogits.sum(axis=0, out=db2)
        dh = dlogits @ W2.T
        dh *= h * (1.0 - h)
        np.dot(X.T, dh, out=dW1)
        dh.sum(axis=0, out=db1)
        return loss

    return step


def deep_classification(parameters: Views, gradients: Views) -> NumPyStep:
    """Two hidden layers of relu, and cross entropy."""
    W1, b1, W2, b2, W3, b3 = parameters
    dW1, db1, dW2, db2, dW3, db3 = gradients

    def step(X: Array, Y: Array) -> float:
        h1 = X @ W1
        h1 += b1
        np.maximum(h1, 0.0, out=h1)
        h2 = h1 @ W2
        h2 += b2
        np.maximum(h2, 0.0, out=h2)
        logits = h2 @ W3
        logits += b3
        loss, dlogits = softmax_cross_entropy(logits, Y)
        np.dot(h2.T, dlogits, out=dW3)
        dlogits.sum(axis=0, out=db3)
        dh2 = dlogits @ W3.T
        dh2 *= h2 > 0.0
        np.dot(h1.T, dh2, out=dW2)
        dh2.sum(axis=0, out=db2)
        dh1 = dh2 @ W2.T
        dh1 *= h1 > 0.0
        np.dot(X.T, dh1, out=dW1)
        dh1.sum(axis=0, out=db1)
        return loss

    return step


NUMPY_STEPS: dict[tuple[int, str, str], Callable[[Views, Views], NumPyStep]] = {
    (2, "relu", "mean_squared_error"): regression,
    (1, "sigmoid", "cross_entropy"): lecture,
    (1, "relu", "cross_entropy"): classification,
    (2, "relu", "cross_entropy"): deep_classification,
}
"""By the number of hidden layers, their activation function and the loss."""
