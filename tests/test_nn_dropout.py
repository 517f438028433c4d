"""Dropout: masks that can be seen, come from a seed and leave every other generator alone."""

import copy
import math
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd_mini import Value, cos, diagnose, gradcheck, sum
from nn import MLP, Dropout, Layer, Sequential, cross_entropy

ONES = [[1.0] * 7] * 5


def masks(dropout: Dropout, count: int = 3) -> list[Any]:
    found = []
    for _ in range(count):
        dropout(ONES)
        found.append(dropout.mask)
    return found


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_of_zeros_is_p_and_the_mean_stays(p: float) -> None:
    dropout = Dropout(p, seed=0)
    n = 20_000
    outputs = np.array(dropout([[1.0] * n])[0])
    # Five standard deviations of a binomial share; the seed is given, so this holds in every run or in none.
    assert abs((outputs == 0.0).mean() - p) < 5.0 * math.sqrt(p * (1.0 - p) / n)
    assert set(outputs) == {0.0, 1.0 / (1.0 - p)}
    assert abs(outputs.mean() - 1.0) < 5.0 * math.sqrt(p / (1.0 - p) / n)


def test_each_number_of_each_row_is_drawn_for_itself() -> None:
    dropout = Dropout(0.5, seed=1)
    dropout([[1.0] * 200] * 200)
    kept = np.array(dropout.mask) > 0.0
    # Six standard deviations of a mean of 200 coins.
    assert abs(kept.mean(0) - 0.5).max() < 6.0 * 0.5 / math.sqrt(200)
    assert abs(kept.mean(1) - 0.5).max() < 6.0 * 0.5 / math.sqrt(200)


def test_the_mask_is_what_the_numbers_were_multiplied_with() -> None:
    dropout, x = Dropout(0.25, seed=2), np.arange(1.0, 13.0).reshape(4, 3)
    assert dropout.mask is None
    outputs = dropout(x)
    assert np.shape(dropout.mask) == (4, 3)
    assert (np.array(outputs) == x * np.array(dropout.mask)).all()
    dropout([1.0, 2.0])
    assert np.shape(dropout.mask) == (1, 2)


def test_in_evaluation_mode_what_goes_in_comes_out() -> None:
    dropout = Dropout(0.5, seed=3)
    before = dropout.state()["generator_state"]
    x = [[Value(1.0), 2.0]]
    (outputs,) = dropout.eval()(x)
    assert outputs[0] is x[0][0]
    assert outputs[1] == 2.0
    assert dropout.mask is None
    assert (dropout.generator_state == before).all()


def test_p_of_0_keeps_everything_and_p_of_1_nothing() -> None:
    x = [Value(3.0), Value(-2.0)]
    assert [y.data for y in Dropout(0)(x)] == [3.0, -2.0]
    outputs = Dropout(1)(x)
    assert [y.data for y in outputs] == [0.0, 0.0]
    sum(outputs).backward()
    assert [(value.has_grad, value.grad) for value in x] == [(True, 0.0)] * 2


def test_gradients_pass_where_numbers_pass() -> None:
    dropout, x = Dropout(0.5, seed=3), [Value(0.5 * i) for i in range(6)]
    loss = sum(map(cos, dropout(x)))
    assert gradcheck(loss)
    loss.backward()
    (mask,) = dropout.mask or []
    assert {value.grad == 0.0 for value, factor in zip(x[1:], mask[1:], strict=True) if factor == 0.0} == {True}
    assert {value.grad == 0.0 for value, factor in zip(x[1:], mask[1:], strict=True) if factor} == {False}


def test_the_graph_can_be_diagnosed() -> None:
    model = MLP(3, [6, 2], activation="tanh", dropout=0.5, seed=0)
    loss = cross_entropy(model(np.eye(3)), [0, 1, 0])
    loss.backward()
    assert gradcheck(loss)
    assert "nan" not in repr(diagnose(loss, model))


# Generators


def test_the_same_seed_gives_the_same_masks() -> None:
    assert masks(Dropout(0.5, seed=4)) == masks(Dropout(0.5, seed=4))
    assert masks(Dropout(0.5, seed=4)) != masks(Dropout(0.5, seed=5))
    assert masks(Dropout(0.5)) != masks(Dropout(0.5))
    assert len({repr(mask) for mask in masks(Dropout(0.5, seed=4))}) == 3


def test_the_global_generators_are_untouched() -> None:
    before = random.getstate(), repr(np.random.get_state())
    masks(Dropout(0.5, seed=4))
    masks(Dropout(0.5))
    MLP(2, [3, 1], dropout=0.5)([1.0, 2.0])
    twin = Dropout(0.5).load_state(Dropout(0.5).state())
    masks(twin)
    assert (random.getstate(), repr(np.random.get_state())) == before


