"""The session of ``autograd-mini step``, its commands one by one, and what it makes of the words that start it."""

import io
import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import viz.step
from autograd_mini import Value
from autograd_mini.cli import main
from autograd_mini.explain import explain
from autograd_mini.paths import paths
from autograd_mini.shell import StepSession, find_subject
from autograd_mini.shell.terminal import Terminal, command
from autograd_mini.shell.words import conditions, count_of, number_of
from autograd_mini.stepper import Debugger, debug
from nn import MLP

FORMULA = ("tanh(2*x + b)", "x=0.5", "b=-1")


def wave() -> Value:
    return find_subject(*FORMULA[:1], FORMULA[1:])


class Transcript:
    """What a session said to some lines, and how it ended."""

    def __init__(self, *lines: str, debugger: Debugger | None = None, queue: tuple[str, ...] = ()) -> None:
        self.debugger = debugger or debug(wave())
        out = io.StringIO()
        self.session = StepSession(self.debugger, queue, io.StringIO("".join(f"{line}\n" for line in lines)), out)
        self.code = self.session.run()
        self.text = out.getvalue()
        self.answers = [part.partition("\n")[2] for part in self.text.split("(step) ")]

    @property
    def answer(self) -> str:
        """What was said to the last line."""
        return self.answers[-1]


def test_lines_from_a_pipe_are_echoed_so_that_it_reads_like_a_session() -> None:
    said = Transcript("step", "", "# a remark", "quit", "step")
    assert said.text.startswith("Back propagation, step by step. help lists the commands.\n")
    assert said.text.count("(step) ") == 3
    assert "(step) step\nbackward pass, operation 2 of 3" in said.text
    assert said.text.endswith("(step) quit\n"), (
        "nothing comes after quit, and an empty line of a script repeats nothing"
    )
    assert said.code == 0


def test_the_end_of_the_pipe_ends_the_session() -> None:
    assert Transcript("next").code == 0


MOVES = {
    "step": lambda d: d.step(),
    "s 3": lambda d: d.step(3),
    "n": lambda d: d.next(),
    "next 2": lambda d: d.next(2),
    "back": lambda d: d.back(),
    "b 2": lambda d: d.back(2),
    "rs": lambda d: d.back(),
    "finish": lambda d: d.finish(),
    "fin": lambda d: d.finish(),
    "c": lambda d: d.finish(),
    "restart": lambda d: d.restart(),
    "forward": lambda d: d.restart(forward=True),
    "reverse": lambda d: d.restart(),
    "until b": lambda d: d.until("b"),
    "u op=mul": lambda d: d.until(op="mul"),
    "until mul": lambda d: d.until(op="mul"),
    "until v1": lambda d: d.until(op="mul"),
    "r tanh": lambda d: d.back_until(op="tanh"),
    "until if local > 1": lambda d: d.until(when=lambda step: step.local > 1),
}


@pytest.mark.parametrize("line", MOVES)
def test_every_move_is_the_debugger_s_own(line: str) -> None:
    expected = MOVES[line](debug(wave()).step(2))
    said = Transcript(line, debugger=debug(wave()).step(2))
    assert said.code == 0
    assert said.debugger.place == expected.place
    assert said.debugger.in_forward_pass == expected.in_forward_pass
    first, *rest = repr(expected).splitlines()
    assert said.answer.splitlines()[0] == first
    assert said.answer.splitlines()[-1] == rest[-1]


def test_continue_runs_to_a_breakpoint_and_reverse_comes_back_to_it() -> None:
    said = Transcript("break b", "break x", "c", "c", "reverse", "break")
    assert "from v2 to b" in said.answers[3]
    assert "from v1 to x" in said.answers[4]
    assert "from v2 to b" in said.answers[5]
    assert said.answer == "breakpoint 1: label b\nbreakpoint 2: label x\n"
    said = Transcript("break b", "break x", "clear 1", "clear", "c")
    assert said.answers[3] == "breakpoint 1: label x\n"
    assert said.answers[4].startswith("no breakpoints; break WHERE sets one")
    assert said.debugger.finished


