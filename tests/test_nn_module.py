"""``Module``: parameters found in attributes, their names, gradients cleared, modes, copies, and numbers by name."""

import copy
import math
import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_mini import Value, parameter
from autograd_mini.modes import no_grad
from nn import (
    ACTIVATIONS,
    MLP,
    SGD,
    BatchNorm,
    Dropout,
    Layer,
    Module,
    Neuron,
    Sequential,
    cross_entropy,
    sum_squared_error,
)
from nn.module import Arrays, evaluating


def names(module: Module) -> list[str]:
    return [name for name, _ in module.named_parameters()]


class Line(Module):
    """``slope · x + offset``."""

    def __init__(self, slope: float = 2.0, offset: float = 1.0) -> None:
        self.slope, self.offset = parameter(slope), parameter(offset)

    def __call__(self, x: Any) -> Any:
        return self.slope * x + self.offset


class Pair(Module):
    """One of everything a user may assign."""

    def __init__(self) -> None:
        self.title, self.rate, self.nothing, self.sizes = "two lines", 0.5, None, [3, 4]
        self.lines = [Line(), Line(3.0)]
        self.scale = parameter(5.0)
        self.knots = (parameter(6.0), 7.0, parameter(8.0))
        self.layer = Layer(1, 2)


class Bare(Module):
    """Nothing to learn."""


class Tied(Module):
    """A value and a module that are reached by two ways each."""

    def __init__(self) -> None:
        self.encoder = Line()
        self.decoder = self.encoder
        self.bias = self.encoder.offset
        self.again = [self.bias, self.encoder]


class Named(Module):
    """Its parts under names of its own."""

    def __init__(self) -> None:
        self.parts = [Line(), Line()]

    def named_children(self) -> Iterator[tuple[str, Module]]:
        yield "first", self.parts[0]
        yield "second", self.parts[1]


class Micrograd(Module):
    """Written as a module of micrograd is: parameters() is overridden, and where they live is nobody's business."""

    def __init__(self) -> None:
        self.table = {"w": Value(2.0), "b": Value(1.0)}

    def __call__(self, x: Any) -> Any:
        return self.table["w"] * x + self.table["b"]

    def parameters(self) -> list[Value]:
        return list(self.table.values())


# Parameters and their names


def test_values_modules_and_lists_of_them_are_parameters_in_order_of_assignment() -> None:
    pair = Pair()
    assert names(pair) == [
        "lines[0].slope", "lines[0].offset", "lines[1].slope", "lines[1].offset", "scale", "knots[0]", "knots[2]",
        "layer.neuron1.w[0]", "layer.neuron1.b", "layer.neuron2.w[0]", "layer.neuron2.b",
    ]  # fmt: skip
    first, second = pair.lines
    assert pair.parameters()[:5] == [first.slope, first.offset, second.slope, second.offset, pair.scale]
    assert pair.parameters() == [value for _, value in pair.named_parameters()]


def test_a_module_without_parameters_has_none() -> None:
    bare = Bare()
    assert bare.parameters() == []
    bare.zero_grad()
    bare.label_parameters()
    assert bare.train().eval() is bare


def test_what_is_shared_counts_once_under_the_first_name() -> None:
    tied = Tied()
    assert names(tied) == ["encoder.slope", "encoder.offset"]
    assert tied.parameters() == [tied.encoder.slope, tied.encoder.offset]


def test_two_equal_numbers_are_two_parameters() -> None:
    module = Bare()
    module.weights = [parameter(1.0), parameter(1.0)]  # type: ignore[attr-defined]
    assert names(module) == ["weights[0]", "weights[1]"]


def test_parameters_follow_what_is_assigned_later() -> None:
    line = Line()
    line.slope = parameter(9.0)
    line.bend = parameter(0.0)  # type: ignore[attr-defined]
    assert [(name, p.data) for name, p in line.named_parameters()] == [("slope", 9.0), ("offset", 1.0), ("bend", 0.0)]
    del line.offset
    assert names(line) == ["slope", "bend"]


def test_a_subclass_may_name_its_children() -> None:
    named = Named()
    assert names(named) == ["first.slope", "first.offset", "second.slope", "second.offset"]
    outer = Bare()
    outer.inner = named  # type: ignore[attr-defined]
    assert names(outer)[0] == "inner.first.slope"


