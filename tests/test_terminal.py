"""The session at a real terminal, a pseudo one: Tab, arrow keys, Ctrl-C, Ctrl-D, colour."""

import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed: the session is not driven at a terminal")
if not hasattr(pexpect, "spawn"):
    pytest.skip("there are no pseudo-terminals here: the session is not driven at one", allow_module_level=True)

pytestmark = pytest.mark.usefixtures("heeded_ctrl_c")

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "(step) "
FORMULA = ("tanh(2*x + b)", "x=0.5", "b=-1")
needs_readline = pytest.mark.skipif(
    importlib.util.find_spec("readline") is None, reason="Python has no readline here: neither Tab nor arrow keys"
)

Start = Callable[..., Any]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts the command at a terminal without colour, unless told, and waits for its first prompt."""
    for name in ("NO_COLOR", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    children = []

    def begin(*arguments: str, term: str = "dumb", **environment: str) -> Any:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": term, "INPUTRC": os.devnull, **environment}
        words = ["-m", "autograd_mini", "step", *(arguments or FORMULA)]
        child = pexpect.spawn(sys.executable, words, env=env, encoding="utf-8", timeout=20, dimensions=(60, 120))
        child.delaybeforesend = None
        children.append(child)
        child.expect_exact(PROMPT)
        return child

    yield begin
    for child in children:
        if child.isalive():
            child.kill(signal.SIGKILL)
            child.wait()  # close() alone waits a moment only, and on a busy machine that is too short
        child.close()


def said(child: Any, line: str) -> str:
    """What the session says to a line, up to the next prompt."""
    child.sendline(line)
    child.expect_exact(line + "\r\n")
    child.expect_exact(PROMPT)
    return str(child.before)


def interrupt(child: Any) -> None:
    """Press Ctrl-C at a line that is being typed, until a prompt comes.

    Python's readline does not see a signal in the moment before it waits for a key; it then acts at the next one.
    """
    for _ in range(10):
        child.sendintr()
        if child.expect_exact([PROMPT, pexpect.TIMEOUT], timeout=2) == 0:
            return
    pytest.fail("Ctrl-C brings no prompt")


def test_breakpoints_stop_and_ctrl_d_leaves_politely(start: Start) -> None:
    child = start()
    assert "breakpoint 1: label x" in said(child, "break x")
    assert "from v1 to x" in said(child, "c")
    assert "no breakpoints" in said(child, "clear 1")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0
    assert "Traceback" not in child.before


def test_set_computes_forward_and_stays(start: Start) -> None:
    child = start()
    said(child, "next")
    answer = said(child, "set x 0.7")
    assert "x was 0.5 and is 0.7" in answer
    assert "at    v2 = v1 + b = 1.4 + (-1) = 0.4" in answer


def test_predict_asks_and_counts(start: Start) -> None:
    child = start()
    for guess, verdict, score in (("0.5*2", "right: upstream × local", "1 of 1"), ("7", "no: upstream", "1 of 2")):
        child.sendline("predict")
        child.expect_exact("hand on to v")
        child.expect_exact("? ")
        answer = said(child, guess)
        assert verdict in answer
        assert f"{score} right" in answer


def test_an_empty_line_repeats_the_last_move(start: Start) -> None:
    child = start()
    assert "operation 2 of 3" in said(child, "next")
    said(child, "break b")
    assert "breakpoint" not in said(child, ""), "only moves are repeated"
    said(child, "next")
    assert "is over" in said(child, "")


def test_ctrl_c_drops_the_typed_line_and_the_session_stays(start: Start) -> None:
    child = start()
    child.send("quit")
    child.expect_exact("quit")
    interrupt(child)
    assert "operation 1 of 3" in said(child, "where")


ENDLESS = """
from autograd_mini import Value, primitive

@primitive(lambda y, x: 1.0)
def slow(x):
    if x > 1:
        print("computing", flush=True)
        while True:
            pass
    return x

y = slow(Value(0.5, "x")) * 3
"""


def test_ctrl_c_interrupts_a_command_and_all_is_as_it_was(start: Start, tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS)
    child = start(str(tmp_path / "endless.py") + ":y")
    said(child, "step")
    child.sendline("set x 2")
    child.expect_exact("computing")
    child.sendintr()
    child.expect_exact("interrupted")
    child.expect_exact(PROMPT)
    assert "operation 2 of 2" in said(child, "where")
    assert "x = 0.5, no gradient has arrived" in said(child, "gradient x")
    assert "from v1 to x" in said(child, "step")


def test_ctrl_c_at_a_question_of_predict_takes_it_back(start: Start) -> None:
    child = start()
    child.sendline("predict")
    child.expect_exact("hand on to v2? ")
    interrupt(child)
    assert "operation 1 of 3" in said(child, "where")


@needs_readline
def test_tab_completes_commands_labels_and_breakpoints(start: Start) -> None:
    child = start("hidden_weight * x + hidden_bias", "hidden_weight=1", "hidden_bias=2", "x=3", term="vt100")
    for typed, completed in (("resta", "restart"), ("break hidden_b", "break hidden_bias"), ("break op=ad", "op=add")):
        child.send(typed + "\t")
        child.expect_exact(completed)
        child.sendline("")
        child.expect_exact(PROMPT)
    child.sendline("clear 2")
    child.expect_exact(PROMPT)
    child.send("clear \t")
    child.expect_exact("clear 1")
    child.sendline("")
    child.expect_exact("no breakpoints")


@needs_readline
def test_tab_knows_labels_with_dots_and_brackets(start: Start, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "from nn import MLP\ndef loss():\n    return MLP(9, [9, 9], seed=0)([1.0] * 9)[0] ** 2\n"
    )
    child = start(str(tmp_path / "net.py") + ":loss", term="vt100")
    child.send("gradient hid\t")
    child.expect_exact("den.neuron")  # as far as all 90 labels agree
    child.send("7.w[8\t")
    child.expect_exact("7.w[8]")
    child.sendline("")
    child.expect_exact("hidden.neuron7.w[8] = ")


@needs_readline
def test_arrow_up_brings_the_line_before(start: Start) -> None:
    child = start(term="vt100")
    said(child, "next")
    child.send("\x1b[A")
    child.expect_exact("next")
    child.sendline("")
    child.expect_exact("operation 3 of 3")


def test_colour_is_for_terminals_that_want_it(start: Start) -> None:
    assert "\x1b[1mBack" not in start().before
    with_color = start(term="xterm")
    assert "\x1b[31merror" in said_in_color(with_color, "stpe")
    without = start(term="xterm", NO_COLOR="1")
    assert "\x1b[31m" not in said_in_color(without, "stpe")


def said_in_color(child: Any, line: str) -> str:
    child.sendline(line)
    child.expect("help lists the commands[^\n]*\n")
    return str(child.before) + str(child.after)


def test_a_desktop_is_needed_to_open_a_picture(start: Start, tmp_path: Path) -> None:
    child = start()
    assert f"the picture is in {tmp_path.resolve()}/here.dot" in said(child, f"draw {tmp_path}/here.dot")