def test_where_says_it_again() -> None:
    said = Transcript("step", "where", "w")
    assert said.answers[-1] == said.answers[-2] == said.answers[-3]


def test_gradient_prints_the_number_and_what_has_arrived() -> None:
    said = Transcript("g", "step 3", "g", "gradient x", "print v1", "g ?")
    assert said.answers[1] == "L = 0, gradient so far 1\n"
    assert said.answers[3] == "b = -1, gradient so far 1\n", "without a name, that of the last receiver"
    assert said.answers[4] == "x = 0.5, no gradient has arrived\n"
    assert said.answers[5] == "v1 = 1, gradient so far 1\n"
    assert set(said.answer.splitlines()) == {said.answers[3].strip(), said.answers[4].strip()}


def test_gradient_alone_means_the_current_node_whatever_its_number() -> None:
    zero = Value(0.5, "x") * 0
    zero.label = "zero"
    assert Transcript("forward", "gradient", debugger=debug(zero + 1)).answer.startswith("zero = 0,")


def test_a_long_list_of_gradients_is_cut() -> None:
    loss = MLP(49, [3, 2], seed=0)([0.5] * 49)[0]
    lines = Transcript("gradient *", debugger=debug(loss)).answer.splitlines()
    assert len(lines) == 21
    assert lines[-1] == f"and {3 * 50 + 4 - 20} more", "all the weights and biases that the loss depends on"


def test_explain_and_paths_print_theirs() -> None:
    root = wave()
    x = debug(root).find("x")[0]
    said = Transcript("explain x", "paths x", "p x 2", "until x", "e", "p 3", debugger=debug(root))
    assert said.answers[1] == said.answers[5] == f"{explain(x, root)!r}\n"
    assert said.answers[2] == f"{paths(root, x)!r}\n"
    assert said.answers[3] == f"{paths(root, x, top=2)!r}\n"
    assert said.answers[6] == f"{paths(root, x, top=3)!r}\n"


def test_open_shows_the_products() -> None:
    for line in ("until dot\nopen", "open all", "open v1"):
        root = find_subject("dot([a, b], [c, d]) + 1", ["a=1", "b=2", "c=3", "d=4"])
        said = Transcript(*line.splitlines(), debugger=debug(root))
        assert said.code == 0
        assert [node.op for node in said.debugger.order] == ["add", "dot", "mul", "mul"]
        assert "v1[1]" in said.session.words("labels")


def test_the_end_claims_nothing_that_set_has_made_untrue() -> None:
    said = Transcript("set x 3", "finish").answer
    assert "no .grad was written" in said
    assert "nothing was written" not in said


def test_at_the_end_there_is_no_dot_to_open() -> None:
    assert "error: there is no dot to open at the end; name one" in Transcript("finish", "open").answer


def test_a_breakpoint_is_called_as_it_was_named() -> None:
    assert "breakpoint 1: v1\n" in Transcript("break v1").answer


def test_set_keeps_the_place_and_says_what_changed() -> None:
    for line in ("set x 0.7", "set x=0.7", "set x = 1.4/2"):
        said = Transcript("next", line)
        assert said.answer.startswith("x was 0.5 and is 0.7\nL was 0 and is 0.379949\nbackward pass, operation 2 of 3")
        assert said.debugger.node.data == pytest.approx(0.4)


def test_predict_judges_an_answer_and_takes_the_step() -> None:
    said = Transcript("predict", "1*1", "predict", "1.02", "predict", "0.995")
    assert "what does L hand on to v2? 1*1\n" in said.text
    assert "v2 = v1 + b = 1 + (-1) = 0\nand ∂L/∂v2 = 1\n" in said.text
    assert "right: upstream × local = 1 × 1 = 1\n1 of 1 right" in said.text
    assert "no: upstream × local = 1 × 1 = 1\n1 of 2 right" in said.text
    assert "2 of 3 right" in said.text, "within 1 % is right"
    assert said.debugger.place == debug(wave()).step(3).place
    assert "1 × 1" not in said.text.partition("(step) predict")[2].partition("? ")[0], "the question tells no answer"


