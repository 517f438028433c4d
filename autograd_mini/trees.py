"""Nested structures of numbers: lists, tuples, dicts and NumPy arrays, walked leaf by leaf and built again."""

from collections.abc import Iterator
from typing import Any

__all__ = ["as_lists", "is_array", "is_leaf", "leaves", "leaves_like", "rebuild"]


def is_array(tree: Any) -> bool:
    """Whether `tree` is an array of NumPy's kind, with at least one axis."""
    return bool(getattr(tree, "shape", ())) and hasattr(tree, "tolist")


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf of a nested structure with the path that leads to it.

    Args:
        tree: a leaf, or a list, tuple, dict or NumPy array of trees; anything else counts as a leaf.
        path: what the structure itself is called.

    Example:
        >>> list(leaves({"w": [1.0, 2.0], "b": 3.0}, "p"))
        [("p['w'][0]", 1.0), ("p['w'][1]", 2.0), ("p['b']", 3.0)]
    """
    if is_array(tree):
        tree = tree.tolist()
    if isinstance(tree, dict):
        for key, part in tree.items():
            yield from leaves(part, f"{path}[{key!r}]")
    elif isinstance(tree, (list, tuple)):
        for i, part in enumerate(tree):
            yield from leaves(part, f"{path}[{i}]")
    else:
        yield path, tree


def leaves_like(template: Any, tree: Any) -> list[Any] | None:
    """List the leaves of `tree` in the order of `template`; None if the two are structured differently.

    Example:
        >>> leaves_like({"a": 1, "b": 2}, {"b": 20, "a": 10}), leaves_like([1, 2], [1])
        ([10, 20], None)
    """
    found = dict(leaves(tree))
    paths = [path for path, _ in leaves(template)]
    return [found[path] for path in paths] if found.keys() == set(paths) else None


def rebuild(tree: Any, new_leaves: Iterator[Any]) -> Any:
    """Build a structure like `tree` out of other leaves.

    An array becomes an array of objects, or one of floats or bools where all its new leaves are.

    Example:
        >>> rebuild({"w": [1.0, 2.0], "b": 3.0}, iter("abc"))
        {'w': ['a', 'b'], 'b': 'c'}
    """
    if is_array(tree):
        array = tree.astype(object)
        for i in range(array.size):
            array.flat[i] = next(new_leaves)
        kinds = {*map(type, array.flat)} or {float}
        return array.astype(*kinds) if kinds in ({float}, {bool}) else array
    if isinstance(tree, dict):
        return {key: rebuild(part, new_leaves) for key, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        return _sequence_like(tree, [rebuild(part, new_leaves) for part in tree])
    return next(new_leaves)


def as_lists(tree: Any) -> Any:
    """The same structure with its arrays as nested lists, for leaves that are structures themselves."""
    if isinstance(tree, dict):
        return {key: as_lists(part) for key, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        return _sequence_like(tree, [as_lists(part) for part in tree])
    return tree.tolist() if is_array(tree) else tree


def _sequence_like(tree: Any, parts: list[Any]) -> Any:
    """The parts as a list, tuple or named tuple."""
    return parts if isinstance(tree, list) else type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


def is_leaf(tree: Any) -> bool:
    """Whether `tree` is a single number, or anything else that is not a structure."""
    return not (is_array(tree) or isinstance(tree, (dict, list, tuple)))
