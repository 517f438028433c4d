"""From statements to NumPy source: memory is shared out, views are named, and everything is written down."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autograd_mini.compiler.program import Axis, Buffer, Ref, Scalar, Statement

__all__ = ["share_memory", "split", "view_text"]

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
    from bisect import bisect_right

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
        dying = {ref.buffer for ref in refs(statement) if last.get(ref.buffer) == i}
        out = statement.out.buffer if statement.out is not None else None
        if out is not None and out.kind == "temporary" and out not in home:
            taken = _taken_over(statement, dying, home)
            kind = out.places, out.batched, out.dtype
            if taken is not None:
                home[out] = home[taken]
                dying.discard(taken)
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


def _taken_over(statement: Statement, dying: set[Buffer], home: dict[Buffer, Buffer]) -> Buffer | None:
    """An operand whose memory an element-wise result may overwrite."""
    out = statement.out
    if out is None or statement.function not in _IN_PLACE:
        return None
    for arg in statement.args:
        same = isinstance(arg, Ref) and arg.buffer in dying and arg.buffer in home
        if same and (out.buffer.name and not home[arg.buffer].name):
            continue  # the memory keeps the name of what was there first
        if same and (arg.axes, arg.offset, arg.buffer.dtype) == (out.axes, out.offset, out.buffer.dtype):
            if arg.buffer is not out.buffer and arg.buffer.places == out.buffer.places:
                return arg.buffer
    return None


def view_text(ref: Ref) -> str:
    """The Python expression for a view."""
    buffer = ref.buffer
    simple = (
        _plain_text(ref) if not buffer.batched else _batch_first_text(ref) if buffer.batch_first else _batched_text(ref)
    )
    return simple or _strided_text(ref)


def _shaped(core: list[Axis], ref: Ref, rest: str = "") -> str:
    """What puts axes of size 1 where the view has them, given those that are longer."""
    if len(core) == len(ref.axes):
        return ""
    places = [":" if axis in core else "None" for axis in ref.axes]
    while places and places[-1] == ":":
        places.pop()
    return f"[{', '.join(places)}]"


def _core(ref: Ref) -> list[Axis]:
    return [axis for axis in ref.axes if axis.length != (1, False)]


def _slice(name: str, start: int, end: int, whole: int) -> str:
    return name if (start, end) == (0, whole) else f"{name}[{start}:{end}]"


def _plain_text(ref: Ref) -> str | None:
    core, name, start, whole = _core(ref), ref.buffer.name, ref.offset, ref.buffer.places
    pairs = [(axis.size, axis.stride) for axis in core]
    if not pairs:
        text = _slice(name, start, start + 1, whole)
        return text if len(ref.axes) == 1 else f"{text}.reshape({(1,) * len(ref.axes)})"
    if len(pairs) == 1 and pairs[0][1] == 1:
        text = _slice(name, start, start + pairs[0][0], whole)
    elif len(pairs) == 2:
        (m, s), (n, t) = pairs
        turned = s == 1
        if turned:
            (m, s), (n, t) = (n, t), (m, s)
        if t != 1 or s < n or start + m * s > whole:
            return None
        text = f"{_slice(name, start, start + m * s, whole)}.reshape({m}, {s})"
        text += f"[:, :{n}]" * (n < s) + ".T" * turned
    else:
        return None
    return text + _shaped(core, ref)


def _batched_text(ref: Ref) -> str | None:
    core, name, start, whole = _core(ref), ref.buffer.name, ref.offset, ref.buffer.places
    examples = Axis(1, 1, True)
    if core and core[-1] == examples:
        inner = core[:-1]
        if not inner:
            text = _slice(name, start, start + 1, whole)
            if ref.axes[-1] != examples:
                return f"{text}.T" if len(ref.axes) == 2 else None
            before = len(ref.axes) - 1
            return f"{text}[0]" if before == 0 else text if before == 1 else f"{text}.reshape({'1, ' * before}batch)"
        if all(axis.stride_per_batch for axis in inner):
            sizes, strides = [axis.size for axis in inner], [axis.stride for axis in inner]
            expected = [1]
            for size in reversed(sizes[1:]):
                expected.insert(0, expected[0] * size)
            count = expected[0] * sizes[0]
            if strides == expected:
                text = _slice(name, start, start + count, whole)
                if len(ref.axes) > 2:
                    shape = [
                        "1" if axis.length == (1, False) else "batch" if axis == examples else str(axis.size)
                        for axis in ref.axes
                    ]
                    text += f".reshape({', '.join(shape)})"
                return text
    if len(ref.axes) == 1 and ref.is_in_order and core[0].per_batch:
        return f"{_slice(name, start, start + core[0].size, whole)}.reshape(-1)"
    if len(core) == 2 == len(ref.axes) and core[0] == examples and core[1].stride == 1 and core[1].stride_per_batch:
        return f"{_slice(name, start, start + core[1].size, whole)}.T"
    if len(core) == 2 == len(ref.axes) and core[1].per_batch and core[1].stride == 1 and core[0].stride == core[1].size:
        return f"{_slice(name, start, start + core[0].size * core[1].size, whole)}.reshape({core[0].size}, -1)"
    return None


def _batch_first_text(ref: Ref) -> str | None:
    core, name, start, whole = _core(ref), ref.buffer.name, ref.offset, ref.buffer.places
    examples = Axis(1, whole, True)
    if examples in core and len(core) <= 2:
        others = [axis for axis in core if axis != examples]
        count = others[0].size if others else 1
        if others and (others[0].stride, others[0].stride_per_batch) != (1, False):
            return None
        text = name if (start, count) == (0, whole) else f"{name}[:, {start}:{start + count}]"
        shape = [axis for axis in ref.axes if axis in core] if others else list(ref.axes)
        if len(ref.axes) > 2 or (not others and len(ref.axes) != 2):
            return None
        return text + ".T" * (shape[-1] == examples)
    return None


def _strided_text(ref: Ref) -> str:
    buffer = ref.buffer

    def times(count: int, per_batch: bool) -> str:
        return (f"{count} * batch" if count != 1 else "batch") if per_batch and count else str(count)

    start = times(ref.offset, buffer.batched and not buffer.batch_first)
    shape = ", ".join(times(axis.size, axis.per_batch) for axis in ref.axes)
    strides = ", ".join(times(axis.stride, axis.stride_per_batch) for axis in ref.axes)
    comma = "," * (len(ref.axes) == 1)
    return f"strided({buffer.name}, {start}, ({shape}{comma}), ({strides}{comma}))"
