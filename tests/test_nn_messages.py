"""Every error of ``nn`` says what came, what is legal, and the fix; data sets and checkpoints have their own tests."""

import ast
import math
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd_mini import Value
from autograd_mini.tracer import Tracer, tracing
from nn import (
    MLP,
    SGD,
    Activate,
    Adagrad,
    Adam,
    BatchNorm,
    CosineSchedule,
    Dropout,
    ExponentialSchedule,
    Layer,
    LinearWarmUp,
    Module,
    Network,
    Neuron,
    OneCycle,
    Optimizer,
    ReduceOnPlateau,
    RMSProp,
    Schedule,
    Sequential,
    StepSchedule,
    accuracy,
    activation_function,
    binary_cross_entropy,
    class_table,
    clip_gradient_norm,
    clip_gradient_value,
    confusion_matrix,
    confusion_table,
    cross_entropy,
    hinge,
    l1_penalty,
    l2_penalty,
    mean_squared_error,
    optimizer_class,
    per_class,
    predicted_class,
    schedule_from,
    sum_squared_error,
)
from nn.checks import row_of_numbers
from nn.initializers import initializer_function, random_generator

NN = Path(nn.__file__).resolve().parent
MODULES = (
    "checks", "activations", "initializers", "module", "network", "layers", "batch_norm", "dropout", "losses",
    "metrics", "optimizer", "optimizers", "schedule", "schedules", "one_cycle", "plateau", "clipping", "penalties",
)  # fmt: skip

# Their cases are in test_data.py and test_data_messages.py; seeds raises what whole_number does.
DATA = {
    "arrays", "csv_files", "data", "label_columns", "normalization", "npz_files", "seeds", "splitting", "synthetic",
    "tables",
}  # fmt: skip

# Their cases are in test_trainer_messages.py.
TRAINING = {
    "callbacks", "compiled", "fitting", "history", "hyper_parameters", "learner", "loop", "naming", "programs",
    "replay", "saving", "trainer",
}  # fmt: skip

X = Value(1.0, "x")
PAIR = [X, Value(2.0)]
NETWORK, LAYER, NEURON = MLP(2, [3, 2], activation="sigmoid"), Layer(2, 3), Neuron(2)
OF_NETWORK = r"the input of MLP\(2, \[3, 2\], activation='sigmoid'\)"
WHOLE = "but must be a whole number, 1 or more"
RATE = "but must be a finite number, 0 or more"
SHAPES = r"outputs and targets need the same shape, got "
EITHER = (TypeError, ValueError)

Kind = type[Exception] | tuple[type[Exception], ...]
Case = tuple[Callable[[], Any], Kind, str]


def rate(learning_rate: Any) -> SGD:
    return SGD([Value(1.0)], learning_rate=learning_rate)


def reached(gradient: float) -> Value:
    value = Value(1.0, "r")
    value.grad = gradient
    return value


def traced(function: Callable[[Any], Any]) -> Any:
    """Call a function as it is called to be compiled, with a number that nobody knows."""
    x = Value(1.0, "x")
    with tracing(Tracer([x])):
        return function(x)


def options(**chosen: Any) -> list[Module]:
    return [MLP(2, [2, 1], **chosen)]


SIZES: dict[str, Case] = {
    "0 inputs of a network": (lambda: MLP(0, [1]), ValueError, f"the number of inputs is 0, {WHOLE}"),
    "-1 inputs of a network": (lambda: MLP(-1, [1]), ValueError, f"the number of inputs is -1, {WHOLE}"),
    "2.5 inputs of a network": (lambda: MLP(2.5, [1]), TypeError, rf"the number of inputs is 2\.5, {WHOLE}"),
    "2.0 inputs of a network": (lambda: MLP(2.0, [1]), TypeError, rf"the number of inputs is 2\.0, {WHOLE}"),
    "nan inputs of a network": (lambda: MLP(math.nan, [1]), TypeError, f"the number of inputs is nan, {WHOLE}"),
    "True inputs of a network": (lambda: MLP(True, [1]), TypeError, f"the number of inputs is True, {WHOLE}"),
    "text for inputs": (lambda: MLP("2", [1]), TypeError, f"the number of inputs is '2', {WHOLE}"),
    "None for inputs": (lambda: MLP(None, [1]), TypeError, f"the number of inputs is None, {WHOLE}"),
    "a layer of 0": (lambda: MLP(2, [3, 0]), ValueError, f"the size of a layer is 0, {WHOLE}"),
    "a layer of -1": (lambda: MLP(2, [-1, 1]), ValueError, f"the size of a layer is -1, {WHOLE}"),
    "a layer of 2.5": (lambda: MLP(2, [2.5]), TypeError, rf"the size of a layer is 2\.5, {WHOLE}"),
    "a layer of True": (lambda: MLP(2, [True]), TypeError, f"the size of a layer is True, {WHOLE}"),
    "a layer of text": (lambda: MLP(2, ["3"]), TypeError, f"the size of a layer is '3', {WHOLE}"),
    "a layer of layers": (lambda: MLP(2, [[3, 1]]), TypeError, rf"the size of a layer is \[3, 1\], {WHOLE}"),
    "no layers": (lambda: MLP(2, []), ValueError, r"an MLP needs a list of layer sizes such as \[3, 10\], got \[\]"),
    "one size without its list": (lambda: MLP(2, 3), EITHER, r"list of layer sizes such as \[3, 10\], got 3"),
    "text for sizes": (lambda: MLP(2, "31"), EITHER, r"list of layer sizes such as \[3, 10\], got '31'"),
    "None for sizes": (lambda: MLP(2, None), EITHER, r"list of layer sizes such as \[3, 10\], got None"),
    "a generator of sizes": (lambda: MLP(2, iter([3])), EITHER, r"list of layer sizes such as \[3, 10\], got <"),
    "a 0-d array of sizes": (lambda: MLP(2, np.array(3)), EITHER, r"list of layer sizes such as \[3, 10\], got array"),
    "0 inputs of a layer": (lambda: Layer(0, 2), ValueError, f"the number of inputs is 0, {WHOLE}"),
    "2.5 inputs of a layer": (lambda: Layer(2.5, 2), TypeError, rf"the number of inputs is 2\.5, {WHOLE}"),
    "0 neurons": (lambda: Layer(2, 0), ValueError, f"the number of neurons is 0, {WHOLE}"),
    "-1 neurons": (lambda: Layer(2, -1), ValueError, f"the number of neurons is -1, {WHOLE}"),
    "2.5 neurons": (lambda: Layer(2, 2.5), TypeError, rf"the number of neurons is 2\.5, {WHOLE}"),
    "0 inputs of a neuron": (lambda: Neuron(0), ValueError, f"the number of inputs is 0, {WHOLE}"),
    "-1 inputs of a neuron": (lambda: Neuron(-1), ValueError, f"the number of inputs is -1, {WHOLE}"),
    "2.5 inputs of a neuron": (lambda: Neuron(2.5), TypeError, rf"the number of inputs is 2\.5, {WHOLE}"),
    "a neuron among 0": (lambda: Neuron(2, outputs=0), ValueError, rf"is 0, {WHOLE}"),
    "a neuron among -2": (lambda: Neuron(2, outputs=-2), ValueError, rf"is -2, {WHOLE}"),
    "a neuron among 2.5": (lambda: Neuron(2, outputs=2.5), TypeError, rf"is 2\.5, {WHOLE}"),
    "a neuron among text": (lambda: Neuron(2, outputs="x"), TypeError, rf"is 'x', {WHOLE}"),
}

