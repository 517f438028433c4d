"""Structures of numbers are walked in one order and built again in kind."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd_mini import Value, trees


class Line(NamedTuple):
    slope: Any
    offset: Any


TREES: dict[str, tuple[Any, list[tuple[str, Any]]]] = {
    "a number": (1.5, [("p", 1.5)]),
    "a list": ([1, 2], [("p[0]", 1), ("p[1]", 2)]),
    "a tuple": ((1,), [("p[0]", 1)]),
    "a named tuple": (Line(1, [2]), [("p[0]", 1), ("p[1][0]", 2)]),
    "a dict in its order": ({"b": 1, 0: 2}, [("p['b']", 1), ("p[0]", 2)]),
    "a nest": ([{"w": (1, [2])}, 3], [("p[0]['w'][0]", 1), ("p[0]['w'][1][0]", 2), ("p[1]", 3)]),
    "nothing": ([[], {}, ()], []),
    "text": ("ab", [("p", "ab")]),
    "None": (None, [("p", None)]),
}


@pytest.mark.parametrize(("tree", "leaves"), TREES.values(), ids=TREES)
def test_leaves_come_with_their_paths_and_build_the_same_again(tree: Any, leaves: list[tuple[str, Any]]) -> None:
    assert list(trees.leaves(tree, "p")) == leaves
    again = trees.rebuild(tree, iter([leaf for _, leaf in leaves]))
    assert again == tree
    assert type(again) is type(tree)


def test_an_array_is_walked_row_by_row_and_built_again_as_an_array() -> None:
    array = np.array([[1, 2, 3], [4, 5, 6]])
    assert list(trees.leaves(array, "w"))[3] == ("w[1][0]", 4)
    for new, dtype in (([0.5] * 6, float), ([True] * 6, bool), ([Value(1.0)] * 6, object), ([1.0, True] * 3, object)):
        again = trees.rebuild(array, iter(new))
        assert (again.shape, again.dtype) == ((2, 3), np.dtype(dtype))
        assert list(again.flat) == new
    assert array.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_an_array_of_nothing_stays_one_of_floats() -> None:
    again = trees.rebuild(np.zeros((0, 3)), iter(()))
    assert (again.shape, again.dtype) == ((0, 3), np.dtype(float))


def test_arrays_become_lists_where_leaves_are_structures_themselves() -> None:
    tree = {"w": np.ones((1, 2)), "line": Line(np.zeros(1), (2.0, [3.0]))}
    assert trees.as_lists(tree) == {"w": [[1.0, 1.0]], "line": Line([0.0], (2.0, [3.0]))}
    assert type(trees.as_lists(tree)["line"]) is Line


def test_what_is_a_leaf() -> None:
    leaves = (1.0, True, None, "ab", Value(1.0), np.float64(1.0), np.array(1.0), {1, 2}, range(3))
    assert all(map(trees.is_leaf, leaves))
    assert not any(map(trees.is_leaf, ([], (), {}, Line(1, 2), np.ones(1), np.zeros(0))))


def test_a_structure_is_never_changed_and_never_shared() -> None:
    tree = {"a": [1.0, [2.0]]}
    again = trees.rebuild(tree, iter([3.0, 4.0]))
    again["a"][1].append(5.0)
    assert tree == {"a": [1.0, [2.0]]}