def test_predict_of_an_operation_in_the_forward_pass() -> None:
    said = Transcript("forward", "predict", "1")
    assert "v1 = 2 * x = 2 * 0.5\nwhat is v1? 1\nright: v1 = 1\n" in said.text
    assert said.debugger.place == (1, 0)


def test_predict_without_an_answer_moves_nothing() -> None:
    said = Transcript("predict", "", "predict", "two", "finish", "predict")
    assert "no answer, so we stay where we are" in said.text
    assert "error: 'two' is no number; write one, as in 0.7, or numbers to compute, as in 0.5*2" in said.text
    assert "the backward pass is over, so there is nothing to predict" in said.answer
    assert "of 1 right" not in said.text


def test_predict_shows_what_the_answer_needs() -> None:
    loss = MLP(9, [1, 1], seed=0)([0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5])
    said = Transcript("until hidden.neuron1.w[5]", "predict", "1", debugger=debug(loss))
    assert "… + hidden.neuron1.w[6]*6.5 + …" in said.answer, "a long dot is shortened, but not where the question is"
    said = Transcript("open v1", "until v1[0]", "back 3", "predict", "1", debugger=debug(loss))
    assert "hand on to v1[6]? 1\n" in said.text
    assert "v1 = v1[0] + … + v1[6] + … + v1[8] = " in said.text


def test_predict_tells_two_edges_to_one_node_apart() -> None:
    said = Transcript("predict", "3", debugger=debug(find_subject("a * a", ["a=3"])))
    assert "hand on to a, its argument 0? " in said.text


def test_predict_knows_infinities_and_nan(capsys: pytest.CaptureFixture[str]) -> None:
    root = find_subject("log(x)", ["x=0"])
    assert capsys.readouterr().err == "autograd-mini step: log(x=0) is -inf\n"
    assert "no: " in Transcript("predict", "1/0 - 1/0", debugger=debug(root)).text  # computed without a warning
    assert "right: upstream × local = 1 × inf = inf" in Transcript("predict", "inf", debugger=debug(root)).text
    root = find_subject("x * y", ["x=nan", "y=1"])
    assert "right: " in Transcript("step", "predict", "nan", debugger=debug(root)).text


ERRORS = {
    "stpe": "there is no command 'stpe'; did you mean step",
    "re": "there is no command 're'; did you mean restart or reverse|reverse or restart",
    "fly": "there is no command 'fly'; help lists the commands",
    "help fly": "there is no command 'fly'",
    "step x": "step takes a whole number, 1 or more, as in step 3, got 'x'",
    "next 0": "next takes a whole number, 1 or more, as in next 3, got '0'",
    "back w": "got 'w'; a breakpoint is set by break, or br",
    "until": "until needs a place to run to, as in: until tanh",
    "until nowhere": "nowhere",
    "break if upstrem > 1": "a condition does not know 'upstrem'; it knows upstream, local, .* as in: if abs",
    "break if ().__class__": r"a condition does not know '\(\).__class__'",
    "break if (lambda: ().__class__.__base__.__subclasses__())()": "a condition does not know 'lambda: ",
    "break if [x.__class__ for x in [1]]": r"a condition does not know '\[x.__class__ for",
    "break if f'{upstream}'": "a condition does not know",
    "break if contribution > 'a'": "a condition does not know \"'a'\"",
    "break if " + "-" * 100_000 + "1": "cannot be read: it nests too deeply",
    "break if 1 +": "the condition '1 \\+' cannot be read: invalid syntax",
    "break b if": "label|nothing",
    "clear 7": "there is no breakpoint 7",
    "clear x": "clear takes a whole number",
    "set x": "set needs a leaf and a number, as in: set x 0.7",
    "set ? 1": "stands for 2 nodes, b, x; name one of them|stands for 2 nodes, x, b; name one of them",
    "set x up": "'up' is no number",
    "gradient y": "y",
    "set v1 3": "a number is set at a leaf, and v1 is computed from others",
    "open": r"only a dot is opened into products, got Value",
    "draw here.gif": "a picture is saved as .svg",
}