OPTIONS: dict[str, Case] = {
    "a number in the place of a parameter": (
        lambda: setattr(Neuron(2), "b", -15.0),
        TypeError,
        r"^b is a parameter, got -15\.0; write b\.data = ",
    ),
    "an unknown activation": (
        lambda: options(activation="Relu"),
        ValueError,
        "unknown activation 'Relu'; the names are 'linear', 'sigmoid', .*'softplus', or give a function",
    ),
    "an unknown output activation": (
        lambda: options(output_activation="softmax"),
        ValueError,
        "unknown activation 'softmax'; the names are 'linear'",
    ),
    "no activation": (lambda: Layer(2, 2, activation=None), ValueError, "unknown activation None; the names are"),
    "a list of activations": (
        lambda: Neuron(2, activation=["relu"]),
        ValueError,
        r"unknown activation \['relu'\]; the names are",
    ),
    "an activation by name alone": (lambda: activation_function("rel"), ValueError, "unknown activation 'rel'"),
    "an activation that makes a float of a Value, so that nothing below it learns": (
        lambda: MLP(2, [2, 1], activation=math.tanh)([1.0, 2.0]),
        TypeError,
        "activation .*tanh",
    ),
    "an activation that returns nothing": (
        lambda: Neuron(2, activation=lambda z: None)([1.0, 2.0]),
        TypeError,
        "activation .*None",
    ),
    "an unknown initializer": (
        lambda: options(initializer="glorot"),
        ValueError,
        "unknown initializer 'glorot'; the names are 'uniform', 'xavier', 'he', 'zeros', or give a function",
    ),
    "an initializer that is a number": (
        lambda: Neuron(2, initializer=0.5),
        ValueError,
        r"unknown initializer 0\.5; the names are",
    ),
    "an initializer by name alone": (lambda: initializer_function("x"), ValueError, "unknown initializer 'x'"),
    "an initializer that draws nothing": (
        lambda: Neuron(2, initializer=lambda i, o, g: None),
        TypeError,
        "needs one real number, got None",
    ),
    "a seed of text": (
        lambda: options(seed="x"),
        TypeError,
        r"a seed is a whole number, .*a random\.Random or None, got 'x'",
    ),
    "a seed of 1.5": (lambda: Layer(2, 2, seed=1.5), TypeError, r"a seed is a whole number, .*got 1\.5"),
    "a seed of True": (lambda: Neuron(2, seed=True), TypeError, r"a seed is a whole number, .*got True"),
    "a NumPy generator": (
        lambda: random_generator(np.random.default_rng(0)),
        TypeError,
        r"a random\.Random or None, got Generator",
    ),
    "a seed of -1, which Python draws like 1": (lambda: options(seed=-1), ValueError, r"seed .*-1"),
}

INPUTS: dict[str, Case] = {
    "too few inputs": (lambda: NETWORK([1.0]), ValueError, f"{OF_NETWORK} needs 2 numbers, got 1$"),
    "too many inputs": (lambda: NETWORK([1.0] * 3), ValueError, f"{OF_NETWORK} needs 2 numbers, got 3$"),
    "too many for a layer": (
        lambda: LAYER([1.0] * 3),
        ValueError,
        r"Layer\(2, 3, activation='relu'\) needs 2 numbers, got 3$",
    ),
    "too many for a neuron": (
        lambda: NEURON([1.0] * 3),
        ValueError,
        r"Neuron\(2, activation='relu'\) needs 2 numbers, got 3$",
    ),
    "a batch that is too wide": (
        lambda: NETWORK(np.ones((4, 3))),
        ValueError,
        f"{OF_NETWORK}, row 0, needs 2 numbers, got 3$",
    ),
    "ragged rows": (
        lambda: NETWORK([[1, 2], [1, 2], [1]]),
        ValueError,
        f"{OF_NETWORK}, row 2, needs 2 numbers, got 1$",
    ),
    "an empty batch": (
        lambda: NETWORK([]),
        ValueError,
        f"{OF_NETWORK} must not be empty; give one example of 2 numbers, or a batch of such rows",
    ),
    "an empty batch that is an array": (
        lambda: NETWORK(np.zeros((0, 2))),
        ValueError,
        f"{OF_NETWORK} must not be empty; give",
    ),
    "an empty row": (lambda: NETWORK([[]]), ValueError, f"{OF_NETWORK}, row 0, needs 2 numbers, got 0$"),
    "a row that is a number": (
        lambda: NETWORK([[1, 2], 3]),
        TypeError,
        f"{OF_NETWORK}, row 1, must be a sequence of numbers, got 3$",
    ),
    "a number that is a row": (
        lambda: NETWORK([3, [1, 2]]),
        TypeError,
        f"{OF_NETWORK}, at index 1, needs one real number, got a list of 2",
    ),
    "three dimensions": (
        lambda: NETWORK(np.ones((1, 2, 2))),
        TypeError,
        f"{OF_NETWORK}, row 0, at index 0, needs one real number, got a list of 2",
    ),
    "an empty row by itself": (
        lambda: row_of_numbers("the row", []),
        ValueError,
        "the row must not be empty",
    ),
    "one number for an input": (
        lambda: NETWORK(1.0),
        TypeError,
        rf"{OF_NETWORK} must be a sequence of numbers, got 1\.0",
    ),
    "one Value for an input": (lambda: NEURON(X), TypeError, r"must be a sequence of numbers, got Value\(data=1"),
    "a 0-d array for an input": (
        lambda: NETWORK(np.array(1.0)),
        TypeError,
        r"must be a sequence of numbers, got .*1\.0",
    ),
    "None for an input": (lambda: NETWORK(None), TypeError, f"{OF_NETWORK} must be a sequence of numbers, got None"),
    "text for an input": (lambda: NETWORK("ab"), TypeError, f"{OF_NETWORK} must be a sequence of numbers, got 'ab'"),
    "bytes for an input": (lambda: NETWORK(b"ab"), TypeError, f"{OF_NETWORK} must be a sequence of numbers, got b'ab'"),
    "text for a row": (lambda: NETWORK(["a", "b"]), TypeError, "row 0, must be a sequence of numbers, got 'a'"),
    "None among the inputs": (
        lambda: NETWORK([1, None]),
        TypeError,
        f"{OF_NETWORK}, at index 1, needs one real number, got None; write 0.0",
    ),
    "complex inputs": (
        lambda: NETWORK([1j, 1]),
        TypeError,
        "at index 0, needs one real number, got the complex number",
    ),
    "a set for an input": (
        lambda: NETWORK({1.0, 2.0}),
        TypeError,
        f"{OF_NETWORK} must be a sequence of numbers, got {{1",
    ),
    "a dict for an input": (
        lambda: NETWORK({1: 3, 2: 4}),
        TypeError,
        f"{OF_NETWORK} must be a sequence of numbers, got {{1",
    ),
    "a forward pass of the wrong width": (
        lambda: NEURON.weighted_sum([1.0]),
        ValueError,
        "dot needs two sequences of the same length, got 2 and 1",
    ),
}