def test_children_are_named_one_level_deep() -> None:
    pair = Pair()
    assert [name for name, _ in pair.named_children()] == [
        "lines[0]", "lines[1]", "scale", "knots[0]", "knots[2]", "layer"
    ]  # fmt: skip
    assert dict(pair.named_children())["lines[1]"] is pair.lines[1]


def test_label_parameters_writes_the_names_into_the_values() -> None:
    model = Bare()
    model.network = MLP(2, [2, 1])  # type: ignore[attr-defined]
    assert model.parameters()[0].label == "hidden.neuron1.w[0]"
    model.label_parameters()
    assert [p.label for p in model.parameters()] == names(model)
    assert model.parameters()[0].label == "network.hidden.neuron1.w[0]"


def test_a_network_is_a_tree_of_modules() -> None:
    model = MLP(2, [3, 1])
    assert [name for name, _ in model.named_children()] == ["hidden", "output"]
    assert [name for name, _ in model.layers[0].named_children()] == ["neuron1", "neuron2", "neuron3"]
    assert [name for name, _ in model.layers[0].neurons[0].named_children()] == ["w[0]", "w[1]", "b"]


# Gradients


@pytest.mark.parametrize("build", [Line, Pair, Tied, Named, Micrograd, lambda: MLP(2, [3, 1])])
def test_zero_grad_makes_every_gradient_not_computed(build: Callable[[], Module]) -> None:
    module = build()
    assert not any(p.has_grad for p in module.parameters())
    loss = sum_squared_error(module.parameters(), [0.0] * len(module.parameters()))
    loss.backward()
    assert all(p.has_grad for p in module.parameters())
    module.zero_grad()
    assert not any(p.has_grad for p in module.parameters())
    assert all(p.grad == 0.0 and "not computed" in repr(p) for p in module.parameters())


def test_zero_grad_leaves_inputs_and_other_modules_alone() -> None:
    ours, theirs, x = Line(), Line(), Value(3.0)
    (ours(x) * theirs(x)).backward()
    ours.zero_grad()
    assert x.has_grad
    assert theirs.slope.has_grad


def test_after_zero_grad_a_pass_starts_from_0() -> None:
    line = Line()
    for _ in range(2):
        line.zero_grad()
        line(3.0).backward()
        assert (line.slope.grad, line.offset.grad) == (3.0, 1.0)


# Modes


def test_train_and_eval_reach_every_module() -> None:
    pair = Pair()
    modules = [pair, *pair.lines, pair.layer, *pair.layer.neurons]
    assert all(module.training for module in modules)
    assert pair.eval() is pair
    assert not any(module.training for module in modules)
    assert pair.train() is pair
    assert all(module.training for module in modules)
    pair.train(False)
    assert not any(module.training for module in modules)


def test_one_part_may_be_switched_alone() -> None:
    pair = Pair()
    pair.layer.eval()
    assert pair.training
    assert not pair.layer.training
    assert not pair.layer.neurons[0].training
    assert Pair.training


def test_modes_reach_children_under_names_of_their_own() -> None:
    named = Named()
    named.eval()
    assert not named.parts[1].training


# Modules as micrograd writes them


def test_an_overridden_parameters_is_what_zero_grad_and_an_optimizer_use() -> None:
    module = Micrograd()
    optimizer = SGD(module.parameters(), learning_rate=0.5)
    module(3.0).backward()
    optimizer.step()
    assert (module.table["w"].data, module.table["b"].data) == (0.5, 0.5)
    module.zero_grad()
    assert not module.table["w"].has_grad


def test_an_overridden_parameters_is_what_a_module_around_it_finds() -> None:
    outer = Bare()
    outer.line, outer.model = Line(), Micrograd()  # type: ignore[attr-defined]
    assert outer.parameters() == [*outer.line.parameters(), *outer.model.parameters()]  # type: ignore[attr-defined]


def test_an_overridden_parameters_goes_with_named_parameters() -> None:
    module = Micrograd()
    assert [value for _, value in module.named_parameters()] == module.parameters()


