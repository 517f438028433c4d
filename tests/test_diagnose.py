"""Each mistake in a training loop as people write it, and beside it the healthy loop, on which nothing is found."""

import math
import random
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from autograd_mini import (
    Value,
    dot,
    gradients,
    log,
    mean,
    no_grad,
    parameter,
    record_lines,
    relu,
    sigmoid,
    sqrt,
    square,
    sum as add_up,
)
from autograd_mini.diagnose import Diagnosis, diagnose, passes
from nn import MLP, SGD, binary_cross_entropy, cross_entropy, hinge, mean_squared_error

XOR = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
TARGETS = [0.0, 1.0, 1.0, 0.0]


def network(activation: str = "tanh", **options: Any) -> MLP:
    return MLP(2, [4, 1], activation=activation, seed=1, **options)


def forward(model: MLP) -> Any:
    return mean_squared_error(model(XOR), TARGETS)


def only(diagnosis: Diagnosis, name: str) -> Any:
    assert diagnosis.names == (name,)
    (finding,) = diagnosis
    assert finding.nodes
    assert finding.fix
    return finding


def is_here(finding: Any) -> bool:
    return finding.line is not None and finding.line.filename == __file__


@pytest.mark.parametrize("zeroed", [True, False])
@record_lines()
def test_a_second_backward_without_zeroing(zeroed: bool) -> None:
    model = network()
    optimizer = SGD(model.parameters(), learning_rate=0.1)
    found = []
    for _ in range(3):
        loss = forward(model)
        assert not diagnose(loss, model)
        if zeroed:
            optimizer.zero_grad()
        loss.backward()
        found.append(diagnose(loss, model))
        optimizer.step()
    assert not found[0]
    if zeroed:
        assert not any(found)
    else:
        finding = only(found[1], "second backward without zeroing")
        assert set(finding.nodes) == set(model.parameters())
        assert "zero_grad()" in finding.fix
        assert "several batches" in finding.fix
        assert is_here(finding)


def test_backward_run_twice_is_told_from_other_passes() -> None:
    model = network()
    loss = forward(model)
    loss.backward()
    loss.backward()
    loss.backward()
    assert "3 times this loss's gradient" in only(diagnose(loss, model), "second backward without zeroing").message
    model.zero_grad()
    forward(model).backward()
    other = mean(square(x) for x in model(XOR))
    other.backward()
    assert "other backward passes" in only(diagnose(other, model), "second backward without zeroing").message


def test_clipped_averaged_and_accumulated_gradients_are_no_mistake() -> None:
    model = network()
    rows = [mean_squared_error(model(x), t) for x, t in zip(XOR, TARGETS, strict=True)]
    loss = mean(rows)
    for row in rows:
        (row / 4).backward()
    loss.grad = 1.0
    assert not diagnose(loss, model)
    for p in model.parameters():
        p.grad = 0.1 * p.grad
    assert not diagnose(loss, model)


@record_lines()
def test_data_changed_by_the_step() -> None:
    model = network()
    loss = forward(model)
    loss.backward()
    assert not diagnose(loss, model)
    SGD(model.parameters(), learning_rate=0.1).step()
    finding = only(diagnose(loss, model), "data changed after the forward pass")
    assert set(finding.nodes) == set(model.parameters())
    assert "all 17 parameters" in finding.message
    assert "optimizer.step()" in finding.fix
    assert is_here(finding)
    assert not diagnose(forward(model), model)


@pytest.mark.parametrize(
    "pick",
    [
        lambda m: m.layers[0].neurons[1].w[0],
        lambda m: m.layers[0].neurons[1].b,
        lambda m: m.layers[1].neurons[0].w[2],
        lambda m: m.layers[1].neurons[0].b,
    ],
    ids=["first weight", "first bias", "last weight", "last bias"],
)
def test_the_one_leaf_that_changed_is_named_with_both_numbers(pick: Callable[[MLP], Value]) -> None:
    model = network()
    loss = forward(model)
    changed = pick(model)
    was = changed.data
    changed.data = 0.5
    finding = only(diagnose(loss, model), "data changed after the forward pass")
    assert finding.nodes == (changed,)
    assert f"{changed.label} was {was:.6g} in the forward pass and is 0.5 now" in finding.message


