"""What the page computes beside Python: random graphs and every row of the table, as questions to some JavaScript."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from autograd_mini import RULES, Value, gradients, paths, steps, topological_order
from autograd_mini.functions import sum as add_up
from autograd_mini.kits import FLOAT
from autograd_mini.primitive import is_own
from autograd_mini.value import apply
from viz.explorer.data import GraphData

__all__ = ["ANSWER_GRAPHS", "ANSWER_ROWS", "OPS", "Ask", "compare_graphs", "compare_rows"]

OPS = [op for op in RULES if not is_own(op)]

Ask: TypeAlias = Callable[[str, Any], Any]
"""Runs a function of JavaScript, which sees the page's modules, on what JSON can hold."""

ANSWER_GRAPHS = """(questions) => {
  const text = (x) => Array.from(x, (n) => (Number.isFinite(n) ? n : String(n)));
  return questions.map(({ graph, changed, target }) => {
    const made = new Graph(graph, table);
    const told = { value: text(made.value), gradient: text(made.gradient), reached: Array.from(made.reached) };
    told.steps = [...Array(Math.min(made.stepCount, 60)).keys()].map((k) => {
      const { node, argument, parent, upstream, local, contribution, before, after } = made.step(k);
      return [node, argument, parent, upstream, local, contribution, before, after];
    });
    if (target !== null) {
      const { count, best } = made.paths(target);
      told.paths = { count, products: best.map((path) => path.product) };
    }
    made.run(new Map(changed));
    return { ...told, changedValue: text(made.value), changedGradient: text(made.gradient) };
  });
}"""

ANSWER_ROWS = """(questions) => {
  const number = (x) => (Number.isFinite(x) ? x : String(x));
  return questions.map(([op, texts]) => {
    const args = texts.map(Number);
    if (Object.hasOwn(nary, op)) {
      const n = args.length, at = (i) => args[i], y = nary[op].value(n, at);
      return [y, ...args.map((_, i) => nary[op].partial(i, y, n, at))].map(number);
    }
    const y = table[op].value(...args);
    return [y, ...table[op].partials.map((partial) => partial(y, ...args))].map(number);
  });
}"""


def compare_graphs(ask: Ask, count: int = 60) -> None:
    """Hold both passes, the steps, the paths and a change of the leaves to Python, on random graphs."""
    graphs = [random_graph(seed) for seed in range(count)]
    questions = []
    for seed, root in enumerate(graphs):
        data = GraphData(root)
        leaves = [i for i, node in enumerate(data.nodes) if not node.op and not node.parents]
        draw = random.Random(seed)
        changed = [[i, draw.uniform(-1.0, 1.0)] for i in leaves[:3]]
        questions.append({"graph": data.as_dict(), "changed": changed, "target": leaves[0] if leaves else None})
    answers = ask(ANSWER_GRAPHS, questions)
    for root, question, answer in zip(graphs, questions, answers, strict=True):
        nodes = topological_order(root)
        index = {node: i for i, node in enumerate(nodes)}
        expected = gradients(root)
        largest = max(map(abs, expected.values()))
        for node, value, gradient, reached in zip(
            nodes, answer["value"], answer["gradient"], answer["reached"], strict=True
        ):
            assert close(node.data, value), (node, value)
            assert close(expected.get(node, 0.0), gradient, 1e-3 * largest), (node, gradient)
            assert bool(reached) == (node in expected)
        for step, told in zip(steps(root), answer["steps"], strict=False):
            assert told[:3] == [index[step.node], step.argument, index[step.parent]]
            for ours, theirs in zip((step.upstream, step.local, step.contribution), told[3:6], strict=True):
                assert close(ours, theirs, 1e-3 * largest)
            assert close(step.after, told[7], 1e-3 * largest)
        if question["target"] is not None:
            found = paths(root, nodes[question["target"]], top=5)
            assert answer["paths"]["count"] == found.count
            check_products([path.product for path in found.largest], answer["paths"], 1e-3 * largest)
        check_changed(root, nodes, question["changed"], answer)


