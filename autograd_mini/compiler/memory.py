"""Memory: one long buffer becomes many, and temporary ones take over what is no longer needed."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from autograd_mini.compiler.program import Buffer, Ref, Statement

__all__ = ["refs", "share_memory", "split"]

_IN_PLACE = frozenset({
    "add", "subtract", "multiply", "divide", "negative", "power", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos",
    "tan", "tanh", "absolute", "sign", "maximum", "minimum", "copy",
})  # fmt: skip


def refs(statement: Statement) -> Iterator[Ref]:
    """Every view in a statement, what it writes last."""
    yield from (arg for arg in statement.args if isinstance(arg, Ref))
    if statement.out is not None:
        yield statement.out


def replaced(statement: Statement, new: dict[Ref, Ref]) -> None:
    statement.args = tuple([new.get(arg, arg) if isinstance(arg, Ref) else arg for arg in statement.args])
    if statement.out is not None:
        statement.out = new.get(statement.out, statement.out)


def split(statements: Sequence[Statement], buffer: Buffer, blocks: Iterable[tuple[str, int, int]], prefix: str) -> None:
    """Make one long buffer many, each as long as its blocks and the views across them ask for.

    Args:
        statements: where it is used.
        buffer: the long one.
        blocks: names, starts and lengths of what must stay together.
        prefix: for the names of the new buffers.
    """
    found = {ref for statement in statements for ref in refs(statement) if ref.buffer is buffer}
    spans = [(start, start + size, name) for name, start, size in blocks]
    spans += [(*_span(ref), "") for ref in found]
    spans.sort(key=lambda span: (span[0], -span[1]))
    clusters: list[list[Any]] = []
    for start, end, name in spans:
        if clusters and start < clusters[-1][1]:
            clusters[-1][1] = max(end, clusters[-1][1])
            clusters[-1][2] += [name] * bool(name)
        else:
            clusters.append([start, end, [name] * bool(name)])
    new: dict[Ref, Ref] = {}
    lengths = {name: size for name, _, size in blocks}
    parts = [
        (start, end, Buffer(prefix + _joined(names, lengths, end - start), end - start, buffer.batched))
        for start, end, names in clusters
    ]
    starts = [start for start, _, _ in parts]
    for ref in found:
        start, _, part = parts[bisect_right(starts, _span(ref)[0]) - 1]
        new[ref] = Ref(part, ref.offset - start, ref.axes)
    for statement in statements:
        replaced(statement, new)


def _span(ref: Ref) -> tuple[int, int]:
    """The first of the places that a view has, and one behind the last."""
    first = last = ref.offset
    for axis in ref.axes:
        if axis.stride_per_batch or not ref.buffer.batched:
            reach = (axis.size - 1) * axis.stride
            first, last = first + min(0, reach), last + max(0, reach)
        elif axis.per_batch:  # of examples, or places and examples merged
            last += axis.size - 1
    return first, last + 1


def _joined(names: list[str], lengths: dict[str, int], length: int) -> str:
    if len(names) == 1:
        return names[0] if lengths[names[0]] == length else f"{names[0]}_and_one"
    return f"{names[0]}_to_{names[-1]}" if names else "rest"


def share_memory(statements: Sequence[Statement]) -> list[Buffer]:
    """Let temporary buffers take over the memory of those that are no longer needed; the ones that remain come back."""
    last: dict[Buffer, int] = {}
    for i, statement in enumerate(statements):
        for ref in refs(statement):
            if ref.buffer.kind == "temporary":
                last[ref.buffer] = i
    home: dict[Buffer, Buffer] = {}
    free: dict[tuple[int, bool, str], list[Buffer]] = {}
    remaining: list[Buffer] = []
    for i, statement in enumerate(statements):
        dying = dict.fromkeys(ref.buffer for ref in refs(statement) if last.get(ref.buffer) == i)
        out = statement.out.buffer if statement.out is not None else None
        if out is not None and out.kind == "temporary" and out not in home:
            taken = _taken_over(statement, dying, home)
            kind = out.places, out.batched, out.dtype
            if taken is not None:
                home[out] = home[taken]
                del dying[taken]
            elif not out.name and free.get(kind):
                home[out] = free[kind].pop()
            else:
                home[out] = out
                remaining.append(out)
        for buffer in dying:
            if buffer in home and not home[buffer].name:
                kept = home[buffer]
                free.setdefault((kept.places, kept.batched, kept.dtype), []).append(kept)
    new: dict[Ref, Ref] = {}
    for statement in statements:
        for ref in refs(statement):
            if ref.buffer in home:
                new[ref] = Ref(home[ref.buffer], ref.offset, ref.axes)
    for statement in statements:
        replaced(statement, new)
    return remaining


def _taken_over(statement: Statement, dying: Collection[Buffer], home: dict[Buffer, Buffer]) -> Buffer | None:
    """An operand whose memory an element-wise result may overwrite."""
    out = statement.out
    if out is None or statement.function not in _IN_PLACE:
        return None
    for arg in statement.args:
        if not isinstance(arg, Ref) or arg.buffer not in dying or arg.buffer not in home or arg.buffer is out.buffer:
            continue
        if out.buffer.name and not home[arg.buffer].name:
            continue  # the memory keeps the name of what was there first
        same = (arg.axes, arg.offset, arg.buffer.dtype) == (out.axes, out.offset, out.buffer.dtype)
        if same and arg.buffer.places == out.buffer.places:
            return arg.buffer
    return None