@pytest.mark.parametrize(
    "op",
    [lambda x, c: x * c, lambda x, c: x + c, lambda x, c: dot([x, c], [c, 3.0]), lambda x, c: add_up([c, x, c]),
     lambda x, c: x**2 * c, lambda x, c: sigmoid(x) + c, lambda x, c: abs(x) - c],
    ids=["mul", "add", "dot", "sum", "pow", "sigmoid", "abs"],
)  # fmt: skip
def test_changed_data_is_seen_in_any_op(op: Callable[[Value, Value], Value]) -> None:
    x, c = Value(2.0, "x"), Value(5.0, "c")
    loss = square(op(x, c) - op(c, x))
    assert not diagnose(loss, [x, c])
    x.data = -2.0
    finding = only(diagnose(loss, [x, c]), "data changed after the forward pass")
    assert x in finding.nodes


def test_of_two_leaves_the_one_that_other_nodes_still_fit_is_cleared() -> None:
    x, c = Value(2.0, "x"), Value(5.0, "c")
    loss = (x + c) * square(x)
    c.data = 4.0
    finding = only(diagnose(loss, [x, c]), "data changed after the forward pass")
    assert finding.nodes == (c,)
    loss = x + c
    c.data = 3.0
    finding = only(diagnose(loss, [x, c]), "data changed after the forward pass")
    assert set(finding.nodes) == {x, c}
    assert finding.message.startswith("one or more of x and c changed")


def test_an_interior_node_that_was_assigned_is_named() -> None:
    x = Value(2.0, "x")
    hidden = relu(x)
    loss = hidden * 3.0
    hidden.data = 0.0
    finding = only(diagnose(loss, [x]), "data changed after the forward pass")
    assert finding.nodes == (hidden,)


@record_lines()
def test_no_path_to_the_loss() -> None:
    model = network()
    hidden = [[Value(h.data) for h in model.layers[0](x)] for x in XOR]
    loss = mean_squared_error([model.layers[1](row) for row in hidden], TARGETS)
    finding = only(diagnose(loss, model), "no path to the loss")
    assert finding.nodes == tuple(model.layers[0].parameters())
    assert "all 12 parameters of hidden: the loss does not depend on them;" in finding.message
    assert "Value(p.data)" in finding.fix
    assert is_here(finding)
    assert not diagnose(loss, model.layers[1])


def test_a_copy_of_a_parameter_and_a_loss_without_a_graph_are_told() -> None:
    w, b = parameter(0.3, "w"), parameter(0.7, "b")
    loss = square(w.data * Value(2.0, "x") + b)
    finding = only(diagnose(loss, [w, b]), "no path to the loss")
    assert finding.nodes == (w,)
    assert "mul uses the constant 0.3, which looks like a copy of w" in finding.message
    with no_grad():
        loss = square(w)
    assert "no operation was recorded that made it" in only(diagnose(loss, [w]), "no path to the loss").message


@record_lines()
def test_a_dead_relu() -> None:
    model = network("relu")
    assert not diagnose(forward(model), model)
    model.layers[0].neurons[2].b.data = -10.0
    loss = forward(model)
    finding = only(diagnose(loss, model), "dead relu")
    assert finding.message.startswith("hidden.neuron3: never active, for all 4 examples")
    assert len(finding.nodes) == 4
    assert {node.op for node in finding.nodes} == {"relu"}
    assert "leaky_relu" in finding.fix
    assert is_here(finding)
    assert set(only(diagnose(loss, model.layers[1]), "dead relu").nodes) == set(finding.nodes)
    assert len(only(diagnose(mean_squared_error(model(XOR[1]), 1.0), model), "dead relu").nodes) == 1


