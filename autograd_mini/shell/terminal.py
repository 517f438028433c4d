"""A session of typed or piped commands: reading, writing, help, completion, and what keeps it alive."""

import bisect
import cmd
import difflib
import importlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, TextIO, TypeVar

__all__ = ["Command", "Terminal", "command"]

F = TypeVar("F", bound=Callable[..., Any])

readline: Any = None  # as on Windows: no completion and no history then, all else is the same
with suppress(ImportError):
    readline = importlib.import_module("readline")

_MOST_COMPLETIONS = 60
_STYLES = {"bold": "1", "red": "31", "green": "32"}


@dataclass(frozen=True, slots=True)
class Command:
    """What help, completion and the empty line need to know of a command.

    Attributes:
        name: what to type.
        group: the heading it stands under.
        arguments: what may follow it.
        short: other names, the first of which is its short form.
        completes: what Tab offers: ``"commands"``, or a kind of ``Terminal.words``.
        repeats: whether an empty line does it again.
        text: one line on what it does, then the rest of its help.
    """

    name: str
    group: str
    arguments: str
    short: tuple[str, ...]
    completes: str
    repeats: bool
    text: str


def command(
    group: str, arguments: str = "", *short: str, completes: str = "", repeats: bool = False
) -> Callable[[F], F]:
    """Make a method ``do_name`` a command; its docstring is its help."""

    def mark(method: F) -> F:
        name = method.__name__.removeprefix("do_")
        method.command = Command(  # type: ignore[attr-defined]
            name, group, arguments, short, completes, repeats, (method.__doc__ or "").strip()
        )
        return method

    return mark