SHARE = "but must be a finite number from 0 to 1"
STATE = NEURON.state()


class Untold(Network):
    """No forward."""


class Gives(Network):
    """A forward that gives whatever it is told to."""

    def __init__(self, made: Any) -> None:
        self.made = made

    def forward(self, rows: Any) -> Any:
        return self.made


class Keeps(Module):
    """A buffer that is whatever it is told to be."""

    buffers = ("kept",)

    def __init__(self, kept: Any) -> None:
        self.kept = kept


def loaded(**changed: Any) -> Module:
    return Neuron(2).load_state(STATE | changed)


def dead() -> Module:
    dropout = Dropout(0.5)
    return dropout.load_state({"generator_state": np.zeros(625, dtype=np.uint32)})


NETWORKS: dict[str, Case] = {
    "a probability of -0.1": (
        lambda: Dropout(-0.1),
        ValueError,
        rf"the probability of Dropout is -0\.1, {SHARE}$",
    ),
    "a compiled dropout of ragged rows": (
        lambda: traced(lambda x: Dropout(0.5).forward([[x], [x, x]])),
        TypeError,
        r"Dropout\(0\.5\) is compiled for rows of one length, got rows of 1 and of 2 numbers; fill them up$",
    ),
    "a probability of 50": (lambda: Dropout(50), ValueError, f"the probability of Dropout is 50, {SHARE}$"),
    "a probability of nan to drop": (
        lambda: Dropout(math.nan),
        ValueError,
        f"the probability of Dropout is nan, {SHARE}$",
    ),
    "a probability of text": (lambda: Dropout("0.5"), TypeError, rf"the probability of Dropout is '0\.5', {SHARE}$"),
    "a probability of True": (lambda: Dropout(True), TypeError, f"the probability of Dropout is True, {SHARE}$"),
    "dropout of 2 in a network": (
        lambda: options(dropout=2),
        ValueError,
        f"the probability of dropout is 2, {SHARE}$",
    ),
    "dropout of True in a layer": (
        lambda: Layer(2, 2, dropout=True),
        TypeError,
        f"the probability of dropout is True, {SHARE}$",
    ),
    "a seed of text for dropout": (lambda: Dropout(0.5, seed="x"), TypeError, "a seed is a whole number, .*got 'x'"),
    "0 inputs to normalize": (lambda: BatchNorm(0), ValueError, f"the number of inputs is 0, {WHOLE}"),
    "a momentum of 1.5": (lambda: BatchNorm(2, momentum=1.5), ValueError, rf"a momentum is 1\.5, {SHARE}$"),
    "a momentum of text": (lambda: BatchNorm(2, momentum="x"), TypeError, f"a momentum is 'x', {SHARE}$"),
    "a momentum in the place of batch_norm": (
        lambda: options(batch_norm=0.1),
        TypeError,
        r"batch_norm is 0\.1, but must be True or False$",
    ),
    "a module in the place of batch_norm": (
        lambda: Layer(2, 3, batch_norm=BatchNorm(3)),  # type: ignore[arg-type]
        TypeError,
        r"batch_norm is BatchNorm\(3\), but must be True or False$",
    ),
    "affine of None": (lambda: BatchNorm(2, affine=None), TypeError, "affine is None, but must be True or False$"),
    "track of 1": (lambda: BatchNorm(2, track=1), TypeError, "track is 1, but must be True or False$"),
    "an epsilon of -1": (lambda: BatchNorm(2, epsilon=-1), ValueError, f"epsilon is -1, {RATE}$"),
    "an epsilon of inf": (lambda: BatchNorm(2, epsilon=math.inf), ValueError, f"epsilon is inf, {RATE}$"),
    "one row to normalize": (
        lambda: BatchNorm(2)([[1.0, 2.0]]),
        ValueError,
        r"^BatchNorm\(2\) in training mode cannot take the variance of a batch of one row; give it 2 or more, deal "
        r"batches with drop_last=True, or call eval\(\) first$",
    ),
    "one row to normalize without running statistics": (
        lambda: BatchNorm(2, track=False).eval()([[1.0, 2.0]]),
        ValueError,
        r"^BatchNorm\(2\) without running statistics cannot take the variance of a batch of one row; give it 2 or more",
    ),
    "rows to normalize that are too short": (
        lambda: BatchNorm(2).forward([[1.0], [2.0]]),
        ValueError,
        r"^BatchNorm\(2\) needs 2 numbers in each row, got 1$",
    ),
    "no forward": (
        lambda: Untold()([1.0]),
        NotImplementedError,
        r"Untold needs a method forward\(rows\) that gives a list for each row$",
    ),
    "a forward that gives nothing": (
        lambda: Gives(None)([1.0]),
        TypeError,
        r"forward of Gives\(\) must give 1 row, a list with one list in it, got None$",
    ),
    "a forward that gives too few rows": (
        lambda: Gives([[1.0]])([[1.0], [2.0]]),
        TypeError,
        r"forward of Gives\(\) must give 2 rows, a list of lists, got \[\[1\.0\]\]$",
    ),
    "no parts": (Sequential, ValueError, r"a Sequential needs at least one part, such as Sequential\(Layer\(2, 3\), "),
    "a list of parts": (
        lambda: Sequential([LAYER, NEURON]),
        TypeError,
        r"part 1, \[Layer.* must be a network, a name from ACTIVATIONS or a function; write Sequential\(\*parts\)$",
    ),
    "a number for a part": (
        lambda: Sequential(LAYER, 3),
        TypeError,
        "part 2, 3, must be a network, a name from ACTIVATIONS or a function$",
    ),
    "a class for a part": (
        lambda: Sequential(LAYER, BatchNorm),
        TypeError,
        r"part 2, <class 'nn\.batch_norm\.BatchNorm'>, is a class; make a network of it, as Layer\(2, 3\) does$",
    ),
    "a module for a part": (
        lambda: Sequential(LAYER, Module()),
        TypeError,
        r"part 2, Module\(\), is no Network; derive it from nn\.Network, with forward\(rows\)$",
    ),
    "an unknown name for a part": (
        lambda: Sequential(LAYER, "Relu"),
        ValueError,
        "unknown activation 'Relu'; the names are 'linear', ",
    ),
    "parts that do not fit": (
        lambda: Sequential(LAYER, "relu", LAYER),
        ValueError,
        r"part 3, Layer\(2, 3, activation='relu'\), takes 2 numbers, but what comes before gives 3; make the two agree",
    ),
    "too many inputs for a Sequential": (
        lambda: Sequential("relu", NEURON)([1.0]),
        ValueError,
        r"the input of Sequential\('relu', Neuron\(2, activation='relu'\)\) needs 2 numbers, got 1$",
    ),
    "an unknown name to activate": (lambda: Activate("Relu"), ValueError, "unknown activation 'Relu'"),
    "a batch to be active for": (
        lambda: NEURON.activity([[1.0, 2.0]] * 2),
        TypeError,
        r"the input of Neuron\(2, activation='relu'\), at index 0, needs one real number",
    ),
    "too many inputs to be active for": (lambda: NEURON.activity([1.0] * 3), ValueError, "needs 2 numbers, got 3$"),
}

