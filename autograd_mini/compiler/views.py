"""The Python expression for a view: a slice, a transpose, a reshape, or strides where nothing simpler will do."""

from autograd_mini.compiler.program import Axis, Ref

__all__ = ["view_text"]

_EXAMPLES = Axis(1, 1, True)


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
    return name if (start, end) == (0, whole) else f"{name}[{start or ''}:{end}]"


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
    examples = _EXAMPLES
    if whole == 1:  # its memory has the axis of examples alone
        ones = len(ref.axes) - 1
        if core == [examples] and ref.axes[-1] == examples:
            return name if not ones else f"{name}[{', '.join(['None'] * ones)}]"
        return (
            f"{name}[:, None]"
            if ref.axes == (examples, Axis(1, 0))
            else f"{name}.reshape(-1)"
            if len(ref.axes) == 1
            else None
        )
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
        text = name if (start, count) == (0, whole) else f"{name}[:, {start or ''}:{start + count}]"
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
