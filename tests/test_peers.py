"""Agreement with independent engines: jax and PyTorch evaluate the same formulas with functions of their own.

Nothing here stems from the derivative table: every function is the peer's, and so is every derivative. Both peers are
large and slow to load, so these tests are skipped unless asked for: ``./dev test --peers``.
"""

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings

from autograd_mini import RULES, Value, derivative, gradients, hessian, hvp, jvp, value_and_grad, vjp
from autograd_mini.backward import path_sizes
from autograd_mini.draft import is_near_kink
from autograd_mini.expression import Expression
from autograd_mini.rules import Interval, Rule
from autograd_mini.strategies import graphs
from nn import MLP, cross_entropy

EPSILON = 2.0**-52
VALUE_TOLERANCE, DERIVATIVE_TOLERANCE = 1e-13, 1e-10

Function = Callable[..., Any]
Functions = Mapping[str, Function]


@dataclass(frozen=True)
class Peer:
    """Another engine, in doubles. Functions to differentiate take separate numbers and return one, or a list for `jvp`.

    Attributes:
        functions: for every row of the table the engine's own function.
        derivatives: ``(f, points)`` -> value, gradient and Hessian at every point.
        jvp: ``(f, primals, tangents)`` -> the directional derivatives of a list of results.
        vjp: ``(f, primals, cotangents)`` -> the weighted sum of their gradients.
        third: ``(f, x)`` -> the third derivative of a function of one number.
        network: ``(parameters, images, labels, direction)`` -> loss, gradient and Hessian times direction.
        doubles: makes the context in which the engine computes in doubles.
    """

    name: str
    functions: Functions
    derivatives: Function
    jvp: Function
    vjp: Function
    third: Function
    network: Function
    doubles: Callable[[], AbstractContextManager[Any]]


def jax_peer() -> Peer:
    import jax
    import jax.numpy as jnp
    from jax.scipy import special

    def array(x: Any) -> Any:
        return jnp.stack([array(one) for one in x]) if isinstance(x, list) else jnp.asarray(x)

    def taking_arrays(function: Function) -> Function:
        return lambda *arguments: function(*map(array, arguments))

    functions = {
        "add": jnp.add, "sub": jnp.subtract, "mul": jnp.multiply, "div": jnp.divide, "neg": jnp.negative,
        "pow": jnp.power, "exp": jnp.exp, "expm1": jnp.expm1, "log": jnp.log, "log1p": jnp.log1p, "sqrt": jnp.sqrt,
        "square": jnp.square, "sin": jnp.sin, "cos": jnp.cos, "tan": jnp.tan, "tanh": jnp.tanh,
        "sigmoid": jax.nn.sigmoid, "erf": special.erf, "erfc": special.erfc, "relu": jax.nn.relu,
        "leaky_relu": jax.nn.leaky_relu, "elu": jax.nn.elu, "gelu": lambda a: jax.nn.gelu(a, approximate=False),
        "silu": jax.nn.silu, "softplus": jax.nn.softplus, "abs": jnp.abs, "sign": jnp.sign, "maximum": jnp.maximum,
        "minimum": jnp.minimum, "where": lambda condition, a, b: jnp.where(condition != 0.0, a, b), "dot": jnp.dot,
        "sum": jnp.sum, "mean": jnp.mean, "logsumexp": special.logsumexp,
    }  # fmt: skip

    def derivatives(f: Function, points: Sequence[Sequence[float]]) -> Iterator[Any]:
        def at(x: Any) -> Any:
            return f(*x)

        with jax.disable_jit(len(points) == 1):  # many points are worth compiling the function for, one is not
            everything = jax.jit(jax.vmap(lambda x: (at(x), jax.grad(at)(x), jax.hessian(at)(x))))
            found = everything(jnp.array(points))
        return zip(*(one.tolist() for one in found), strict=True)

    def network(parameters: Sequence[float], images: Any, labels: list[int], direction: Sequence[float]) -> Any:
        def loss(p: Any) -> Any:
            hidden, output = p[:150].reshape(3, 50), p[150:].reshape(10, 4)
            active = jax.nn.sigmoid(jnp.array(images) @ hidden[:, :49].T + hidden[:, 49])
            shares = jax.nn.log_softmax(active @ output[:, :3].T + output[:, 3])
            return -jnp.mean(shares[jnp.arange(len(labels)), jnp.array(labels)])

        at, along = jnp.array(parameters), jnp.array(direction)
        value, gradient = jax.value_and_grad(loss)(at)
        return value.item(), gradient.tolist(), jax.jvp(jax.grad(loss), (at,), (along,))[1].tolist()

    return Peer(
        "jax", {op: taking_arrays(function) for op, function in functions.items()}, derivatives,
        lambda f, primals, tangents: [y.item() for y in jax.jvp(f, primals, tangents)[1]],
        lambda f, primals, cotangents: [x.item() for x in jax.vjp(f, *primals)[1](cotangents)],
        lambda f, x: jax.grad(jax.grad(jax.grad(f)))(x).item(),
        network, lambda: jax.enable_x64(True),
    )  # fmt: skip