STATES: dict[str, Case] = {
    "a state that is a list": (
        lambda: Neuron(2).load_state([1.0]),  # type: ignore[arg-type]
        TypeError,
        r"the state must be a mapping of names to arrays, as state\(\) gives it, got \[1\.0\]$",
    ),
    "a state of other names": (
        lambda: Neuron(2).load_state({"v": np.zeros(2), 3: 1.0}),  # type: ignore[dict-item]
        ValueError,
        "the state does not fit; missing: b, w; unknown: 3, v; it must come from one that is built alike$",
    ),
    "a state of other shapes": (
        lambda: loaded(w=np.zeros(3), b=np.zeros(1)),
        ValueError,
        r"wrong: w is float64 of shape \(3,\) and must be float64 of shape \(2,\), b is float64 of shape \(1,\) and ",
    ),
    "a state of other kinds": (
        lambda: loaded(w=np.zeros(2, dtype=object), b=0.0),
        ValueError,
        r"w is object of shape \(2,\) and must be float64 .*, b is a float and must be float64 of shape \(\)",
    ),
    "a state of another network": (
        lambda: MLP(2, [9, 1]).load_state(STATE),
        ValueError,
        r"missing: hidden\.neuron1\.b, .*, hidden\.neuron4\.w and 12 more; unknown: b, w; it must come",
    ),
    "a generator state of zeros": (
        dead,
        ValueError,
        "the state of a generator is 624 words that are not all 0, .* got only zeros; load what",
    ),
    "a buffer of None": (
        lambda: Keeps(None).state(),
        TypeError,
        "the buffer kept is None, but must be a number, a list of numbers or an array$",
    ),
    "a buffer of text": (lambda: Keeps(["a"]).state(), TypeError, r"the buffer kept is \['a'\], but must be a number"),
}