def test_parameters_may_be_joined_as_micrograd_joins_them() -> None:
    class Network(Module):
        def __init__(self) -> None:
            self.layers = [Layer(2, 3), Layer(3, 1)]

        def __call__(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            return x

        def parameters(self) -> list[Value]:
            return [p for layer in self.layers for p in layer.parameters()]

    network = Network()
    assert len(network.parameters()) == 13
    assert network([1.0, -2.0]).parents
    assert [value for _, value in network.named_parameters()] == network.parameters()


# Copies and pickles

COPIERS: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
}
EVERY_COPIER = pytest.mark.parametrize("copier", COPIERS.values(), ids=COPIERS)
X, LABELS = [[0.5, -1.0], [2.0, 0.25]], [0, 1]


def state(module: Module) -> list[tuple[str, float, float, bool, str, str]]:
    return [(name, p.data, p.grad, p.has_grad, p.label, p.op) for name, p in module.named_parameters()]


@EVERY_COPIER
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_a_copy_of_a_network_keeps_names_data_gradients_and_outputs(
    copier: Callable[[Any], Any], activation: str
) -> None:
    model = MLP(2, [3, 2], activation=activation, output_activation=activation, seed=0).eval()
    cross_entropy(model(X), LABELS).backward()
    model.parameters()[4].grad = None
    twin = copier(model)
    assert state(twin) == state(model)
    assert repr(twin) == repr(model)
    assert not twin.training
    assert not twin.layers[0].neurons[0].training
    assert [[y.data for y in row] for row in twin(X)] == [[y.data for y in row] for row in model(X)]


@EVERY_COPIER
@pytest.mark.parametrize(
    "build", [lambda: MLP(2, [3, 2], activation="linear", seed=0), lambda: Layer(2, 2, activation="linear", seed=0)]
)
def test_a_copy_is_independent(copier: Callable[[Any], Any], build: Callable[[], Any]) -> None:
    model = build()
    cross_entropy(model(X), LABELS).backward()
    before = state(model)
    twin = copier(model)
    assert not set(twin.parameters()) & set(model.parameters())
    cross_entropy(twin(X), LABELS).backward()
    assert [p.grad for p in twin.parameters()] == [2.0 * p.grad for p in model.parameters()]
    SGD(twin.parameters(), learning_rate=1.0).step()
    twin.zero_grad()
    assert state(model) == before


@EVERY_COPIER
def test_a_copy_of_a_users_module_keeps_what_is_shared_shared(copier: Callable[[Any], Any]) -> None:
    tied = Tied()
    twin = copier(tied)
    assert twin.decoder is twin.encoder
    assert twin.bias is twin.encoder.offset
    assert twin.bias is not tied.bias
    assert state(twin) == state(tied)


@EVERY_COPIER
def test_model_and_optimizer_copied_together_stay_together(copier: Callable[[Any], Any]) -> None:
    model = MLP(2, [3, 2], activation="linear", seed=0)
    twin, optimizer = copier((model, SGD(model.parameters(), learning_rate=0.25)))
    assert optimizer.parameters == twin.parameters()
    assert optimizer.learning_rate == 0.25
    cross_entropy(twin(X), LABELS).backward()
    optimizer.step()
    assert [p.data for p in twin.parameters()] != [p.data for p in model.parameters()]
    assert not model.parameters()[0].has_grad


@EVERY_COPIER
def test_model_and_loss_copied_together_stay_together(copier: Callable[[Any], Any]) -> None:
    model = MLP(2, [3, 2], activation="linear", seed=0)
    twin, loss = copier((model, cross_entropy(model(X), LABELS)))
    loss.backward()
    cross_entropy(model(X), LABELS).backward()
    assert state(twin) == state(model)


@EVERY_COPIER
def test_a_neuron_with_a_function_of_the_users_is_copied(copier: Callable[[Any], Any]) -> None:
    neuron = Neuron(2, activation=doubled, seed=1)
    assert copier(neuron)([1.0, 2.0]).data == neuron([1.0, 2.0]).data


def doubled(z: Any) -> Any:
    return 2.0 * z


def test_under_no_grad_a_model_records_nothing() -> None:
    model = MLP(2, [3, 2], seed=0)
    with no_grad():
        outputs = model([1.0, 2.0])
    assert all(output.parents == () for output in outputs)
    assert [output.data for output in outputs] == [output.data for output in model([1.0, 2.0])]


# Modules by name, modes for a while