def torch_peer() -> Peer:
    import torch
    from torch.nn import functional

    def tensor(x: Any) -> Any:
        if isinstance(x, list):
            return torch.stack([tensor(one) for one in x])
        return torch.tensor(x, dtype=torch.float64) if isinstance(x, float) else x

    def taking_tensors(function: Function) -> Function:
        return lambda *arguments: function(*map(tensor, arguments))

    functions = {
        "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "neg": torch.neg,
        # The slope of torch.pow by the base has itself, wrongly, no slope by an exponent of 0.
        "pow": lambda a, b: torch.where(b == 0.0, torch.exp(b * torch.log(a)), torch.pow(a, b)),
        "exp": torch.exp, "expm1": torch.special.expm1, "log": torch.log, "log1p": torch.special.log1p,
        "sqrt": torch.sqrt, "square": torch.square, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan,
        "tanh": torch.tanh, "sigmoid": torch.sigmoid, "erf": torch.special.erf, "erfc": torch.special.erfc,
        "relu": functional.relu,
        # Those of PyTorch take slope and alpha as constants, not as something to differentiate by.
        "leaky_relu": lambda a, slope: torch.where(a > 0.0, a, slope * a),
        "elu": lambda a, alpha: torch.where(a > 0.0, a, alpha * functional.elu(a)),
        "gelu": lambda a: functional.gelu(a, approximate="none"), "silu": functional.silu,
        "softplus": lambda a: functional.softplus(a, threshold=700.0),  # a straight line above 20, unless told
        "abs": torch.abs, "sign": torch.sign, "maximum": torch.maximum, "minimum": torch.minimum,
        "where": lambda condition, a, b: torch.where(condition != 0.0, a, b), "dot": torch.dot, "sum": torch.sum,
        "mean": torch.mean, "logsumexp": lambda terms: torch.logsumexp(terms, 0),
    }  # fmt: skip

    def derivatives(f: Function, points: Sequence[Sequence[float]]) -> Iterator[Any]:
        for point in points:
            x = tensor(list(point))

            def at(x: Any) -> Any:
                return f(*x.unbind())

            gradient, second = torch.func.grad(at)(x), torch.autograd.functional.hessian(at, x)
            yield at(x).item(), gradient.tolist(), second.tolist()

    def network(parameters: Sequence[float], images: Any, labels: list[int], direction: Sequence[float]) -> Any:
        def loss(p: Any) -> Any:
            hidden, output = p[:150].reshape(3, 50), p[150:].reshape(10, 4)
            active = torch.sigmoid(functional.linear(tensor(images), hidden[:, :49], hidden[:, 49]))
            logits = functional.linear(active, output[:, :3], output[:, 3])
            return functional.cross_entropy(logits, torch.tensor(labels))

        at, along = tensor(list(parameters)), tensor(list(direction))
        product = torch.autograd.functional.hvp(loss, at, along)[1]
        return loss(at).item(), torch.func.grad(loss)(at).tolist(), product.tolist()

    def vector_jacobian(f: Function, primals: Sequence[float], cotangents: Sequence[float]) -> list[float]:
        pull_back = torch.func.vjp(f, *map(tensor, primals))[1]
        return [x.item() for x in pull_back([tensor(one) for one in cotangents])]

    return Peer(
        "torch", {op: taking_tensors(function) for op, function in functions.items()}, derivatives,
        lambda f, primals, tangents: [
            y.item() for y in torch.func.jvp(f, tuple(map(tensor, primals)), tuple(map(tensor, tangents)))[1]
        ],
        vector_jacobian,
        lambda f, x: torch.func.grad(torch.func.grad(torch.func.grad(f)))(tensor(x)).item(),
        network, nullcontext,
    )  # fmt: skip