LOSSES: dict[str, Case] = {
    "no outputs": (lambda: mean_squared_error([], []), ValueError, "the outputs must not be empty; give"),
    "a class that is traced": (
        lambda: traced(lambda x: cross_entropy(PAIR, x)),
        TypeError,
        "a class is a number that is not known until the compiled program runs; give the probability of each class in",
    ),
    "no targets": (lambda: sum_squared_error([1.0], []), ValueError, "the targets must not be empty"),
    "an empty row of outputs": (
        lambda: sum_squared_error([[]], [[]]),
        ValueError,
        "must not be empty",
    ),
    "fewer targets than outputs": (lambda: sum_squared_error([1, 2], [1]), ValueError, SHAPES + r"\(2,\) and \(1,\)"),
    "a batch against a row": (lambda: hinge([[1.0, 1]], [1, 1]), ValueError, SHAPES + r"\(1, 2\) and \(2,\)"),
    "a column against a row": (
        lambda: binary_cross_entropy([X, X], [[1], [0]]),
        ValueError,
        SHAPES + r"\(2,\) and \(2, 1\)",
    ),
    "one output, two targets": (lambda: mean_squared_error(X, [1, 0]), ValueError, SHAPES + r"\(1,\) and \(2,\)"),
    "ragged outputs": (
        lambda: mean_squared_error([[1, 2], [3]], [[1, 2], [3, 4]]),
        ValueError,
        "the outputs, row 1, needs 2 numbers, got 1",
    ),
    "ragged targets": (
        lambda: mean_squared_error([[1, 2], [3, 4]], [[1, 2], [3]]),
        ValueError,
        "the targets, row 1, needs 2 numbers, got 1",
    ),
    "text for outputs": (lambda: hinge("ab", [1, 1]), TypeError, "the outputs must be a sequence of numbers, got 'ab'"),
    "None for an output": (lambda: hinge(None, 1), TypeError, "the outputs.* needs one real number, got None"),
    "None for a target": (
        lambda: hinge([1.0], [None]),
        TypeError,
        "the targets, at index 0, needs one real number, got None",
    ),
    "one target for a list": (lambda: hinge([1.0], 1), TypeError, "the targets must be a sequence of numbers, got 1"),
    "a hinge target of 0": (lambda: hinge([1.0, 1.0], [1, 0]), ValueError, "a hinge target is -1 or 1, got 0$"),
    "a hinge target of nan": (lambda: hinge(X, math.nan), ValueError, "a hinge target is -1 or 1, got nan$"),
    "a binary target of -1": (
        lambda: binary_cross_entropy([1.0], [-1]),
        ValueError,
        "a binary target is a number between 0 and 1, got -1$",
    ),
    "a binary target of 1.5": (
        lambda: binary_cross_entropy(X, 1.5),
        ValueError,
        r"a binary target is a number between 0 and 1, got 1\.5$",
    ),
    "a binary target of nan": (
        lambda: binary_cross_entropy(X, math.nan),
        ValueError,
        "a binary target is a number between 0 and 1, got nan$",
    ),
    "no logits": (lambda: cross_entropy([], 0), ValueError, "the logits must not be empty"),
    "an empty row of logits": (lambda: cross_entropy([[]], [0]), ValueError, "must not be empty"),
    "ragged logits": (
        lambda: cross_entropy([[1, 2], [1]], [0, 0]),
        ValueError,
        "the logits, row 1, needs 2 numbers, got 1",
    ),
    "one logit without its list": (
        lambda: cross_entropy(X, 0),
        TypeError,
        r"the logits must be a sequence of numbers, got Value\(data=1",
    ),
    "class 2 of 2": (lambda: cross_entropy(PAIR, 2), ValueError, "a class is a whole number from 0 to 1, got 2$"),
    "class -1": (lambda: cross_entropy(PAIR, -1), ValueError, "a class is a whole number from 0 to 1, got -1$"),
    "class -1 in a batch": (
        lambda: cross_entropy([PAIR, PAIR], [0, -1]),
        ValueError,
        "a class is a whole number from 0 to 1, got -1$",
    ),
    "class 1.0": (lambda: cross_entropy(PAIR, 1.0), TypeError, r"a class is a whole number from 0 to 1, got 1\.0$"),
    "class nan": (lambda: cross_entropy(PAIR, math.nan), TypeError, "a class is a whole number from 0 to 1, got nan$"),
    "class None": (lambda: cross_entropy(PAIR, None), TypeError, "a class is a whole number from 0 to 1, got None$"),
    "a class that is a Value": (
        lambda: cross_entropy(PAIR, X),
        TypeError,
        r"a class is a whole number from 0 to 1, got Value\(data=1",
    ),
    "classes that are floats": (
        lambda: cross_entropy([PAIR], np.array([1.0])),
        TypeError,
        r"a class is a whole number from 0 to 1, got .*1\.0",
    ),
    "text for a class": (lambda: cross_entropy(PAIR, "1"), TypeError, "got '1'$"),
    "fewer targets than rows": (
        lambda: cross_entropy([PAIR, PAIR], [0]),
        ValueError,
        "a batch of 2 rows needs 2 targets, got 1 target; give one for each row$",
    ),
    "more targets than rows": (
        lambda: cross_entropy([PAIR], [0, 1]),
        ValueError,
        "a batch of 1 row needs 1 target, got 2 targets; give one for each row$",
    ),
    "one class for a batch": (
        lambda: cross_entropy([PAIR, PAIR], 1),
        ValueError,
        "a batch of 2 rows needs 2 targets, got one target, 1; give a list with one for each row$",
    ),
    "a 0-d array for a batch": (
        lambda: cross_entropy([PAIR, PAIR], np.array(1)),
        EITHER,
        r"a batch of 2 rows needs 2 targets, got one target, array\(1\); give a list with one for each row$",
    ),
    "too many probabilities": (
        lambda: cross_entropy(PAIR, [0, 1, 0]),
        ValueError,
        "the target probabilities needs 2 numbers, got 3",
    ),
    "probabilities that add up to more": (
        lambda: cross_entropy(PAIR, [0.5, 0.6]),
        ValueError,
        r"target probabilities are at least 0 and add up to 1, got \[0\.5, 0\.6\]",
    ),
    "a negative probability": (
        lambda: cross_entropy(PAIR, [1.5, -0.5]),
        ValueError,
        r"at least 0 and add up to 1, got \[1\.5, -0\.5\]",
    ),
    "a probability of nan": (
        lambda: cross_entropy(PAIR, [math.nan, 1]),
        ValueError,
        r"at least 0 and add up to 1, got \[nan, 1\]",
    ),
    "eleven bad probabilities": (
        lambda: cross_entropy([0.0] * 11, [1] * 11),
        ValueError,
        r"got \[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, …\]$",
    ),
}

