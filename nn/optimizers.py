"""Optimizers: how the parameters move once their gradients are known.

Definitions, names and defaults are PyTorch's (https://docs.pytorch.org/docs/stable/optim.html); a test compares them.
Below, g is the gradient (minus it with `maximize`, so that the optimizer climbs), to which weight decay has been added.
"""

import math
from collections.abc import Iterable

import numpy as np

from autograd_mini import Value
from autograd_mini.printing import Listing
from nn.checks import choice
from nn.optimizer import Optimizer, State, Vector

__all__ = ["OPTIMIZERS", "SGD", "Adagrad", "Adam", "AdamW", "RMSProp", "optimizer_class"]


class SGD(Optimizer):
    """Stochastic gradient descent (Robbins & Monro 1951), with momentum if asked for (Polyak 1964; Nesterov 1983).

    ``buffer ← momentum·buffer + (1 - dampening)·g``, in the first step ``buffer ← g``; then ``w ← w - learning_rate·d``
    where d is g without momentum, the buffer with it, and ``g + momentum·buffer`` with Nesterov's (Sutskever et al.
    2013, as PyTorch writes it: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html).

    Args:
        parameters: the Values to move, such as ``model.parameters()``.
        learning_rate: how far to move, at least 0.
        momentum: how much of the last step's buffer to keep; 0 keeps none.
        dampening: how much of the gradient to leave out of the buffer.
        weight_decay: λ, at least 0, which adds λ·w to the gradient.
        nesterov: look one step of momentum ahead; needs a momentum, and no dampening.
        maximize: climb instead.

    Raises:
        ValueError: for an option out of range, for no parameters, for one given twice, or for a Value that an operation
            made.
        TypeError: for a parameter that is not a Value or an option of the wrong type.

    Example:
        >>> x = Value(3.0)
        >>> optimizer = SGD([x], learning_rate=0.1)
        >>> for _ in range(50):
        ...     optimizer.zero_grad()
        ...     (x * x).backward()
        ...     optimizer.step()
        >>> abs(x.data) < 1e-4
        True
    """

    momentum: float
    dampening: float
    nesterov: bool

    def __init__(
        self,
        parameters: Iterable[Value],
        *,
        learning_rate: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters, learning_rate=learning_rate, momentum=momentum, dampening=dampening,
            weight_decay=weight_decay, nesterov=nesterov, maximize=maximize,
        )  # fmt: skip
        if self.nesterov and not (self.momentum and self.dampening == 0.0):
            both = f"momentum={self.momentum:g} and dampening={self.dampening:g}"
            raise ValueError(f"nesterov needs a momentum above 0 and a dampening of 0, got {both}")

    def buffers(self) -> dict[str, float]:
        return {"momentum_buffer": 0.0} if self.momentum else {}

    def moved(self, parameters: Vector, gradients: Vector, state: State) -> tuple[Vector, State]:
        direction = gradients
        if self.momentum:
            first = state["steps"] == 1
            older = self.momentum * state["momentum_buffer"] + (1.0 - self.dampening) * gradients
            buffer = state["momentum_buffer"] = gradients.copy() if first else older
            direction = gradients + self.momentum * buffer if self.nesterov else buffer
        return parameters - self.learning_rate * direction, state