class Terminal(cmd.Cmd):
    """Reads commands and survives what they raise. A subclass adds them, with ``command``.

    Lines that nobody types are echoed, so that a transcript reads like a session; typed ones may be repeated by an
    empty line. Text is printed without control characters, and in colour only where somebody looks.

    Args:
        prompt: what asks for a command.
        queue: commands to begin with.
        stdin, stdout: where from and where to; those of the process if None.
    """

    def __init__(
        self, prompt: str, queue: Sequence[str] = (), stdin: TextIO | None = None, stdout: TextIO | None = None
    ) -> None:
        super().__init__(stdin=stdin, stdout=stdout)
        self.cmdqueue = list(queue)
        self.failed = False
        self.is_interactive = self.use_rawinput = self.stdin.isatty()
        wants_color = self.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._has_color = wants_color
        self._echo = prompt
        self.prompt = self._styled(prompt, "bold", in_prompt=readline is not None) if self.is_interactive else ""
        self._queued = len(self.cmdqueue)
        self._is_scripted = not self.is_interactive
        self._again = ""
        methods = (getattr(type(self), name) for kind in type(self).__mro__ for name in vars(kind))
        self.commands: list[Command] = list(dict.fromkeys(m.command for m in methods if hasattr(m, "command")))
        self._by_name = {name: c for c in self.commands for name in (c.name, *c.short)}

    def run(self) -> int:
        """Read and do commands to the end.

        Returns:
            An exit code: 1 if a command failed that nobody typed, else 0.
        """
        if readline is not None and self.is_interactive:
            readline.set_completer_delims(" \t\n=")  # labels hold . and [
            if "libedit" in (readline.__doc__ or ""):
                readline.parse_and_bind("bind ^I rl_complete")
        while True:
            try:
                self.cmdloop()
                break
            except KeyboardInterrupt:
                if not self.is_interactive:
                    raise
                self.cmdqueue.clear()
                self.say("")
        self.stdout.flush()
        return int(self.failed)

    def say(self, text: str, style: str = "") -> None:
        """Print a text of any origin: control characters, such as the escapes of a terminal, become a �."""
        clean = "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
        self.stdout.write(self._styled(clean, style) + "\n")

    def ask(self, question: str) -> str:
        """Ask for a line; an empty one if there is none to come."""
        try:
            if not self.is_interactive or self.cmdqueue:
                answer = self.cmdqueue.pop(0) if self.cmdqueue else self.stdin.readline().strip()
                self._queued = len(self.cmdqueue)
                self.say(question + answer)
                return answer
            self.stdout.flush()
            return input(question).strip()
        except EOFError:
            self.say("")
            return ""

    def words(self, kind: str) -> Sequence[str]:
        """What Tab offers after a command that `completes` this, sorted."""
        return ()

    def precmd(self, line: str) -> str:
        line = line.strip()
        if line == "EOF":
            if self.is_interactive:
                self.say("")
            return "quit"
        self._is_scripted = self._queued > len(self.cmdqueue) or not self.is_interactive
        self._queued = len(self.cmdqueue)
        if not self._is_scripted:
            return line or self._again
        if line:
            self.say(self._echo + line)
        return line

    def onecmd(self, line: str) -> bool:
        word, _, rest = line.partition(" ")
        if not word or word.startswith("#"):
            return False
        try:
            found = self.command_named(word)
            self._again = line if found.repeats else ""
            return bool(getattr(self, f"do_{found.name}")(rest.strip()))
        except BrokenPipeError:
            raise
        except KeyboardInterrupt:
            if not self.is_interactive:
                raise
            self.cmdqueue.clear()
            self.say("\ninterrupted; where shows where we stand")
        except Exception as error:  # whatever a command meets, the session goes on
            self.failed = self.failed or self._is_scripted
            expected = isinstance(error, (ValueError, TypeError, OSError, RuntimeError, ArithmeticError))
            self.say(f"error: {error}" if expected and str(error) else f"error: {type(error).__name__}: {error}", "red")
        return False

    def command_named(self, word: str) -> Command:
        """Find a command by its name, its short form, or a beginning that only one has.

        Raises:
            ValueError: for any other word, with the commands that are near it.
        """
        word = {"?": "help"}.get(word, word)
        if word in self._by_name:
            return self._by_name[word]
        begun = [c for c in self.commands if c.name.startswith(word)]
        if len(begun) == 1:
            return begun[0]
        near = [c.name for c in begun] or difflib.get_close_matches(word, self._by_name, 2)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(f"there is no command {word!r:.40}; {hint}help lists the commands")

    @command("Else", "[COMMAND]", "h", completes="commands")
    def do_help(self, text: str) -> None:
        """say what a command does

        help back, or with its short form: help b
        """
        if text:
            found = self.command_named(text)
            short = f"   (short: {', '.join(found.short)})" if found.short else ""
            summary, _, rest = found.text.partition("\n")
            body = "\n".join(line.removeprefix("        ") for line in rest.strip("\n").splitlines())
            self.say(f"{found.name} {found.arguments}".rstrip() + f"{short}: {summary}")
            if body.strip():
                self.say("  " + body.strip().replace("\n", "\n  "))
            return
        for group in dict.fromkeys(c.group for c in self.commands):
            heading = group
            for c in self.commands:
                if c.group == group:
                    usage = f"{c.name}{f' ({c.short[0]})' if c.short else ''} {c.arguments}"
                    self.say(f"{heading:<6}{usage:<19} {c.text.partition(chr(10))[0]}")
                    heading = ""
        self.say("\nhelp break says more on break. Tab completes words; the start of one is enough.")
        self.say("Enter alone repeats the last move.")

    @command("Else", "", "q", "exit")
    def do_quit(self, text: str) -> bool:
        """leave; so does Ctrl-D, but Ctrl-C only interrupts"""
        return True

    def completenames(self, text: str, *ignored: Any) -> list[str]:
        found = sorted(c.name for c in self.commands if c.name.startswith(text))
        return [f"{found[0]} "] if len(found) == 1 and text else found

    def completedefault(self, text: str, line: str, begin: int, end: int) -> list[str]:
        """Offer what the command takes; of very many words, only their next part, as of files their folders."""
        try:
            kind = self.command_named(line.split()[0]).completes
        except ValueError:
            return []
        if kind == "places" and line[:begin].endswith("op="):
            kind = "ops"
        words = self.completenames("") if kind == "commands" else self.words(kind)
        start = bisect.bisect_left(words, text)
        found = list(takewhile(lambda word: word.startswith(text), islice(words, start, None)))
        if len(found) > _MOST_COMPLETIONS:
            shared = len(os.path.commonprefix([found[0], found[-1]]))  # noqa: RUF071  # letter by letter is what is wanted
            found = list(dict.fromkeys(word[: _next_part(word, shared)] for word in found))
        return found

    def _styled(self, text: str, style: str, *, in_prompt: bool = False) -> str:
        if not (style and text and self._has_color):
            return text
        on, off = f"\033[{_STYLES[style]}m", "\033[0m"
        if in_prompt:  # readline must know what takes no room on the line
            on, off = f"\001{on}\002", f"\001{off}\002"
        return f"{on}{text}{off}"


def _next_part(word: str, start: int) -> int:
    ends = [end + 1 for end in (word.find(".", start), word.find("[", start)) if end >= 0]
    return min(ends, default=len(word))