METRICS: dict[str, Case] = {
    "no outputs to choose from": (lambda: predicted_class([]), ValueError, "outputs?.* at least one|outputs?.* empty"),
    "a batch to choose from": (lambda: predicted_class([[1, 2], [2, 1]]), TypeError, "one real number|batch|example"),
    "text to choose from": (lambda: predicted_class(["a", "b"]), TypeError, "one real number|got 'a'"),
    "no predictions": (
        lambda: accuracy([], []),
        ValueError,
        "0 predictions do not go with 0 targets: give one for each, and at least one",
    ),
    "fewer predictions": (lambda: accuracy([1], [1, 2]), ValueError, "1 predictions do not go with 2 targets"),
    "one prediction without its list": (lambda: accuracy(1, 1), TypeError, "predictions"),
    "outputs where predicted classes belong": (lambda: accuracy(PAIR, [1, 0]), TypeError, "class"),
    "rows of outputs where predicted classes belong": (lambda: accuracy([[0.1, 0.9]], [1]), TypeError, "class"),
    "an array of outputs where predicted classes belong": (lambda: accuracy(np.eye(2), [1, 0]), EITHER, "class"),
    "scores of no predictions": (lambda: per_class([], [], 2), ValueError, "0 predictions do not go with 0 targets"),
    "scores of a class out of range": (lambda: per_class([2], [1], 2), ValueError, "from 0 to 1, got 2 for 1"),
    "names for other scores": (
        lambda: class_table(per_class([0], [0], 1), ["a", "b"]),
        ValueError,
        "2 class names do not go with 1 classes: give one for each",
    ),
    "names for another matrix": (
        lambda: confusion_table([[1, 0], [0, 1]], ["a"]),
        ValueError,
        "1 class names do not go with 2 classes: give one for each",
    ),
    "no predictions to count": (
        lambda: confusion_matrix([], [], 2),
        ValueError,
        "0 predictions do not go with 0 targets",
    ),
    "fewer predictions to count": (
        lambda: confusion_matrix([1], [1, 0], 2),
        ValueError,
        "1 predictions do not go with 2 targets",
    ),
    "a prediction out of range": (
        lambda: confusion_matrix([2], [1], 2),
        ValueError,
        "a class is a whole number from 0 to 1, got 2 for 1",
    ),
    "a target out of range": (
        lambda: confusion_matrix([1], [-1], 2),
        ValueError,
        "a class is a whole number from 0 to 1, got 1 for -1",
    ),
    "a prediction of 0.5": (
        lambda: confusion_matrix([0.5], [1], 2),
        TypeError,
        r"a class is a whole number from 0 to 1, got 0\.5",
    ),
    "a target of text": (
        lambda: confusion_matrix([1], ["1"], 2),
        TypeError,
        "a class is a whole number from 0 to 1, got .*'1'",
    ),
    "0 classes": (lambda: confusion_matrix([0], [0], 0), ValueError, f"classes is 0, {WHOLE}"),
    "-1 classes": (lambda: confusion_matrix([0], [0], -1), ValueError, f"classes is -1, {WHOLE}"),
    "2.5 classes": (lambda: confusion_matrix([0], [0], 2.5), TypeError, rf"classes is 2\.5, {WHOLE}"),
    "True classes": (lambda: confusion_matrix([0], [0], True), TypeError, f"classes is True, {WHOLE}"),
}

OPTIMIZERS: dict[str, Case] = {
    "a rate of -1": (lambda: rate(-1), ValueError, f"a learning rate is -1, {RATE}"),
    "a rate of nan": (lambda: rate(math.nan), ValueError, f"a learning rate is nan, {RATE}"),
    "a rate of inf": (lambda: rate(math.inf), ValueError, f"a learning rate is inf, {RATE}"),
    "a rate of NumPy's nan": (lambda: rate(np.float32("nan")), ValueError, f"a learning rate is .*nan.*, {RATE}"),
    "a rate beyond range": (lambda: rate(10**400), ValueError, f"a learning rate is 10+.*, {RATE}"),
    "a rate of True": (lambda: rate(True), TypeError, f"a learning rate is True, {RATE}"),
    "a rate of text": (lambda: rate("x"), TypeError, f"a learning rate is 'x', {RATE}"),
    "a rate of None": (lambda: rate(None), TypeError, f"a learning rate is None, {RATE}"),
    "a complex rate": (lambda: rate(1j), TypeError, f"a learning rate is 1j, {RATE}"),
    "a rate in a list": (lambda: rate([0.1]), TypeError, rf"a learning rate is \[0\.1\], {RATE}"),
    "a rate set later": (
        lambda: setattr(rate(0.1), "learning_rate", -0.5),
        ValueError,
        rf"a learning rate is -0\.5, {RATE}",
    ),
    "no parameters": (
        lambda: SGD([]),
        ValueError,
        "an optimizer needs at least one parameter, got none; a generator may have been used up",
    ),
    "a used-up generator": (lambda: SGD(iter([])), ValueError, "got none; a generator may have been used up"),
    "a module for parameters": (
        lambda: SGD(NETWORK),
        TypeError,
        r"a list of Values, got MLP\(2, .*; write \[value\] or model\.parameters\(\)",
    ),
    "a Value for parameters": (
        lambda: SGD(X),
        TypeError,
        r"an optimizer needs a list of Values, got Value\(data=1, .*; write \[value\]",
    ),
    "a method for parameters": (
        lambda: SGD(NETWORK.parameters),
        TypeError,
        r"an optimizer needs a list of Values, got <bound method",
    ),
    "None for parameters": (lambda: SGD(None), TypeError, "an optimizer needs a list of Values, got None"),
    "a number among them": (
        lambda: SGD([X, 1.5]),
        TypeError,
        r"parameter 1 is 1\.5 of type float; an optimizer needs Values",
    ),
    "text among them": (lambda: SGD("x"), TypeError, "parameter 0 is 'x' of type str; an optimizer needs Values"),
    "named parameters": (
        lambda: SGD(NETWORK.named_parameters()),
        TypeError,
        r"parameter 0 is \('hidden\.neuron1.* of type tuple",
    ),
    "lists of parameters": (
        lambda: SGD([NEURON.parameters()]),
        TypeError,
        r"parameter 0 is \[Value.* of type list; an optimizer needs Values",
    ),
    "an interior node": (
        lambda: SGD([X, X * 2]),
        ValueError,
        r"parameter 1, Value\(data=2, .*op=mul\), was made by an operation; an optimizer moves leaves",
    ),
    "duplicates": (lambda: SGD([X, *PAIR]), ValueError, "1 of the 3 parameters are given twice"),
    "a model and its layer": (
        lambda: SGD([*NETWORK.parameters(), *NETWORK.layers[0].parameters()]),
        ValueError,
        "9 of the 26 parameters are given twice",
    ),
}

