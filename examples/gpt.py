"""A GPT of 4,064 scalars that learns how words are spelled, letter by letter, and then makes up words of its own.

It shows that a transformer (embeddings, attention, an MLP, the loss) is sums and products of single numbers: the model
below is nothing but Values and Python's loops. One word makes a graph of 69,000
operations. With ``--engine eager`` that
graph is made and walked anew for every word; ``compile`` makes array code of the very same lines and runs that.

Run it: python -m examples.gpt (--help lists the options; --words FILE learns from words of your own)
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import ascii_lowercase
from typing import Any, TypeAlias

import numpy as np

from autograd_mini import no_grad, parameter
from autograd_mini.compiler import compile
from nn import Adam

POSITIONS, CHANNELS, HEADS = 8, 16, 4
END = len(ascii_lowercase)  # the mark before and after a word; the letters are 0 to 25
VOCABULARY = END + 1

Row: TypeAlias = Sequence[Any]
Rows: TypeAlias = Sequence[Row]


def dot(a: Row, b: Row) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))


def linear(x: Row, weights: Rows) -> list[Any]:
    return [dot(row, x) for row in weights]


def add(a: Row, b: Row) -> list[Any]:
    return [x + y for x, y in zip(a, b, strict=True)]


def normalized(x: Row) -> list[Any]:
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
    return [channel * scale for channel in x]


# No need to subtract the largest logit first: exp overflows only above 709, and what the weights of logits multiply is
# normalized.
def softmax(logits: Row) -> list[Any]:
    exps = [logit.exp() for logit in logits]
    total = sum(exps)
    return [x / total for x in exps]


def log_softmax(logits: Row) -> list[Any]:
    log_total = sum(logit.exp() for logit in logits).log()
    return [logit - log_total for logit in logits]


class GPT:
    """One transformer block between embeddings and an output head, without biases.

    Args:
        number: what makes a parameter of a number and a name; any engine's Value with + * - / **, exp, log and relu.
        seed: what the first weights are drawn from.
    """

    def __init__(self, number: Callable[[float, str], Any] = parameter, *, seed: int = 0) -> None:
        generator = random.Random(seed)

        def matrix(name: str, rows: int, columns: int, scale: float) -> list[list[Any]]:
            names = [[f"{name}[{i}][{j}]" for j in range(columns)] for i in range(rows)]
            return [[number(generator.gauss(0, scale), each) for each in row] for row in names]

        small = CHANNELS**-0.5
        self.token = matrix("token", VOCABULARY, CHANNELS, small)
        self.position = matrix("position", POSITIONS, CHANNELS, small)
        self.query = matrix("query", CHANNELS, CHANNELS, small)
        self.key = matrix("key", CHANNELS, CHANNELS, small)
        self.value = matrix("value", CHANNELS, CHANNELS, small)
        self.mix = matrix("mix", CHANNELS, CHANNELS, small / 2)
        self.up = matrix("up", 4 * CHANNELS, CHANNELS, small)
        self.down = matrix("down", CHANNELS, 4 * CHANNELS, small / 4)
        self.head = matrix("head", VOCABULARY, CHANNELS, small / 2)

    def parameters(self) -> list[Any]:
        return [weight for matrix in vars(self).values() for row in matrix for weight in row]

    def __call__(self, inputs: Rows) -> list[list[Any]]:
        """Up to 8 one-hot rows, one per position, become as many rows of logits of what comes next."""
        columns = list(zip(*self.token, strict=True))
        xs = [add(linear(x, columns), position) for x, position in zip(inputs, self.position, strict=False)]
        xs = [add(x, y) for x, y in zip(xs, self.attention([normalized(x) for x in xs]), strict=True)]
        xs = [add(x, linear([y.relu() for y in linear(normalized(x), self.up)], self.down)) for x in xs]
        return [linear(normalized(x), self.head) for x in xs]

    def attention(self, xs: Rows) -> list[list[Any]]:
        """Every position gathers from itself and those before it what its four heads find worth attention."""
        queries, keys, values = ([linear(x, w) for x in xs] for w in (self.query, self.key, self.value))
        width, result = CHANNELS // HEADS, []
        for t, query in enumerate(queries):
            gathered: list[Any] = []
            for head in (slice(i, i + width) for i in range(0, CHANNELS, width)):
                shares = softmax([dot(query[head], key[head]) * width**-0.5 for key in keys[: t + 1]])
                seen = [value[head] for value in values[: t + 1]]
                gathered += [dot(shares, channel) for channel in zip(*seen, strict=True)]
            result.append(linear(gathered, self.mix))
        return result

    def loss(self, inputs: Rows, targets: Rows) -> Any:
        """The cross-entropy of one word; a row of targets holds the weight of its position."""
        return -sum(dot(row, log_softmax(logits)) for row, logits in zip(targets, self(inputs), strict=True))


def one_hot(token: int, weight: float = 1.0) -> list[float]:
    return [weight * (i == token) for i in range(VOCABULARY)]


def encode(word: str) -> tuple[list[list[float]], list[list[float]]]:
    """The inputs and targets of a word; the positions after its end have rows of zeros, so that none of them counts."""
    tokens = [END, *map(ascii_lowercase.index, word), END]
    padding = [[0.0] * VOCABULARY] * (POSITIONS + 1 - len(tokens))
    inputs, targets = tokens[:-1], tokens[1:]
    return [*map(one_hot, inputs), *padding], [*(one_hot(token, 1 / len(targets)) for token in targets), *padding]


def usable(words: Iterable[str]) -> list[str]:
    """The words of the letters a to z that fit with their end mark, in lower case and sorted, each once."""
    lower = {word.strip().lower() for word in words}
    return sorted(word for word in lower if 0 < len(word) < POSITIONS and set(word) <= set(ascii_lowercase))


def train(model: GPT, words: Sequence[str], options: argparse.Namespace) -> None:
    encoded, generator = [encode(word) for word in words], random.Random(options.seed)
    adam = Adam(model.parameters(), betas=(0.9, 0.99))
    if compiled := options.engine == "compiled":
        step, state = compile(model.loss, *encoded[0], parameters=model.parameters()), adam.state
    for i in range(options.steps):
        batch = generator.choices(encoded, k=options.batch)
        adam.learning_rate = options.learning_rate * (1 - i / options.steps)
        if compiled:
            loss, gradients = step(*map(np.array, zip(*batch, strict=True)))
            step.parameters[:], state = adam.update(step.parameters, gradients, state)
        else:
            loss = 0.0
            adam.zero_grad()
            for inputs, targets in batch:
                share = model.loss(inputs, targets) / len(batch)
                share.backward()  # the gradients of the words add up
                loss += share.data
            adam.step()
        if i % max(1, options.steps // 10) == 0 or i == options.steps - 1:
            print(f"step {i + 1:>5}  loss {loss:.4f}", flush=True)
    if compiled:
        step.store()  # the Values get what the array code has learned


def sample(model: GPT, generator: random.Random, temperature: float) -> str:
    """Draw a letter, read it, draw the next, up to the end mark; a low temperature keeps to the likely ones."""
    tokens = [END]
    with no_grad():
        while len(tokens) <= POSITIONS:
            logits = model([one_hot(token) for token in tokens])[-1]
            largest = max(logits)  # here it may be large, for the temperature may be near 0
            shares = softmax([(logit - largest) / temperature for logit in logits])
            (token,) = generator.choices(range(VOCABULARY), [float(share) for share in shares])
            if token == END:
                break
            tokens.append(token)
    return "".join(ascii_lowercase[token] for token in tokens[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a small GPT on words, and let it make up more.")
    parser.add_argument(
        "--words",
        metavar="FILE",
        type=Path,
        help=f"words to learn from, those of up to {POSITIONS - 1} letters from a to z; by default Python's modules",
    )
    for name, default, what in (
        ("--steps", 1000, "steps of Adam"),
        ("--batch", 8, "words in a step"),
        ("--learning-rate", 0.01, "that of the first step; it falls to 0"),
        ("--seed", 0, "of the first weights, the batches and the draws"),
        ("--samples", 20, "words to draw"),
        ("--temperature", 0.8, "of the draws; low is careful"),
    ):
        parser.add_argument(name, metavar="N", type=type(default), default=default, help=f"{what} (default {default})")
    parser.add_argument("--engine", choices=["eager", "compiled"], default="compiled")
    options = parser.parse_args()
    for name in ("steps", "batch", "learning_rate", "samples", "temperature"):
        if (given := getattr(options, name)) < 0 or (given == 0 and name in ("batch", "temperature")):
            parser.error(f"--{name.replace('_', '-')} must be above 0, got {given}")
    try:
        words = usable(options.words.read_text("utf-8").split() if options.words else sys.stdlib_module_names)
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"{options.words} is no file of words: {error}")
    if not words:
        parser.error(f"{options.words} has no word of 1 to {POSITIONS - 1} letters from a to z")
    model = GPT(seed=options.seed)
    print(f"{len(words)} words, {len(model.parameters()):,} parameters")
    train(model, words, options)
    generator = random.Random(options.seed)
    drawn = [sample(model, generator, options.temperature) for _ in range(options.samples)]
    print("made up:      ", *(word for word in drawn if word not in words))
    print("from the list:", *(word for word in drawn if word in words))


if __name__ == "__main__":
    main()
