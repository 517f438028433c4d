"""Where the debugger stands, in text: the node with its numbers, the ledger of its edges, what is next, and around."""

from collections.abc import Iterator, Sequence
from typing import Any

from autograd_mini.backward import Step
from autograd_mini.notation import written
from autograd_mini.number import number_text, product_text
from autograd_mini.replay import misfits
from autograd_mini.value import Value

__all__ = ["operation_line", "product_line", "standing"]

_WIDTH = 100
_AROUND = 2  # edges shown before the cursor, and after it
_LOOKED_AT = 1000  # the largest graph, and node, that is looked through for changed data each time
_SEARCHED = 10_000  # how many operations before the current one are searched for its users


def standing(dbg: Any) -> str:
    """Write where a Debugger stands."""
    return "\n".join([*_head(dbg), *(_end(dbg) if dbg.finished else _middle(dbg))])


def product_line(step: Step) -> str:
    """Write ``upstream × local = contribution`` of a step."""
    return product_text(step.upstream, step.local, step.contribution)


def operation_line(dbg: Any, node: Value) -> Iterator[str]:
    """Write an operation with its arguments by name and by number, in one line if it is short."""
    if not node._inputs:
        yield f"{dbg.names(node)} = {number_text(node.data)}"
        return
    in_numbers = written(node.op, node._args, lambda arg: number_text(float(arg)))
    parts = [dbg.names(node), _algebra(dbg, node), in_numbers, number_text(node.data)]
    if sum(map(len, parts)) < _WIDTH:
        yield " = ".join(parts)
    else:
        yield f"{parts[0]} = {parts[1]}"
        yield f"  = {parts[2]}"
        yield f"  = {parts[3]}"


def _head(dbg: Any) -> Iterator[str]:
    operations = len(dbg.order)
    operation, edge = dbg.place
    if dbg.finished:
        yield f"the backward pass is over: {operations:,} operation{'s' * (operations != 1)}"
    elif dbg.in_forward_pass:
        yield f"forward pass, operation {operation + 1:,} of {operations:,}"
    else:
        edges = dbg.ledger(0)[2]
        part = f", edge {edge + 1:,} of {edges:,}" if edges > 1 else ""
        yield f"backward pass, operation {operation + 1:,} of {operations:,}{part}"
    if dbg.notice:
        yield f"  {dbg.notice}"
    if dbg.in_forward_pass and operation:
        yield from _titled("done", operation_line(dbg, dbg.order[-operation]))
    elif last := dbg.last:
        yield f"  done  {product_line(last)} from {dbg.names(last.node)} to {dbg.names(last.parent)}"
    elif not dbg.finished and not dbg.in_forward_pass:
        root, data = dbg.names(dbg.root), number_text(dbg.root.data)
        yield f"  the forward pass is done, {root} = {data}; from here back, with ∂{root}/∂{root} = 1"
        if changed := [node for node in dbg.order if _is_changed(node)] if operations <= _LOOKED_AT else []:
            where = ", ".join(map(dbg.names, changed[:-4:-1])) + ", …" * (len(changed) > 3)
            yield f"  data was changed since, seen at {where}; the derivatives are those of the forward pass"


def _middle(dbg: Any) -> Iterator[str]:
    node = dbg.node
    yield from _titled("next" if dbg.in_forward_pass else "at", operation_line(dbg, node))
    if node.line:
        yield f"        made at {node.line}"
    if _is_changed(node):
        yield f"        data was changed since the forward pass; the numbers of that pass gave {number_text(node.data)}"
    if not dbg.in_forward_pass:
        yield f"        upstream ∂{dbg.names(dbg.root)}/∂{dbg.names(node)} = {number_text(dbg.gradient(node))}"
        yield from _ledger(dbg)
        yield f"  next  {product_line(dbg.upcoming)} to {dbg.names(dbg.upcoming.parent)}"
    yield "  around"
    yield from _neighbourhood(dbg, node)


def _is_changed(node: Value) -> bool:
    try:
        return len(node._args) <= _LOOKED_AT and any(True for _ in misfits(node))
    except Exception:  # an op of the user's may raise anything
        return False


