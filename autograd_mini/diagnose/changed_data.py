"""Data assigned after the forward pass had used it: a node no longer fits its operands."""

import math
from collections.abc import Iterator
from typing import Any, cast

from autograd_mini.backward import differentiable_arguments
from autograd_mini.diagnose.findings import Finding
from autograd_mini.diagnose.scene import Scene
from autograd_mini.kits import FLOAT
from autograd_mini.number import number_text
from autograd_mini.replay import misfits
from autograd_mini.rules import RULES
from autograd_mini.value import Value

__all__ = ["changed_data"]

# The table gives back the very number that was recorded; this forgives a graph that other code has computed.
_ROUNDING = 1e-9
_SHOWN = 3


def changed_data(look: Scene) -> Iterator[Finding]:
    """Find the Values, leaves nearly always, whose data is not what the forward pass used."""
    stale = [node for node in reversed(look.order) if not _fits(node)]
    if not stale:
        return
    was, unsure = _culprits(look, stale)
    known = [
        f"{look.name(value)} was {number_text(old)} in the forward pass and is {number_text(value.data)} now"
        for value, old in was.items()
        if old is not None
    ]
    nodes = tuple(dict.fromkeys((*was, *unsure)))
    if len(known) == len(nodes) <= _SHOWN:
        seen = ", ".join(known)
    else:
        seen = ("" if was else "one or more of ") + f"{look.listed(nodes)} changed after the forward pass"
        seen += ": " + ", ".join([*known[:_SHOWN], "…"]) if known else "; the old numbers are not recorded"
    yield Finding(
        "data changed after the forward pass",
        f"{seen}; backward() goes by the old numbers",
        nodes,
        stale[0].line,
        "run the forward pass again after changing .data; optimizer.step() changes it too, so call diagnose before it",
    )


def _same(a: float, b: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=_ROUNDING) or (a != a and b != b)


def _fits(node: Value) -> bool:
    """Whether the table still gives the node's number and its local derivatives."""
    return all(_same(now, held) for _, held, now in misfits(node))


def _operands_then(node: Value) -> list[float | None]:
    """The operands of the forward pass as far as they are on record: a factor's local derivative is its partner."""
    then: list[float | None] = [arg if isinstance(arg, float) else None for arg in node._args]
    if node.op in ("mul", "dot"):
        half = len(then) // 2
        for i, local in zip(differentiable_arguments(node), node._locals, strict=True):
            then[i - half] = local
    return then


def _culprits(look: Scene, stale: list[Value]) -> tuple[dict[Value, float | None], list[Value]]:
    """Say which Values changed, with their old data where it can be had, and which may have changed."""
    was: dict[Value, float | None] = {}
    open_cases: list[tuple[Value, list[int]]] = []
    unfit = set(stale)
    for node in reversed(stale):
        args: tuple[Any, ...] = node._args
        then = _operands_then(node)
        proven = [i for i, old in enumerate(then) if old is not None and not _same(old, float(args[i]))]
        was.update((args[i], then[i]) for i in proven)
        operands = [float(arg) if old is None else old for arg, old in zip(args, then, strict=True)]
        if proven and _same(RULES[node.op].forward(FLOAT, *operands), node.data):
            continue
        suspects = [i for i, old in enumerate(then) if old is None and not args[i]._inputs]
        assigned = [arg for arg in node._inputs if arg in unfit]
        if node in was:
            continue
        if suspects:
            open_cases.append((node, suspects))
        elif assigned:
            was.update((arg, None) for arg in assigned if arg not in was)
        else:
            was[node] = RULES[node.op].forward(FLOAT, *operands)
    fit = {leaf for node in look.order if node not in unfit for leaf in node._inputs if not leaf._inputs}
    return _narrowed(open_cases, was, fit)


def _narrowed(
    open_cases: list[tuple[Value, list[int]]], was: dict[Value, float | None], fit: set[Value]
) -> tuple[dict[Value, float | None], list[Value]]:
    """Of several leaves that one node may have to blame, keep those that alone explain every node they feed."""
    unsure: list[Value] = []
    olds: dict[Value, list[float | None]] = {}
    for node, suspects in open_cases:
        for i in suspects:
            olds.setdefault(_operand(node, i), []).append(_implied(node, i))
    for node, suspects in open_cases:
        leaves = [_operand(node, i) for i in suspects]
        leaves = [leaf for leaf in leaves if leaf not in fit] or leaves
        alone = [leaf for leaf in leaves if (old := olds[leaf][0]) and all(o and _same(o, old) for o in olds[leaf])]
        blamed = leaves if len(leaves) == 1 else alone
        if len(blamed) == 1:
            was.setdefault(blamed[0], olds[blamed[0]][0])
        else:
            unsure += leaves
    return was, unsure


def _operand(node: Value, i: int) -> Value:
    return cast(Value, node._args[i])  # not .parents, which would make Values of constants


def _implied(node: Value, i: int) -> float | None:
    """The old data of operand `i` if it alone changed and the op is linear in it, else None."""
    rule = RULES[node.op]
    operands = list(map(float, node._args))
    y = rule.forward(FLOAT, *operands)
    operands[i] -= FLOAT.div(y - node.data, rule.partial(FLOAT, i, y, operands))
    return operands[i] if _same(rule.forward(FLOAT, *operands), node.data) else None