def check_products(ours: Sequence[float], paths: Any, scale: float) -> None:
    """Compare the products of the largest paths, with their signs.

    Of paths as large as each other any may come first, and of those as large as the last one any may be left out.
    """
    theirs = [float(product) for product in paths["products"]]
    assert len(ours) == len(theirs)
    start = 0
    while start < len(ours):
        end = start + 1
        while end < len(ours) and close(abs(ours[start]), abs(ours[end]), scale):
            end += 1
        is_whole = end < len(ours) or len(ours) == paths["count"]
        order = float if is_whole else abs
        for one, other in zip(sorted(map(order, ours[start:end])), sorted(map(order, theirs[start:end])), strict=True):
            assert close(one, other, scale)
        start = end


def check_changed(root: Value, nodes: Sequence[Value], changed: Sequence[Any], answer: Any) -> None:
    """Compute the graph of other leaves in Python, and compare what the page made of the change."""
    numbers = dict(changed)
    copies: dict[Value, Value] = {}
    for i, node in enumerate(nodes):
        if node.parents:
            arguments = [copies[parent] if parent in expectation(node) else parent.data for parent in node.parents]
            copies[node] = apply(node.op, *arguments)
        else:
            copies[node] = Value(numbers.get(i, node.data))
    expected = gradients(copies[root])
    largest = max(map(abs, expected.values()))
    for node, value, gradient in zip(nodes, answer["changedValue"], answer["changedGradient"], strict=True):
        assert close(copies[node].data, value, 1e-3), (node, value)
        assert close(expected.get(copies[node], 0.0), gradient, 1e-2 * largest), (node, gradient)


def expectation(node: Value) -> set[Value]:
    return set(node._inputs)


def compare_rows(ask: Ask) -> None:
    """Hold every row of the table to Python, in its box and at its edges."""
    draw = random.Random(1)
    questions = []
    for op in OPS:
        rule = RULES[op]
        boxes = rule.box if rule.arity else rule.box * 6
        points = [[draw.uniform(*box) for box in boxes] for _ in range(60)]
        points += [list(edge.at) for edge in rule.edges]
        points += [[30.0], [-30.0], [5.5], [-5.5], [1e-9]] if rule.arity == 1 and op != "tan" else []
        questions += [[op, [_javascript(x) for x in point]] for point in points]
    answers = ask(ANSWER_ROWS, questions)
    for (op, texts), (value, *partials) in zip(questions, answers, strict=True):
        args = [float(text) for text in texts]
        y = RULES[op].forward(FLOAT, *args)
        # gelu's slope crosses 0, and its terms cancel there
        assert close(y, value, 1e-290), (op, args, y, value)
        for i, partial in enumerate(partials):
            assert close(RULES[op].partial(FLOAT, i, y, args), partial, 1e-3 if op in ("gelu", "silu") else 1e-290), (
                op, args, i, partial,
            )  # fmt: skip


def random_graph(seed: int, size: int = 40) -> Value:
    """A graph over every op, with constants, shared arguments and nodes that no gradient goes through."""
    draw = random.Random(seed)
    nodes = [Value(draw.uniform(-1.5, 1.5), f"x{i}") for i in range(6)]
    for _ in range(size):
        op = draw.choice(OPS)
        rule = RULES[op]
        count = rule.arity or 2 * draw.randint(1, 4)
        args: list[Any] = [draw.choice(nodes) if draw.random() < 0.8 else draw.uniform(0.3, 2.0) for _ in range(count)]
        low, high = rule.box[0]
        if (low, high) != (-3.0, 3.0) or op == "pow":  # into the domain
            args[0] = 0.5 + args[0].sigmoid() if isinstance(args[0], Value) else args[0]
        if op == "div" and isinstance(args[1], Value):
            args[1] = 0.5 + args[1].sigmoid()
        made = apply(op, *args)
        if isinstance(made, Value):
            nodes.append(made.tanh() if abs(made.data) > 10.0 else made)
    return add_up(nodes[-12:])


def close(ours: float, theirs: Any, scale: float = 0.0, tolerance: float = 1e-12) -> bool:
    found = float(theirs)
    if math.isnan(ours) or math.isinf(ours):
        return math.isnan(found) if math.isnan(ours) else found == ours
    return abs(ours - found) <= tolerance * max(abs(ours), scale)


def _javascript(x: float) -> str:
    return repr(x) if math.isfinite(x) else "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