@pytest.mark.parametrize("line", ERRORS)
def test_what_goes_wrong_is_said_in_one_message_and_the_session_goes_on(line: str) -> None:
    said = Transcript(line, "step")
    assert re.search(f"error: .*({ERRORS[line]})", said.answers[1])
    assert "Traceback" not in said.text
    assert said.debugger.place == debug(wave()).step().place, "only step has moved"
    assert said.code == 1


def test_an_error_of_any_kind_leaves_the_session_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    class OddError(Exception):
        pass

    def raises(*_: object, **__: object) -> None:
        raise OddError("of an unknown kind")

    monkeypatch.setattr(viz.step, "graph_source", raises)
    said = Transcript("draw", "step")
    assert "error: OddError: of an unknown kind" in said.text
    assert "operation 2 of 3" in said.answer


def test_a_condition_that_fails_while_running_moves_nothing() -> None:
    said = Transcript("until if 1 / before > 1")
    assert "error: " in said.answer
    assert said.debugger.place == (0, 0)


@pytest.mark.parametrize("line", ["break nan", "break inf", "break non-finite"])
def test_a_breakpoint_at_what_is_not_finite(line: str) -> None:
    root = find_subject("log(x) + y", ["x=0", "y=1"])
    said = Transcript(line, "c", debugger=debug(root))
    assert "to x" in said.answer
    assert said.debugger.last.contribution == math.inf


def test_open_all_where_there_is_no_dot() -> None:
    assert "  there is no dot to open in this graph\n" in Transcript("open all").answer


def test_a_product_of_an_opened_dot_is_explained_by_its_dot() -> None:
    root = find_subject("tanh(dot([w, u], [x, y]))", ["w=1", "u=2", "x=3", "y=-1/2"])
    for line in ("explain v1[0]", "paths v1[0]"):
        said = Transcript("until v1", "open", line, debugger=debug(root))
        assert "error: v1[0] is one of the products of v1; it has its gradient" in said.answer


def test_what_has_no_label_is_called_as_the_file_calls_it(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from autograd_mini import Value\n"
        "w = [Value(2.0), [Value(3.0)]]\nb = Value(1.0, 'bias')\nflat = [w[0], w[1][0]]\nloss = flat[0] * flat[1] + b\n"
    )
    said = Transcript("set w[1][0] 4", "gradient *", debugger=debug(find_subject(f"{tmp_path / 'own.py'}:loss", [])))
    assert "w[1][0] was 3 and is 4" in said.text
    assert "bias = 1" in said.text
    assert "loss = v1 + bias" in said.text


def test_words_mean_labels_first() -> None:
    at = debug((Value(2.0, "tanh") * Value(3.0, "12")).tanh())
    assert conditions(at, "tanh") == {"where": "tanh"}
    assert conditions(at, "12") == {"where": "12"}
    assert conditions(at, "op=tanh line=12") == {"op": "tanh", "line": "12"}
    assert conditions(at, "13") == {"line": "13"}
    assert conditions(at, "some/train.py:13") == {"line": "some/train.py:13"}
    assert conditions(at, "L") == {"where": "L"}  # the Debugger knows the names it shows
    assert conditions(at, "") == {}
    found = conditions(at, "tanh if contribution > 1")
    assert found["when"].__name__ == "contribution > 1"
    assert found["where"] == "tanh"
    assert at.find("v1") == [at.order[1]]
    for name in ("v0", "v2", "v99", "v01", "V1", "l"):
        with pytest.raises(ValueError, match=name):
            at.find(name)


