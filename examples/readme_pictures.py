"""Draw the picture at the top of the README, in light and dark: python examples/readme_pictures.py [FOLDER]"""

import sys
from pathlib import Path
from typing import Any

from nn import MLP, SGD, cross_entropy, digits
from viz import draw_network


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    folder.mkdir(parents=True, exist_ok=True)
    train, _, test = digits().split(seed=0)
    model = MLP(49, [3, 10], activation="sigmoid", seed=0)
    optimizer = SGD(model.parameters(), learning_rate=1.0)
    for epoch in range(5):
        for batch in train.batches(16, seed=0, epoch=epoch):
            optimizer.zero_grad()
            cross_entropy(model(batch.inputs), batch.targets).backward()
            optimizer.step()

    image, label = test[0]

    def loss(outputs: Any) -> Any:
        return cross_entropy(outputs, label)

    for theme, name in (("light", "network.svg"), ("dark", "network-dark.svg")):
        figure = draw_network(model, example=image, loss=loss, input_shape=(7, 7), theme=theme)
        print(figure.save(folder / name))


if __name__ == "__main__":
    main()
