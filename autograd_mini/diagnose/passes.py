"""Mistakes about passes: gradients left over, parameters left out, graphs that reach into earlier iterations."""

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise

from autograd_mini.diagnose.findings import Finding
from autograd_mini.diagnose.scene import Scene
from autograd_mini.number import number_text
from autograd_mini.source import SourceLine, user_line
from autograd_mini.value import Value

__all__ = ["growing_graph", "no_path", "second_backward"]

# Gradients of one pass are reproduced bit for bit; this only forgives sums taken in another order.
_ROUNDING = 1e-9
# A graph that keeps its past grows by one iteration each time: from one to four, say. Batches that differ a little in
# size may by chance grow steadily as well, but never so much.
_CALLS = 4
_GROWTH = 0.1
_LINES_REMEMBERED = 64


def second_backward(look: Scene) -> Iterator[Finding]:
    """Find gradients that hold more than one pass, once ``backward()`` has run on this loss."""
    if not look.loss.has_grad:
        return
    reached = [p for p in look.names if p.has_grad and p in look.gradient and p is not look.loss]
    negligible = 1e-3 * _ROUNDING * max((abs(look.gradient[p]) for p in reached), default=0.0)
    stale = [p for p in reached if not _close(p.grad, look.gradient[p], negligible)]
    if all(_is_clipped(p.grad, look.gradient[p]) for p in stale):
        return
    p = max(stale, key=lambda p: abs(p.grad - look.gradient[p]))
    passes = round(p.grad / look.gradient[p]) if look.gradient[p] and math.isfinite(p.grad / look.gradient[p]) else 0
    seen = f"{look.name(p)}.grad is {number_text(p.grad)}, "
    if passes > 1 and all(_close(q.grad, passes * look.gradient[q], negligible) for q in reached):
        times = f"{passes} times"
        seen += f"which is {times} this loss's gradient {number_text(look.gradient[p])}: backward() ran {times}"
    else:
        gradient = number_text(look.gradient[p])
        seen += f"but this loss's gradient is {gradient}: other backward passes, or another loss, are in it"
    others = f" (and {len(stale) - 1} more parameters like it)" if len(stale) > 1 else ""
    yield Finding(
        "second backward without zeroing",
        seen + others,
        tuple(stale),
        look.loss.line,
        "write model.zero_grad(), or p.grad = None for each parameter, before each backward(); adding up "
        "gradients over several batches on purpose is fine: write it after each step() then",
    )


def _close(a: float, b: float, negligible: float) -> bool:
    return math.isclose(a, b, rel_tol=_ROUNDING, abs_tol=negligible) or (math.isnan(a) and math.isnan(b))


def _is_clipped(held: float, gradient: float) -> bool:
    """Clipping and averaging, which are no mistakes, only ever shorten a gradient."""
    return abs(held) <= abs(gradient) and held * gradient >= 0.0


def no_path(look: Scene) -> Iterator[Finding]:
    """Find parameters that the loss does not depend on."""
    lost = [p for p in look.names if p not in look.gradient]
    if not lost:
        return
    them = "it" if len(lost) == 1 else "them"
    seen = f"{look.listed(lost)}: the loss does not depend on {them}"
    if not look.order:
        seen += ", for no operation was recorded that made it"
    # Small whole numbers are everywhere; any other number that is equal to the last bit is hardly there by chance.
    unusual = {p.data: p for p in lost if not p.data.is_integer()}
    copied = next(((node, unusual[c]) for node in look.order for c in _constants(look, node) if c in unusual), None)
    if copied:
        node, p = copied
        seen += f"; {node.op} uses the constant {number_text(p.data)}, which looks like a copy of {look.name(p)}"
    yield Finding(
        "no path to the loss",
        seen + f"; backward() gives {them} no gradient, so training will not move {them}",
        tuple(lost),
        copied[0].line if copied else look.loss.line,
        "call every layer in the forward pass; make the loss of the parameters themselves, not of p.data, float(p) or "
        "Value(p.data), and outside no_grad(); pass only the parameters that are to be trained",
    )


def _constants(look: Scene, node: Value) -> Iterator[float]:
    for arg in node._args:
        if isinstance(arg, float):
            yield arg
        elif not arg._args and arg not in look.names:
            yield arg._data


def growing_graph(look: Scene) -> Iterator[Finding]:
    """Find a graph that reaches back into earlier iterations."""
    made = next((p for p in look.names if p._inputs), None)
    if made is not None:
        yield Finding(
            "growing graph",
            f"{look.name(made)} is a parameter that {made.op} made, so all that it was made of, and with it each "
            "earlier iteration, stays in the graph",
            (made,),
            made.line,
            "change the number and keep the Value: p.data -= learning_rate * p.grad",
        )
        return
    grown = _grown(len(look.order))
    used = [node for node in look.order if node.has_grad] if not look.loss.has_grad else []
    fix = "add up numbers, not Values: total += loss.data; carry a state on as Value(state.data)"
    if used:
        yield Finding(
            "growing graph",
            f"{len(used)} of the {len(look.order)} operations in this graph were part of an earlier backward pass, "
            f"nearest to the loss {used[0]!r}: the graph reaches back into an earlier iteration",
            (used[0],),
            used[0].line,
            fix,
        )
    elif grown:
        yield Finding(
            "growing graph",
            f"at the last {_CALLS} calls from this line the graph had {', '.join(map(str, grown))} operations",
            (look.loss,),
            look.loss.line,
            fix + "; if each loss is meant to be longer, all is well",
        )


_sizes: OrderedDict[tuple[int, SourceLine], tuple[int, ...]] = OrderedDict()
_lock = threading.Lock()


def _grown(size: int) -> tuple[int, ...]:
    """Remember the size of the graph by the caller's line; return the last sizes if they grow steadily."""
    key = threading.get_ident(), user_line()
    with _lock:
        sizes = _sizes[key] = (*_sizes.pop(key, ()), size)[-_CALLS:]
        if len(_sizes) > _LINES_REMEMBERED:
            _sizes.popitem(last=False)
    growth = {after - before for before, after in pairwise(sizes)}
    return sizes if len(sizes) == _CALLS and len(growth) == 1 and min(growth) >= _GROWTH * size else ()