def test_counts_and_numbers() -> None:
    assert count_of("step", "12") == 12
    assert number_of("-1e3") == -1000.0
    assert number_of("2 * (3 - 1)") == 4.0
    with pytest.raises(ValueError, match="'__import__' is no number"):
        number_of("__import__")


def test_help_fits_a_terminal_and_every_command_has_one() -> None:
    said = Transcript("help")
    lines = said.answer.splitlines()
    assert len(lines) <= 24 + 2
    assert max(map(len, lines)) <= 80
    for c in said.session.commands:
        assert f"{c.name} " in said.answer or f"{c.name}\n" in said.answer
        for word in (c.name, *c.short):
            text = Transcript(f"help {word}").answer
            assert text.startswith(c.name)
            assert "        " not in text, "no indentation of the source"
            assert all(short in text for short in c.short)
    assert Transcript("?", "h").answers[1] == said.answer


def test_no_two_commands_share_a_name() -> None:
    commands = Transcript().session.commands
    names = [name for c in commands for name in (c.name, *c.short)]
    assert len(names) == len(set(names))


def complete(session: Terminal, line: str) -> list[str]:
    """What Tab would offer at the end of the line."""
    begin = max(line.rfind(" "), line.rfind("=")) + 1
    return (session.completedefault if begin else session.completenames)(line[begin:], line, begin, len(line))


def test_completion_of_commands_labels_ops_and_numbers() -> None:
    session = Transcript("break x", "break b").session
    assert complete(session, "re") == ["restart", "reverse"]
    assert complete(session, "help fo") == ["forward"]
    assert complete(session, "h fo") == ["forward"]
    assert complete(session, "break ") == ["add", "b", "mul", "tanh", "x"]
    assert complete(session, "u op=t") == ["tanh"]
    assert complete(session, "set ") == ["b", "x"]
    assert complete(session, "clear ") == ["1", "2"]
    assert complete(session, "step ") == complete(session, "fly ") == []


def test_completion_of_very_many_labels_goes_part_by_part() -> None:
    session = Transcript(debugger=debug(MLP(49, [3, 2], seed=0)([0.5] * 49)[0])).session
    assert complete(session, "g h") == [f"hidden.neuron{i}." for i in (1, 2, 3)]
    assert complete(session, "g hidden.neuron1.") == [
        "hidden.neuron1.b",
        *sorted(f"hidden.neuron1.w[{i}]" for i in range(49)),
    ]


HOSTILE = "evil\x1b[31m\x07\r\n\u202e" + "x" * 500


def test_no_control_character_of_a_label_or_a_line_reaches_the_terminal() -> None:
    x = Value(0.5, HOSTILE)
    lines = (
        "step",
        "g",
        "e",
        "p",
        "draw /nowhere/\x1b[31m.dot",
        "break evil*",
        "c",
        "\x1b[2J",
        "gradient \x1b[2J",
        "set * 2",
    )
    said = Transcript(*lines, debugger=debug((x * 2).tanh()))
    assert "evil" in said.text
    assert not [c for c in said.text if not c.isprintable() and c != "\n"]
    assert complete(said.session, "break ") == ["mul", "tanh"]


def test_a_picture_is_drawn_where_it_is_told_or_in_a_new_folder(tmp_path: Path) -> None:
    said = Transcript(f"draw {tmp_path}/here.dot")
    assert said.answer == f"the picture is in {(tmp_path / 'here.dot').resolve()}\n"
    assert "here" in (tmp_path / "here.dot").read_text()


def test_two_pictures_without_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("viz.figure.render", lambda source, _: source.encode())
    said = Transcript("draw", "step", "draw")
    names = sorted(path.name for path in tmp_path.rglob("*.svg"))
    assert names == ["step-1.svg", "step-2.svg"]
    assert said.code == 0


