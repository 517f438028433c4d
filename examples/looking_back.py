"""Look back into a training run: which rows pushed a weight, and the very moment as a graph to step through.

Run it: .venv/bin/python examples/looking_back.py
"""

import tempfile
from pathlib import Path

from autograd_mini import debug
from nn import MLP, Adam, Trainer, moons


def main() -> None:
    train, validation, test = moons(200, noise=0.2, seed=0).split(seed=0)
    model = MLP(2, [8, 2], activation="tanh", seed=0, dropout=0.1)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        trainer = Trainer(model, optimizer=Adam(model.parameters(), learning_rate=0.05), save=run, progress=False)
        trainer.fit(train, validation=validation, epochs=5, batch_size=16)

        print("a run that was stopped goes on bit for bit, here up to epoch 10")
        trainer = Trainer.resume(run, progress=False)
        print(f"  {trainer.fit(train, validation=validation, epochs=10)}")
        print(f"  on the test rows, with the best epoch, {trainer.load_best()}: {trainer.evaluate(test)}")

        print("\nwhich rows pushed hidden.neuron1.w[0] in epoch 2, batch 3?")
        blame = trainer.blame("hidden.neuron1.w[0]", epoch=2, batch=3)
        print("  " + repr(blame).replace("\n", "\n  "))

        strongest = blame.pushes[0]
        moment = trainer.replay(epoch=2, batch=3, row=strongest.row)
        print(f"\nthe moment of its strongest push: {moment}")
        print(f"  row {strongest.number} of the data; the mask: {moment.masks['hidden.dropout'][strongest.row]}")
        print("  " + repr(debug(moment.loss).until("hidden.neuron1.w[0]")).replace("\n", "\n  "))


if __name__ == "__main__":
    main()
