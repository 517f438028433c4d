"""The lecture *Decoding Neural Networks*, a test for each entry of its list; the README links every one of them."""

import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from autograd_mini import Value, sigmoid, softmax, tanh
from nn import (
    MLP,
    SGD,
    BatchNorm,
    Dataset,
    Dropout,
    HyperParameters,
    Neuron,
    Split,
    Trainer,
    binary_cross_entropy,
    cross_entropy,
    digits,
    predicted_class,
    sum_squared_error,
)

ROOT = Path(__file__).parents[1]
COST_OF = [0.1, 0.7, 0.3, 0.1, 0.4, 0.1, 0.01, 0.5, 0.1, 0.4]


def lecture_network() -> MLP:
    return MLP(49, [3, 10], activation="sigmoid", seed=0)


@pytest.fixture(scope="module")
def parts() -> Split:
    return digits().split(seed=0)


def test_input_layer() -> None:
    image, label = digits()[0]
    assert len(image) == 49
    assert digits().shape == (7, 7)
    assert label in range(10)
    assert lecture_network().inputs == 49


def test_weights() -> None:
    neuron = lecture_network().layers[0].neurons[0]
    image = [0.0] * 49
    image[8] = 1.0  # one pixel of ink: the sum is its weight, so the weights say which pixels matter
    assert len(neuron.w) == 49
    assert neuron.weighted_sum(image).data == neuron.w[8].data


def test_bias() -> None:
    neuron = Neuron(15, activation="sigmoid", initializer="zeros")
    neuron.b.data = -15.0
    for w in neuron.w:
        w.data = 1.1
    assert neuron([1.0] * 15).data > 0.5  # a sum of 16.5
    assert neuron([1.0] * 13 + [0.0] * 2).data < 0.5  # a sum of 14.3


def test_hidden_layer() -> None:
    hidden = lecture_network().layers[0]
    assert len(hidden.neurons) == 3
    assert len(hidden.parameters()) == 3 * 49 + 3 == 150


def test_neurons() -> None:
    neuron = Neuron(2, activation="tanh", seed=0)
    (w1, w2), b = neuron.w, neuron.b
    assert neuron([2.0, -1.0]).data == pytest.approx(tanh(2.0 * w1.data - w2.data + b.data), rel=1e-15)


def test_activation_function() -> None:
    outputs = [sigmoid(z) for z in (-1e4, -5.0, 0.0, 5.0, 1e4)]
    assert outputs == sorted(outputs)
    assert (outputs[0], outputs[2], outputs[-1]) == (0.0, 0.5, 1.0)


def test_output_layer() -> None:
    outputs = lecture_network()(digits()[0][0])
    assert len(outputs) == 10
    assert sum(share.data for share in softmax(outputs)) == pytest.approx(1.0, abs=1e-15)
    assert predicted_class(COST_OF) == 1


def test_loss_function() -> None:
    target = [float(digit == 1) for digit in range(10)]
    assert sum_squared_error(COST_OF, target) == pytest.approx(0.7901, abs=1e-12)
    assert binary_cross_entropy([0.0], [1]) == pytest.approx(np.log(2.0))


def test_optimizer() -> None:
    model, (image, label) = lecture_network(), digits()[0]
    optimizer = SGD(model.parameters(), learning_rate=0.5)
    losses = []
    for _ in range(5):
        loss = cross_entropy(model(image), label)
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses == sorted(losses, reverse=True)


def test_back_propagation() -> None:
    model, (image, label) = lecture_network(), digits()[0]
    weight, h = model.layers[0].neurons[0].w[8], 1e-6
    cross_entropy(model(image), label).backward()
    start, losses = weight.data, []
    for weight.data in (start - h, start + h):
        losses.append(cross_entropy(model(image), label).data)
    assert weight.grad == pytest.approx((losses[1] - losses[0]) / (2 * h), rel=1e-6)  # differences of 1e-6


def test_learning_rate() -> None:
    moved = []
    for rate in (0.1, 0.2):
        x = Value(3.0)
        (x * x).backward()
        SGD([x], learning_rate=rate).step()
        moved.append(3.0 - x.data)
    assert moved == pytest.approx([0.6, 1.2])


def test_dropout() -> None:
    dropout = Dropout(0.25, seed=0)
    outputs = dropout([1.0] * 1000)
    assert dropout.mask == [outputs]  # the mask is there to be read
    assert set(outputs) == {0.0, 1.0 / 0.75}
    assert outputs.count(0.0) / 1000 == pytest.approx(0.25, abs=0.05)
    assert dropout.eval()([1.0, 2.0]) == [1.0, 2.0]


