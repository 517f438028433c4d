"""The GPT of the examples: its gradients, what it may look at, which positions count, and that a seed repeats a run."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autograd_mini import gradients, no_grad, statistics
from examples.gpt import END, GPT, POSITIONS, VOCABULARY, encode, one_hot, sample, usable

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def model() -> GPT:
    return GPT(seed=3)


def loss_of(model: GPT, word: str) -> float:
    with no_grad():
        return float(model.loss(*encode(word)))


def test_it_has_4064_parameters_of_different_names(model: GPT) -> None:
    assert len(model.parameters()) == len({p.label for p in model.parameters()}) == 4064


def test_the_docstring_counts_the_operations_of_a_word(model: GPT) -> None:
    ops = statistics(model.loss(*encode("pathlib"))).ops
    operations = sum(count for op, count in ops.items() if op not in ("leaf", "constant", "parameter"))
    assert round(operations, -3) == 69_000
    text = (ROOT / "examples" / "gpt.py").read_text(encoding="utf-8")
    assert "69,000 operations" in " ".join(text.split())


def test_gradients_are_those_of_finite_differences(model: GPT) -> None:
    chosen = [getattr(model, name)[i][j] for name in vars(model) for i, j in ((0, 0), (3, 5))]
    found = gradients(model.loss(*encode("decimal")), chosen)
    step = 1e-4
    for p, gradient in zip(chosen, found, strict=True):
        p.data += step
        above = loss_of(model, "decimal")
        p.data -= 2 * step
        below = loss_of(model, "decimal")
        p.data += step
        # An error of step² from the third derivative, and the rounding of a loss near 3 divided by the step.
        assert float(gradient) == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-8), p.label


def test_a_position_sees_none_after_it(model: GPT) -> None:
    with no_grad():
        whole = model(encode("abcdefg")[0])
        other = model(encode("abcxyzw")[0])
        short = model(encode("abcdefg")[0][:4])
    assert [list(map(float, row)) for row in whole[:4]] == [list(map(float, row)) for row in other[:4]]
    assert [list(map(float, row)) for row in whole[:4]] == [list(map(float, row)) for row in short]


def test_the_loss_is_the_mean_over_the_letters_and_the_end_mark(model: GPT) -> None:
    with no_grad():
        logits = np.array([list(map(float, row)) for row in model([one_hot(t) for t in (END, 2, 0)])])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log([shares[0, 2], shares[1, 0], shares[2, END]]).mean()
    assert loss_of(model, "ca") == pytest.approx(expected, rel=1e-12)


def test_a_word_is_encoded_at_every_length() -> None:
    for word in ("a", "abcdefg"):
        inputs, targets = encode(word)
        assert np.shape(inputs) == np.shape(targets) == (POSITIONS, VOCABULARY)
        assert np.sum(inputs) == len(word) + 1
        assert np.sum(targets) == pytest.approx(1.0, rel=1e-15)


def test_words_that_do_not_fit_are_left_out() -> None:
    assert usable(["Abc", "abc", "_ab", "base64", "contextlib", "", " zz ", "été"]) == ["abc", "zz"]


@pytest.mark.parametrize("temperature", [1e-300, 1.0])
def test_samples_are_words_and_repeat(model: GPT, temperature: float) -> None:
    first, second = (sample(model, random.Random(5), temperature) for _ in range(2))
    assert first == second
    assert set(first) <= set("abcdefghijklmnopqrstuvwxyz")
    assert len(first) <= POSITIONS


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    (tmp_path / "words").write_text("ada\nbob\neve\n")

    def run(*options: str) -> str:
        command = [sys.executable, "-W", "error", str(ROOT / "examples" / "gpt.py"), "--words", "words", *options]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout

    return run


def test_a_seed_repeats_a_run_on_words_of_ones_own(run: Callable[..., str]) -> None:
    options = ["--engine", "eager", "--steps", "5", "--batch", "1", "--samples", "2"]
    output = run(*options)
    assert output == run(*options)
    assert output != run(*options, "--seed", "1")
    assert output.startswith("3 words, 4,064 parameters\n")
    losses = [float(line.split()[-1]) for line in output.splitlines() if line.startswith("step")]
    assert len(losses) == 5
    assert losses[-1] < losses[0]


def test_both_engines_learn_and_say_the_same(run: Callable[..., str]) -> None:
    options = ["--steps", "3", "--batch", "2", "--samples", "1"]
    assert run("--engine", "eager", *options) == run("--engine", "compiled", *options)
