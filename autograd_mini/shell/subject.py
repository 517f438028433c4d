"""What the user wants to step through: a Value of a file, what a function there makes, or a formula typed in."""

import ast
import difflib
import inspect
import re
import shlex
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from autograd_mini.expression import Expression
from autograd_mini.modes import record_lines
from autograd_mini.rules import RULES
from autograd_mini.shell.words import number_of
from autograd_mini.value import Value

__all__ = ["find_subject"]

_MODULE = "autograd_mini_step_file"  # neither "__main__", so that a main guard holds, nor a name that a file may have


def find_subject(target: str, inputs: Sequence[str], *, command: str = "step") -> Value:
    """Make the Value that the words of a command line stand for; its nodes know their source lines.

    Args:
        target: ``FILE.py:NAME``, where NAME is a Value or a function without required arguments that returns one; or
            a formula such as ``tanh(2*x + b)``.
        inputs: the numbers of the formula, as in ``["x=0.5", "b=-1"]``.
        command: the subcommand that asks, for its messages.

    Raises:
        ValueError, TypeError: if they do not stand for a Value. What the user's own code raises is shown first, as a
            traceback on stderr.

    Example:
        >>> find_subject("tanh(2*x + b)", ["x=0.5", "b=-1"])
        Value(data=0, grad=not computed, op=tanh)
    """
    file = re.fullmatch(r"(.+\.py)(?::(.*))?", target, re.DOTALL)
    if not file and (path := re.fullmatch(r"([\w./\\-]+):(\w+)", target)):
        raise ValueError(f"the file in {target} does not end in .py; did you mean {path[1]}.py:{path[2]}?")
    if not file:
        try:
            return _formula(target, inputs, f"autograd-mini {command}")
        except ValueError as error:
            if re.fullmatch(r"[\w.~-]*[/\\][\w./\\~-]*", target) and not inputs:
                raise ValueError(f"{error}; nor is there a file or folder {target}") from None
            raise
    if inputs:
        raise ValueError(f"{target} is a file, and only a formula takes inputs such as {inputs[0]}; leave them out")
    return _from_file(Path(file[1]), file[2] or "", "step through" if command == "step" else command)


def _formula(source: str, inputs: Sequence[str], command: str) -> Value:
    numbers = dict(map(_input, inputs))
    missing = [name for name in _names(source) if name not in numbers]
    if missing:
        Expression(source, **numbers, **dict.fromkeys(missing, 1.0))  # says first what is not legal at all
        line = shlex.join([source, *inputs, *(f"{name}=1" for name in missing)])
        raise ValueError(f"the formula needs a number for {', '.join(missing)}; type: {command} {line}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        root = Expression(source, **numbers).build()
    for warning in caught:  # a line of ours says nothing to the user
        print(f"{command}: {warning.message}", file=sys.stderr)
    return root


def _input(text: str) -> tuple[str, float]:
    name, equals, written = (part.strip() for part in text.partition("="))
    if not equals or not name.isidentifier():
        raise ValueError(f"an input of a formula is written NAME=NUMBER, as in x=0.5, got {text!r:.60}")
    try:
        return name, number_of(written)
    except ValueError:
        raise ValueError(f"the input {name} needs a number, as in {name}=0.5, got {written!r:.60}") from None


def _names(source: str) -> list[str]:
    """The names that a formula uses and does not assign; none if it cannot be read, as its parser will say."""
    try:
        nodes = list(ast.walk(ast.parse(source.strip())))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    names = [node for node in nodes if isinstance(node, ast.Name) and id(node) not in called]
    assigned = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return sorted({node.id for node in names} - assigned - RULES.keys())


def _from_file(path: Path, name: str, verb: str) -> Value:
    if not path.is_file():
        near = difflib.get_close_matches(path.name, [other.name for other in path.parent.glob("*.py")])
        hint = f"; near it there is {', '.join(near)}" if near else ""
        raise FileNotFoundError(f"there is no file {str(path)!r}{hint}")
    with record_lines():
        names = _run(path)
        if name not in names:
            wrong = f"there is no {name!r} in {path}" if name else f"say what to {verb} in {path}"
            raise ValueError(f"{wrong}; {_choice(names, verb, name)}")
        for own, thing in names.items():
            _label(own, thing)
        subject = names[name]
        if isinstance(subject, Value):
            return subject
        if not callable(subject):
            raise TypeError(
                f"{name} in {path} is no Value but of type {type(subject).__name__}; {_choice(names, verb)}"
            )
        if needed := ", ".join(_required_arguments(subject)):
            fix = f"add a function without any, such as: def make(): return {name}({needed})"
            raise TypeError(f"{name} in {path} needs arguments, {needed}; {fix}")
        made = _guarded(path, f"{name}()", subject)
    if not isinstance(made, Value):
        kind = type(made).__name__
        raise TypeError(f"{name}() in {path} returned no Value but something of type {kind}; return the loss, say")
    return made


def _label(name: str, thing: Any, depth: int = 3) -> None:
    """Call what has no label as the file calls it, in lists of lists too, so that it can be named in the session."""
    if isinstance(thing, Value):
        thing.label = thing.label or name
    elif isinstance(thing, (list, tuple)) and depth:
        for i, one in enumerate(thing):
            _label(f"{name}[{i}]", one, depth - 1)


def _choice(names: Mapping[str, Any], verb: str, name: str = "") -> str:
    """Say which names there are to choose from."""
    own = {k: v for k, v in names.items() if not k.startswith("_") and _is_choice(v)}
    near = difflib.get_close_matches(name, own)
    if near:
        return f"did you mean {' or '.join(near)}?"
    if not own:
        return f"it has neither a Value nor a function of its own to {verb}"
    return f"to {verb} there is {', '.join(own)}; as in FILE.py:{next(iter(own))}"


def _is_choice(thing: Any) -> bool:
    is_function = inspect.isfunction(thing) and thing.__module__ == _MODULE
    return isinstance(thing, Value) or (is_function and not _required_arguments(thing))


def _required_arguments(function: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some functions written in C tell nothing
        return []
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in optional]


def _run(path: Path) -> dict[str, Any]:
    """Run the file as a module, with its own folder importable as if Python had been started on it."""
    module = ModuleType(_MODULE)
    module.__file__ = str(path)
    sys.modules[_MODULE] = module  # where dataclasses and pickle look a class up
    sys.path.insert(0, str(path.resolve().parent))
    sys.argv = [str(path)]
    source = path.read_bytes()
    _guarded(path, "the file", lambda: exec(compile(source, str(path), "exec"), vars(module)))
    return vars(module)


def _guarded(path: Path, what: str, call: Callable[[], Any]) -> Any:
    """Call the user's code, and show what it raises as Python would, without our frames above it."""
    try:
        return call()
    except SystemExit as error:
        fix = 'put what a script does in the end below if __name__ == "__main__":'
        raise ValueError(f"{what} ended the program, SystemExit({error.code!r}), in {path}; {fix}") from None
    except Exception as error:
        frames = error.__traceback__
        while frames and frames.tb_frame.f_code.co_filename == __file__:
            frames = frames.tb_next
        traceback.print_exception(error.with_traceback(frames))
        raise ValueError(f"{what} raised {type(error).__name__} in {path}: the traceback above says where") from None