def test_batch_normalization() -> None:
    norm = BatchNorm(2)
    outputs = np.array([[y.data for y in row] for row in norm([[1.0, 10.0], [2.0, 30.0], [3.0, 80.0]])])
    np.testing.assert_allclose(outputs.mean(axis=0), 0.0, atol=1e-15)
    np.testing.assert_allclose(outputs.std(axis=0), 1.0, rtol=1e-5)  # epsilon = 1e-5 stands in the denominator
    assert norm.running_mean == pytest.approx([0.2, 4.0])  # a tenth of the way there


def test_epoch_and_iteration(parts: Split) -> None:
    train = Dataset(parts.train.inputs[:40], parts.train.targets[:40], classes=10)
    trainer = Trainer(lecture_network(), progress=False)
    history = trainer.fit(train, epochs=2, batch_size=16)
    assert len(history) == 2
    assert len(history.iterations["loss"]) == 2 * 3  # 40 rows in batches of 16, 16 and 8


def test_batches(parts: Split) -> None:
    dealt = list(parts.train.batches(16, seed=0))
    assert [len(batch) for batch in islice(dealt, 3)] == [16, 16, 16]
    assert sorted(row for batch in dealt for row in batch.rows.tolist()) == sorted(parts.train.rows.tolist())


def test_forward_pass() -> None:
    layer, (image, _) = lecture_network().layers[0], digits()[0]
    w = np.array([neuron.w for neuron in layer.neurons])
    b = np.array([neuron.b for neuron in layer.neurons])
    assert (w.shape, np.shape(image)) == ((3, 49), (49,))
    expected = sigmoid(np.dot(w, np.array(image)) + b)
    assert [y.data for y in layer(image)] == pytest.approx([y.data for y in expected], rel=1e-14)


def test_hyper_parameters(parts: Split) -> None:
    trainer = Trainer(lecture_network(), optimizer="sgd", progress=False)
    trainer.fit(parts.validation, epochs=1, batch_size=64)
    told = trainer.hyper_parameters
    assert (told.epochs, told.batch_size, told.optimizer["learning_rate"]) == (1, 64, 0.001)
    assert HyperParameters(**told.as_dict()) == told
    with pytest.raises(AttributeError):
        told.epochs = 2  # type: ignore[misc]


def test_dataset() -> None:
    data = digits()
    assert len(data) == 1797
    assert sorted(set(data.targets.tolist())) == list(range(10))


def test_train(parts: Split) -> None:
    assert len(parts.train) == 1258


def test_validation(parts: Split) -> None:
    trainer = Trainer(lecture_network(), progress=False)
    trainer.fit(parts.test, validation=parts.validation, epochs=2)
    losses = trainer.history["validation_loss"]
    assert trainer.load_best() == losses.index(min(losses)) + 1
    assert trainer.evaluate(parts.validation)["loss"] == min(losses)


def test_test(parts: Split) -> None:
    rows = [set(part.rows.tolist()) for part in parts]
    assert sum(map(len, rows)) == len(set.union(*rows)) == 1797  # no digit is in two parts
    assert set(Trainer(lecture_network()).evaluate(parts.test)) == {"loss", "accuracy"}


def test_active_neuron() -> None:
    neuron = Neuron(2, activation="sigmoid", initializer="zeros")
    neuron.b.data = -15.0
    for neuron.w[0].data, active in ((14.0, False), (15.0, False), (16.0, True)):
        seen = neuron.activity([1.0, 0.0])
        assert (seen.sum, seen.threshold, seen.active) == (neuron.w[0].data, 15.0, active)
        assert (neuron([1.0, 0.0]).data > 0.5) == active


# The README's table

LECTURE = """input_layer weights bias hidden_layer neurons activation_function output_layer loss_function optimizer
back_propagation learning_rate dropout batch_normalization epoch_and_iteration batches forward_pass hyper_parameters
dataset train validation test active_neuron"""


def test_every_entry_of_the_list_has_a_row_in_the_readme_that_links_its_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8").splitlines()
    lines = {name[1]: i for i, line in enumerate(source, 1) if (name := re.match(r"def test_(\w+)\(", line))}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"^\| .*\[`test_(\w+)`\]\(tests/test_lecture\.py#L(\d+)\)", readme, re.MULTILINE)
    assert {name: int(line) for name, line in links} == {name: lines[name] for name in LECTURE.split()}