def test_modules_are_yielded_once_each_by_name_from_the_outside_in() -> None:
    model = MLP(2, [1, 1], batch_norm=True, dropout=0.5)
    assert [name for name, _ in model.modules()] == [
        "", "hidden", "hidden.neuron1", "hidden.batch_norm", "hidden.dropout", "output", "output.neuron1"
    ]  # fmt: skip
    assert dict(model.modules())["hidden.batch_norm"] is model.layers[0].batch_norm
    tied = Tied()
    assert list(tied.modules()) == [("", tied), ("encoder", tied.encoder)]


def test_a_module_that_holds_itself_is_walked_once() -> None:
    module = Bare()
    module.inner = Pair()  # type: ignore[attr-defined]
    module.inner.outer = module  # type: ignore[attr-defined]
    assert [name for name, _ in module.modules()][:2] == ["", "inner"]
    assert module.eval() is module
    assert not any(part.training for _, part in module.modules())


def test_evaluating_gives_each_part_its_mode_back() -> None:
    pair = Pair()
    pair.layer.eval()
    before = [part.training for _, part in pair.modules()]
    with evaluating(pair):
        assert not any(part.training for _, part in pair.modules())
        pair.lines[0].train()
    assert [part.training for _, part in pair.modules()] == before
    with pytest.raises(TypeError, match="needs one real number"), evaluating(pair):
        pair.layer([None])
    assert [part.training for _, part in pair.modules()] == before


# State


class Counting(Module):
    """Buffers of every kind."""

    buffers = ("count", "rate", "seen", "history", "done")

    def __init__(self, count: int = 0) -> None:
        self.line, self.count, self.rate, self.done = Line(), count, 0.5, False
        self.seen, self.history = [1, 2], np.arange(6.0).reshape(2, 3)


BUILDS: dict[str, Callable[[], Module]] = {
    "neuron": lambda: Neuron(2),
    "mlp": lambda: MLP(2, [3, 4, 1], batch_norm=True, dropout=0.5),
    "sequential": lambda: Sequential(Layer(2, 3), BatchNorm(3), "relu", Dropout(0.5), Layer(3, 1)),
    "bare": Bare,
    "pair": Pair,
    "tied": Tied,
    "named": Named,
    "micrograd": Micrograd,
    "counting": Counting,
}
EVERY_BUILD = pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)


def same(one: Arrays, other: Arrays) -> bool:
    return list(one) == list(other) and all(
        a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(one.values(), other.values(), strict=True)
    )


def scattered(module: Module) -> Module:
    """With numbers that only it has."""
    for name, p in module.named_parameters():
        p.data = random.Random(name).gauss(0.0, 1.0)
    return module


@EVERY_BUILD
def test_a_state_goes_into_another_and_comes_out_again(build: Callable[[], Module]) -> None:
    module, other = scattered(build()), build()
    state = module.state()
    values = other.parameters()
    assert other.load_state(state) is other
    assert same(other.state(), state)
    assert other.parameters() == values
    assert [p.data for p in values] == [p.data for p in module.parameters()]


@EVERY_BUILD
def test_a_state_survives_a_file_of_arrays(build: Callable[[], Module], tmp_path: Path) -> None:
    module, other = scattered(build()), build()
    np.savez(tmp_path / "state.npz", **module.state())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        other.load_state(file)
    assert same(other.state(), module.state())


@EVERY_BUILD
def test_a_state_has_every_parameter_once(build: Callable[[], Module]) -> None:
    module = build()
    buffers = dict(module.named_buffers())
    arrays = [array for name, array in module.state().items() if name not in buffers]
    assert sum(array.size for array in arrays) == len(module.parameters())
    assert [x for array in arrays for x in np.atleast_1d(array).tolist()] == [p.data for p in module.parameters()]


def test_lists_of_parameters_are_arrays_and_others_stand_alone() -> None:
    assert {name: array.shape for name, array in Pair().state().items()} == {
        "lines[0].slope": (), "lines[0].offset": (), "lines[1].slope": (), "lines[1].offset": (), "scale": (),
        "knots[0]": (), "knots[2]": (), "layer.neuron1.w": (1,), "layer.neuron1.b": (), "layer.neuron2.w": (1,),
        "layer.neuron2.b": (),
    }  # fmt: skip
    assert Micrograd().state()["parameters"].tolist() == [2.0, 1.0]


