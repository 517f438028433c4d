"""A program as text: memory and views are named, made in a prologue, and the statements follow line by line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograd_mini.compiler.memory import refs
from autograd_mini.compiler.names import Names, label_of
from autograd_mini.compiler.program import Axis, Buffer, Ref, Scalar, Statement
from autograd_mini.compiler.text import RESERVED, given_name, simplified, statement_line
from autograd_mini.compiler.views import view_text

__all__ = ["Parts", "write"]

_MANY = 500
"""From so many names on they are global: Python takes quadratic time to compile a function that closes over them."""


@dataclass(slots=True)
class Parts:
    """What a program is made of.

    Attributes:
        statements: the forward and the backward pass.
        forward: how many of them are the forward pass.
        arguments: the name of each argument, and the view that it is copied to.
        loss: where the loss is; nothing if there is none, and of a total its one or two factors.
        factor: what the loss is multiplied by, as text; with "share", it is a mean over the batch.
        others: where the other results are, if there are any.
        by_arguments: where the gradients by the arguments are.
        labels: of the parameters.
        zeroed: buffers that start as 0.
        temporaries: buffers for passing use.
        tables: names of the arrays that the statements use.
        is_total: whether the loss is still to be added up.
    """

    statements: list[Statement]
    forward: int
    arguments: list[tuple[str, Ref]]
    loss: list[Any]
    factor: str
    others: Any
    by_arguments: list[Ref]
    labels: Sequence[str]
    zeroed: set[Buffer]
    temporaries: list[Buffer]
    tables: tuple[str, ...]
    is_total: bool

    @property
    def single(self) -> bool:
        """Whether there is nothing but a loss and gradients by parameters."""
        return bool(self.labels and self.loss) and self.others is None


def write(parts: Parts) -> str:
    """Write the source of a program."""
    return _Writing(parts).text


class _Writing:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.names = Names([*RESERVED, *parts.tables])
        self.given = {name: self.names.free(given_name(name)) for name, _ in parts.arguments}
        self.called: dict[str, str] = {}
        self.views: list[str] = []
        ones = [one for one in parts.statements if one.function == "constant" and one.args == (1.0,)]
        self.with_ones = {one.out.buffer for one in ones if one.out is not None}
        written = [simplified(one) for one in parts.statements if one not in ones]
        buffers = self._named_buffers(written, ones)
        memory = self._memory([buffer for buffer in buffers if buffer.kind != "given"])
        forward = parts.forward - sum(one in ones for one in parts.statements[: parts.forward])
        copies = [self._copy(name, ref) for name, ref in parts.arguments if ref.buffer in buffers]
        lines = [statement_line(one, self.name) for one in written]
        once = [line for one, line in zip(written, lines, strict=True) if one.function == "constant"]
        before, after = (
            [line for one, line in zip(written[part], lines[part], strict=True) if one.function != "constant"]
            for part in (slice(forward), slice(forward, None))
        )
        returned = self._returned()
        arguments = ", ".join(self.given.values())
        prologue = ["share = 1.0 / batch"] * ("share" in parts.factor) + memory + self.views + once
        body = [*copies, *before, *["# backward"] * bool(after), *after, returned]
        text = ["def prepare(parameters, gradients, batch):"]
        if len(prologue) > _MANY:
            text.append(f"    global {', '.join(line.partition(' = ')[0] for line in [*memory, *self.views])}")
        text += [*(f"    {line}" for line in prologue), ""]
        text += [f"    def step({arguments}):", *(f"        {line}" for line in body), "", "    return step"]
        self.text = "\n".join(text)

    def _named_buffers(self, written: Sequence[Statement], ones: Sequence[Statement]) -> dict[Buffer, None]:
        """Every buffer that is used, in order, each with a name of its own."""
        found: dict[Buffer, None] = {}
        for statement in (*written, *ones):
            found |= dict.fromkeys(ref.buffer for ref in refs(statement))
        results = [*self.parts.loss, self.parts.others, *self.parts.by_arguments]
        found |= dict.fromkeys(ref.buffer for ref in results if isinstance(ref, Ref))
        for buffer in found:
            if buffer.kind != "given":
                buffer.name = self.names.free(buffer.name or ("t" if buffer in self.parts.temporaries else "collected"))
        return found

    def name(self, ref: Any) -> str:
        """What the source calls a view or a number."""
        if isinstance(ref, Scalar):
            return self._defined(ref.text, "scale") if not re.fullmatch(r"\w+", ref.text) else ref.text
        if not isinstance(ref, Ref):
            return ref if isinstance(ref, str) else repr(ref)
        text = view_text(ref)
        return text if text == ref.buffer.name else self._defined(text, self._view_name(ref, text))

    def _defined(self, text: str, name: str) -> str:
        if text not in self.called:
            self.called[text] = self.names.free(name)
            self.views.append(f"{self.called[text]} = {text}")
        return self.called[text]

    def _view_name(self, ref: Ref, text: str) -> str:
        base = ref.buffer.name
        if ref.buffer.kind == "given":
            ends = ref.offset, ref.offset + sum((axis.size - 1) * axis.stride for axis in ref.axes)
            label = label_of([self.parts.labels[end] for end in ends])
            long = len([axis for axis in ref.axes if axis.length != (1, False)])
            base = "d_" * (base == "gradients") + (label or "parameter") + "_weights" * (long > 1)
        elif re.fullmatch(rf"{base}\[(:, )?:\d+\](\.T)?", text):
            base = base.removesuffix("_and_one")
        elif not text.endswith(".T"):
            base += "_flat" if text.endswith("(-1)") else "_view"
        return f"{base}_T" if text.endswith(".T") else base

    def _memory(self, buffers: Sequence[Buffer]) -> list[str]:
        """The lines that make buffers, those of one kind together."""
        alike: dict[tuple[str, str, str], list[str]] = {}
        for buffer in buffers:
            shape = str(buffer.places)
            if buffer.batched:
                one = buffer.places == 1 and not buffer.batch_first
                shape = "batch" if one else f"batch, {shape}" if buffer.batch_first else f"{shape}, batch"
            made = "zeros" if buffer in self.parts.zeroed else "ones" if buffer in self.with_ones else "empty"
            kind = made, shape, "bool" if buffer.dtype == "bool" else "dtype"
            alike.setdefault(kind, []).append(buffer.name)
        lines = []
        for (made, shape, dtype), names in alike.items():
            for few in (names[i : i + 8] for i in range(0, len(names), 8)):
                several = f"{len(few)}, " * (len(few) > 1) + shape
                size = f"({several})" if "," in several else several
                lines.append(f"{', '.join(few)} = {made}({size}, {dtype})")
        return lines

    def _copy(self, name: str, ref: Ref) -> str:
        """The line that copies an argument in."""
        given, buffer = self.given[name], ref.buffer
        if not ref.axes:
            return f"{buffer.name}[0] = {given}"
        if len(ref.axes) == 2 and buffer.batched and not buffer.batch_first:
            whole = ref._replace(axes=ref.axes[::-1])
            if whole.axes[0].length == (1, False):
                return f"{buffer.name}[...] = {given}[:, 0]"
            return f"{self.name(whole)}[...] = {given}.T"
        return f"{self.name(ref)}[...] = {given}"

    def _returned(self) -> str:
        """The line that returns (loss, others, gradients by arguments); without others, what a call returns."""
        loss = self._loss()
        if self.parts.single:
            return f"return {loss}, gradients"
        others = "()" if self.parts.others is None else self.name(self.parts.others)
        gradients = [self._own_copy(ref) for ref in self.parts.by_arguments]
        return f"return {loss}, {others}, ({', '.join(gradients)}{',' * (len(gradients) == 1)})"

    def _loss(self) -> str:
        found, factor = self.parts.loss, self.parts.factor
        if not found:
            return "None"
        texts = [self.name(ref) for ref in found]
        if self.parts.is_total:
            text = f"dot({', '.join(texts)})" if len(found) == 2 else f"add.reduce({texts[0]})"
        elif not isinstance(found[0], Ref):
            return texts[0]
        elif not found[0].axes[-1].per_batch:
            return f"{texts[0]}.item()"
        else:
            examples = self.name(found[0]._replace(axes=found[0].axes[-1:]))
            if not factor:
                return f"{examples}.copy()"
            text = f"add.reduce({examples})"
        return f"{text} * {self.name(Scalar(factor))}" if factor else text

    def _own_copy(self, ref: Ref) -> str:
        if not ref.axes:
            return f"{ref.buffer.name}.item({ref.offset if ref.buffer.places > 1 else ''})"
        if ref.axes == (Axis(1, 1, True),) and ref.buffer.places == 1:
            return f"{ref.buffer.name}.copy()"
        return f"{self.name(ref)}.copy()"
