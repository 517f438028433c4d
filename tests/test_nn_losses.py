"""Losses: every entry of ``LOSSES`` against exact arithmetic, finite differences, and itself in other shapes."""

import functools
import itertools
import math
import random
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import nn
from autograd_mini import Value
from nn import LOSSES, binary_cross_entropy, cross_entropy, hinge, mean_squared_error, sum_squared_error
from tests.test_nn_activations import DIFFERENCE_TOLERANCE, difference

EVERY_LOSS = pytest.mark.parametrize("name", sorted(LOSSES))
LECTURE_OUTPUT = [0.1, 0.7, 0.3, 0.1, 0.4, 0.1, 0.01, 0.5, 0.1, 0.4]
LECTURE_TARGET = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]

Row = list[float]

# Independent formulas for one example, without rounding (fractions) or with 60 digits (decimals).


def squared_errors(outputs: Row, targets: Row) -> Fraction:
    return sum(((Fraction(o) - Fraction(t)) ** 2 for o, t in zip(outputs, targets, strict=True)), Fraction(0))


@functools.cache
def log_of_1_plus_exp(z: Decimal) -> Decimal:
    return max(z, Decimal(0)) + (1 + (-abs(z)).exp()).ln()


def exact_cross_entropy(logits: Row, target: int | Row) -> Decimal:
    z = list(map(Decimal, logits))
    shares = target if isinstance(target, list) else [float(i == target) for i in range(len(logits))]
    log_total = max(z) + sum((x - max(z)).exp() for x in z).ln()
    return sum((Decimal(p) * (log_total - x) for p, x in zip(shares, z, strict=True)), Decimal(0))


def exact_binary_cross_entropy(logits: Row, targets: Row) -> Decimal:
    pairs = [(Decimal(z), Decimal(t)) for z, t in zip(logits, targets, strict=True)]
    # -log σ(z) is log(1 + exp(-z)), and -log(1 - σ(z)) is log(1 + exp(z)).
    return sum((t * log_of_1_plus_exp(-z) + (1 - t) * log_of_1_plus_exp(z) for z, t in pairs), Decimal(0)) / len(pairs)


def exact_hinge(scores: Row, targets: Row) -> Fraction:
    margins = [1 - Fraction(t) * Fraction(s) for s, t in zip(scores, targets, strict=True)]
    return sum((max(Fraction(0), margin) for margin in margins), Fraction(0)) / len(margins)


# A new loss needs a line in each: its formula, the targets of one example of n outputs, all targets of n outputs.
FORMULAS: dict[str, Callable[[Row, Any], Fraction | Decimal]] = {
    "sum_squared_error": squared_errors,
    "mean_squared_error": lambda outputs, targets: squared_errors(outputs, targets) / len(outputs),
    "cross_entropy": exact_cross_entropy,
    "binary_cross_entropy": exact_binary_cross_entropy,
    "hinge": exact_hinge,
}
TARGETS: dict[str, Callable[[random.Random, int], Any]] = {
    "sum_squared_error": lambda rng, n: [rng.uniform(-2.0, 2.0) for _ in range(n)],
    "mean_squared_error": lambda rng, n: [rng.uniform(-2.0, 2.0) for _ in range(n)],
    "cross_entropy": lambda rng, n: rng.randrange(n),
    "binary_cross_entropy": lambda rng, n: [rng.choice([0.0, 1.0, rng.random()]) for _ in range(n)],
    "hinge": lambda rng, n: [rng.choice([-1.0, 1.0]) for _ in range(n)],
}
ALL_TARGETS: dict[str, Callable[[int], Sequence[Any]]] = {
    "sum_squared_error": lambda n: [[0.0] * n, [1.0] * n, [-1e4] * n, [1e4] * n],
    "mean_squared_error": lambda n: [[0.0] * n, [1.0] * n, [-1e4] * n, [1e4] * n],
    "cross_entropy": range,
    "binary_cross_entropy": lambda n: list(map(list, itertools.product([0.0, 0.5, 1.0], repeat=n))),
    "hinge": lambda n: list(map(list, itertools.product([-1.0, 1.0], repeat=n))),
}


def exact(name: str, outputs: Row, target: Any) -> float:
    with localcontext() as context:
        context.prec = 60
        return float(FORMULAS[name](outputs, target))


