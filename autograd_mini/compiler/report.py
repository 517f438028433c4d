"""What became of the scalars: a line for each kernel."""

from collections.abc import Sequence

from autograd_mini.compiler.lift import Kernel, Lifted

__all__ = ["report"]


def report(lifted: Lifted, batched: bool) -> str:
    """Describe the kernels of a program, one a line.

    Args:
        lifted: the kernels.
        batched: whether there is an axis of examples.
    """
    return "\n".join(_line(kernel, lifted, batched) for kernel in lifted.kernels)


def _line(kernel: Kernel, lifted: Lifted, batched: bool) -> str:
    count = len(kernel.nodes)
    examples = ["batch"] if batched and kernel.batched else []
    if kernel.op == "matmul":
        a, b = kernel.operands
        stack, rows, terms = a.sizes
        columns = [str(b.sizes[2])] if b.sizes[2] > 1 or not examples else []
        several = f"{stack} times " if stack > 1 else ""
        last = b.nodes.reshape(b.sizes)[0, -1, 0]
        bias = " and a bias" if terms > 1 and lifted.graph.number.get(int(last)) == 1.0 else ""
        what = f"{count:,} dots of {terms - bool(bias)}{bias}" if count > 1 else f"a dot of {terms - bool(bias)}{bias}"
        right = "·".join(columns + examples) or "1"
        return f"{kernel.block.name}: {what} -> {several}({rows}, {terms}) @ ({terms}, {right})"
    sizes = _shape([*kernel.sizes, *examples])
    if kernel.reduced:
        width = len(kernel.operands[0].nodes) // count
        words = {"sum": "sums", "rowdot": "dots", "logsumexp": "logsumexps", "largest": "largest"}
        return f"{kernel.block.name}: {count:,} {words[kernel.op]} of {width} -> {sizes}"
    nodes = f"{count:,} {kernel.op}" + " nodes" * (count > 1) + " node" * (count == 1)
    return f"{kernel.block.name}: {nodes} -> one {kernel.op} of {sizes}"


def _shape(sizes: Sequence[object]) -> str:
    kept = [str(size) for size in sizes if size != 1] or ["1"]
    return f"({', '.join(kept)})" if len(kept) > 1 else f"({kept[0]},)"
