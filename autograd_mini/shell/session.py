"""The commands of ``autograd-mini step``: what a Debugger can do, under names that users of pdb and gdb know."""

import math
import os
import re
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from autograd_mini.backward import Step
from autograd_mini.explain import explain
from autograd_mini.notation import written
from autograd_mini.number import number_text
from autograd_mini.paths import paths
from autograd_mini.shell.terminal import Terminal, command
from autograd_mini.shell.words import conditions, count_of, number_of
from autograd_mini.standing import operation_line, product_line
from autograd_mini.stepper import Debugger
from autograd_mini.value import Value
from viz.step import draw_step

__all__ = ["StepSession"]

_MOVE, _STOP, _LOOK, _TRY = "Move", "Stop", "Look", "Try"
_CLOSE = 0.01
_MOST_LISTED = 20


class StepSession(Terminal):
    """A session in which a user walks through back propagation.

    Args:
        debugger: where to start.
        queue, stdin, stdout: as for ``Terminal``.
    """

    def __init__(
        self, debugger: Debugger, queue: Sequence[str] = (), stdin: TextIO | None = None, stdout: TextIO | None = None
    ) -> None:
        super().__init__("(step) ", queue, stdin, stdout)
        self._debugger = debugger
        self._asked = self._right = 0
        self._folder, self._pictures = "", 0
        self._words: dict[str, list[str]] = {}  # for Tab, collected when it is first pressed

    def run(self) -> int:
        self.say("Back propagation, step by step. help lists the commands.")
        self._show()
        return super().run()

    @command(_MOVE, "[N]", "s", repeats=True)
    def do_step(self, text: str) -> None:
        """hand one contribution on, along one edge

        step 5 takes five. In the forward pass it computes one operation.
        """
        self._debugger.step(count_of("step", text or "1"))
        self._show()

    @command(_MOVE, "[N]", "n", repeats=True)
    def do_next(self, text: str) -> None:
        """hand on all that is left of this node

        next 5 goes through five nodes.
        """
        self._debugger.next(count_of("next", text or "1"))
        self._show()

    @command(_MOVE, "[N]", "b", "rs", "reverse-step", repeats=True)
    def do_back(self, text: str) -> None:
        """take a step back

        back 5 takes five back. Before the backward pass lies the forward pass, so back goes on into it.
        (A breakpoint is set by break, or br.)
        """
        self._debugger.back(count_of("back", text or "1"))
        self._show()

    @command(_MOVE, "WHERE", "u", completes="places", repeats=True)
    def do_until(self, text: str) -> None:
        """run on to a place, such as until tanh

        until hidden.neuron1.w[8]
        until tanh if abs(upstream) > 1
        It stops at a breakpoint on the way, too. help break says what WHERE may be.
        """
        if not text and not self._debugger.breakpoints:
            raise ValueError("until needs a place to run to, as in: until tanh; help break says what may stand there")
        self._debugger.until(**conditions(self._debugger, text))
        self._show()

    @command(_MOVE, "[WHERE]", "r", "rc", "back-until", "back_until", completes="places", repeats=True)
    def do_reverse(self, text: str) -> None:
        """run back to a place, or to a breakpoint

        reverse hidden.*
        help break says what WHERE may be. Without anything to stop at it runs back to the start.
        """
        if text or self._debugger.breakpoints:
            self._debugger.back_until(**conditions(self._debugger, text))
        else:
            self._debugger.restart()
        self._show()

    @command(_MOVE, "", "c", "cont", repeats=True)
    def do_continue(self, text: str) -> None:
        """run on to the next breakpoint, or to the end"""
        if self._debugger.breakpoints:
            self._debugger.until()
        else:
            self._debugger.finish()
        self._show()

    @command(_MOVE, "", "f")
    def do_finish(self, text: str) -> None:
        """run to the end, past all breakpoints"""
        self._debugger.finish()
        self._show()

    @command(_MOVE)
    def do_restart(self, text: str) -> None:
        """go to the start of the backward pass"""
        self._debugger.restart()
        self._show()

    @command(_MOVE)
    def do_forward(self, text: str) -> None:
        """go to the start of the forward pass

        There step computes one operation after the other, from the inputs to the loss.
        """
        self._debugger.restart(forward=True)
        self._show()

    @command(_STOP, "[WHERE]", "br", completes="places")
    def do_break(self, text: str) -> None:
        """set a breakpoint; without WHERE, list them

        WHERE is
          a label, in which * and ? stand for anything and for one character:  break hidden.*.b
          a name that we print for what has no label:  break v7
          an op:  break tanh, or op=tanh
          a line of your file:  break 12, or line=train.py:12
          a number that is not finite:  break nan
        and any of these, or none, with a condition on the step just taken:  break w if abs(contribution) > 0.1
        The numbers of a step are upstream, local, contribution, and before and after, the sum of what has arrived.
        """
        if text:
            self._debugger.break_at(**conditions(self._debugger, text))
        if not self._debugger.breakpoints:
            self.say("no breakpoints; break WHERE sets one, and help break says what WHERE may be")
        for number, point in enumerate(self._debugger.breakpoints, start=1):
            if not text or number == len(self._debugger.breakpoints):
                self.say(f"breakpoint {number}: {point.text}")

    @command(_STOP, "[NUMBER]", "cl", "delete", completes="breakpoints")
    def do_clear(self, text: str) -> None:
        """remove a breakpoint, or all of them

        clear 2
        """
        self._debugger.clear(count_of("clear", text) if text else None)
        self.do_break("")

    @command(_LOOK, "", "w", "bt")
    def do_where(self, text: str) -> None:
        """print again where we stand"""
        self._show()

    @command(_LOOK, "[NODE]", "g", "print", completes="labels")
    def do_gradient(self, text: str) -> None:
        """print a number and its gradient so far

        gradient hidden.neuron1.w[8]
        gradient *.b
        NODE is a label, in which * and ? stand for others, or a name that we print, such as v7. Without it, the node
        that the last contribution went to.
        """
        debugger = self._debugger
        nodes = self._nodes(text)
        for node in nodes[:_MOST_LISTED]:
            so_far = "so far " if not debugger.finished else ""
            reached = f"gradient {so_far}{number_text(debugger.gradient(node))}"
            arrived = reached if debugger.reached(node) else "no gradient has arrived"
            self.say(f"{debugger.names(node)} = {number_text(node.data)}, {arrived}")
        if len(nodes) > _MOST_LISTED:
            self.say(f"and {len(nodes) - _MOST_LISTED} more")

    @command(_LOOK, "[NODE]", "e", completes="labels")
    def do_explain(self, text: str) -> None:
        """write out the chain rule for one gradient

        explain hidden.neuron1.w[8]
        Without NODE, that of the node that the last contribution went to.
        """
        self.say(repr(explain(self._explained(text), self._debugger.root)))

    @command(_LOOK, "[NODE]", "p", completes="labels")
    def do_paths(self, text: str) -> None:
        """list the paths a gradient came by

        paths hidden.neuron1.w[8]
        paths x 10 lists ten; without a number five.
        """
        found = re.fullmatch(r"(?:(.*)\s)?(\d+)", text)
        top = count_of("paths", found[2]) if found else 5
        self.say(repr(paths(self._debugger.root, self._explained((found[1] or "") if found else text), top=top)))

    @command(_LOOK, "[NODE]", "o", completes="labels")
    def do_open(self, text: str) -> None:
        """open a dot into the products that it adds up

        Without NODE the current one; open all opens every dot of the graph.
        """
        debugger = self._debugger
        if text == "all":
            debugger.open_all()
        elif text:
            debugger.open(*self._nodes(text))
        elif debugger.node is None:
            raise ValueError("there is no dot to open at the end; name one")
        else:
            debugger.open()
        self._words = {}  # the products have labels, too
        self._show()

    @command(_LOOK, "[FILE]", "d")
    def do_draw(self, text: str) -> None:
        """draw where we stand, and show the picture

        draw here.png writes a file of that name; .svg, .pdf and .dot are possible too.
        """
        figure = draw_step(self._debugger)
        path = figure.save(Path(text).expanduser() if text else self._fresh_path()).resolve()
        self.say(f"the picture is in {path}")
        # Without a desktop a browser for text would take over the terminal.
        has_desktop = sys.platform in ("darwin", "win32") or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
        if self.is_interactive and self.stdout.isatty() and has_desktop and path.suffix != ".dot":
            webbrowser.open(path.as_uri())

    @command(_TRY, "", "pr", repeats=True)
    def do_predict(self, text: str) -> None:
        """guess the next contribution, then see it

        It asks for upstream × local. A number will do, or numbers to compute: 0.5*2, 1-tanh(0.3)**2.
        An answer within 1 % is right. In the forward pass it asks for the number that an operation gives.
        An empty answer leaves all as it is.
        """
        debugger, name = self._debugger, self._debugger.names
        node, step = debugger.node, debugger.upcoming
        if node is None:
            raise ValueError("the backward pass is over, so there is nothing to predict; back or restart goes back")
        if step is None:
            self.say("\n".join(operation_line(debugger, node)).rpartition(" = ")[0])
            question, truth, why = f"what is {name(node)}? ", node.data, f"{name(node)} = {number_text(node.data)}"
        else:
            root, here, to = name(debugger.root), name(node), _receiver(debugger, step)
            self.say(f"{here} = {_with_numbers(debugger, step)}\nand ∂{root}/∂{here} = {number_text(step.upstream)}")
            question, truth = f"what does {here} hand on to {to}? ", step.contribution
            why = f"upstream × local = {product_line(step)}"
        answer = self.ask(question)
        if not answer:
            self.say("no answer, so we stay where we are")
            return
        guess = number_of(answer)
        debugger.step()
        is_right = math.isclose(guess, truth, rel_tol=_CLOSE) or (math.isnan(guess) and math.isnan(truth))
        self._asked, self._right = self._asked + 1, self._right + is_right
        self.say(f"{'right' if is_right else 'no'}: {why}", "green" if is_right else "red")
        self.say(f"{self._right} of {self._asked} right; the step is taken, and predict asks for the next one")

    @command(_TRY, "LEAF NUMBER", completes="labels")
    def do_set(self, text: str) -> None:
        """give an input or a weight another number

        set x 0.7
        We stay where we are, and the forward pass is run again. An if in your function is not decided anew.
        """
        found = re.fullmatch(r"(.*[^\s=])\s*[\s=]\s*(\S+)", text)
        if not found:
            raise ValueError("set needs a leaf and a number, as in: set x 0.7")
        leaf, root, name = self._node(found[1]), self._debugger.root, self._debugger.names
        before = leaf.data, root.data
        self._debugger.set(found[1], number_of(found[2]))
        for node, was in zip((leaf, root), before, strict=True):
            self.say(f"{name(node)} was {number_text(was)} and is {number_text(node.data)}")
        self._show()

    def words(self, kind: str) -> Sequence[str]:
        if kind == "breakpoints":
            return [str(i + 1) for i in range(len(self._debugger.breakpoints))]
        if not self._words:
            order = self._debugger.order
            nodes = {self._debugger.root, *order, *(parent for node in order for parent in node._inputs)}
            labels = {n.label for n in nodes if n.label.isprintable() and " " not in n.label} - {""}
            ops = {n.op for n in order}
            self._words = {"labels": sorted(labels), "ops": sorted(ops), "places": sorted(labels | ops)}
        return self._words.get(kind, ())

    def _show(self) -> None:
        first, _, rest = repr(self._debugger).partition("\n")
        self.say(first, "bold")
        self.say(rest)

    def _fresh_path(self) -> Path:
        self._folder = self._folder or tempfile.mkdtemp(prefix="autograd-mini-")
        self._pictures += 1
        return Path(self._folder, f"step-{self._pictures}.svg")

    def _nodes(self, text: str) -> list[Value]:
        """The nodes of a name; without one, the node that the last contribution went to."""
        debugger = self._debugger
        if text:
            return debugger.find(text)
        node = debugger.last.parent if debugger.last else debugger.node
        return [debugger.root if node is None else node]

    def _node(self, text: str) -> Value:
        first, *others = self._nodes(text)
        if others:
            names = ", ".join([*map(self._debugger.names, (first, *others[:4])), *["…"] * (len(others) > 4)])
            raise ValueError(f"{text!r:.60} stands for {len(others) + 1} nodes, {names}; name one of them")
        return first

    def _explained(self, text: str) -> Value:
        node, debugger, name = self._node(text), self._debugger, self._debugger.names
        for dot in debugger.order:
            if debugger.stand_in(dot) is not dot and node in debugger.stand_in(dot)._inputs:
                raise ValueError(f"{name(node)} is one of the products of {name(dot)}; it has its gradient")
        return node


def _with_numbers(debugger: Debugger, step: Step) -> str:
    """Write the operation of a step by name and by number, with the argument of the step in view."""
    shown = debugger.stand_in(step.node)
    texts = (debugger.names, lambda argument: number_text(argument.data))
    algebra = [written(shown.op, shown.parents, text, keep=[step.argument]) for text in texts]
    return " = ".join([*algebra, number_text(step.node.data)])


def _receiver(debugger: Debugger, step: Step) -> str:
    name = debugger.names(step.parent)
    is_twice = sum(step.parent is other for other in debugger.stand_in(step.node).parents) > 1
    return f"{name}, its argument {step.argument}" if is_twice else name
