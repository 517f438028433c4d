"""``Writer``: from formulas and reductions to statements over views; each formula is computed once."""

from collections.abc import Sequence
from typing import Any

from autograd_mini.compiler.program import Buffer, Number, Ref, Scalar, Statement, contiguous
from autograd_mini.compiler.symbols import CONDITIONS, LARGEST_EXPONENT, Sheet, Symbol

__all__ = ["UFUNCS", "Writer", "broadcast"]

UFUNCS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "neg": "negative", "pow": "power",
    "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "sqrt": "sqrt", "sin": "sin", "cos": "cos",
    "tan": "tan", "tanh": "tanh", "abs": "absolute", "sign": "sign", "maximum": "maximum", "minimum": "minimum",
    "less": "less", "less_equal": "less_equal", "greater": "greater", "greater_equal": "greater_equal",
    "equal": "equal", "logsumexp": "logaddexp",
}  # fmt: skip
"""The NumPy function for each op of a formula."""


class Writer:
    """Writes statements down.

    Args:
        largest_exponent: where a bounded exp ends.

    Attributes:
        statements: what has been written.
        sheet: the formulas.
    """

    def __init__(self, largest_exponent: Number = LARGEST_EXPONENT) -> None:
        self.largest_exponent = largest_exponent
        self.statements: list[Statement] = []
        self.sheet = Sheet()
        self._refs: dict[int, Ref | Number] = {}
        self._leaves: dict[Any, Symbol] = {}

    def call(self, function: str, *args: Any, out: Ref, keywords: str = "") -> None:
        """Write a statement down."""
        self.statements.append(Statement(function, args, out, keywords))

    def temporary(self, lengths: Sequence[tuple[int, bool]], dtype: str = "float") -> Ref:
        """A view of memory that is free again after its last use."""
        places = 1
        for size, _ in lengths:
            places *= size
        buffer = Buffer("", places, any(batched for _, batched in lengths), kind="temporary", dtype=dtype)
        return contiguous(buffer, tuple(lengths))

    def leaf(self, ref: Ref | Number) -> Any:
        """A symbol for a view whose numbers will not change."""
        if isinstance(ref, float):
            return ref
        if ref not in self._leaves:
            symbol = self.sheet.write("leaf", float(len(self._leaves)))
            self._refs[symbol.place] = ref
            self._leaves[ref] = symbol
        return self._leaves[ref]

    def known(self, symbol: Any) -> Ref | Number | None:
        """Where the number of a formula is; None if it has not been computed."""
        return self._refs.get(symbol.place) if isinstance(symbol, Symbol) else float(symbol)

    def ref(self, symbol: Any, out: Ref | None = None, lasting: bool = True) -> Ref | Number:
        """Compute a formula, into `out` if given, and say where its number is; `lasting` if it stays there."""
        if not isinstance(symbol, Symbol):
            found: Ref | Number = float(symbol)
        elif symbol.place in self._refs:
            found = self._refs[symbol.place]
        else:
            self._compute_operands(symbol)
            found = self._computed(symbol.op, [self.ref(arg) for arg in _bare(symbol)], out)
            if lasting or found is not out:
                self._refs[symbol.place] = found
        if out is not None and found is not out:
            self.call("copy", found, out=out)
            found = out
        return found

    def _compute_operands(self, symbol: Symbol) -> None:
        """Compute all that a formula needs, however deep it is."""
        stack = [(symbol, iter(_bare(symbol)))]
        while stack:
            for arg in stack[-1][1]:
                if isinstance(arg, Symbol) and arg.place not in self._refs:
                    stack.append((arg, iter(_bare(arg))))
                    break
            else:
                done, _ = stack.pop()
                if stack:
                    args = [self.ref(arg) for arg in _bare(done)]
                    self._refs[done.place] = self._computed(done.op, args, None)

    def know(self, symbol: Any, ref: Ref) -> None:
        """Note that the number of a formula is to be found here."""
        if isinstance(symbol, Symbol):
            if symbol.op in CONDITIONS:  # its own number is a mask
                symbol = self.sheet.write("indicator", symbol)
            self._refs[symbol.place] = ref
            self._leaves[ref] = symbol

    def _computed(self, op: str, args: list[Any], out: Ref | None) -> Ref | Number:
        views = [arg for arg in args if isinstance(arg, Ref)]
        if not views:
            return Scalar(_scalar_text(op, args))
        lengths = broadcast(views)
        kind = "bool" if op in CONDITIONS else "float"
        if out is None or out.lengths != lengths or out.buffer.dtype != kind:
            out = self.temporary(lengths, kind)
        if op == "where":
            condition, a, b = args
            self.call("copy", b, out=out)
            self.call("choose", a, condition, out=out)
        elif op == "bounded_exp":
            self.call("minimum", args[0], self.largest_exponent, out=out)
            self.call("exp", out, out=out)
        elif op == "indicator":
            self.call("copy", args[0], out=out)
        elif op == "logsumexp":
            self.call("logaddexp", args[0], args[1], out=out)
            for arg in args[2:]:
                self.call("logaddexp", out, arg, out=out)
        else:
            self.call(UFUNCS.get(op, op), *args, out=out)
        return out


def _bare(symbol: Symbol) -> tuple[Any, ...]:
    """The operands; a product takes a condition as it is, since true counts as 1."""
    if symbol.op != "mul":
        return symbol.args
    return tuple([arg.args[0] if isinstance(arg, Symbol) and arg.op == "indicator" else arg for arg in symbol.args])


def broadcast(views: Sequence[Ref]) -> tuple[tuple[int, bool], ...]:
    """The lengths that the axes of several views have together."""
    lengths = list(views[0].lengths)
    for ref in views[1:]:
        for i, length in enumerate(ref.lengths):
            if lengths[i] == (1, False):
                lengths[i] = length
    return tuple(lengths)


def _scalar_text(op: str, args: list[Any]) -> str:
    texts = [arg.text if isinstance(arg, Scalar) else repr(arg) for arg in args]
    signs = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
    if op in signs:
        return f"({texts[0]} {signs[op]} {texts[1]})"
    if op == "neg":
        return f"-{texts[0]}"
    return f"{UFUNCS[op]}({', '.join(texts)})"
