"""One handwritten digit and its loss, to walk through: ``autograd-mini step examples/one_digit.py:loss``."""

from nn import MLP, cross_entropy, digits

image, digit = digits()[0]
model = MLP(49, [3, 10], activation="sigmoid", seed=0)
loss = cross_entropy(model(image), digit)
loss.label = "loss"

if __name__ == "__main__":
    print(f"the digit {digit}, before any training: loss {loss.data:.4f}")
    print("autograd-mini step examples/one_digit.py:loss walks through its back propagation")
