"""Ops of the user's own take part in everything, and say what is wrong with them."""

import copy
import math
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd_mini as am
from autograd_mini import (
    RULES,
    Value,
    derivative,
    detect_anomaly,
    grad,
    gradcheck,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    primitive,
    steps,
)
from autograd_mini.compiler import compile
from viz import draw_dot

pytestmark = pytest.mark.usefixtures("table")


@pytest.fixture
def table() -> Iterator[None]:
    """Leave the table as it was, so that no other test sees an op of these."""
    before = dict(RULES)
    yield
    RULES.clear()
    RULES.update(before)


def cube() -> Callable[..., Any]:
    @primitive(lambda y, x: 3 * x**2, symbol="x³")
    def cube(x: Any) -> Any:
        """A number times itself times itself."""
        return x * x * x

    return cube


def scaled() -> Callable[..., Any]:
    @primitive(lambda y, x, k: k, lambda y, x, k: x)
    def scaled(x: Any, k: Any = 2.0) -> Any:
        return x * k

    return scaled


def squares() -> Callable[..., Any]:
    @primitive(lambda y, i, args: 2 * args[i], latex=r"\left\|{args}\right\|^2")
    def squares(*xs: Any) -> Any:
        return sum(x * x for x in xs)

    return squares


def test_an_op_records_one_node_with_its_derivative() -> None:
    x = Value(2.0)
    y = cube()(x)
    assert (y.op, y.data, y.parents, y.local_derivatives) == ("cube", 8.0, (x,), (12.0,))
    y.backward()
    assert x.grad == 12.0


def test_an_op_looks_like_the_function_it_was_made_of() -> None:
    op = cube()
    assert op.__name__ == "cube"
    assert op.__doc__ == RULES["cube"].summary == "A number times itself times itself."
    scaled()
    assert RULES["scaled"].summary == "The user's scaled."


def test_plain_numbers_give_plain_numbers() -> None:
    assert cube()(2) == 8.0
    assert type(cube()(np.float32(2.0))) is float


def test_arguments_may_have_defaults_and_keywords() -> None:
    op = scaled()
    x, k = Value(3.0), Value(5.0)
    assert op(x).local_derivatives == (2.0, None)
    assert op(k=k, x=x).parents == (x, k)
    assert op(k=k, x=x).local_derivatives == (5.0, 3.0)
    assert op(4.0, k).local_derivatives == (None, 4.0)
    for wrong in (lambda: op(), lambda: op(1, 2, 3), lambda: op(1, z=2)):
        with pytest.raises(TypeError, match="argument"):
            wrong()


def test_an_nary_op_has_an_edge_per_value() -> None:
    op = squares()
    x = Value(3.0)
    y = op(x, 2, x)
    assert y.data == 22.0
    assert y.local_derivatives == (6.0, None, 6.0)
    y.backward()
    assert x.grad == 12.0
    assert op() == 0.0


