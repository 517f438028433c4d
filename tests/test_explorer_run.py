"""What the explorer takes from a training run: every number that moves with the checkpoints, the row, the boundary."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_mini import RULES, Value
from autograd_mini.cli import main
from autograd_mini.kits import FLOAT
from autograd_mini.shell.saved_run import load_run
from nn import MLP, Callback, Dataset, Layer, Module, Normalization, Trainer, cross_entropy, moons
from viz.colors import CLASS_COLORS
from viz.explorer.answer import labelled_outputs
from viz.explorer.data import GraphData
from viz.explorer.run import content_of


def shown(trainer: Trainer, row: int = 0) -> tuple[GraphData, dict[str, Any]]:
    content = content_of(trainer, row)
    data = GraphData(content.root)
    return data, content.run(data)


def numbers_of(run: dict[str, Any]) -> Any:
    return np.frombuffer(base64.b64decode(run["numbers"])).reshape(len(run["epochs"]), -1)


def result(data: GraphData, leaves: dict[int, float]) -> float:
    """Compute the graph from other numbers at its leaves, as the page does."""
    values: list[float] = []
    for i, (node, arguments) in enumerate(zip(data.nodes, data.arguments, strict=True)):
        if node.parents:
            values.append(float(RULES[node.op].forward(FLOAT, *(values[k] for k in arguments))))
        else:
            values.append(leaves.get(i, node.data))
    return values[-1]


@pytest.mark.parametrize("norm", [True, False])
def test_at_each_checkpoint_the_page_has_the_loss_of_its_model(norm: bool, tmp_path: Path) -> None:
    rows = moons(40, seed=0)
    trainer = Trainer(MLP(2, [3, 2], batch_norm=norm, seed=0), progress=False, save=tmp_path / "run")
    trainer.fit(rows, epochs=3, batch_size=8)
    data, run = shown(trainer, row=4)
    assert (run["epochs"], run["note"]) == ([0, 1, 2, 3], "")
    kinds = {data.nodes[i].op for i in run["leaves"]}
    assert kinds == ({"parameter", "constant"} if norm else {"parameter"})
    for epoch, numbers in zip(run["epochs"], numbers_of(run), strict=True):
        earlier = Trainer.resume(tmp_path / "run" / "epochs" / f"{epoch:04}.npz", progress=False)
        expected = cross_entropy(earlier.predict(rows.inputs[4:5])[0], int(rows.targets[4]))
        found = result(data, dict(zip(run["leaves"], numbers.tolist(), strict=True)))
        assert found == pytest.approx(float(expected), rel=1e-12)


def test_the_trainer_is_not_touched() -> None:
    trainer = Trainer(MLP(2, [3, 2], batch_norm=True, seed=0), progress=False)
    trainer.fit(moons(20, seed=0), epochs=2, batch_size=8)
    before = trainer.learner.moment()
    shown(trainer)
    after = trainer.learner.moment()
    assert before.arrays.keys() == after.arrays.keys()
    assert all(np.array_equal(array, after.arrays[name]) for name, array in before.arrays.items())


def test_a_large_run_says_that_its_statistics_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viz.explorer.checkpoints._MOST_RECORDED", 100)
    trainer = Trainer(MLP(2, [3, 2], batch_norm=True, seed=0), progress=False)
    trainer.fit(moons(20, seed=0), epochs=2, batch_size=8)
    data, run = shown(trainer)
    assert run["note"] == "Running means and variances stay those of the end of training."
    assert {data.nodes[i].op for i in run["leaves"]} == {"parameter"}


class Growing(Module):
    """Computes more the longer it has been trained."""

    buffers = ("calls",)

    def __init__(self) -> None:
        self.layer = Layer(2, 2, seed=0)
        self.calls = 0
        self.label_parameters()

    def __call__(self, rows: Any) -> list[list[Value]]:
        self.calls += self.training
        return [[y if self.calls < 5 else y.tanh() for y in self.layer(row)] for row in rows]


def test_a_graph_of_another_shape_is_not_followed() -> None:
    trainer = Trainer(Growing(), loss="cross_entropy", progress=False)
    trainer.fit(moons(20, seed=0), epochs=3, batch_size=8)
    data, run = shown(trainer)
    assert run["note"]
    assert {data.nodes[i].op for i in run["leaves"]} == {"parameter"}


class Halt(Callback):
    def on_iteration_end(self, trainer: Trainer) -> None:
        if trainer.position.batch == 2 and trainer.position.epoch == 1:
            raise KeyboardInterrupt


def test_in_the_midst_of_an_epoch_the_last_checkpoint_is_now() -> None:
    trainer = Trainer(MLP(2, [3, 2], seed=0), progress=False, callbacks=[Halt()])
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(moons(40, seed=0), epochs=3, batch_size=8)
    _, run = shown(trainer)
    assert run["epochs"] == [0, 1, 1.2]
    assert numbers_of(run)[-1].tolist() == [value.data for value in trainer.model.parameters()]


def test_the_run_says_which_row_it_is_of() -> None:
    trainer = Trainer(MLP(2, [3, 2], seed=0), progress=False)
    trainer.fit(moons(20, seed=0), epochs=1)
    target, (_, run) = trainer.data["train"].targets[19], shown(trainer, row=19)
    assert run["row"] == [
        f"This page is of row 19 of the 20 training rows, target {target}, in evaluation mode.",
        "For another row, explore(trainer, row=0) or autograd-mini explore RUN --row 0 writes a page.",
    ]


@pytest.mark.parametrize(
    ("loss", "outputs", "targets", "kind", "target"),
    [
        ("cross_entropy", 2, [0, 1], "softmax", 1),
        ("cross_entropy", 2, [[0.5, 0.5], [0.0, 1.0]], "softmax", 1),
        ("cross_entropy", 2, [[0.0, 1.0], [0.25, 0.75]], "softmax", None),
        ("binary_cross_entropy", 1, [0, 1], "sigmoid", 1),
        ("binary_cross_entropy", 1, [0.0, 1.0], "sigmoid", 1),
        ("binary_cross_entropy", 1, [0.0, 0.25], "sigmoid", None),
        ("mean_squared_error", 1, [0, 1], "numbers", [1]),
        ("mean_squared_error", 1, [0.25, 0.75], "numbers", [0.75]),
        ("mean_squared_error", 2, [[0.25, 0.5], [0.75, 1.0]], "numbers", [0.75, 1.0]),
        ("hinge", 1, [-1.0, 1.0], "numbers", [1.0]),
    ],
)
def test_outputs_are_shares_where_the_loss_reads_them_so(
    loss: str, outputs: int, targets: Any, kind: str, target: Any
) -> None:
    trainer = Trainer(MLP(2, [3, outputs], activation="softplus", seed=0), loss=loss, progress=False)
    trainer.fit(Dataset([[0.0, 1.0], [1.0, 0.5]], targets), epochs=1)
    content = content_of(trainer, 1)
    data = GraphData(content.root)
    answer = content.answer(data)
    assert (answer["kind"], answer["target"], len(answer["outputs"])) == (kind, target, outputs)
    labels = [data.nodes[i].label for i in answer["outputs"]]
    assert labels == (["output"] if outputs == 1 else ["output[0]", "output[1]"])


def test_outputs_of_a_graph_are_found_by_their_labels() -> None:
    outputs = MLP(2, [3, 3], seed=0)([0.5, -1.0])
    for i, output in enumerate(outputs):
        output.label = f"output[{i}]"
    nodes = GraphData(cross_entropy(outputs, 2)).nodes
    assert labelled_outputs(nodes) == outputs
    outputs[1].label = "output[0]"
    assert labelled_outputs(nodes) == []


def test_normalized_inputs_are_told_in_the_units_of_the_data() -> None:
    rows = Dataset([[10.0, 5.0], [30.0, 9.0], [20.0, 1.0]], [0, 1, 1])
    normalization = Normalization.fit(rows)
    trainer = Trainer(MLP(2, [3, 2], seed=0), progress=False)
    trainer.fit(normalization(rows), epochs=1)
    content = content_of(trainer, 1, normalization)
    data = GraphData(content.root)
    units = content.units(data)
    own = [data.nodes[i].data * s + m for i, m, s in zip(*units.values(), strict=True)]
    assert own == pytest.approx([30.0, 9.0])
    assert content_of(trainer, 1).units(data) is None
    with pytest.raises(ValueError, match=r"but must be \(rows, 3\)"):
        content_of(trainer, 1, Normalization([0.0] * 3, [1.0] * 3))


def test_a_run_of_the_command_line_knows_its_units(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("size,age,price\n" + "".join(f"{50 + i},{i % 7},{1000 + 20 * i}\n" for i in range(20)))
    assert main(["train", "--data", str(file), "--quantities", "--layers", "2", "--epochs", "1", "--json",
                 "--save", str(tmp_path / "run")]) == 0  # fmt: skip
    trainer, split = load_run(tmp_path / "run")
    content = content_of(trainer, 0)
    data = GraphData(content.root)
    mean, scale = (np.array(numbers) for numbers in list(content.units(data).values())[1:])
    size, age = np.round(split.train.inputs[0] * scale + mean, 9)
    answer = content.answer(data)
    assert answer["names"] == ["price"]
    assert {data.nodes[i].label for i in content.units(data)["nodes"]} == {"size", "age"}
    price = answer["target"][0] * answer["units"]["scale"][0] + answer["units"]["mean"][0]
    assert price == pytest.approx(1000 + 20 * (size - 50))
    assert age == (size - 50) % 7
    assert content.title == f"Training, row 0, target {price:,.12g}, after 1 epoch"


def test_targets_of_minus_1_and_1_have_a_boundary_too() -> None:
    rows = moons(20, seed=0)
    trainer = Trainer(MLP(2, [3, 1], seed=0), loss="hinge", progress=False)
    trainer.fit(Dataset(rows.inputs, 2.0 * rows.targets - 1.0), epochs=1)
    content = content_of(trainer, 0)
    boundary = content.boundary(GraphData(content.root))
    assert (boundary["classes"], boundary["isProbability"]) == (["-1", "1"], False)
    assert [point[2] for point in boundary["points"]] == rows.targets.tolist()


def test_the_boundary_has_the_colours_of_plot_decision_boundary() -> None:
    rows = moons(20, seed=0)
    trainer = Trainer(MLP(2, [3, 2], seed=0), progress=False)
    trainer.fit(rows, epochs=1)
    content = content_of(trainer, 0)
    boundary = content.boundary(GraphData(content.root))
    assert boundary["colors"] == list(CLASS_COLORS[:2])
    assert (boundary["names"], boundary["classes"], boundary["left"]) == (["x", "y"], ["0", "1"], 0)
    assert [point[2] for point in boundary["points"]] == rows.targets.tolist()


def test_foreign_names_cannot_turn_the_words_around_them() -> None:
    rows = moons(20, seed=0)
    data = Dataset(rows.inputs, rows.targets, columns=["x" * 300, "a\nb"], class_names=["a\u202eb", "y" * 300])
    trainer = Trainer(MLP(2, [3, 2], seed=0), progress=False)
    trainer.fit(data, epochs=1)
    content = content_of(trainer, 0)
    boundary = content.boundary(GraphData(content.root))
    names = [*boundary["names"], *boundary["classes"]]
    assert all(name.isprintable() and len(name) <= 40 for name in names)