def test_a_generator_given_is_drawn_from() -> None:
    generator = random.Random(6)
    assert masks(Dropout(0.5, seed=generator)) == masks(Dropout(0.5, seed=6))
    assert generator.random() != random.Random(6).random()


@pytest.mark.parametrize("build", [lambda **o: MLP(4, [5, 3, 2], **o), lambda **o: Layer(4, 5, **o)])
def test_dropout_changes_no_weight_of_the_start(build: Callable[..., Any]) -> None:
    plain, dropping = build(seed=0), build(seed=0, dropout=0.5)
    assert [(n, p.data) for n, p in plain.named_parameters()] == [(n, p.data) for n, p in dropping.named_parameters()]


def test_an_mlp_drops_outputs_of_its_hidden_layers_by_different_masks() -> None:
    model = MLP(2, [6, 6, 3], dropout=0.5, seed=0)
    model([1.0, 2.0])
    assert [layer.dropout is not None for layer in model.layers] == [True, True, False]
    assert model.layers[0].dropout.mask != model.layers[1].dropout.mask
    assert repr(model) == "MLP(2, [6, 6, 3], activation='relu', dropout=0.5)"
    assert repr(model.layers[0]) == "Layer(2, 6, activation='relu', dropout=0.5)"
    assert MLP(2, [3], dropout=0.5).layers[0].dropout is None
    assert MLP(2, [3, 3], dropout=0.0).layers[0].dropout is None


def test_a_layer_drops_what_its_activation_functions_give() -> None:
    layer = Layer(2, 4, activation="sigmoid", dropout=0.5, seed=0)
    outputs = layer([1.0, 2.0])
    (mask,) = layer.dropout.mask
    assert [y.data for y in outputs] == [y.data * m for y, m in zip(layer.eval()([1.0, 2.0]), mask, strict=True)]


# Going on from the same place


COPIERS: dict[str, Callable[[Dropout], Dropout]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda dropout: pickle.loads(pickle.dumps(dropout)),
    "state": lambda dropout: Dropout(0.5).load_state(dropout.state()),
}


@pytest.mark.parametrize("copier", COPIERS.values(), ids=COPIERS)
def test_a_copy_goes_on_with_the_same_masks_for_itself(copier: Callable[[Dropout], Dropout]) -> None:
    dropout = Dropout(0.5, seed=7)
    masks(dropout, 20)
    twin = copier(dropout)
    assert twin.generator is not dropout.generator
    expected = masks(twin)
    assert masks(dropout) == expected


def test_the_generator_of_a_whole_network_is_in_its_state() -> None:
    model = MLP(2, [5, 5, 1], dropout=0.5, batch_norm=True, seed=0)
    model(np.eye(2))
    twin = MLP(2, [5, 5, 1], dropout=0.5, batch_norm=True, seed=1).load_state(model.state())
    for _ in range(3):
        assert [y.data for y in twin(np.eye(2))] == [y.data for y in model(np.eye(2))]
    assert "hidden1.dropout.generator_state" in model.state()


def spoilt(name: str, index: Any, word: int) -> tuple[Any, dict[str, Any]]:
    model = Sequential(Layer(2, 2, seed=0), Dropout(0.5, seed=1), Layer(2, 1, dropout=0.5, seed=2))
    state = Sequential(Layer(2, 2, seed=3), Dropout(0.5, seed=4), Layer(2, 1, dropout=0.5, seed=5)).state()
    state[name][index] = word
    return model, state


@pytest.mark.parametrize("name", ["dropout2.generator_state", "layer3.dropout.generator_state"])
@pytest.mark.parametrize(
    ("index", "word", "got"),
    [
        (624, 625, "place 625"),
        (624, 2**32 - 1, "place 4294967295"),
        (slice(624), 0, "only zeros"),
    ],
)
def test_a_generator_state_that_is_not_legal_changes_nothing(name: str, index: Any, word: int, got: str) -> None:
    model, state = spoilt(name, index, word)
    before = model.state()
    with pytest.raises(ValueError, match=rf"624 words that are not all 0, then a place from 0 to 624, got {got}"):
        model.load_state(state)
    assert all((array == before[name]).all() for name, array in model.state().items())


@pytest.mark.parametrize("place", [0, 624])
def test_a_generator_state_at_either_end_is_legal(place: int) -> None:
    model, state = spoilt("dropout2.generator_state", 624, place)
    assert model.load_state(state).parts[1].generator_state[624] == place