def test_without_graphviz_the_session_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    said = Transcript(f"draw {tmp_path}/here.svg", "step")
    assert "error: no renderer: " in said.text
    assert "operation 2 of 3" in said.answer


def test_commands_of_the_command_line_come_first() -> None:
    said = Transcript("where", queue=("break x", "continue"))
    assert "(step) break x\nbreakpoint 1: label x\n(step) continue\n" in said.text
    assert "from v1 to x" in said.answer


def test_a_command_is_what_is_marked_as_one() -> None:
    class Echo(Terminal):
        @command("Group", "WORD", "e")
        def do_echo(self, text: str) -> None:
            """say it again"""
            self.say(text)

    out = io.StringIO()
    assert Echo("> ", ["echo a  b"], io.StringIO("e c"), out).run() == 0
    assert out.getvalue() == "> echo a  b\na  b\n> e c\nc\n"


# What it steps through


def call(*arguments: str, lines: str = "", folder: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).resolve().parent.parent)
    return subprocess.run(
        [sys.executable, "-m", "autograd_mini", "step", *arguments],
        input=lines, cwd=folder, env={**os.environ, "PYTHONPATH": root, **env}, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip


FILE = """\
import sys
from dataclasses import dataclass

from autograd_mini import Value
from helper import factor

@dataclass
class Point:
    x: float = 0.5

x = Value(Point().x, "x")
y = (x * factor).tanh()
number = 3.0

def make(times=2):
    product = x * times
    return product.tanh()

def needs(a, b):
    return x * a * b

def wrong():
    return x.data

def fails():
    return 1 / 0

def leaves():
    sys.exit("bye")

if __name__ == "__main__":
    sys.exit("this is not to be run")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(FILE)
    (tmp_path / "helper.py").write_text("factor = 2.0\n")
    return tmp_path


def test_a_value_of_a_file_knows_its_lines(folder: Path) -> None:
    result = call("train.py:y", lines="next\nbreak 12\n", folder=folder)
    assert result.returncode == 0, result.stderr
    assert "train.py:12: y = (x * factor).tanh()" in result.stdout
    assert "breakpoint 1: line 12" in result.stdout


def test_a_function_of_a_file_in_another_folder_is_called(folder: Path, tmp_path: Path) -> None:
    result = call(str(folder / "train.py") + ":make", lines="until train.py:16\n")
    assert result.returncode == 0, result.stderr
    assert "train.py:16: product = x * times" in result.stdout


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("tarin.py:y", "there is no file 'tarin.py'; near it there is train.py"),
        ("train.py", "say what to step through in train.py; to step through there is x, y, make, wrong, fails, leaves"),
        ("train.py:mkae", "there is no 'mkae' in train.py; did you mean make?"),
        ("train.py:number", "number in train.py is no Value but of type float; to step through there is x, y"),
        ("train.py:needs", "needs in train.py needs arguments, a, b; add a function without any, such as: def make"),
        ("train.py:wrong", "wrong() in train.py returned no Value but something of type float; return the loss, say"),
        ("train.py:leaves", "leaves() ended the program, SystemExit('bye'), in train.py"),
        ("helper.py:y", "there is no 'y' in helper.py; it has neither a Value nor a function of its own"),
        ("train.py:y x=1", "train.py:y is a file, and only a formula takes inputs such as x=1; leave them out"),
        ("tanh(2*x+b) x=0.5", "the formula needs a number for b; type: autograd-mini step 'tanh(2*x+b)' x=0.5 b=1"),
        ("x+y", "the formula needs a number for x, y; type: autograd-mini step x+y x=1 y=1"),
        ("x*x x=abc", "the input x needs a number, as in x=0.5, got 'abc'"),
        ("x*x x", "an input of a formula is written NAME=NUMBER, as in x=0.5, got 'x'"),
        ("x*x x=1 y=2", "does not use the input 'y'; leave y= out"),
        ("tanhh(x) x=1", "unknown function 'tanhh'"),
        ("x+* x=1", "is not a formula"),
        ("nodir/", "'nodir/' is not a formula: invalid syntax in line 1; nor is there a file or folder nodir/"),
        ("x/y", "autograd-mini step x/y x=1 y=1; nor is there a file or folder x/y"),
        ("x.y", "'x.y' is not legal in a formula"),
    ],
)  # fmt: skip
def test_what_cannot_be_stepped_through_is_said(
    folder: Path, target: str, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.delitem(sys.modules, "helper", raising=False)
    assert main(["step", *target.split()]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("autograd-mini: ")


def test_a_traceback_of_the_user_s_code_has_none_of_our_frames(folder: Path) -> None:
    result = call("train.py:fails", folder=folder)
    assert result.returncode == 1
    assert result.stderr.startswith('Traceback (most recent call last):\n  File "train.py", line 26, in fails\n')
    assert (
        "autograd-mini: fails() raised ZeroDivisionError in train.py: the traceback above says where" in result.stderr
    )
    (folder / "broken.py").write_text("x = 1\ny = (\n")
    result = call("broken.py:x", folder=folder)
    assert result.returncode == 1
    assert 'File "broken.py", line 2' in result.stderr
    assert "subject.py" not in result.stderr
    (folder / "late.py").write_text("import sys\nsys.exit(3)\n")
    result = call("late.py:x", folder=folder)
    assert "the file ended the program, SystemExit(3), in late.py; put what a script does" in result.stderr


def test_a_failed_command_of_a_script_is_in_the_exit_code() -> None:
    assert call(*FORMULA, lines="step\nnext\n").returncode == 0
    assert call(*FORMULA, lines="stpe\nnext\n").returncode == 1
    assert call(*FORMULA, "-c", "stpe").returncode == 1


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the streams")
def test_closed_streams_are_empty_ones() -> None:
    line = f"{shlex.quote(sys.executable)} -m autograd_mini step x x=1"
    root = str(Path(__file__).resolve().parent.parent)
    for closed in ("<&-", ">&-", "<&- >&- 2>&-"):
        done = subprocess.run(
            f"{line} {closed}", shell=True, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")


def test_options() -> None:
    result = call("dot([a, b], [c, d])", "a=1", "b=2", "c=3", "d=4", "--forward", "--open-dots")
    assert "forward pass, operation 1 of 3" in result.stdout
    text = call("--help").stdout
    assert all(word in text for word in ("FILE.py:NAME", "--forward", "--open-dots", "--command", "printf", "NO_COLOR"))


def test_no_colour_where_nobody_looks() -> None:
    assert "\x1b" not in call(*FORMULA, lines="stpe\n", TERM="xterm").stdout


def test_a_reader_that_goes_away_is_no_error_of_ours() -> None:
    script = (
        f"yes where | head -2000 | {sys.executable} -m autograd_mini step 'x*x' x=2 | head -3; echo ${{PIPESTATUS[2]}}"
    )
    root = str(Path(__file__).resolve().parent.parent)
    result = subprocess.run(
        ["bash", "-c", script], env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, timeout=60
    )
    assert result.stdout.splitlines()[-1] == "141"
    assert result.stderr == ""


def test_tab_does_not_walk_the_graph_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = []
    order = Debugger.order.fget  # type: ignore[attr-defined]
    session = Transcript("step").session
    monkeypatch.setattr(Debugger, "order", property(lambda debugger: walks.append(debugger) or order(debugger)))
    for _ in range(3):
        assert complete(session, "g ") == ["b", "x"]
    assert len(walks) == 1


def test_looking_makes_no_values_of_the_constants_of_a_graph() -> None:
    x = Value(0.5, "x")
    node = x
    for _ in range(50):
        node = node * 2
    session = Transcript("step", "draw /dev/null/none.dot", debugger=debug(node)).session
    complete(session, "break ")
    assert sum(float in map(type, n._args) for n in session._debugger.order) > 40
