"""Gradient clipping and penalties. ``test_peers_nn.py`` compares with PyTorch."""

import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from autograd_mini import Value, dot, gradcheck, parameter
from nn import MLP, SGD, clip_gradient_norm, clip_gradient_value, l1_penalty, l2_penalty

LISTS = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=6)


def with_gradients(*gradients: float | None) -> list[Value]:
    values = [parameter(1.0, f"w{i}") for i in range(len(gradients))]
    for value, gradient in zip(values, gradients, strict=True):
        value.grad = gradient
    return values


def grads(values: list[Value]) -> list[float]:
    return [value.grad for value in values]


def test_by_value_each_gradient_is_cut() -> None:
    values = with_gradients(3.0, -0.25, -7.0, 0.0, math.inf, -math.inf)
    clip_gradient_value(values, 0.5)
    assert grads(values) == [0.5, -0.25, -0.5, 0.0, 0.5, -0.5]


def test_by_value_a_nan_stays_one() -> None:
    values = with_gradients(math.nan)
    clip_gradient_value(values, 0.5)
    assert math.isnan(values[0].grad)


def test_by_norm_all_are_scaled_alike() -> None:
    values = with_gradients(3.0, -4.0)
    assert clip_gradient_norm(values, 0.5) == 5.0
    assert grads(values) == pytest.approx([3.0 * 0.5 / 5.000001, -4.0 * 0.5 / 5.000001], rel=1e-12)


def test_small_gradients_are_left_as_they_are() -> None:
    values = with_gradients(3.0, -4.0)
    assert clip_gradient_norm(values, 6.0) == 5.0
    assert grads(values) == [3.0, -4.0]


@pytest.mark.parametrize(("norm", "total"), [(1.0, 7.0), (2.0, 5.0), (3.0, 91.0 ** (1 / 3)), (math.inf, 4.0)])
def test_norms_by_hand(norm: float, total: float) -> None:
    assert clip_gradient_norm(with_gradients(3.0, -4.0), 1.0, norm=norm) == pytest.approx(total, rel=1e-12)


def test_what_no_pass_has_reached_stays_not_computed() -> None:
    values = with_gradients(None, 8.0, None)
    clip_gradient_value(values, 4.0)
    assert clip_gradient_norm(values, 1.0) == 4.0
    assert [value.has_grad for value in values] == [False, True, False]


def test_without_any_gradient_the_norm_is_0() -> None:
    assert clip_gradient_norm(with_gradients(None), 1.0) == 0.0


def test_squares_beyond_the_range_of_a_float_do_no_harm() -> None:
    values = with_gradients(3e200, 4e200)
    assert clip_gradient_norm(values, 1.0) == pytest.approx(5e200, rel=1e-12)
    assert grads(values) == pytest.approx([0.6, 0.8], rel=1e-6)
    assert clip_gradient_norm(with_gradients(3e-200, 4e-200), 1.0) == pytest.approx(5e-200, rel=1e-12)


@given(LISTS, st.floats(1e-3, 1e3), st.sampled_from([1.0, 2.0, 3.0, math.inf]))
def test_after_clipping_the_norm_is_at_most_the_largest(gradients: list[float], most: float, norm: float) -> None:
    values = with_gradients(*gradients)
    clip_gradient_norm(values, most, norm=norm)
    assert clip_gradient_norm(values, math.nextafter(math.inf, 0.0), norm=norm) <= most * (1.0 + 1e-12)
    assert all(x * y >= 0.0 for x, y in zip(grads(values), gradients, strict=True))


@given(LISTS, st.floats(0.0, 1e3))
def test_clipping_by_value_twice_is_clipping_once(gradients: list[float], limit: float) -> None:
    values = with_gradients(*gradients)
    clip_gradient_value(values, limit)
    once = grads(values)
    clip_gradient_value(values, limit)
    assert grads(values) == once
    assert all(abs(x) <= limit for x in once)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("norm", [1.0, 2.0, math.inf])
def test_a_norm_that_is_not_finite_names_the_parameter_and_changes_nothing(bad: float, norm: float) -> None:
    values = with_gradients(1.0, bad, 100.0)
    before = repr(grads(values))
    with pytest.raises(ValueError, match=r"^the norm of the gradients is (nan|inf); that of 'w1' is (nan|-?inf)$"):
        clip_gradient_norm(values, 1.0, norm=norm)
    assert repr(grads(values)) == before


def test_a_norm_beyond_the_range_of_a_float_names_the_largest() -> None:
    with pytest.raises(ValueError, match=r"the norm of the gradients is inf; that of 'w1' is 1\.7e\+308"):
        clip_gradient_norm(with_gradients(1.6e308, 1.7e308), 1.0)


# Penalties


@pytest.mark.parametrize("penalty", [l1_penalty, l2_penalty])
def test_gradients_of_penalties(penalty: Any) -> None:
    model = MLP(2, [3, 1], seed=0, initializer="uniform")
    for i, value in enumerate(model.parameters()):
        value.data += 0.1 * (i + 1)
    gradcheck(penalty(model.parameters())).require()


def test_penalties_by_hand() -> None:
    values = [parameter(x) for x in (3.0, -4.0, 0.0)]
    assert (l1_penalty(values).data, l2_penalty(values).data) == (7.0, 25.0)
    l1_penalty(values).backward()
    assert grads(values) == [1.0, -1.0, 0.0]


def test_weight_decay_is_half_the_l2_penalty() -> None:
    decay = 0.25
    pair = [[parameter(3.0), parameter(-4.0)] for _ in range(2)]
    optimizers = [SGD(pair[0], learning_rate=0.5, weight_decay=decay), SGD(pair[1], learning_rate=0.5)]
    for values, optimizer, share in zip(pair, optimizers, (0.0, decay / 2.0), strict=True):
        (dot(values, [1.0, 2.0]) + share * l2_penalty(values)).backward()
        optimizer.step()
    assert [v.data for v in pair[0]] == pytest.approx([v.data for v in pair[1]], rel=1e-12)


@pytest.mark.parametrize("values", [[parameter(1.0)], iter([parameter(1.0)]), (parameter(1.0),)])
def test_any_iterable_of_values_will_do(values: Any) -> None:
    assert l1_penalty(values).data == 1.0
