"""fold: the chain rule holds on the folded graph, whatever is folded into what."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, strategies as st

from autograd_mini import Value, dot, fold, mean, parameter, scope, tanh, topological_order
from autograd_mini.backward import path_sizes
from autograd_mini.folding import FOLDS, FoldedGraph, Group, groups_of
from autograd_mini.functions import sum as add_up
from autograd_mini.grouping import cut_at
from autograd_mini.strategies import graphs, mlps
from nn import MLP, BatchNorm, Layer, Module, Sequential, cross_entropy, mean_squared_error as mse

DEPTHS = (None, 0, 1, 2, 3, *FOLDS)
NAMES = ("a", "b", "c")


def leaves_of(root):
    return [node for node in topological_order(root) if not node.parents]


def by_paths(folded):
    """∂root/∂leaf as the sum over paths of products of what stands on the edges, with no help of the class."""
    onward: dict = {}
    for node in folded.nodes:
        if isinstance(node, Group):
            entries = [(x, y, d) for y, row in node.derivatives.items() for x, d in row.items()]
        else:
            entries = [(edge.input, node, edge.derivative) for edge in folded.edges_into(node)]
        for x, y, derivative in entries:
            if derivative is not None:
                onward.setdefault(x, []).append((y, derivative))
    reached = {folded.root: 1.0}
    for node in reversed(folded.nodes):
        for x in (*node.outputs, *node.leaves) if isinstance(node, Group) else (node,):
            if x is not folded.root:
                reached[x] = sum(d * reached[y] for y, d in onward.get(x, ()))
    return reached


def assert_chain_rule_holds(root, folded):
    """1e-12 of the sum of the sizes of all paths: what cancels leaves a rounding error that no order avoids."""
    size, _, _ = path_sizes(root)
    leaves = leaves_of(root)
    for leaf in leaves:
        leaf.grad = None
    root.backward()
    one, other = folded.gradients(), by_paths(folded)
    for leaf in leaves:
        for gradient in (one.get(leaf, 0.0), other[leaf]):
            assert abs(gradient - leaf.grad) <= 1e-12 * size.get(leaf, 0.0)


def assert_well_formed(root, folded):
    """Every node of the graph is shown once, and every edge leads from an earlier node to a later one."""
    shown = [m for node in folded.nodes for m in (node.members if isinstance(node, Group) else (node,))]
    assert len(shown) == len(set(shown))
    assert set(shown) == set(topological_order(root))
    position = {node: i for i, node in enumerate(folded.nodes)}
    assert all(position[edge.source] < position[edge.target] for edge in folded.edges)
    for node in folded.nodes:
        if isinstance(node, Group):
            assert node.outputs
            assert set(node.outputs) <= set(node.members)
            assert not set(node.inputs) & set(node.members)


def random_groups(root, seed, names=NAMES):
    """Groups with no regard to the graph: most are not convex, and depend on each other in circles."""
    draw = random.Random(seed)
    paths = [(), *((a,) for a in names), *((a, b) for a in names for b in names)]
    return {node: draw.choice(paths) for node in topological_order(root)}


@st.composite
def scoped_losses(draw):
    """The loss of a random MLP on a small batch, layers and neurons and the loss under random scopes, some nested."""
    model = draw(mlps())
    draw_scope = st.sampled_from([None, *NAMES])
    rows = [[Value(draw(st.integers(-20, 20)) / 10, f"x[{i}]") for i in range(model.inputs)] for _ in range(2)]
    outputs = []
    for row in rows:
        for layer in model.layers:
            around = draw(draw_scope)
            activations = []
            for neuron in layer.neurons:
                within = draw(draw_scope)
                activations.append(scoped(around, lambda n=neuron, r=row, w=within: scoped(w, lambda: n(r))))
            row = activations
        outputs.append(row)
    return scoped(draw(draw_scope), lambda: mean([mse(list(o), [0.5] * len(o)) for o in outputs]))


def scoped(name, compute):
    if name is None:
        return compute()
    with scope(name):
        return compute()


@given(scoped_losses())
def test_the_chain_rule_holds_on_networks_under_random_scopes(loss):
    for depth in DEPTHS:
        folded = fold(loss, depth)
        assert_well_formed(loss, folded)
        assert_chain_rule_holds(loss, folded)


@given(graphs(max_nodes=30), st.integers(0, 99))
def test_the_chain_rule_holds_on_any_graph_in_any_groups(graph, seed):
    root = graph.build()
    groups = random_groups(root, seed)
    for depth in (0, 1, "structure"):
        folded = fold(root, depth, groups=groups)
        assert_well_formed(root, folded)
        assert_chain_rule_holds(root, folded)


@given(mlps(), st.integers(0, 99))
def test_any_groups_may_stay_open(model, seed):
    loss = mse(model([0.5] * model.inputs), [0.1] * model.outputs if model.outputs > 1 else 0.1)
    paths = sorted(set(groups_of(loss).values()))
    opened = random.Random(seed).sample(paths, k=len(paths) // 2)
    folded = fold(loss, 0, opened=opened)
    assert_well_formed(loss, folded)
    assert_chain_rule_holds(loss, folded)
    assert not {node.path for node in folded.nodes if isinstance(node, Group)} & set(opened)


@given(mlps())
def test_both_directions_give_the_same_total_derivatives(model):
    outputs = model([Value(0.3, f"x[{i}]") for i in range(model.inputs)])
    loss = mse(outputs, [0.1] * model.outputs if model.outputs > 1 else 0.1)
    for depth in (0, "network"):
        for group in fold(loss, depth).nodes:
            if isinstance(group, Group) and group.operations:
                forwards, backwards = group._forwards(), group._backwards()
                assert forwards.keys() == backwards.keys()
                for output, row in forwards.items():
                    assert row.keys() == backwards[output].keys()
                    for x, number in row.items():
                        assert math.isclose(number, backwards[output][x], rel_tol=1e-12, abs_tol=1e-15)


def lecture():
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    xs = [Value(i / 49, f"x[{i}]") for i in range(49)]
    return model, xs, cross_entropy(model(xs), 1)


def shown(folded):
    return [node.name if isinstance(node, Group) else node.label or node.op for node in folded.nodes]


def test_the_groups_of_a_network_are_its_neurons_layers_and_loss():
    model, xs, loss = lecture()
    neurons = [f"hidden.neuron{i}" for i in (1, 2, 3)] + [f"output.neuron{i}" for i in range(1, 11)]
    assert shown(fold(loss, "neuron")) == ["x", *neurons, "loss"]
    assert shown(fold(loss, "layer")) == shown(fold(loss, 0)) == ["x", "hidden", "output", "loss"]
    assert shown(fold(loss, "network")) == ["x", "network", "loss"]
    hidden = fold(loss, "layer").nodes[1]
    assert (len(hidden.leaves), len(hidden.operations), len(hidden.inputs), len(hidden.outputs)) == (150, 9, 49, 3)
    assert set(hidden.leaves) == set(model.layers[0].parameters())
    assert set(hidden.inputs) == set(xs)


def test_the_total_derivative_of_a_neuron_is_slope_times_weight():
    model, xs, loss = lecture()
    neuron = model.layers[0].neurons[1]
    group = next(node for node in fold(loss, "neuron").nodes if getattr(node, "name", "") == "hidden.neuron2")
    (output,) = group.outputs
    slope = output.data * (1.0 - output.data)
    for x, w in zip(xs, neuron.w, strict=True):
        assert math.isclose(group.derivatives[output][x], slope * w.data, rel_tol=1e-13)
        assert math.isclose(group.derivatives[output][w], slope * x.data, rel_tol=1e-13, abs_tol=1e-300)


def test_dropout_and_batch_norm_belong_to_their_layer():
    model = MLP(2, [4, 4, 1], batch_norm=True, dropout=0.5, seed=0)
    loss = mse(model([[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]), [0.1, 0.2, 0.3])
    folded = fold(loss, "layer")
    assert shown(folded) == ["hidden1", "hidden2", "output", "loss"]
    assert shown(fold(loss, "network")) == ["network", "loss"]
    assert_chain_rule_holds(loss, folded)


def test_batch_norm_of_a_sequential_belongs_to_the_network():
    model = Sequential(Layer(2, 3, activation="linear"), BatchNorm(3), "tanh", Layer(3, 2))
    loss = cross_entropy(model([[0.5, 1.0], [-1.0, 2.0]]), [0, 1])
    names = {how: [node.name for node in fold(loss, how).nodes] for how in ("layer", "network")}
    assert names == {"layer": ["layer1", "batchnorm2", "layer4", "loss"], "network": ["network", "loss"]}


@pytest.mark.parametrize("is_training", [True, False])
def test_batch_norm_is_one_group_with_its_arithmetic(is_training):
    rows = [[0.1, 0.2, 0.3], [0.5, -0.2, 0.1]]
    mlp = MLP(3, [2, 2], batch_norm=True, dropout=0.3, seed=0)
    chain = Sequential(Layer(3, 2, activation="linear", seed=0), BatchNorm(2), "tanh", Layer(2, 2, seed=1))
    neurons = [f"{layer}.neuron{i}" for layer in ("hidden", "output", "layer1", "layer4") for i in (1, 2)]
    for model, expected in (
        (mlp, [*neurons[:2], "hidden.batch_norm", *neurons[2:4], "loss"]),
        (chain, [*neurons[4:6], "batchnorm2", *neurons[6:], "loss"]),
    ):
        model(rows)
        model.train(is_training)
        loss = cross_entropy(model(rows), [0, 1])
        folded = fold(loss, "neuron")
        assert sorted(shown(folded)) == sorted(expected)
        assert_chain_rule_holds(loss, folded)
        norm = folded.nodes[2]
        assert "norm" in norm.name
        assert {node.op for node in norm.operations} >= {"sub", "mul", "add"}
        assert all(node.op not in ("sub", "square", "mean") for group in folded.nodes[:2] for node in group.operations)


def test_a_penalty_belongs_to_the_loss():
    layer = Layer(2, 2, activation="tanh", seed=1)
    penalty = sum(w * w for w in layer.parameters())
    loss = mse(layer([0.3, 0.4]), [0.0, 1.0]) + penalty * 0.1
    folded = fold(loss, "layer")
    assert shown(folded) == ["layer", "loss"]
    assert_chain_rule_holds(loss, folded)


def test_scopes_stand_in_front_of_the_names_of_a_model():
    layer = Layer(1, 1, seed=0)
    w = layer.neurons[0].w[0]
    with scope("tower"):
        y = layer([2.0])
    with scope("neuron1"):
        z = layer([3.0])
    groups = groups_of(y + z)
    assert groups[y] == ("tower", "neuron1")
    assert groups[z] == ("neuron1",)
    assert groups[w] == ("neuron1",)


def test_a_module_of_ones_own_is_grouped_by_the_names_of_its_parameters():
    class Line(Module):
        def __init__(self):
            self.slope = parameter(2.0)

    class Two(Module):
        def __init__(self):
            self.first, self.second = Line(), Line()
            self.label_parameters()

    two = Two()
    y = tanh(two.second.slope * tanh(two.first.slope * Value(3.0, "x")))
    assert shown(fold(y, 0)) == ["x", "first", "second"]


def test_a_group_that_depends_on_itself_by_way_of_others_is_split():
    x = Value(0.5, "x")
    with scope("a"):
        y = x.sin()
    y = y.exp()
    with scope("a"):
        z = y.cos() + y
    folded = fold(z, 0)
    assert shown(folded) == ["x", "a (1 of 2)", "exp", "a (2 of 2)"]
    assert_chain_rule_holds(z, folded)


def test_two_groups_that_feed_each_other_are_split_though_each_is_convex():
    x = Value(0.5, "x")
    groups = {}
    a1, b1 = x.sin(), x.cos()
    b2, a2 = a1.exp(), b1.exp()
    root = a2 * b2
    groups |= {a1: ("a",), a2: ("a",), b1: ("b",), b2: ("b",)}
    folded = fold(root, 0, groups=groups)
    assert_well_formed(root, folded)
    assert_chain_rule_holds(root, folded)


def test_a_scope_that_is_entered_for_each_row_is_one_group():
    w = parameter(2.0, "w")
    total = Value(0.0)
    for i in range(5):
        with scope("model"):
            y = tanh(w * float(i))
        total = total + y
    group = next(node for node in fold(total, 0).nodes if isinstance(node, Group))
    assert (group.parts, len(group.operations), len(group.outputs), group.leaves[0]) == (1, 10, 5, w)


def test_depth_leaves_levels_open():
    x = Value(2.0, "x")
    with scope("a"):
        y = x.exp()
        with scope("b"):
            z = y.sin()
            with scope("c"):
                u = z.cos()
    assert shown(fold(u, 0)) == shown(fold(u, np.int64(0))) == ["x", "a"]
    assert shown(fold(u, 1)) == ["x", "exp", "a.b"]
    assert shown(fold(u, 2)) == ["x", "exp", "sin", "a.b.c"]
    assert shown(fold(u, 3)) == shown(fold(u)) == ["x", "exp", "sin", "cos"]
    assert shown(fold(u, 0, opened=[("a",)])) == ["x", "exp", "a.b"]
    assert shown(fold(u, 0, opened=[("a",), ("a", "b")])) == ["x", "exp", "sin", "a.b.c"]


def test_leaves_stay_apart_on_request():
    model, xs, loss = lecture()
    w = model.layers[0].neurons[0].w[3]
    folded = fold(loss, "layer", apart=[w, xs[5]])
    assert shown(folded) == ["hidden.neuron1.w[3]", "x[5]", "x", "hidden", "output", "loss"]
    assert [e.target.name for e in folded.edges if e.source is w] == ["hidden"] * 1
    assert shown(fold(loss, "layer", opened=[("x",)]))[:50] == [f"x[{i}]" for i in range(49)] + ["hidden"]
    assert_chain_rule_holds(loss, folded)


def test_not_folding_keeps_every_node_and_edge():
    x = Value(3.0, "x")
    root = (square := x * x) + 1
    folded = fold(root)
    assert list(folded.nodes) == topological_order(root)
    edges = [(edge.source, edge.target, edge.derivative) for edge in folded.edges]
    assert edges == [(x, square, 3.0), (x, square, 3.0), (square, root, 1.0), (root.parents[1], root, None)]


def test_a_leaf_alone_is_a_graph():
    x = Value(3.0, "x")
    for depth in DEPTHS:
        folded = fold(x, depth)
        assert (folded.nodes, folded.edges, folded.gradients()) == ((x,), (), {x: 1.0})


@pytest.mark.parametrize("labelled", [True, False])
def test_a_graph_of_a_hundred_thousand_nodes_is_folded(labelled):
    draw = random.Random(0)
    if labelled:
        model = MLP(49, [8, 10], seed=0)
        rows = [[draw.random() for _ in range(49)] for _ in range(230)]
        root = mean([cross_entropy(outputs, i % 10) for i, outputs in enumerate(model(rows))])
    else:
        weights = [[Value(draw.random()) for _ in range(50)] for _ in range(10)]
        rows = [[Value(draw.random()) for _ in range(50)] for _ in range(100)]
        root = sum(sum(w * x for w, x in zip(ws, row, strict=True)).tanh() for row in rows for ws in weights)
    assert len(topological_order(root)) > 100_000
    folded = fold(root, "auto")
    edges, gradients = folded.edges, folded.gradients()
    assert len(folded.nodes) <= 300
    assert edges
    root.backward()
    for leaf in leaves_of(root):
        assert math.isclose(gradients.get(leaf, 0.0), leaf.grad, rel_tol=1e-9, abs_tol=1e-12)


def test_auto_folds_what_is_too_wide_for_a_picture():
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    named = cross_entropy(model([Value(i / 49, f"x[{i}]") for i in range(49)]), 1)
    assert len(topological_order(named)) <= 300
    assert len(fold(named, "auto").nodes) == 15
    values = [Value(1.0 + i) for i in range(41)]
    assert len(fold(add_up(values), "auto").nodes) == 2
    assert len(fold(add_up(values[1:]), "auto").nodes) == 41
    chain = values[0]
    for value in values * 3:
        chain = chain * value
    assert len(fold(chain, "auto").nodes) == 41 + 3 * 41


def test_paths_are_cut_at_named_levels():
    assert cut_at("layer", ()) == ()
    assert cut_at("layer", ("loss",)) == cut_at("network", ("loss",)) == ("loss",)
    assert cut_at("layer", ("hidden", "batch_norm")) == ("hidden",)
    assert cut_at("neuron", ("mine", "own")) == cut_at("layer", ("mine", "own")) == ("mine", "own")
    assert cut_at("layer", ("neuron1",)) == ("layer",)
    assert cut_at("network", ("neuron1",)) == ("network",)
    assert cut_at("network", ("mine", "own")) == ("mine", "own")


def test_wrong_arguments_are_told_the_fix():
    x = Value(1.0)
    legal = "a number of levels to leave open, 'neuron', 'layer', 'network', 'structure', 'auto' or None"
    with pytest.raises(ValueError, match=f"unknown fold 'layers'; it is {legal}"):
        fold(x, "layers")
    with pytest.raises(TypeError, match=rf"a graph is folded to {legal}, got 1\.5 of type float"):
        fold(x, 1.5)
    with pytest.raises(TypeError, match="got True of type bool"):
        fold(x, True)
    with pytest.raises(ValueError, match="got -1; 0 folds most"):
        fold(x, -1)
    with pytest.raises(TypeError, match="a graph is walked from a Value, got 3"):
        fold(3, 0)


def test_folding_changes_nothing():
    _, _, loss = lecture()
    before = [(n.data, n.has_grad, n.label, n.op, n.parents) for n in topological_order(loss)]
    for depth in DEPTHS:
        assert isinstance(fold(loss, depth), FoldedGraph)
        fold(loss, depth).gradients()
    assert [(n.data, n.has_grad, n.label, n.op, n.parents) for n in topological_order(loss)] == before


def test_reprs_are_short():
    _, _, loss = lecture()
    folded = fold(loss, "layer")
    assert repr(folded) == "FoldedGraph(4 nodes for 279: x, hidden, output, loss)"
    assert repr(folded.nodes[1]) == "Group(hidden: 9 operations, 150 leaves, 3 outputs)"
    assert len(repr(fold(loss))) < 500
    weird = dot([parameter(1.0, "a\n\x1b.b")], [Value(2.0)])
    assert "\n" not in repr(fold(weird, 0))