PEERS = {"jax": jax_peer, "torch": torch_peer}


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    name = request.param
    pytest.importorskip(name, reason=f"{name} is not installed; ./dev test --peers installs and compares with it")
    peer = PEERS[name]()
    with peer.doubles():
        yield peer


@pytest.fixture
def count(request: pytest.FixtureRequest) -> int:
    return 400 if request.config.getoption("--deep") else 40


def derivative_node(formula: Expression, point: Sequence[float], by: Sequence[int]) -> Value:
    """The derivative of a formula by some of its inputs, one after the other, as a node with its graph below it."""
    inputs = [Value(x) for x in point]
    node: Value = formula(*inputs)
    for i in by:
        node = gradients(node, inputs[i], create_graph=True)
    return node


def roundings(root: Value) -> float:
    """How far the root of a graph is off if every op is off by the whole of its number, to first order (Higham 2002).

    Times the relative error of an op, it bounds what all ops together do to the root.
    """
    size, _, order = path_sizes(root)
    return sum(size[node] * abs(node.data) for node in order)


def check(peer: Peer, formula: Expression, points: Sequence[Sequence[float]], floor: float = 0.0) -> None:
    """Compare value, gradient and Hessian at every point.

    The tolerance is relative to the number, plus `floor`. Where terms cancel, no engine can keep it, as each rounds its
    terms in its own way: then a rounding at every op of the graph of that number is allowed besides.
    """
    positions = range(len(formula.inputs))
    found = peer.derivatives(lambda *x: formula.evaluate(peer.functions, *x), points)
    for point, (value, gradient, second) in zip(points, found, strict=True):
        our_value, our_gradient = value_and_grad(formula, positions)(*point)
        agree(peer, formula, point, (), our_value, value, floor)
        for i in positions:
            agree(peer, formula, point, (i,), our_gradient[i], gradient[i], floor)
        our_second = hessian(formula, positions)(*point)
        for i, j in itertools.product(positions, repeat=2):
            agree(peer, formula, point, (i, j), our_second[i][j], second[i][j], floor)


def agree(
    peer: Peer,
    formula: Expression,
    point: Sequence[float],
    by: tuple[int, ...],
    ours: float,
    theirs: float,
    floor: float,
) -> None:
    """Compare the derivative of a formula by some of its inputs, or by none its value."""
    tolerance = (DERIVATIVE_TOLERANCE if by else VALUE_TOLERANCE) * abs(theirs) + floor
    if not abs(ours - theirs) <= tolerance:
        tolerance += EPSILON * roundings(derivative_node(formula, point, by))
        what = f"derivative by {' and '.join(list(formula.inputs)[i] for i in by)}" if by else "value"
        assert abs(ours - theirs) <= tolerance < math.inf, (
            f"{formula!r} at {point}: the {what} is {ours!r}, but {peer.name} has {theirs!r}"
        )


