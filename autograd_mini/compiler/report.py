"""What became of the scalars: a line for each kernel."""

from collections.abc import Sequence

from autograd_mini.compiler.lift import Kernel, Lifted
from autograd_mini.compiler.loss import Total

__all__ = ["report"]

_WORDS = {"sum": "sum", "rowdot": "dot", "logsumexp": "logsumexp", "largest": "largest"}


def report(lifted: Lifted, total: Total | None, batched: bool) -> str:
    """Describe the kernels of a program, one a line.

    Args:
        lifted: the kernels.
        total: the loss, if it is computed as one total.
        batched: whether there is an axis of examples.
    """
    skipped = total.skipped if total else []
    lines = [_line(kernel, lifted, batched) for kernel in lifted.kernels if not any(kernel is one for one in skipped)]
    if total:
        ops = [_WORDS.get(kernel.op, kernel.op) for kernel in reversed(total.skipped)]
        size = f"{len(total.operands[0].nodes):,}" + "·batch" * batched
        of = f"one {'dot' if len(total.operands) == 2 else 'sum'} of ({size},)"
        lines.append(f"loss: {', '.join(ops)}{', mean over the batch' * batched} -> {of}")
    return "\n".join(lines)


def _line(kernel: Kernel, lifted: Lifted, batched: bool) -> str:
    count = len(kernel.nodes)
    examples = ["batch"] if batched and kernel.batched else []
    if kernel.op == "matmul":
        a, b = kernel.operands
        stack, rows, terms = a.sizes
        columns = [str(b.sizes[2])] if b.sizes[2] > 1 or not examples else []
        last = b.nodes.reshape(b.sizes)[0, -1, 0]
        has_bias = terms > 1 and lifted.graph.number.get(int(last)) == 1.0
        what = _counted(count, "dot") + f" of {terms - has_bias}" + " and a bias" * has_bias
        several = f"{stack} times " if stack > 1 else ""
        return f"{kernel.block.name}: {what} -> {several}({rows}, {terms}) @ ({terms}, {'·'.join(columns + examples)})"
    sizes = _shape([*kernel.sizes, *examples])
    if kernel.reduced:
        width = len(kernel.operands[0].nodes) // count
        return f"{kernel.block.name}: {_counted(count, _WORDS[kernel.op])} of {width} -> {sizes}"
    return f"{kernel.block.name}: {_counted(count, kernel.op + ' node')} -> {kernel.op} of {sizes}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}s" if count > 1 else f"1 {what}"


def _shape(sizes: Sequence[object]) -> str:
    kept = [str(size) for size in sizes if size != 1] or ["1"]
    return f"({', '.join(kept)})" if len(kept) > 1 else f"({kept[0]},)"