def test_an_op_of_one_argument_goes_through_arrays() -> None:
    op = cube()
    made = op(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert made.tolist() == [[1.0, 8.0], [27.0, 64.0]]
    found = grad(lambda x: np.sum(op(x)))(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert found.tolist() == [[3.0, 12.0], [27.0, 48.0]]
    with pytest.raises(TypeError, match="scaled needs one real number, got an array of shape"):
        scaled()(np.ones(2))


def test_results_may_be_of_numpy() -> None:
    @primitive(lambda y, x: np.cos(x))
    def sine(x: Any) -> Any:
        return np.sin(x)

    y = sine(Value(1.0))
    assert (y.data, type(y.data)) == (np.sin(1.0), float)
    assert y.local_derivatives == (np.cos(1.0),)
    assert grad(grad(sine))(1.0) == -math.sin(1.0)  # np.cos of a Value calls its method
    assert gradcheck(sine, 1.0, order=2)


def test_an_op_takes_part_in_every_transform() -> None:
    op, many = cube(), squares()
    assert [derivative(op, n)(2.0) for n in range(6)] == [8.0, 12.0, 12.0, 6.0, 0.0, 0.0]
    assert jacobian(lambda x: [op(x[0]), many(*x)])([2.0, 5.0]) == [[12.0, 0.0], [4.0, 10.0]]
    assert hessian(lambda x: op(x[0] * x[1]))([1.0, 2.0]) == [[48.0, 36.0], [36.0, 12.0]]
    assert hvp(lambda x: many(*x), ([1.0, 2.0, 3.0],), ([1.0, 0.0, -1.0],)) == [2.0, 0.0, -2.0]
    assert jvp(lambda x, y: many(op(x), y), (2.0, 3.0), (1.0, 10.0)) == (73.0, 252.0)
    x = Value(2.0)
    gradients(op(x) * x, x, create_graph=True).backward()
    assert x.grad == 48.0  # (x⁴)'' = 12·x²


def test_an_op_obeys_the_modes() -> None:
    op = cube()
    with no_grad():
        assert op(Value(2.0)).parents == ()

    @primitive(lambda y, x: 1.0)
    def explode(x: Any) -> Any:
        return math.inf

    with pytest.warns(RuntimeWarning, match="explode\\(x=2\\) is inf"):
        explode(Value(2.0, "x"))
    with detect_anomaly(), pytest.raises(am.AnomalyError, match=r"explode\(x=2\) is inf; at .*test_primitive"):
        explode(Value(2.0, "x"))


def test_an_op_is_stepped_through_and_drawn() -> None:
    x = Value(2.0, "x")
    y = squares()(cube()(x), x)
    assert [(step.node.op, step.upstream, step.local) for step in steps(y)] == [
        ("squares", 1.0, 16.0), ("squares", 1.0, 4.0), ("cube", 16.0, 12.0)
    ]  # fmt: skip
    picture = draw_dot(y).source
    assert "<B>x³</B>" in picture
    assert "<B>squares  output</B>" in picture


def test_the_printed_form_follows_from_the_name_unless_given() -> None:
    @primitive(lambda y, x, k: k, lambda y, x, k: x)
    def two_words(x: Any, k: Any) -> Any:
        return x * k

    squares()
    assert (RULES["two_words"].symbol, RULES["squares"].symbol) == ("two_words", "squares")
    assert RULES["two_words"].latex.format("a", "b") == r"\operatorname{two\_words}\left(a, b\right)"
    assert RULES["squares"].latex.format(args="a, b") == r"\left\|a, b\right\|^2"


def test_a_graph_with_an_op_is_copied_and_pickled() -> None:
    x = Value(2.0, "x")
    y = cube()(x) * x
    for twin in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        twin.backward()
        cubed, leaf = twin.parents
        assert (cubed.op, leaf.label, leaf.grad, x.grad) == ("cube", "x", 32.0, 0.0)
        assert gradients(gradients(twin, leaf, create_graph=True), leaf) == 48.0


def test_a_pickle_is_read_where_the_op_is_unknown_but_not_differentiated_twice() -> None:
    packed = pickle.dumps(cube()(Value(2.0, "x")))
    del RULES["cube"]
    y = pickle.loads(packed)
    assert gradients(y, y.parents[0]) == 12.0
    with pytest.raises(ValueError, match="'cube' has no row to be differentiated again by; define it with @primitive"):
        gradients(y, y.parents[0], create_graph=True)


def test_gradcheck_holds_an_op_to_differences() -> None:
    assert gradcheck(cube(), 2.0, order=2)
    assert gradcheck(lambda x: squares()(*x), [1.0, 2.0], order=2)

    @primitive(lambda y, x: 2 * x**2)
    def wrong(x: Any) -> Any:
        return x * x * x

    report = gradcheck(lambda x: am.sin(wrong(x)), 1.0)
    assert not report
    assert report.blame is not None
    assert report.blame.op == "wrong"
    assert "test_primitive.py" in str(report.blame)


def test_a_partial_in_math_is_good_for_first_derivatives_and_gradcheck_names_it() -> None:
    @primitive(lambda y, x: math.cosh(x))
    def sinh(x: Any) -> Any:
        return math.sinh(x)

    assert grad(sinh)(1.0) == math.cosh(1.0)
    assert gradcheck(sinh, 1.0)
    report = gradcheck(lambda x: sinh(x) * x, 1.0, order=2)
    assert not report
    assert report.blame is not None
    assert report.blame.op == "sinh"
    assert "written with functions of autograd_mini, not of math" in str(report)


def test_a_kink_is_known_to_gradcheck() -> None:
    @primitive(lambda y, x: am.where(x > 1.0, 1.0, 0.0), kinks=(1.0,))
    def hinge(x: Any) -> Any:
        return max(x - 1.0, 0.0)

    assert gradcheck(hinge, 0.999)
    assert gradcheck(hinge, 1.0).checks[0].verdict == "kink here"


def test_an_op_may_be_built_on_others() -> None:
    op = cube()

    @primitive(lambda y, x: 2 * op(x) * 3 * x**2)
    def sixth(x: Any) -> Any:
        return op(x) ** 2

    assert [derivative(sixth, n)(2.0) for n in range(4)] == [64.0, 192.0, 480.0, 960.0]


def test_a_definition_is_replaced_by_a_later_one_and_the_earlier_function_refuses() -> None:
    earlier = cube()
    y = earlier(Value(2.0))

    @primitive(lambda y, x: 1.0)
    def cube_(x: Any) -> Any:
        return x

    assert earlier(2.0) == 8.0  # another name, nothing replaced
    later = cube()
    assert later(2.0) == 8.0
    with pytest.raises(ValueError, match="this op cube was defined again or removed since; use"):
        earlier(2.0)
    y.backward()  # a graph that stands keeps its own numbers
    assert y.parents[0].grad == 12.0


def test_a_failed_definition_leaves_the_table_alone() -> None:
    before = dict(RULES)
    for wrong in (
        lambda: primitive(lambda y, x: 1.0)(math.exp),
        lambda: primitive(lambda y, x: 1.0)(lambda a, b: a),
        lambda: primitive(3)(scaled_once),  # type: ignore[arg-type]
        lambda: primitive(lambda y, x: 1.0, box=((0, 1), (0, 1)))(scaled_once),
    ):
        with pytest.raises((TypeError, ValueError)):
            wrong()
    assert before == RULES


def scaled_once(x: Any) -> Any:
    return x


def test_an_exception_in_an_op_is_the_users_own() -> None:
    @primitive(lambda y, x: 1.0)
    def picky(x: Any) -> Any:
        raise LookupError("not today")

    with pytest.raises(LookupError, match="not today"):
        picky(Value(1.0))


def test_box_and_kinks_are_kept_for_tests_to_sample_from() -> None:
    @primitive(lambda y, x: 1 / x, box=((0.5, 2.0),))
    def logarithm(x: Any) -> Any:
        return math.log(x)

    assert RULES["logarithm"].box == ((0.5, 2.0),)
    scaled()
    assert RULES["scaled"].box == ((-3.0, 3.0), (-3.0, 3.0))
    squares()
    assert (RULES["squares"].box, RULES["squares"].arity) == (((-3.0, 3.0),), None)


def test_a_graph_is_not_differentiated_again_by_a_later_op_of_the_same_name() -> None:
    def make(partial: Callable[..., Any]) -> Callable[[Any], Any]:
        @primitive(partial)
        def squared(x: Any) -> Any:
            return x * x

        return squared

    x = Value(3.0, "x")
    y = make(lambda y, x: 2.0 * x)(x)
    make(lambda y, x: 3.0 * x * x)
    assert gradients(y, x) == 6.0
    with pytest.raises(ValueError, match=r"the derivative of squared\(x=3\) by argument 0 was 6.0 .* and is 27.0 now"):
        gradients(y, x, create_graph=True)


def test_namesakes_defined_at_different_places_both_work() -> None:
    def here() -> Any:
        @primitive(lambda y, x: 2 * x)
        def twin(x: float) -> float:
            return x * x

        return twin

    def there() -> Any:
        @primitive(lambda y, x: 3 * x**2)
        def twin(x: float) -> float:
            return x * x * x

        return twin

    square, cube = here(), there()
    assert (square.op, cube.op) == ("twin", "twin_2")
    assert (square(2.0), cube(2.0)) == (4.0, 8.0)
    assert (grad(square)(2.0), grad(cube)(2.0)) == (4.0, 12.0)
    assert here().op == "twin"  # the same place again
    assert cube(2.0) == 8.0


@pytest.mark.parametrize("name", ["less", "equal", "largest", "detach", "source", "matmul", "rowdot", "on_grid"])
def test_an_op_may_be_called_as_the_compiler_calls_something_else(name: str) -> None:
    def cube(x: Any, y: Any) -> Any:
        return x * x * x * y

    cube.__name__ = cube.__qualname__ = name
    op = primitive(lambda z, x, y: 3.0 * x * x * y, lambda z, x, y: x * x * x)(cube)
    assert op.op == f"{name}_2"  # type: ignore[attr-defined]
    assert RULES[f"{name}_2"].symbol == name
    assert compile(lambda x, y: op(x, y) * 1.5)(2.0, 3.0) == (36.0, (54.0, 12.0))
    value, gradients = compile(lambda x, y: op(x, y) * 1.5, 2.0, 3.0)(2.0, 3.0)
    assert (value, list(gradients)) == (36.0, [54.0, 12.0])


def test_an_error_in_an_op_names_it() -> None:
    @primitive(lambda y, x: 1 / x)
    def logarithm(x: float) -> float:
        return math.log(x)

    with pytest.raises(ValueError, match="math domain error") as caught:
        logarithm(Value(-1.0))
    assert "in the op logarithm at (-1.0,)" in caught.value.__notes__[0]