def examples(name: str, width: int | None = None, count: int = 12) -> list[tuple[Row, Any]]:
    rng = random.Random(f"{name} {width}")
    widths = [width or rng.randint(1, 6) for _ in range(count)]
    return [([rng.uniform(-3.0, 3.0) for _ in range(n)], TARGETS[name](rng, n)) for n in widths]


def batch(name: str) -> tuple[list[Row], list[Any]]:
    outputs, targets = zip(*examples(name, width=3, count=4), strict=True)
    return list(outputs), list(targets)


def value_and_gradient(loss: Callable[[Any, Any], Any], outputs: Any, target: Any) -> tuple[float, Any]:
    """The loss and its gradient by the outputs, in the shape of the outputs."""
    leaves = np.vectorize(Value, otypes=[object])(np.array(outputs, dtype=float))
    result = loss(leaves.tolist(), target)
    result.backward()
    return result.data, np.vectorize(lambda leaf: leaf.grad, otypes=[float])(leaves)


def softmax(logits: Any) -> Any:
    shifted = np.exp(np.array(logits) - np.max(logits, axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def test_every_loss_is_described_here_and_exported() -> None:
    assert FORMULAS.keys() == TARGETS.keys() == ALL_TARGETS.keys() == LOSSES.keys()
    assert all(getattr(nn, name) is loss and loss.__name__ == name for name, loss in LOSSES.items())


# Every loss


@EVERY_LOSS
def test_value_equals_the_formula(name: str) -> None:
    for outputs, target in examples(name):
        # Beside 1e-12 relative: a cross-entropy near 0 is the difference of two numbers of about 3.
        assert LOSSES[name](outputs, target) == pytest.approx(exact(name, outputs, target), rel=1e-12, abs=1e-15)


@EVERY_LOSS
def test_gradient_equals_central_differences(name: str) -> None:
    loss = LOSSES[name]
    for outputs, target in examples(name):
        _, gradient = value_and_gradient(loss, outputs, target)
        for i, at in enumerate(outputs):

            def along(x: float, i: int = i, outputs: Row = outputs, target: Any = target) -> float:
                return float(loss([*outputs[:i], x, *outputs[i + 1 :]], target))

            # Scaled by the losses, which are up to 30 here: their rounding is what the differences divide.
            expected = pytest.approx(difference(along, at), rel=DIFFERENCE_TOLERANCE, abs=30 * DIFFERENCE_TOLERANCE)
            assert gradient[i] == expected


@EVERY_LOSS
def test_plain_numbers_give_the_plain_float_that_values_hold(name: str) -> None:
    for outputs, target in [*examples(name), batch(name)]:
        plain = LOSSES[name](outputs, target)
        assert type(plain) is float
        recorded, _ = value_and_gradient(LOSSES[name], outputs, target)
        assert recorded == plain


@EVERY_LOSS
def test_lists_tuples_and_arrays_are_alike(name: str) -> None:
    loss = LOSSES[name]
    for outputs, target in [examples(name)[0], batch(name)]:
        expected = loss(outputs, target)
        several = np.ndim(target) > 0
        for of_outputs, of_target in itertools.product([list, tuple, np.array], repeat=2):
            found = loss(of_outputs(outputs), of_target(target) if several else target)
            assert type(found) is float
            assert found == expected
        assert type(loss(np.array(outputs), np.array(target) if several else np.int64(target))) is float
        values = np.vectorize(Value, otypes=[object])(np.array(outputs))
        assert loss(values, target).data == expected


@EVERY_LOSS
def test_values_and_numbers_may_be_mixed(name: str) -> None:
    outputs, target = examples(name, width=4)[0]
    mixed = [Value(outputs[0]), *outputs[1:3], Value(outputs[3])]
    loss = LOSSES[name](mixed, target)
    assert loss.data == LOSSES[name](outputs, target)
    loss.backward()
    _, gradient = value_and_gradient(LOSSES[name], outputs, target)
    assert [mixed[0].grad, mixed[3].grad] == [gradient[0], gradient[3]]


@EVERY_LOSS
def test_one_example_is_a_batch_of_one(name: str) -> None:
    for outputs, target in examples(name):
        one, gradient = value_and_gradient(LOSSES[name], outputs, target)
        alone, gradients = value_and_gradient(LOSSES[name], [outputs], [target])
        assert alone == one
        assert gradients.tolist() == [gradient.tolist()]


@EVERY_LOSS
def test_a_batch_is_the_mean_of_its_examples_or_the_sum_where_the_name_says_so(name: str) -> None:
    rows, targets = batch(name)
    share = 1.0 if name.startswith("sum") else 1.0 / len(rows)
    singles = [value_and_gradient(LOSSES[name], row, target) for row, target in zip(rows, targets, strict=True)]
    value, gradients = value_and_gradient(LOSSES[name], rows, targets)
    assert value == pytest.approx(share * math.fsum(single for single, _ in singles), rel=1e-12)
    np.testing.assert_allclose(gradients, share * np.array([g for _, g in singles]), rtol=1e-12, atol=1e-16)


@EVERY_LOSS
def test_logits_of_ten_thousand_give_the_right_finite_loss(name: str) -> None:
    for outputs in map(list, itertools.product([-1e4, -1.0, 0.0, 1.0, 1e4], repeat=3)):
        for target in ALL_TARGETS[name](3):
            found, gradient = value_and_gradient(LOSSES[name], outputs, target)
            assert math.isfinite(found)
            assert np.isfinite(gradient).all()
            # An ulp of the largest logit, 1.8e-12, is what any formula that starts with logsumexp may lose.
            expected = exact(name, outputs, target)
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-300), (outputs, target)


@EVERY_LOSS
def test_a_plain_number_too_large_to_square_gives_infinity_as_a_value_does(name: str) -> None:
    if name.endswith("squared_error"):
        with pytest.warns(RuntimeWarning, match="inf"):
            assert LOSSES[name]([Value(1e200)], [0.0]).data == math.inf
        with pytest.warns(RuntimeWarning, match="inf"):
            assert LOSSES[name]([1e200], [0.0]) == math.inf
    else:
        assert math.isfinite(LOSSES[name]([1e200, 0.0], ALL_TARGETS[name](2)[0]))


@EVERY_LOSS
def test_the_arguments_are_not_changed(name: str) -> None:
    rows, targets = batch(name)
    before = repr((rows, targets))
    LOSSES[name](rows, targets)
    assert repr((rows, targets)) == before


# The losses that pair an output with a target

ELEMENTWISE = ["sum_squared_error", "mean_squared_error", "binary_cross_entropy", "hinge"]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_single_output_needs_no_list(name: str) -> None:
    loss, output = LOSSES[name], Value(0.75)
    found = loss(output, 1)
    assert found.data == loss([0.75], [1]) == loss(0.75, 1) == loss(np.float64(0.75), np.int64(1)) == loss(0.75, [1])
    found.backward()
    assert output.has_grad
    assert type(loss(0.75, 1)) is float


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_batch_of_single_outputs_is_a_list(name: str) -> None:
    outputs = nn.MLP(2, [3, 1], seed=0)([[1.0, 2.0], [0.5, -1.0]])
    assert LOSSES[name](outputs, [1, 1]).data == LOSSES[name]([y.data for y in outputs], [1, 1])


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize(
    ("outputs", "targets"),
    [([1.0, 1.0], [1.0]), ([1.0], [1.0, 1.0]), ([[1.0]], [1.0]), ([1.0], [[1.0]]), ([[1.0, 1.0]], [[1.0], [1.0]])],
)
def test_shapes_are_never_stretched_or_cut_to_fit(name: str, outputs: Any, targets: Any) -> None:
    with pytest.raises(ValueError, match="same shape"):
        LOSSES[name](outputs, targets)


@pytest.mark.parametrize("empty", [[], [[]], [[], []], np.zeros((0, 3)), np.zeros((3, 0))], ids=repr)
@EVERY_LOSS
def test_nothing_has_no_loss(name: str, empty: Any) -> None:
    targets = [0] * len(empty) if name == "cross_entropy" else empty
    with pytest.raises(ValueError, match="empty"):
        LOSSES[name](empty, targets)


# Squared errors


def test_the_cost_of_the_lecture_is_0_7901() -> None:
    cost, gradient = value_and_gradient(sum_squared_error, LECTURE_OUTPUT, LECTURE_TARGET)
    exactly = sum((Fraction(str(o)) - t) ** 2 for o, t in zip(LECTURE_OUTPUT, LECTURE_TARGET, strict=True))
    assert exactly == Fraction("0.7901")
    assert cost == pytest.approx(0.7901, rel=1e-15)
    np.testing.assert_allclose(gradient, 2.0 * (np.array(LECTURE_OUTPUT) - LECTURE_TARGET), rtol=1e-15)
    assert mean_squared_error(LECTURE_OUTPUT, LECTURE_TARGET) == pytest.approx(0.07901, rel=1e-15)


def test_no_error_costs_nothing() -> None:
    assert value_and_gradient(sum_squared_error, [1.5, -2.0], [1.5, -2.0])[0] == 0.0
    assert value_and_gradient(mean_squared_error, [1.5, -2.0], [1.5, -2.0])[1].tolist() == [0.0, 0.0]


# Cross-entropy

LOGITS = [
    [0.0], [0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [40.0, 0.0], [0.0, 40.0], [1e4, 0.0, -1e4], [-1e4, -1e4], [1e4, 1e4, 1e4],
    [1e4, 9999.0], [-9999.0, -1e4, -9998.0],
]  # fmt: skip
EVERY_LOGITS = pytest.mark.parametrize("logits", LOGITS, ids=repr)


@EVERY_LOGITS
def test_cross_entropy_and_its_gradient_are_accurate(logits: Row) -> None:
    for target in range(len(logits)):
        value, gradient = value_and_gradient(cross_entropy, logits, target)
        # logsumexp is rounded to an ulp of the largest logit; exp turns that into as much of a softmax.
        assert value == pytest.approx(exact("cross_entropy", logits, target), rel=1e-14, abs=1e-300)
        np.testing.assert_allclose(gradient, softmax(logits) - np.eye(len(logits))[target], rtol=0, atol=1e-15)


@EVERY_LOGITS
def test_a_one_hot_target_is_a_class(logits: Row) -> None:
    for target in range(len(logits)):
        value, gradient = value_and_gradient(cross_entropy, logits, target)
        for one_hot in ([int(i == target) for i in range(len(logits))], np.eye(len(logits))[target]):
            found, found_gradient = value_and_gradient(cross_entropy, logits, one_hot)
            # The two add the same terms in another order.
            assert found == pytest.approx(value, rel=1e-14, abs=1e-300)
            np.testing.assert_allclose(found_gradient, gradient, rtol=1e-12, atol=1e-15)


def test_the_gradient_of_a_batch_is_softmax_minus_one_hot_over_its_size() -> None:
    rows, targets = batch("cross_entropy")
    _, gradient = value_and_gradient(cross_entropy, rows, targets)
    np.testing.assert_allclose(gradient, (softmax(rows) - np.eye(3)[targets]) / 4.0, rtol=0, atol=1e-15)


def test_a_batch_may_have_one_hot_rows_for_targets() -> None:
    rows, targets = batch("cross_entropy")
    expected = cross_entropy(rows, targets)
    assert cross_entropy(rows, np.eye(3)[targets]) == expected
    assert cross_entropy(rows, np.eye(3)[targets].tolist()) == expected
    assert cross_entropy(np.array(rows), np.array(targets, dtype=np.uint8)) == expected
    assert cross_entropy(rows, [targets[0], *np.eye(3)[targets[1:]]]) == expected


def test_two_targets_for_two_rows_of_two_are_classes() -> None:
    rows = [[1.0, 2.0], [0.5, -1.0]]
    assert cross_entropy(rows, [1, 0]) == (cross_entropy(rows[0], 1) + cross_entropy(rows[1], 0)) / 2


@pytest.mark.parametrize("logits", [[1.0, -2.0, 0.5], [1e4, 9999.0, 1e4], [-1e4, 1e4, 0.0]], ids=repr)
@pytest.mark.parametrize("shares", [[0.2, 0.3, 0.5], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]], ids=repr)
def test_probabilities_weigh_the_classes(logits: Row, shares: Row) -> None:
    value, gradient = value_and_gradient(cross_entropy, logits, shares)
    # Each of the three products logit · share is rounded to an ulp of the largest logit.
    tolerance = 4.0 * max(1e-15, math.ulp(max(map(abs, logits))))
    assert value == pytest.approx(exact("cross_entropy", logits, shares), rel=1e-12, abs=tolerance)
    np.testing.assert_allclose(gradient, softmax(logits) - shares, rtol=0, atol=tolerance)


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_probabilities_in_single_precision_do_not_shift_the_loss(shift: float) -> None:
    """Their sum is 1 + 3e-8, which is allowed: the loss may be off by so much of itself, but not of the logits."""
    shares = np.full(3, 1 / 3, dtype=np.float32)
    assert cross_entropy([shift] * 3, shares) == pytest.approx(math.log(3.0), rel=1e-7)


def test_guessing_among_ten_digits_costs_log_10() -> None:
    assert cross_entropy([0.0] * 10, 3) == pytest.approx(math.log(10.0), rel=1e-15)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=6), st.integers(0, 5))