UPDATES: dict[str, Case] = {
    "momentum below 0": (
        lambda: SGD([X], momentum=-1),
        ValueError,
        "^the momentum is -1, but must be a finite number, 0",
    ),
    "a dampening of nan": (
        lambda: SGD([X], dampening=math.nan),
        ValueError,
        "^the dampening is nan, but must be a finite",
    ),
    "nesterov without momentum": (
        lambda: SGD([X], nesterov=True),
        ValueError,
        "nesterov needs a momentum above 0 and a dampening of 0, got momentum=0 and dampening=0$",
    ),
    "nesterov with dampening": (
        lambda: SGD([X], nesterov=True, momentum=0.9, dampening=0.5),
        ValueError,
        r"got momentum=0\.9 and dampening=0\.5$",
    ),
    "nesterov of 1": (lambda: SGD([X], nesterov=1), TypeError, "nesterov is 1, but must be True or False"),
    "alpha beyond 1": (lambda: RMSProp([X], alpha=1.5), ValueError, r"alpha is 1\.5, .* from 0 to 1$"),
    "eps below 0": (
        lambda: Adagrad([X], eps=-1e-8),
        ValueError,
        "eps is -1e-08, but must be a finite number, 0 or more",
    ),
    "one beta": (lambda: Adam([X], betas=0.9), TypeError, r"betas is 0\.9, but must be two numbers, such as \(0\.9, "),
    "three betas": (
        lambda: Adam([X], betas=(0.9, 0.9, 0.9)),
        TypeError,
        r"betas is \(0\.9, .*, but must be two numbers",
    ),
    "a beta of 1": (lambda: Adam([X], betas=(0.9, 1)), ValueError, "beta 2 is 1, .* 0 or more and less than 1$"),
    "a beta of text": (lambda: Adam([X], betas=["a", 0.9]), TypeError, "beta 1 is 'a', but must be a finite number"),
    "an unknown optimizer": (
        lambda: optimizer_class("Adam"),
        ValueError,
        "unknown optimizer 'Adam'; the names are 'sgd', .*'adamw', or give a subclass of Optimizer$",
    ),
    "a class that is none": (lambda: optimizer_class(dict), ValueError, "unknown optimizer <class 'dict'>; the names"),
    "an optimizer's state that is a list": (
        lambda: SGD([X]).load_state([]),
        TypeError,
        r"the state of an optimizer is a dict, got \[\]",
    ),
    "no state": (
        lambda: SGD([X]).load_state({}),
        ValueError,
        "state of this SGD has steps, got nothing; the options may",
    ),
    "a state with another's buffer": (
        lambda: SGD([X], momentum=0.9).load_state({"steps": 0, "sum": np.zeros(1)}),
        ValueError,
        "the state of this SGD has steps, momentum_buffer, got steps, sum; the options may differ$",
    ),
    "a buffer that is a list": (
        lambda: Adagrad([X]).load_state({"steps": 0, "sum": [0.0]}),
        TypeError,
        r"sum is \[0\.0\], but must be a NumPy array of real numbers$",
    ),
    "a buffer that is too short": (
        lambda: Adagrad(PAIR).load_state({"steps": 0, "sum": np.zeros(1)}),
        ValueError,
        r"sum has shape \(1,\), but must be \(2,\): one number for each parameter$",
    ),
    "half a step": (
        lambda: SGD([X]).load_state({"steps": 0.5}),
        TypeError,
        r"the number of steps is 0\.5, but must be a",
    ),
    "an optimizer without a rule": (
        lambda: Optimizer([X], weight_decay=0.0, maximize=False).update(np.zeros(1), np.zeros(1), {"steps": 0}),
        NotImplementedError,
        r"Optimizer needs a method moved\(parameters, gradients, state\)$",
    ),
    "a schedule without a rule": (
        lambda: Schedule().learning_rate(1.0, 0),
        NotImplementedError,
        r"Schedule needs a method rate\(base, count, metrics\)$",
    ),
    "nothing to clip": (
        lambda: clip_gradient_value([], 1.0),
        ValueError,
        "clip_gradient_value needs at least one param",
    ),
    "a limit below 0": (
        lambda: clip_gradient_value([X], -1),
        ValueError,
        "the limit is -1, .* finite number, 0 or more",
    ),
    "a limit of None": (lambda: clip_gradient_value([X], None), TypeError, "the limit is None, but must be a finite"),
    "a norm to reach below 0": (
        lambda: clip_gradient_norm([X], -1),
        ValueError,
        "max_norm is -1, .* number, 0 or more",
    ),
    "a norm of order 0": (
        lambda: clip_gradient_norm([X], 1.0, norm=0),
        ValueError,
        r"norm \(math\.inf is legal too\) is 0, but must be a finite number, more than 0$",
    ),
    "a norm of nan": (
        lambda: clip_gradient_norm([reached(math.nan)], 1.0),
        ValueError,
        "gradients is nan; that of 'r' is nan",
    ),
    "a penalty of nothing": (lambda: l1_penalty([]), ValueError, "l1_penalty needs at least one parameter, got none"),
    "a penalty of a model": (lambda: l2_penalty(NETWORK), TypeError, "l2_penalty needs a list of Values, got MLP"),
    "a penalty of floats": (
        lambda: l2_penalty([1.0]),
        TypeError,
        r"parameter 0 is 1\.0 of type float; l2_penalty needs V",
    ),
}

