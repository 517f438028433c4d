"""A fused ``dot`` opened into the products it adds up."""

from typing import Any

from autograd_mini import modes
from autograd_mini.backward import differentiable_arguments
from autograd_mini.notation import Names
from autograd_mini.value import Value, record

__all__ = ["is_crosswise", "opened"]


def opened(dot: Any, names: Names) -> Value:
    """Make the sum of products that a ``dot`` stands for.

    The graph itself is left alone. The products have the numbers that the forward pass recorded; beside a plain number
    it recorded none, so there the factor is read as it is now.

    Args:
        dot: the node.
        names: gives the name of the dot; the products are labelled ``v7[0]``, ``v7[1]``, … after it.

    Returns:
        A node whose parents are the products that have a gradient. Its own arguments are numbered as the pairs are.

    Raises:
        ValueError: for another node, and for a dot in which a factor stands crosswise, so that product by product its
            contributions would be added in another order than ``backward()`` adds them.

    Example:
        >>> from autograd_mini import dot
        >>> w = [Value(2.0, "w0"), Value(3.0, "w1")]
        >>> z = dot(w, [10.0, 1.0])
        >>> [product.data for product in opened(z, Names([z])).parents]
        [20.0, 3.0]
    """
    if not isinstance(dot, Value) or dot.op != "dot":
        raise ValueError(f"only a dot is opened into products, got {dot!r:.100}")
    if is_crosswise(dot):
        raise ValueError(
            f"{names(dot)} has a factor both on its left and, earlier, on its right, so it is not opened: product by "
            "product its contributions would add up in another order than in backward()"
        )
    half = len(dot._args) // 2
    local = dict(zip(differentiable_arguments(dot), dot._locals, strict=True))
    edges = dict(zip(local, dot._inputs, strict=True))
    products: list[Value | float] = []
    with modes.recording(), modes.quiet():
        for i in range(half):
            a, b = args = dot._args[i], dot._args[i + half]
            numbers = [local.get(i + half, float(a)), local.get(i, float(b))]  # those of the forward pass
            factors = tuple(edges[j] for j in (i, i + half) if j in edges)
            data = numbers[0] * numbers[1]
            if not factors:
                products.append(data)
                continue
            slopes = tuple(local[j] for j in (i, i + half) if j in local)
            product = record("mul", data, args, factors, slopes)
            product.label = f"{names(dot)}[{i}]"
            products.append(product)
        inputs = tuple(product for product in products if isinstance(product, Value))
        return record("sum", dot.data, tuple(products), inputs, (1.0,) * len(inputs))


def is_crosswise(dot: Value) -> bool:
    """Tell whether a factor stands in a dot so that, product by product, its contributions came in another order."""
    half = len(dot._args) // 2
    edges = dict(zip(differentiable_arguments(dot), dot._inputs, strict=True))
    pairwise = {i: edges[i] for pair in range(half) for i in (pair, pair + half) if i in edges}
    return _partners(edges, dot._args) != _partners(pairwise, dot._args)


def _partners(edges: dict[int, Value], args: tuple[Value | float, ...]) -> dict[Value, list[Value | float]]:
    """What each parent is multiplied with, in the order of the edges."""
    found: dict[Value, list[Value | float]] = {}
    for i, parent in edges.items():
        found.setdefault(parent, []).append(args[i - len(args) // 2])
    return found