def test_a_state_is_a_copy() -> None:
    module = Counting()
    state = module.state()
    for array in state.values():
        array[...] = 0
    assert same(module.state(), Counting().state())
    state = Counting(7).state()
    module.load_state(state)
    state["history"][...] = -1.0
    assert module.history[1, 2] == 5.0


def test_buffers_keep_their_types() -> None:
    module = Counting().load_state(Counting(7).state())
    assert [type(buffer) for _, buffer in module.named_buffers()] == [int, float, list, np.ndarray, bool]
    assert (module.count, module.seen) == (7, [1, 2])  # type: ignore[attr-defined]
    assert {name: array.dtype.name for name, array in module.state().items()} == {
        "line.slope": "float64", "line.offset": "float64", "count": "int64", "rate": "float64", "seen": "int64",
        "history": "float64", "done": "bool",
    }  # fmt: skip


def test_the_order_of_bytes_does_not_count() -> None:
    module = scattered(MLP(2, [3, 1], batch_norm=True))
    swapped = {name: array.astype(array.dtype.newbyteorder(">")) for name, array in module.state().items()}
    assert same(MLP(2, [3, 1], batch_norm=True).load_state(swapped).state(), module.state())


def test_numbers_that_are_not_finite_are_kept() -> None:
    neuron = Neuron(3)
    for weight, number in zip(neuron.w, (math.nan, -math.inf, -0.0), strict=True):
        weight.data = number
    assert str(Neuron(3).load_state(neuron.state()).w[2].data) == "-0.0"
    assert np.array_equal(Neuron(3).load_state(neuron.state()).state()["w"], [math.nan, -math.inf, 0.0], equal_nan=True)


def spoil(state: Arrays, name: str, way: str) -> dict[Any, Any]:
    spoilt: dict[Any, Any] = dict(state)
    array = spoilt.pop(name)
    match way:
        case "missing":
            return spoilt
        case "renamed":
            return spoilt | {name + "x": array}
        case "one too many":
            return spoilt | {name: array, "x": array}
        case "longer":
            return spoilt | {name: np.append(array, 0).astype(array.dtype)}
        case "deeper":
            return spoilt | {name: array[None]}
        case "other kind":
            return spoilt | {name: array.astype(np.complex128)}
        case _:
            return spoilt | {name: array.tolist()}


@pytest.mark.parametrize(
    "way", ["missing", "renamed", "one too many", "longer", "deeper", "other kind", "a list", "not legal"]
)
@EVERY_BUILD
def test_a_state_that_does_not_fit_changes_nothing(build: Callable[[], Module], way: str) -> None:
    module = scattered(build())
    before, other = module.state(), build().state()
    for name in other:
        if way == "not legal":
            if not name.endswith("generator_state"):
                continue
            spoilt = other | {name: np.full(625, 2**32 - 1, dtype=np.uint32)}
        else:
            spoilt = spoil(other, name, way)
        with pytest.raises(ValueError, match="state"):
            module.load_state(spoilt)
        assert same(module.state(), before)


def test_a_buffer_that_refuses_a_number_leaves_the_module_as_it_was() -> None:
    class Positive(Counting):
        @property
        def count(self) -> int:
            return self._count

        @count.setter
        def count(self, count: int) -> None:
            if count < 0:
                raise ValueError(f"count is {count}, but must be 0 or more")
            self._count = count

    module = Positive(3)
    before, state = module.state(), module.state()
    state["line.slope"][...], state["count"][...] = 9.0, -1
    with pytest.raises(ValueError, match="count is -1"):
        module.load_state(state)
    assert same(module.state(), before)
    assert (module.line.slope.data, module.count) == (2.0, 3)


def test_training_goes_on_from_a_state_as_if_nothing_had_happened() -> None:
    def step(model: Any) -> None:
        model.zero_grad()
        cross_entropy(model(X), LABELS).backward()
        SGD(model.parameters(), learning_rate=0.1).step()

    model = MLP(2, [5, 4, 2], batch_norm=True, dropout=0.3, seed=0)
    for _ in range(3):
        step(model)
    twin = MLP(2, [5, 4, 2], batch_norm=True, dropout=0.3, seed=9).load_state(model.state())
    for _ in range(3):
        step(model)
        step(twin)
    assert same(twin.state(), model.state())