def test_a_layer_of_relus_that_one_step_has_killed() -> None:
    model = network("relu")
    SGD(model.parameters(), learning_rate=1e3)
    for neuron in model.layers[0].neurons:  # what a learning rate far too high leaves behind
        for w in neuron.w:
            w.data = -50.0
        neuron.b.data = -1.0
    finding = only(diagnose(forward(model), model), "dead relu")
    assert "all 4 neurons of hidden: never active" in finding.message


def test_inactive_relus_are_not_dead() -> None:
    for activation in ("leaky_relu", "elu"):
        model = network(activation)
        for neuron in model.layers[0].neurons:
            neuron.b.data = -10.0
        assert not diagnose(forward(model), model)
    kept = []
    for _ in range(30):  # at other addresses: the neurons are told apart by those of their parameters
        model = MLP(2, [8, 1], activation="relu", seed=1)
        assert not diagnose(mean_squared_error(model([0.0, 0.0]), 1.0), model)  # all biases are 0, no relu is active
        kept.append(model)
    score = network()
    assert not diagnose(hinge([o * 100 for o in score(XOR)], [1.0 if o.data > 0 else -1.0 for o in score(XOR)]), score)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@record_lines()
def test_saturated_by_a_bias_or_by_inputs_that_are_not_scaled(activation: str) -> None:
    model = network(activation)
    assert not diagnose(forward(model), model)
    model.layers[0].neurons[0].b.data = 12.0
    finding = only(diagnose(forward(model), model), f"saturated {activation}")
    assert finding.message.startswith("hidden.neuron1: on the flat part")
    assert len(finding.nodes) == 4
    assert is_here(finding)
    for neuron in model.layers[0].neurons:
        neuron.b.data = 20.0  # so far out that the gradients vanish too, for this reason
    finding = only(diagnose(forward(model), model), f"saturated {activation}")
    assert finding.message.startswith("all 4 neurons of hidden: on the flat part")
    model = network(activation, initializer="uniform")
    pixels = [[255.0, 3.0], [0.0, 255.0], [255.0, 190.0], [200.0, 20.0]]
    finding = only(diagnose(mean_squared_error(model(pixels), TARGETS), model), f"saturated {activation}")
    assert "scale the inputs" in finding.fix


def test_an_output_that_is_sure_is_saturated_only_if_it_is_wrong() -> None:
    w, b = parameter(40.0, "output.w"), parameter(-20.0, "output.b")
    outputs = [sigmoid(w * x + b) for x in (0.0, 0.0, 1.0, 1.0)]
    assert not diagnose(mean_squared_error(outputs, [0, 0, 1, 1]), [w, b])
    finding = only(diagnose(mean_squared_error(outputs, [1, 1, 0, 0]), [w, b]), "saturated sigmoid")
    assert set(finding.nodes) == set(outputs)


@pytest.mark.parametrize("after", [False, True], ids=["before backward", "after backward"])
@pytest.mark.parametrize("healthy", [True, False])
@record_lines()
def test_a_running_total_of_values_grows_the_graph(after: bool, healthy: bool) -> None:
    model = network()
    total: Any = 0.0
    found = []
    for _ in range(6):
        loss = forward(model)
        total = total + (loss.data if healthy else loss)
        root = loss if healthy else total
        model.zero_grad()
        if after:
            root.backward()
        found.append(diagnose(root, model))
        if not after:
            root.backward()
    assert found[0] == ()
    if healthy:
        assert not any(found)
    else:
        finding = only(found[3], "growing graph")
        assert "loss.data" in finding.fix
        assert is_here(finding)
        assert bool(found[1]) != after
        assert ("earlier backward pass" if not after else "66, 132, 198, 264 operations") in finding.message