def test_cross_entropy_is_never_negative(logits: Row, target: int) -> None:
    value, gradient = value_and_gradient(cross_entropy, logits, target % len(logits))
    assert value >= 0.0
    # The shares add up to 1, to the rounding of logsumexp, an ulp of the logits.
    assert math.fsum(gradient) == pytest.approx(0.0, abs=1e-15 + math.ulp(max(map(abs, logits))))


@pytest.mark.parametrize(
    ("logits", "losses"),
    [
        ([1e300, -1e300], [0.0, 2e300]),
        ([-1e300, 1e300], [2e300, 0.0]),
        ([1e300, 0.0], [0.0, 1e300]),
        ([-1e300, 0.0], [1e300, 0.0]),
    ],
)
def test_cross_entropy_is_finite_up_to_1e300_as_promised(logits: Row, losses: Row) -> None:
    for target in (0, 1):
        value, gradient = value_and_gradient(cross_entropy, logits, target)
        assert value == losses[target]
        assert gradient.tolist() == (softmax(logits) - np.eye(2)[target]).tolist()


# Binary cross-entropy


@pytest.mark.parametrize("logit", [-1e4, -40.0, -20.0, -5.0, 0.0, 5.0, 20.0, 40.0, 1e4])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_binary_cross_entropy_is_accurate_where_it_is_near_0_too(logit: float, target: float) -> None:
    # Relative: a confident right answer has a small loss, and a small loss is a number too.
    expected = exact("binary_cross_entropy", [logit], [target])
    assert binary_cross_entropy(logit, target) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("logit", [-1e4, -40.0, -1.0, 0.0, 1.0, 40.0, 1e4])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_its_gradient_is_sigmoid_minus_target(logit: float, target: float) -> None:
    _, gradient = value_and_gradient(binary_cross_entropy, [logit], [target])
    share = math.exp(-np.logaddexp(0.0, -logit))
    assert gradient[0] == pytest.approx(share - target, rel=1e-12, abs=1e-15)