def _end(dbg: Any) -> Iterator[str]:
    leaves = [node for node in dbg.gradients if not node._inputs]
    root = dbg.names(dbg.root)
    for leaf in leaves[:8]:
        yield f"  ∂{root}/∂{dbg.names(leaf)} = {number_text(dbg.gradient(leaf))}"
    if len(leaves) > 8:
        yield f"  and {len(leaves) - 8:,} more"
    yield f"  no .grad was written; {root}.backward() writes these numbers, and adds those of leaves to what they hold"


def _titled(title: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {title:<5} {line}"
        title = ""


def _ledger(dbg: Any) -> Iterator[str]:
    done, coming, edges = dbg.ledger(_AROUND)
    rows = [("", "upstream × local = contribution", "total so far")]
    rows += [(f"✓ {dbg.names(step.parent)}", product_line(step), number_text(step.after)) for step in done]
    rows += [(f"  {dbg.names(step.parent)}", product_line(step), "") for step in coming]
    if coming:
        rows[len(done) + 1] = (f"→ {dbg.names(coming[0].parent)}", *rows[len(done) + 1][1:])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    before = dbg.place[1] - len(done)
    after = edges - before - len(done) - len(coming)
    yield lines[0]
    if before:
        yield f"      … {before:,} more before"
    yield from lines[1:]
    if after:
        yield f"      … {after:,} more to come"


def _neighbourhood(dbg: Any, node: Value) -> Iterator[str]:
    """Two of its users above it, one of the other; below it what it is made of."""
    above: list[Value] = []
    others = 0
    while len(above) < 2:
        users = _users(dbg, above[-1] if above else node)
        if not users:
            break
        above.append(users[-1])
        others = others or len(users) - 1
    rows = [(user, "") for user in reversed(above)]
    if others:
        rows[-1] = (rows[-1][0], f"  and {others:,} more use{'s' * (others > 1)}")
    rows.append((node, "  ← here"))
    lines = [("  " * max(depth - 1, 0) + "└ " * (depth > 0), *row) for depth, row in enumerate(rows)]
    arguments, hidden = _arguments(dbg, node)
    indent = "  " * len(above)
    lines += [(f"{indent}├ ", argument, "") for argument in arguments]
    if not hidden:
        lines[-1] = (f"{indent}└ ", *lines[-1][1:])
    left = [f"    {lead}{_shortened(dbg, node)}" for lead, node, _ in lines]
    width = max(map(len, left))
    for text, (_, shown, mark) in zip(left, lines, strict=True):
        yield f"{text.ljust(width)}  {_so_far(dbg, shown)}{mark}".rstrip()
    if hidden:
        yield f"    {indent}└ … {hidden:,} more"


def _arguments(dbg: Any, node: Value) -> tuple[Sequence[Value], int]:
    """What a node is made of, near the cursor, and how many more there are."""
    done, coming, edges = dbg.ledger(_AROUND)
    if not edges:
        receivers = dbg.stand_in(node)._inputs
        return list(dict.fromkeys(receivers[: 2 * _AROUND])), max(len(receivers) - 2 * _AROUND, 0)
    return list(dict.fromkeys(step.parent for step in (*done, *coming))), edges - len(done) - len(coming)


def _users(dbg: Any, node: Value) -> list[Value]:
    """What a node goes into, as far as it is near."""
    if node is dbg.root:
        return []
    place = len(dbg.order) - 1 - dbg.place[0] if dbg.in_forward_pass else dbg.place[0]
    return [user for user in dbg.order[max(place - _SEARCHED, 0) : place] if node in dbg.stand_in(user)._inputs]


def _shortened(dbg: Any, node: Value) -> str:
    number = number_text(node.data)
    if not node._inputs:
        return number if dbg.names(node) == number else f"{dbg.names(node)} = {number}"
    algebra = _algebra(dbg, node)
    if len(algebra) > _WIDTH // 3:
        algebra = algebra[: _WIDTH // 3 - 1] + "…"
    return f"{dbg.names(node)} = {algebra} = {number}"


def _so_far(dbg: Any, node: Value) -> str:
    if dbg.in_forward_pass:
        return ""
    return f"∂ {number_text(dbg.gradient(node))}" if dbg.reached(node) else "no gradient yet"


def _algebra(dbg: Any, node: Value) -> str:
    return written(node.op, node._args, lambda arg: dbg.names(arg) if isinstance(arg, Value) else number_text(arg))