def test_the_earlier_node_nearest_to_the_loss_is_named() -> None:
    w = parameter(0.5, "w")
    state = w * 1.0
    first = square(state)
    first.backward()
    loss = square(state * w + 1.0)
    w.grad = None
    finding = only(diagnose(loss, [w]), "growing graph")
    assert finding.nodes == (state,)
    assert "1 of the 4 operations" in finding.message


def test_a_parameter_that_is_rebound_keeps_every_iteration() -> None:
    w = parameter(1.0, "w")
    loss = square(w * 2 - 1)
    loss.backward()
    w = w - 0.1 * w.grad
    loss = square(w * 2 - 1)
    finding = only(diagnose(loss, [w]), "growing graph")
    assert finding.nodes == (w,)
    assert "p.data -= learning_rate * p.grad" in finding.fix


def test_sizes_are_remembered_by_thread_and_line() -> None:
    found: list[Diagnosis] = []
    w = parameter(0.5, "w")
    losses = [mean([square(w * i) for i in range(n)]) for n in (2, 3, 4, 5)]

    def look(loss: Value) -> None:
        found.append(diagnose(loss, [w]))

    with ThreadPoolExecutor(1) as other_thread:
        for i, loss in enumerate(losses):
            if i % 2:
                look(loss)
            else:
                other_thread.submit(look, loss).result()
    assert not any(found)
    for loss in losses:
        look(loss)
    assert "5, 7, 9, 11 operations" in only(found[-1], "growing graph").message
    for i in range(200):
        exec(compile("\n" * i + "diagnose(w, [w])", "many lines", "exec"), {"diagnose": diagnose, "w": w})
    assert len(passes._sizes) <= 64  # so that a notebook with many cells does not fill the memory


@record_lines()
def test_a_loss_that_is_not_finite() -> None:
    w = parameter(0.5, "w")
    assert not diagnose(log(w * 2.0), [w])
    with pytest.warns(RuntimeWarning, match="log"):
        loss = log(w * 0.0) + 1.0
    finding = only(diagnose(loss, [w]), "loss not finite")
    assert finding.nodes[0].op == "log"
    assert "it begins at log(0) is -inf" in finding.message
    assert is_here(finding)


def test_what_was_not_finite_before_any_operation_is_named() -> None:
    w = parameter(0.5, "w")
    finding = only(diagnose(dot([w, w], [1.0, math.nan]), [w]), "loss not finite")
    assert "clean the data" in finding.fix
    assert finding.nodes[0].op == "dot"
    x = Value(math.inf, "x")
    assert only(diagnose(w * x, [w]), "loss not finite").nodes == (x,)
    w.data = math.nan
    finding = only(diagnose(w * 2.0, [w]), "loss not finite")
    assert finding.nodes == (w,)
    assert "lower learning rate" in finding.fix
    assert only(diagnose(w, [w]), "loss not finite").nodes == (w,)


def test_gradients_that_vanish() -> None:
    deep = MLP(2, [4] * 9 + [1], activation="sigmoid", seed=1)
    finding = only(diagnose(forward(deep), deep), "vanishing gradients")
    rows = finding.message.splitlines()[1:]
    assert [row.partition(":")[0] for row in rows] == ["output"] + [f"hidden{i}" for i in range(9, 0, -1)]
    assert set(finding.nodes) <= set(deep.layers[0].parameters())
    for p in deep.parameters():
        p.label = ""
    rows = only(diagnose(forward(deep), deep.parameters()), "vanishing gradients").message.splitlines()[1:]
    assert [row.partition(":")[0] for row in rows] == [f"layer {i} from the loss" for i in range(1, 11)]
    shallow = MLP(2, [4, 4, 4, 1], activation="tanh", seed=1)
    assert not diagnose(forward(shallow), shallow)