SCHEDULES: dict[str, Case] = {
    "steps of 0": (lambda: StepSchedule(0), ValueError, f"step_size of StepSchedule is 0, {WHOLE}"),
    "steps of 2.0": (lambda: StepSchedule(2.0), TypeError, rf"step_size of StepSchedule is 2\.0, {WHOLE}"),
    "gamma below 0": (lambda: StepSchedule(2, gamma=-1), ValueError, f"gamma of StepSchedule is -1, {RATE}"),
    "gamma of nan": (lambda: ExponentialSchedule(math.nan), ValueError, f"gamma of ExponentialSchedule is nan, {RATE}"),
    "a least rate below 0": (lambda: CosineSchedule(3, least=-1), ValueError, f"least of CosineSchedule is -1, {RATE}"),
    "a factor beyond 1": (
        lambda: LinearWarmUp(start_factor=2),
        ValueError,
        "start_factor of LinearWarmUp is 2, but must be a finite number from 0 to 1$",
    ),
    "then by name": (
        lambda: LinearWarmUp(then="cosine"),
        TypeError,
        "then of LinearWarmUp is 'cosine', but must be a schedule or None",
    ),
    "then by iterations": (
        lambda: LinearWarmUp(then=OneCycle(1.0, 9)),
        ValueError,
        "a warm-up of epochs cannot go on with OneCycle.*, which counts iterations",
    ),
    "a cycle of 0": (lambda: OneCycle(1.0, 0), ValueError, f"total_steps of OneCycle is 0, {WHOLE}"),
    "a division by 0": (
        lambda: OneCycle(1.0, 9, div_factor=0),
        ValueError,
        "div_factor of OneCycle is 0, but must be a finite number, more than 0$",
    ),
    "a share of 2": (
        lambda: OneCycle(1.0, 9, pct_start=2),
        ValueError,
        "pct_start of OneCycle is 2, but must be a finite number from 0 to 1$",
    ),
    "1 for True": (
        lambda: OneCycle(1.0, 9, three_phase=1),
        TypeError,
        "three_phase of OneCycle is 1, but must be True or",
    ),
    "an unknown curve": (
        lambda: OneCycle(1.0, 9, anneal_strategy="cosine"),
        ValueError,
        "unknown anneal_strategy 'cosine'; the names are 'cos', 'linear'$",
    ),
    "a cycle that is over": (
        lambda: OneCycle(1.0, 9).learning_rate(1.0, 10),
        ValueError,
        "a one-cycle schedule of total_steps=9 has no iteration 10$",
    ),
    "momentum before the start": (lambda: OneCycle(1.0, 9).momentum(-1), ValueError, "the count of iterations is -1"),
    "momentum where there is none": (
        lambda: OneCycle(1.0, 9).apply(Adagrad([X]), 1.0, 0),
        ValueError,
        "Adagrad has neither momentum nor betas; a one-cycle schedule for it needs cycle_momentum=False$",
    ),
    "an unknown mode": (
        lambda: ReduceOnPlateau(mode="low"),
        ValueError,
        "unknown mode 'low'; the names are 'min', 'max'$",
    ),
    "a list for a mode": (
        lambda: ReduceOnPlateau(threshold_mode=[]),
        ValueError,
        r"unknown threshold_mode \[\]; the names",
    ),
    "a factor of 1": (
        lambda: ReduceOnPlateau(factor=1),
        ValueError,
        f"factor of ReduceOnPlateau is 1, {RATE} and less than 1$",
    ),
    "patience below 0": (
        lambda: ReduceOnPlateau(patience=-1),
        ValueError,
        "patience of ReduceOnPlateau is -1, .* 0 or more",
    ),
    "too few metrics": (
        lambda: ReduceOnPlateau().learning_rate(1.0, 3, [1.0]),
        ValueError,
        "after 3 epochs a plateau schedule needs 3 metrics, got 1$",
    ),
    "a base below 0": (
        lambda: StepSchedule(2).learning_rate(-1, 0),
        ValueError,
        f"the base learning rate is -1, {RATE}",
    ),
    "a count below 0": (
        lambda: StepSchedule(2).learning_rate(1.0, -1),
        ValueError,
        "the count of epochs is -1, but must be",
    ),
    "a count of 0.5": (
        lambda: StepSchedule(2).learning_rate(1.0, 0.5),
        TypeError,
        r"the count of epochs is 0\.5, but must",
    ),
    "a rate beyond range of a schedule": (
        lambda: ExponentialSchedule(10).learning_rate(1.0, 400),
        ValueError,
        rf"the learning rate after 400 epochs of ExponentialSchedule\(gamma=10\.0\) is inf, {RATE}",
    ),
    "a schedule by name": (
        lambda: schedule_from("step"),
        TypeError,
        "a schedule is described by a dict such as .*, got 'step'",
    ),
    "a nameless schedule": (lambda: schedule_from({}), ValueError, "unknown schedule None; the names are 'step', "),
    "an unknown schedule": (
        lambda: schedule_from({"name": "Step"}),
        ValueError,
        "unknown schedule 'Step'; the names are",
    ),
    "an unknown option of a schedule": (
        lambda: schedule_from({"name": "step", "size": 2}),
        ValueError,
        "StepSchedule has no option 'size'; it has step_size, gamma$",
    ),
    "a schedule that lacks an option": (lambda: schedule_from({"name": "step"}), TypeError, "'step_size'$"),
}

GROUPS = (SIZES, OPTIONS, INPUTS, NETWORKS, STATES, LOSSES, METRICS, OPTIMIZERS, UPDATES, SCHEDULES)
CASES = dict(case for group in GROUPS for case in group.items())


@pytest.mark.parametrize(("provoke", "kind", "message"), CASES.values(), ids=CASES)
def test_an_error_says_what_came_and_what_would_be_legal(provoke: Callable[[], Any], kind: Kind, message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        provoke()
    doubled_or_dangling = re.search(r",,|  |\n|[.,;:]$", str(caught.value))
    assert not doubled_or_dangling, str(caught.value)


def test_no_two_cases_share_a_name() -> None:
    assert len(CASES) == sum(map(len, GROUPS))


def test_every_raise_of_nn_has_a_case() -> None:
    raised = {
        (path.name, node.lineno)
        for path in (NN / f"{module}.py" for module in MODULES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise) and node.exc is not None
    }
    provoked = set()
    for provoke, _, _ in CASES.values():
        try:
            provoke()
        except Exception as error:  # what it says is the business of the test above
            last = traceback.extract_tb(error.__traceback__)[-1]
            provoked.add((Path(last.filename).name, last.lineno))
    assert raised <= provoked


def test_these_are_the_modules_of_nn() -> None:
    assert {path.stem for path in NN.glob("*.py")} - {"__init__", "atomic"} - DATA - TRAINING == set(MODULES)


LONG: dict[str, Callable[[], Any]] = {
    "a size": lambda: Layer("9" * 10_000, 2),
    "sizes": lambda: MLP(2, "9" * 10_000),
    "an activation": lambda: Neuron(2, activation="x" * 10_000),
    "a seed": lambda: Neuron(2, seed="x" * 10_000),
    "an input": lambda: NETWORK("x" * 10_000),
    "a class": lambda: cross_entropy(PAIR, b"x" * 10_000),
    "classes of a batch": lambda: cross_entropy([PAIR], {None: "x" * 10_000}),
    "a learning rate": lambda: rate([0.1] * 10_000),
    "parameters": lambda: SGD([["x" * 10_000]]),
    "a part": lambda: Sequential(["x" * 10_000]),
    "names of a state": lambda: loaded(**{f"{i}" + "x" * 10_000: 0.0 for i in range(5)}),
    "a buffer": lambda: Keeps("x" * 10_000).state(),
    "what a forward gives": lambda: Gives("x" * 10_000)([1.0]),
}


@pytest.mark.parametrize("provoke", LONG.values(), ids=LONG)
def test_a_long_bad_value_is_shortened(provoke: Callable[[], Any]) -> None:
    with pytest.raises(EITHER) as caught:
        provoke()
    assert len(str(caught.value)) < 400