def formula_of(op: str, count: int) -> Expression:
    """The op alone, of inputs a, b, c..."""
    names = "abcdefgh"[:count]
    lists = [names] if op != "dot" else [names[: count // 2], names[count // 2 :]]
    arguments = names if RULES[op].arity else [f"[{', '.join(one)}]" for one in lists]
    return Expression(f"{op}({', '.join(arguments)})", **dict.fromkeys(names, 0.0))


WIDER = {"tan": (-1.5, 1.5), "pow": (-6.0, 6.0)}
"""Where the wider interval is not several times that of the box, lest the poles or the range of doubles come in."""


def wider(op: str, box: Interval) -> Interval:
    low, high = box
    return (low / 100.0, high * 10.0) if low > 0.0 else WIDER.get(op, (6.0 * low, 6.0 * high))


def sample(rule: Rule, box: Sequence[Interval], count: int) -> list[list[float]]:
    """Points in a box away from the kinks, the same in every run."""
    generator = random.Random(rule.symbol)
    points = ([generator.uniform(*interval) for interval in box] for _ in range(10 * count))
    return [point for point in points if not is_near_kink(rule, point)][:count]


def check_op(peer: Peer, op: str, count: int) -> None:
    rule = RULES[op]
    for arity in (rule.arity,) if rule.arity else (2, 6) if op == "dot" else (1, 2, 5):
        box = rule.box * (1 if rule.arity else arity)
        check(peer, formula_of(op, arity), sample(rule, box, count))
        # Far out, peers compute small slopes such as 1 - tanh², whose terms are as large as 1 or as an argument.
        points = sample(rule, [wider(op, interval) for interval in box], count)
        largest = max(map(abs, itertools.chain([1.0], *points)))
        check(peer, formula_of(op, arity), points, 4.0 * EPSILON * largest)


def check_graphs(peer: Peer, examples: int) -> None:
    @settings(max_examples=examples)
    @given(graphs())
    def check_graph(graph: Expression) -> None:
        check(peer, graph, [list(graph.inputs.values())])

    check_graph()


def test_every_row_has_a_function_of_the_peer(peer: Peer) -> None:
    assert set(peer.functions) == set(RULES), f"write the function of {peer.name} for the new row"


@pytest.mark.parametrize("op", RULES)
def test_every_op_agrees(peer: Peer, op: str, count: int) -> None:
    check_op(peer, op, count)


def test_random_graphs_agree(peer: Peer) -> None:
    check_graphs(peer, settings.default.max_examples * 3 // 5)


def test_a_whole_network_agrees(peer: Peer) -> None:
    generator = random.Random(0)
    images = [[generator.random() for _ in range(49)] for _ in range(4)]
    labels = [3, 1, 4, 1]
    direction = [generator.gauss(0.0, 1.0) for _ in range(190)]
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    parameters = [generator.gauss(0.0, 0.5) for _ in model.parameters()]

    def loss_of(numbers: Sequence[Value]) -> Value:
        fresh = iter(numbers)
        for layer in model.layers:
            for neuron in layer.neurons:
                neuron.w = [next(fresh) for _ in neuron.w]
                neuron.b = next(fresh)
        return cross_entropy(model(images), labels)

    leaves = [Value(x) for x in parameters]
    loss = loss_of(leaves)
    loss.backward()
    product = hvp(loss_of, (parameters,), (direction,))
    value, gradient, their_product = peer.network(parameters, images, labels, direction)
    assert loss.data == pytest.approx(value, rel=VALUE_TOLERANCE, abs=0.0)
    assert [leaf.grad for leaf in leaves] == pytest.approx(gradient, rel=DERIVATIVE_TOLERANCE, abs=0.0)
    assert product == pytest.approx(their_product, rel=DERIVATIVE_TOLERANCE, abs=0.0)


SEVERAL = [
    Expression("u = sin(x * y); exp(u) / (1 + square(x))", x=0.7, y=-1.3),
    Expression("logsumexp([x, y, x * y]) * tanh(x - y)", x=0.7, y=-1.3),
    Expression("u = gelu(x + y); dot([u, x], [y, sqrt(2 + u)])", x=0.7, y=-1.3),
    Expression("pow(softplus(y), x) + silu(3 * x * y)", x=0.7, y=-1.3),
]
"""Functions of the same two numbers."""


def outputs(functions: Functions | None = None) -> Function:
    """All of them as one function, in our engine or by the functions of another."""
    if functions is None:
        return lambda *x: [formula(*x) for formula in SEVERAL]
    return lambda *x: [formula.evaluate(functions, *x) for formula in SEVERAL]


# PyTorch's forward mode scripts some of its own functions when it is first used.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_jvp_agrees(peer: Peer) -> None:
    primals, tangents = (0.7, -1.3), (0.25, -2.0)
    _, ours = jvp(outputs(), primals, tangents)
    theirs = peer.jvp(outputs(peer.functions), primals, tangents)
    assert ours == pytest.approx(theirs, rel=DERIVATIVE_TOLERANCE, abs=0.0)


def test_vjp_agrees(peer: Peer) -> None:
    primals, cotangents = (0.7, -1.3), [1.0, -0.5, 2.0, 0.25]
    _, pull_back = vjp(outputs(), *primals)
    theirs = peer.vjp(outputs(peer.functions), primals, cotangents)
    assert pull_back(cotangents) == pytest.approx(tuple(theirs), rel=DERIVATIVE_TOLERANCE, abs=0.0)


@pytest.mark.parametrize(
    "formula",
    [
        Expression("tanh(x) * exp(-square(x))", x=0.4),
        Expression("u = log1p(square(x)); sin(u) / (u + cos(x))", x=-1.1),
        Expression("pow(2 + x, x) + erf(x) * gelu(x)", x=0.9),
        Expression("logsumexp([x, square(x), 1]) * silu(x) - softplus(-x)", x=1.7),
    ],
)
def test_third_derivatives_agree(peer: Peer, formula: Expression) -> None:
    (x,) = formula.inputs.values()
    theirs = peer.third(lambda x: formula.evaluate(peer.functions, x), x)
    assert derivative(formula, order=3)(x) == pytest.approx(theirs, rel=DERIVATIVE_TOLERANCE, abs=0.0)


def off_by(error: float, right: Function) -> Function:
    return lambda k, *args: right(k, *args) * (1.0 + error)


def off_in_its_derivative_by(error: float, right: Function) -> Function:
    """The same number, but with a derivative that is wrong."""

    def wrong(k: Any, *args: Any) -> Any:
        slope = right(k, *args)
        return slope + error * (slope - float(slope))

    return wrong


def planted(op: str, what: str) -> Rule:
    """The row with one error, ten times as large as the tolerance."""
    rule = RULES[op]
    if what == "value":
        return replace(rule, forward=off_by(10.0 * VALUE_TOLERANCE, rule.forward))
    spoil = off_in_its_derivative_by if " and " in what else off_by
    first, *others = rule.partials
    return replace(rule, partials=(spoil(10.0 * DERIVATIVE_TOLERANCE, first), *others))


@pytest.mark.parametrize("what", ["value", "derivative by a", "derivative by a and a"])
@pytest.mark.parametrize("op", ["pow", "elu"])
def test_a_wrong_row_is_caught_and_named(peer: Peer, monkeypatch: pytest.MonkeyPatch, op: str, what: str) -> None:
    monkeypatch.setitem(RULES, op, planted(op, what))
    with pytest.raises(AssertionError, match=rf"{op}\(a, b\).*: the {what} is .*, but {peer.name} has "):
        check_op(peer, op, 40)


def test_a_wrong_row_is_caught_in_a_graph(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Expression("u = elu(x, 0.5); v = sin(u) * y; u * v - tanh(v + y)", x=-0.8, y=1.2)
    check(peer, graph, [[-0.8, 1.2]])
    monkeypatch.setitem(RULES, "elu", planted("elu", "derivative by a"))
    with pytest.raises(AssertionError, match=r"elu\(x, 0.5\).*: the derivative by x is"):
        check(peer, graph, [[-0.8, 1.2]])


def test_a_row_without_a_function_of_the_peer_is_named(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "cube", replace(RULES["square"], symbol="cube"))
    with pytest.raises(ValueError, match="needs a function for 'cube'"):
        check_op(peer, "cube", 1)