class RMSProp(Optimizer):
    """Steps divided by the root of a running mean of g² (Tieleman & Hinton 2012; centred: Graves 2013, eq. 38-41).

    ``square_avg ← alpha·square_avg + (1 - alpha)·g²``, and the same for ``grad_avg`` with g if `centered`; then
    ``d = g / (√(square_avg - grad_avg²) + eps)``, with momentum ``buffer ← momentum·buffer + d`` in its place, and
    ``w ← w - learning_rate·d`` (https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html).

    Args:
        parameters: the Values to move, such as ``model.parameters()``.
        learning_rate: how far to move, at least 0.
        alpha: how much of the running means to keep, from 0 to 1.
        eps: what keeps the divisor from 0, at least 0.
        weight_decay: λ, at least 0, which adds λ·w to the gradient.
        momentum: how much of the last step's buffer to keep; 0 keeps none.
        centered: divide by an estimate of the standard deviation of g.
        maximize: climb instead.

    Raises:
        ValueError, TypeError: as `SGD`.

    Example:
        >>> x = Value(3.0, label="x")
        >>> optimizer = RMSProp([x])
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> [(name, round(buffers["square_avg"], 6)) for name, buffers in optimizer.named_state()]
        [('x', 0.36)]
    """

    momentum: float
    alpha: float
    eps: float
    centered: bool

    def __init__(
        self,
        parameters: Iterable[Value],
        *,
        learning_rate: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters, learning_rate=learning_rate, alpha=alpha, eps=eps, weight_decay=weight_decay,
            momentum=momentum, centered=centered, maximize=maximize,
        )  # fmt: skip

    def buffers(self) -> dict[str, float]:
        needed = {"square_avg": True, "grad_avg": self.centered, "momentum_buffer": bool(self.momentum)}
        return {name: 0.0 for name, is_needed in needed.items() if is_needed}

    def moved(self, parameters: Vector, gradients: Vector, state: State) -> tuple[Vector, State]:
        spread = state["square_avg"] = _mean(state["square_avg"], gradients**2, self.alpha)
        if self.centered:
            state["grad_avg"] = _mean(state["grad_avg"], gradients, self.alpha)
            spread = spread - state["grad_avg"] ** 2
        direction = gradients / (np.sqrt(spread) + self.eps)
        if self.momentum:
            direction = state["momentum_buffer"] = self.momentum * state["momentum_buffer"] + direction
        return parameters - self.learning_rate * direction, state


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all g² so far (Duchi et al. 2011).

    ``sum ← sum + g²``; then ``w ← w - learning_rate / (1 + (steps - 1)·lr_decay) · g / (√sum + eps)``
    (https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html).

    Args:
        parameters: the Values to move, such as ``model.parameters()``.
        learning_rate: how far to move, at least 0.
        lr_decay: how fast the learning rate falls besides, at least 0.
        weight_decay: λ, at least 0, which adds λ·w to the gradient.
        initial_accumulator_value: where the sums start, at least 0.
        eps: what keeps the divisor from 0, at least 0.
        maximize: climb instead.

    Raises:
        ValueError, TypeError: as `SGD`.

    Example:
        >>> x = Value(3.0)
        >>> optimizer = Adagrad([x], learning_rate=0.5)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(x.data, 6), optimizer.state["sum"].tolist()
        (2.5, [36.0])
    """

    lr_decay: float
    initial_accumulator_value: float
    eps: float

    def __init__(
        self,
        parameters: Iterable[Value],
        *,
        learning_rate: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters, learning_rate=learning_rate, lr_decay=lr_decay, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, eps=eps, maximize=maximize,
        )  # fmt: skip

    def buffers(self) -> dict[str, float]:
        return {"sum": self.initial_accumulator_value}

    def moved(self, parameters: Vector, gradients: Vector, state: State) -> tuple[Vector, State]:
        state["sum"] = state["sum"] + gradients**2
        rate = self.learning_rate / (1.0 + (state["steps"] - 1) * self.lr_decay)
        return parameters - rate * gradients / (np.sqrt(state["sum"]) + self.eps), state


class Adam(Optimizer):
    """Running means of g and g², corrected for their start from 0 (Kingma & Ba 2015; amsgrad: Reddi et al. 2018).

    ``exp_avg ← β₁·exp_avg + (1 - β₁)·g`` and ``exp_avg_sq ← β₂·exp_avg_sq + (1 - β₂)·g²``; then in step t
    ``w ← w - learning_rate · exp_avg / (1 - β₁ᵗ) / (√(exp_avg_sq / (1 - β₂ᵗ)) + eps)``
    (https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html).

    Args:
        parameters: the Values to move, such as ``model.parameters()``.
        learning_rate: how far to move, at least 0.
        betas: β₁ and β₂, how much of the running means to keep, from 0 to below 1.
        eps: what keeps the divisor from 0, at least 0.
        weight_decay: λ, at least 0, which adds λ·w to the gradient.
        amsgrad: divide by the largest exp_avg_sq so far.
        maximize: climb instead.

    Raises:
        ValueError, TypeError: as `SGD`.

    Example:
        >>> x = Value(3.0)
        >>> optimizer = Adam([x], learning_rate=0.25)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(x.data, 6)
        2.75
    """

    betas: tuple[float, float]
    eps: float
    amsgrad: bool

    def __init__(
        self,
        parameters: Iterable[Value],
        *,
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters, learning_rate=learning_rate, betas=betas, eps=eps, weight_decay=weight_decay,
            amsgrad=amsgrad, maximize=maximize,
        )  # fmt: skip

    def buffers(self) -> dict[str, float]:
        return {"exp_avg": 0.0, "exp_avg_sq": 0.0} | ({"max_exp_avg_sq": 0.0} if self.amsgrad else {})

    def moved(self, parameters: Vector, gradients: Vector, state: State) -> tuple[Vector, State]:
        (beta1, beta2), steps = self.betas, state["steps"]
        state["exp_avg"] = _mean(state["exp_avg"], gradients, beta1)
        squares = state["exp_avg_sq"] = _mean(state["exp_avg_sq"], gradients**2, beta2)
        if self.amsgrad:
            squares = state["max_exp_avg_sq"] = np.maximum(state["max_exp_avg_sq"], squares)
        divisor = np.sqrt(squares) / math.sqrt(1.0 - beta2**steps) + self.eps
        return parameters - self.learning_rate / (1.0 - beta1**steps) * state["exp_avg"] / divisor, state


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: first ``w ← w·(1 - learning_rate·λ)`` (Loshchilov & Hutter 2019).

    The rest is `Adam`'s, with a weight decay of 0.01 unless another is given
    (https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html).

    Args:
        parameters: the Values to move, such as ``model.parameters()``.
        learning_rate: how far to move, at least 0.
        betas: β₁ and β₂, how much of the running means to keep, from 0 to below 1.
        eps: what keeps the divisor from 0, at least 0.
        weight_decay: λ, at least 0.
        amsgrad: divide by the largest exp_avg_sq so far.
        maximize: climb instead.

    Raises:
        ValueError, TypeError: as `SGD`.

    Example:
        >>> x = Value(4.0)
        >>> optimizer = AdamW([x], learning_rate=0.5, weight_decay=0.5)
        >>> (x * x).backward()
        >>> optimizer.step()
        >>> round(x.data, 6)
        2.5
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        *,
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters, learning_rate=learning_rate, betas=betas, eps=eps, weight_decay=weight_decay,
            amsgrad=amsgrad, maximize=maximize,
        )  # fmt: skip

    def decayed(self, parameters: Vector, gradients: Vector) -> tuple[Vector, Vector]:
        """Shrink the parameters themselves, whatever their gradients are."""
        return parameters * (1.0 - self.learning_rate * self.weight_decay), gradients


def _mean(old: Vector, new: Vector, keep: float) -> Vector:
    return keep * old + (1.0 - keep) * new


OPTIMIZERS: dict[str, type[Optimizer]] = Listing(sgd=SGD, rmsprop=RMSProp, adagrad=Adagrad, adam=Adam, adamw=AdamW)
"""Every optimizer by its name."""


def optimizer_class(optimizer: str | type[Optimizer]) -> type[Optimizer]:
    """Return the class that a name stands for; a class itself.

    Raises:
        ValueError: for a name that is not in ``OPTIMIZERS``.

    Example:
        >>> optimizer_class("adam").__name__
        'Adam'
    """
    if isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        return optimizer
    return choice("optimizer", optimizer, OPTIMIZERS, alternative=", or give a subclass of Optimizer")