def test_it_is_the_cross_entropy_of_two_classes() -> None:
    for logit, target in itertools.product([-3.0, -0.5, 0.0, 2.0], [0, 1]):
        assert binary_cross_entropy(logit, target) == pytest.approx(cross_entropy([0.0, logit], target), rel=1e-14)


@given(st.floats(-1e4, 1e4), st.floats(0.0, 1.0))
def test_binary_cross_entropy_is_never_negative(logit: float, target: float) -> None:
    assert binary_cross_entropy(logit, target) >= 0.0


def test_truth_values_are_targets() -> None:
    assert binary_cross_entropy([2.0, -1.0], [True, False]) == binary_cross_entropy([2.0, -1.0], [1, 0])


# Hinge


def test_hinge_by_hand() -> None:
    value, gradient = value_and_gradient(hinge, [2.0, 0.25, -0.5, 1.0, -3.0], [1, 1, -1, 1, 1])
    assert value == (0.0 + 0.75 + 0.5 + 0.0 + 4.0) / 5.0
    assert gradient.tolist() == [0.0, -0.2, 0.2, 0.0, -0.2]


def test_a_margin_of_exactly_1_is_enough() -> None:
    for score, target in ((1.0, 1), (-1.0, -1)):
        value, gradient = value_and_gradient(hinge, [score], [target])
        assert (value, gradient[0]) == (0.0, 0.0)