def test_gradients_that_explode() -> None:
    wild = MLP(2, [4] * 5 + [1], activation="leaky_relu", initializer=lambda i, o, g: g.gauss(0.0, 30.0), seed=1)
    finding = only(diagnose(forward(wild), wild), "exploding gradients")
    assert "clip the gradients" in finding.fix
    w = parameter(0.0, "w")
    root = sqrt(w)
    finding = only(diagnose(root * 3.0, [w]), "exploding gradients")
    assert finding.nodes == (root,)
    assert "3 × inf" in finding.message
    early, late = parameter(1.0, "first.w"), parameter(1e6, "last.w")
    assert only(diagnose(square(relu(early * 1.0) * late * 1e-9), [early, late]), "exploding gradients")


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu"])
@pytest.mark.parametrize("task", ["regression", "classes", "yes or no", "margin"])
def test_a_healthy_training_run_is_silent(activation: str, task: str) -> None:
    for seed in range(2):
        generator = random.Random(seed)
        rows = [[generator.uniform(-1, 1), generator.uniform(-1, 1)] for _ in range(24)]
        model = MLP(2, [6, 3 if task == "classes" else 1], activation=activation, seed=seed)
        optimizer = SGD(model.parameters(), learning_rate=0.1)
        for _ in range(24):
            batch = generator.sample(rows, generator.choice([4, 8]))
            outputs = model(batch)
            if task == "regression":
                loss = mean_squared_error(outputs, [math.sin(x * y) for x, y in batch])
            elif task == "classes":
                loss = cross_entropy(outputs, [int(x > y) + int(x > 0.5) for x, y in batch])
            elif task == "yes or no":
                loss = binary_cross_entropy(outputs, [int(x > y) for x, y in batch])
            else:
                loss = hinge(outputs, [1 if x > y else -1 for x, y in batch])
            before = diagnose(loss, model)
            optimizer.zero_grad()
            loss.backward()
            after = diagnose(loss, model)
            optimizer.step()
            assert not before, before
            assert not after, after


def test_nothing_is_touched() -> None:
    model = network("relu")
    loss = forward(model)
    loss.backward()
    model.layers[0].neurons[0].b.data = math.nan
    model.layers[0].neurons[1].b.data = -50.0

    def state() -> list[tuple[Any, ...]]:
        return [
            (node._data if node._data == node._data else "nan", node._grad, node._args, node._locals, node.label)
            for node in nodes
        ]

    nodes = list(gradients(loss))
    before = state()
    assert diagnose(loss, model)
    assert state() == before


def test_parameters_come_in_any_nesting_and_unlabelled_ones_are_named_by_their_place() -> None:
    model = network()
    loss = forward(model)
    spare = Value(0.25)
    for parameters in ([model, spare], {"net": model.parameters(), "spare": [spare]}, (p for p in [spare])):
        assert only(diagnose(loss, parameters), "no path to the loss").nodes == (spare,)
    assert diagnose(loss, {"deep": [(model, spare)]})[0].message.startswith("parameters['deep'][0][1]: ")


def test_a_diagnosis_reads_as_text() -> None:
    w, spare = parameter(2.0, "w"), parameter(1.5, "spare")
    with record_lines():
        loss = square(w)
    diagnosis = diagnose(loss, [w, spare])
    text = repr(diagnosis)
    assert text.startswith("no path to the loss\n  spare: the loss does not depend on it;")
    assert f"\n  where: {loss.line}\n  fix: " in text
    assert "loss = square(w)" in text
    assert "no path to the loss" in diagnosis
    assert diagnosis[0] in diagnosis
    assert "dead relu" not in diagnosis
    assert repr(diagnose(loss, [w])) == "nothing found"
    assert "record_lines()" in repr(diagnose(square(w), [w, spare]))


def test_a_deep_graph_is_walked_without_recursion() -> None:
    x = y = Value(1.0)
    for _ in range(20_000):
        y = y * 0.99999 + 1e-5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not diagnose(y, [x])
