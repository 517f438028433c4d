"""Every error of ``nn`` names the bad value, what is legal and the fix; data and checkpoints have their own tests."""

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
from nn import (
    MLP,
    SGD,
    Layer,
    Module,
    Neuron,
    accuracy,
    activation_function,
    binary_cross_entropy,
    confusion_matrix,
    cross_entropy,
    hinge,
    mean_squared_error,
    predicted_class,
    sum_squared_error,
)
from nn.checks import row_of_numbers
from nn.initializers import initializer_function, random_generator

NN = Path(nn.__file__).resolve().parent
MODULES = ("checks", "activations", "initializers", "module", "layers", "losses", "metrics", "optimizers")

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

LOSSES: dict[str, Case] = {
    "no outputs": (lambda: mean_squared_error([], []), ValueError, "the outputs must not be empty; give"),
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
        "a batch of 2 rows needs 2 targets, got 1 targets",
    ),
    "more targets than rows": (
        lambda: cross_entropy([PAIR], [0, 1]),
        ValueError,
        "a batch of 1 rows needs 1 targets, got 2 targets",
    ),
    "one class for a batch": (
        lambda: cross_entropy([PAIR, PAIR], 1),
        ValueError,
        "a batch of 2 rows needs 2 targets, got 1$",
    ),
    "a 0-d array for a batch": (
        lambda: cross_entropy([PAIR, PAIR], np.array(1)),
        EITHER,
        "a batch of 2 rows needs 2 targets, got array",
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
    "one Value to choose from": (lambda: predicted_class(X), TypeError, "sequence|list"),
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
        r"parameter 1 is 1\.5 of type float; an optimizer moves Values",
    ),
    "text among them": (lambda: SGD("x"), TypeError, "parameter 0 is 'x' of type str; an optimizer moves Values"),
    "named parameters": (
        lambda: SGD(NETWORK.named_parameters()),
        TypeError,
        r"parameter 0 is \('hidden\.neuron1.* of type tuple",
    ),
    "lists of parameters": (
        lambda: SGD([NEURON.parameters()]),
        TypeError,
        r"parameter 0 is \[Value.* of type list; an optimizer moves Values",
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

CASES = SIZES | OPTIONS | INPUTS | LOSSES | METRICS | OPTIMIZERS


@pytest.mark.parametrize(("provoke", "kind", "message"), CASES.values(), ids=CASES)
def test_an_error_says_what_came_and_what_would_be_legal(provoke: Callable[[], Any], kind: Kind, message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        provoke()
    doubled_or_dangling = re.search(r",,|  |\n|[.,;:]$", str(caught.value))
    assert not doubled_or_dangling, str(caught.value)


def test_no_two_cases_share_a_name() -> None:
    assert len(CASES) == sum(map(len, (SIZES, OPTIONS, INPUTS, LOSSES, METRICS, OPTIMIZERS)))


def test_every_raise_of_nn_has_a_case() -> None:
    raised = {
        (path.name, node.lineno)
        for path in (NN / f"{module}.py" for module in MODULES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise)
        and node.exc is not None
        and ast.unparse(node.exc) != "NotImplementedError"  # no user can get there
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
    assert {path.stem for path in NN.glob("*.py")} - {"__init__", "atomic", "data"} == set(MODULES)


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
}


@pytest.mark.parametrize("provoke", LONG.values(), ids=LONG)
def test_a_long_bad_value_is_shortened(provoke: Callable[[], Any]) -> None:
    with pytest.raises(EITHER) as caught:
        provoke()
    assert len(str(caught.value)) < 400
