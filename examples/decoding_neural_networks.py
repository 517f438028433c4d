"""Decoding a neural network: the lecture, line by line.

A 7×7 image goes through three neurons whose weights are set by hand, one to see a curve, one a diagonal and one a
horizontal line. Run it: .venv/bin/python examples/decoding_neural_networks.py
"""

import math

import numpy as np

from autograd_mini import Value, dot, gradients, sigmoid, softmax
from nn import (
    MLP,
    SGD,
    Adam,
    BatchNorm,
    Dropout,
    Layer,
    Trainer,
    cross_entropy,
    digits,
    predicted_class,
    sum_squared_error,
)

PATTERNS = {
    "curve": """
        ..###..
        .#...#.
        #......
        #......
        #......
        .#...#.
        ..###..""",
    "diagonal": """
        ......#
        .....#.
        ....#..
        ...#...
        ..#....
        .#.....
        #......""",
    "horizontal line": """
        .......
        .......
        .......
        #######
        .......
        .......
        .......""",
}


def pixels(drawing: str) -> list[float]:
    """Read a drawing as 49 numbers, 1.0 for ink and 0.0 for paper: the input layer."""
    return [float(mark == "#") for mark in drawing.split() for mark in mark]


def hand_set_layer() -> Layer:
    """Three neurons, each with weight +1 on the pixels of its pattern and -1 on the others.

    The weights say which pixels matter; the bias how much evidence is needed, here all of the pattern's ink but 1.5.
    """
    layer = Layer(49, 3, activation="sigmoid", initializer="zeros")
    for neuron, drawing in zip(layer.neurons, PATTERNS.values(), strict=True):
        pattern = pixels(drawing)
        for weight, ink in zip(neuron.w, pattern, strict=True):
            weight.data = 1.0 if ink else -1.0
        neuron.b.data = -(sum(pattern) - 1.5)
    return layer


def main() -> None:
    layer = hand_set_layer()
    print(
        f"input layer: 7 × 7 = {49} pixels; parameters: 3 neurons × (49 weights + 1 bias) = {len(layer.parameters())}"
    )

    print("\nforward pass: each drawing through the three neurons; active means sigmoid above 0.5")
    for name, drawing in PATTERNS.items():
        activations = layer(pixels(drawing))
        seen = zip(PATTERNS, [a.data for a in activations], strict=True)
        answers = [f"{pattern} {a:.3f}{' active' if a > 0.5 else ''}" for pattern, a in seen]
        print(f"  {name:>15}: " + ", ".join(answers))

    print("\nthe whole layer as the lecture writes it, sigmoid(np.dot(w, a) + b), shapes 3×49 and 49:")
    w = np.array([neuron.w for neuron in layer.neurons])
    b = np.array([neuron.b for neuron in layer.neurons])
    a = np.array(pixels(PATTERNS["diagonal"]))
    print(f"  {w.shape} · {a.shape} → {[round(float(s), 3) for s in sigmoid(np.dot(w, a) + b)]}")

    print("\na neuron that should be active only above a sum of 15 needs a bias of -15:")
    for weighted_sum in (14.0, 15.0, 16.0):
        print(f"  sum {weighted_sum:.0f}: sigmoid({weighted_sum:.0f} - 15) = {sigmoid(weighted_sum - 15):.3f}")

    print("\nthe cost of the output (0.1, 0.7, …) where the digit is a 1: the sum of squared differences")
    output = [Value(v) for v in (0.1, 0.7, 0.3, 0.1, 0.4, 0.1, 0.01, 0.5, 0.1, 0.4)]
    target = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    cost = sum_squared_error(output, target)
    print(f"  cost {cost.data:.4f} (the lecture's handwritten 1.6 is a slip of arithmetic)")
    print(f"  prediction: {predicted_class(output)}, the index of the largest output")
    cost.backward()
    print(f"  ∂cost/∂output[1] = 2 · (0.7 - 1) = {output[1].grad:.1f}: more of the 1 makes the cost smaller")

    print("\nsoftmax turns ten numbers into shares of 1; sigmoid answers one yes-or-no question")
    print("  " + " ".join(f"{share.data:.3f}" for share in softmax(output)))

    print("\nback propagation, one training step: digit, forward pass, loss, gradients, learning rate")
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    image, label = digits()[0]
    loss = cross_entropy(model(image), label)
    print(f"  {len(model.parameters())} parameters; a {label}; loss {loss.data:.4f}; guessing costs {math.log(10):.4f}")
    weight = dict(model.named_parameters())["hidden.neuron1.w[8]"]
    print(f"  {weight.label} = {weight.data:.4f}, pixel {image[8]:.3f}, gradient {gradients(loss)[weight]:.6f}")
    optimizer = SGD(model.parameters(), learning_rate=0.5)
    for _ in range(5):
        optimizer.zero_grad()
        loss = cross_entropy(model(image), label)
        loss.backward()
        optimizer.step()
    print(f"  after five steps of learning rate 0.5 the loss is {cross_entropy(model(image), label).data:.4f}")

    neuron = model.layers[0].neurons[0]
    z = dot(neuron.w, image) + neuron.b
    print(f"\nyou can open any neuron: z = w · x + b = {z.data:.4f}, sigmoid(z) = {sigmoid(z).data:.4f}")
    print(f"  {neuron.activity(image)}")

    print("\ndropout leaves out some outputs while it trains; batch normalization measures a number against its batch")
    dropout, batch_norm = Dropout(0.5, seed=3), BatchNorm(1)
    print(f"  dropout of 1 2 3 4: {dropout([1, 2, 3, 4])}; mask: {dropout.mask}")
    normalized = [y.data for y in batch_norm([[1.0], [2.0], [3.0]])]
    print(f"  batch norm of 1 2 3: {[round(y, 3) for y in normalized]}; running mean: {batch_norm.running_mean}")

    print("\nepochs, iterations and batches: such a network learns from 200 digits and is judged by 50 others")
    data = digits()
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    trainer = Trainer(model, optimizer=Adam(model.parameters(), learning_rate=0.05), progress=False)
    history = trainer.fit(data[:200], validation=data[200:250], epochs=30, batch_size=10)
    print(f"  {history}")
    print(
        f"  hyper-parameters: {trainer.hyper_parameters.epochs} epochs, batches of "
        f"{trainer.hyper_parameters.batch_size}, learning rate {trainer.hyper_parameters.optimizer['learning_rate']}"
    )
    print(f"  the best epoch by validation was {trainer.load_best()}")


if __name__ == "__main__":
    main()
