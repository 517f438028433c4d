"""Derivatives of functions: ``grad``, ``jacobian``, ``hessian``, ``jvp``, ``vjp``, ``hvp``, ``derivative``.

A function takes numbers, Values, or structures of them (nested lists, tuples, dicts, NumPy arrays), and so does its
derivative. Given plain numbers, a derivative is plain floats. Given Values, or a function that closes over Values, it
is Values recorded like any others: it can be differentiated again, by ``backward()`` or by another transform.

Names and conventions are JAX's. Source: Griewank & Walther, *Evaluating Derivatives*, ch. 3 (forward and reverse) and
§5.1 (forward over reverse).
"""

import functools
import inspect
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from autograd_mini import trees
from autograd_mini.backward import sweep_order
from autograd_mini.number import number
from autograd_mini.tracer import is_unknown
from autograd_mini.tracing import Trace, as_own_value, as_plain, pull, push, want_values
from autograd_mini.value import Scalar, Value

__all__ = ["derivative", "grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]


def grad(f: Function, argnums: int | Sequence[int] = 0, *, no_path: bool = False) -> Function:
    """Make the function that computes the gradient of `f`.

    Args:
        f: a function that returns one number.
        argnums: which positional argument to differentiate by, or several; negative ones count from the end. The
            other arguments may be anything.
        no_path: return a pair, the gradient and in the same structure True where no path leads from the input to the
            result. Its gradient is 0.0, as is that of many an input that a path does reach.

    Returns:
        A function of the same arguments; its result is structured like the argument, a tuple of these for several.

    Raises:
        TypeError: if `f` is no function, or (when called) does not return one number.
        ValueError: (when called) for an argument that is not there.

    Example:
        >>> grad(lambda x, y: x * x * y)(3.0, 2.0)
        12.0
        >>> grad(grad(lambda x: x**3))(2.0)
        12.0
        >>> grad(lambda p: p["w"] * 5.0, no_path=True)({"w": 2.0, "b": 1.0})
        ({'w': 5.0, 'b': 0.0}, {'w': False, 'b': True})
    """
    both = value_and_grad(f, argnums, no_path=no_path)

    @functools.wraps(f)
    def gradient(*args: Any, **keywords: Any) -> Any:
        return both(*args, **keywords)[1]

    return gradient


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, *, no_path: bool = False) -> Function:
    """Make the function that computes the value of `f` and its gradient in one go; arguments as for ``grad``.

    Example:
        >>> value_and_grad(lambda w: w[0] * w[1])([3.0, 2.0])
        (6.0, [2.0, 3.0])
    """

    _check_function("grad", f)

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **keywords: Any) -> Any:
        trace, template = _trace("grad", f, args, argnums, keywords)
        found = pull({trace.one_output(): 1.0}, trace.inputs, as_values=trace.as_values, stop=trace.inputs)
        gradient = trees.rebuild(template, trace.results(found))
        missing = trees.rebuild(template, (one is None for one in found))
        return trace.value(), (gradient, missing) if no_path else gradient

    return value_and_gradient


def jacobian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """Make the function that computes every output's derivative by every input.

    It goes backward once per output or forward once per input, whichever is less.

    Args:
        f: a function that returns a number or a structure of numbers.
        argnums: as for ``grad``.

    Returns:
        A function; its result is structured like the outputs, and where each stood there is a structure like the
        argument. An array of outputs counts as a list.

    Example:
        >>> jacobian(lambda x: [x[0] * x[1], x[0] + 1])([3.0, 2.0])
        [[2.0, 3.0], [1.0, 0.0]]
    """
    _check_function("jacobian", f)

    @functools.wraps(f)
    def jacobian_of_f(*args: Any, **keywords: Any) -> Any:
        trace, template = _trace("jacobian", f, args, argnums, keywords)
        return trees.rebuild(
            trees.as_lists(trace.output),
            (trees.rebuild(template, trace.results(row)) for row in _rows(trace, trace.outputs)),
        )

    return jacobian_of_f


def hessian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """Make the function that computes all second derivatives of `f`, forward over reverse.

    Args:
        f: a function that returns one number.
        argnums: as for ``grad``.

    Returns:
        A function; its result is structured like the argument, and where each number stood there is a structure like
        the argument again. An array counts as a list, on the outside.

    Example:
        >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 2.0])
        [[4.0, 6.0], [6.0, 0.0]]
    """
    _check_function("hessian", f)

    @functools.wraps(f)
    def hessian_of_f(*args: Any, **keywords: Any) -> Any:
        trace, template = _trace("hessian", f, args, argnums, keywords)
        gradient = pull({trace.one_output(): 1.0}, trace.inputs, as_values=True, stop=trace.inputs)
        return trees.rebuild(
            trees.as_lists(template),
            (trees.rebuild(template, trace.results(row)) for row in _rows(trace, gradient)),
        )

    return hessian_of_f


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Evaluate `f` and its derivative in one direction, J·v, by one forward pass.

    Args:
        f: a function that returns a number or a structure of numbers.
        primals: its arguments, all differentiated by.
        tangents: the direction v, structured like the primals.

    Returns:
        The value of `f`, and J·v in the same structure.

    Raises:
        ValueError: if the tangents are not structured like the primals.

    Example:
        >>> jvp(lambda x, y: [x * y, x + y], (3.0, 2.0), (1.0, 10.0))
        ([6.0, 5.0], [32.0, 11.0])
    """
    trace, direction = _trace_all("jvp", f, primals, tangents)
    found = push(direction, trace.outputs, as_values=trace.as_values, stop=trace.inputs)
    return trace.value(), trees.rebuild(trace.output, trace.results(found))


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """Evaluate `f` and make the function that carries cotangents back, u ↦ uᵀ·J.

    Args:
        f: a function that returns a number or a structure of numbers.
        *primals: its arguments, all differentiated by.

    Returns:
        The value of `f`, and a function that takes cotangents in the structure of that value and returns a tuple with
        a structure for each primal.

    Example:
        >>> value, pull_back = vjp(lambda x, y: [x * y, x + y], 3.0, 2.0)
        >>> pull_back([1.0, 10.0])
        (12.0, 13.0)
    """
    _check_function("vjp", f)
    trace, template = _trace("vjp", f, primals, range(len(primals)), {})

    def pull_back(cotangents: Any) -> tuple[Any, ...]:
        seeds: dict[Value, Scalar] = {}
        for y, cotangent in zip(trace.outputs, _matching("vjp", "cotangent", cotangents, trace.value()), strict=True):
            seeds[y] = seeds[y] + cotangent if y in seeds else cotangent
        as_values = want_values(seeds.values()) or (trace.as_values and want_values(trace.inputs + trace.outputs))
        found = pull(seeds, trace.inputs, as_values=as_values, stop=trace.inputs)
        gradient: tuple[Any, ...] = trees.rebuild(template, trace.results(found, as_values))
        return gradient

    return trace.value(), pull_back


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Multiply the Hessian of `f` by a vector, forward over reverse, without ever forming the Hessian.

    Args:
        f: a function that returns one number.
        primals: its arguments, all differentiated by.
        tangents: the vector, structured like the primals.

    Returns:
        H·v, structured like the primals; for a single primal, like that one.

    Example:
        >>> hvp(lambda x: x[0] ** 2 * x[1], ([3.0, 2.0],), ([1.0, 10.0],))
        [64.0, 6.0]
    """
    trace, direction = _trace_all("hvp", f, primals, tangents)
    gradient = pull({trace.one_output(): 1.0}, trace.inputs, as_values=True, stop=trace.inputs)
    found = push(direction, gradient, as_values=trace.as_values, stop=trace.inputs)
    product = trees.rebuild(tuple(primals), trace.results(found))
    return product[0] if len(product) == 1 else product


def derivative(f: Function, order: int = 1) -> Function:
    """Make the function that computes the derivative of a function of one number, of any order.

    Each order costs three to four times the one before, so that about ten are in reach.

    Args:
        f: a function of one number that returns one number; further arguments are held fixed.
        order: 0 or more.

    Example:
        >>> from autograd_mini import exp, sin
        >>> derivative(sin, order=3)(0.0), derivative(lambda x: x**5, 5)(1.7)
        (-1.0, 120.0)
    """
    if type(order) is not int or order < 0:
        raise ValueError(f"the order of a derivative is a whole number from 0 on, got {order!r}")
    _check_function("derivative", f)
    for _ in range(order):
        f = grad(f)
    return f


def gradients(root: Value, inputs: Any = None, *, create_graph: bool = False, no_path: bool = False) -> Any:
    """Differentiate a graph that stands, without touching any ``.grad`` in it.

    Args:
        root: the Value to differentiate.
        inputs: the Values to differentiate by, anywhere in the graph, alone or in a structure; None for all.
        create_graph: return Values that can be differentiated again, instead of floats.
        no_path: return a pair, the gradients and in the same structure True where no path leads from input to root.

    Returns:
        ∂root/∂input in the structure of `inputs`, 0.0 where there is no path; for None a dict by node, of the nodes
        that a path reaches.

    Raises:
        TypeError: if the root or an input is not a Value.
        ValueError: with `create_graph`, if data was changed after the forward pass, or an op has no row.

    Example:
        >>> a, b = Value(3.0), Value(4.0)
        >>> gradients(a * b, [a, b]), gradients(a * b)[a]
        ([4.0, 3.0], 4.0)
        >>> gradients(gradients(a * a * b, a, create_graph=True), b)
        6.0
    """
    if not isinstance(root, Value):
        raise TypeError(f"a gradient is taken of a Value, got {root!r:.60} of type {type(root).__name__}")
    if inputs is None:
        inputs = {node: node for node in _nodes(root)}
    wanted = [x for _, x in trees.leaves(inputs)]
    for x in wanted:
        if not isinstance(x, Value):
            raise TypeError(f"gradients are taken by Values of the graph, got {x!r:.60}; for a function use grad")
    found = pull({root: 1.0}, wanted, as_values=create_graph or is_unknown(root))
    result = trees.rebuild(inputs, (as_own_value(one) if create_graph else as_plain(one) for one in found))
    return (result, trees.rebuild(inputs, (one is None for one in found))) if no_path else result


def _nodes(root: Value) -> Iterable[Value]:
    """Every node that a path from `root` reaches, each once."""
    return dict.fromkeys([root, *(parent for node in sweep_order([root]) for parent in node._inputs)])


def _rows(trace: Trace, outputs: Sequence[Scalar | None]) -> Iterator[Sequence[Scalar | None]]:
    """Yield for each output its derivatives by all inputs."""
    inputs = trace.inputs
    if len(outputs) < len(inputs) or not inputs:
        for y in outputs:
            seeds = {y: 1.0} if isinstance(y, Value) else {}
            yield pull(seeds, inputs, as_values=trace.as_values, stop=inputs)
    else:
        columns = [push({x: 1.0}, outputs, as_values=trace.as_values, stop=inputs) for x in inputs]
        yield from zip(*columns, strict=True)


def _check_function(what: str, f: Any) -> None:
    if not callable(f):
        hint = "; for a graph that stands, write gradients(root, inputs)" if isinstance(f, Value) else ""
        raise TypeError(f"{what} needs a function, got {f!r:.60}{hint}")


def _trace(
    what: str, f: Function, args: Sequence[Any], argnums: int | Sequence[int], keywords: dict[str, Any]
) -> tuple[Trace, Any]:
    """Run `f`; with the run comes the structure that its derivatives are to have."""
    alone = hasattr(argnums, "__index__")
    several: Any = [argnums] if alone else argnums
    try:
        asked = [operator.index(i) for i in several]
    except TypeError:
        raise TypeError(f"argnums is the position of an argument or several of them, got {argnums!r:.60}") from None
    for i in asked:
        if not -len(args) <= i < len(args):
            call = f"the call has {len(args)} positional arguments"
            raise ValueError(f"{what} by argument {i}, and {call}; argnums count from 0, and from -1 backwards")
    wanted = [i % len(args) for i in asked]
    if len(set(wanted)) < len(wanted):
        raise ValueError(f"{what} by the same argument twice; argnums must name different ones, got {argnums!r}")
    template = tuple(args[i] for i in wanted)
    return Trace(what, f, args, wanted, keywords), template[0] if alone else template


def _trace_all(
    what: str, f: Function, primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Trace, dict[Value, Scalar]]:
    """Run `f`; with the run comes the tangent of each of its inputs."""
    _check_function(what, f)
    if not isinstance(primals, (list, tuple)):
        raise TypeError(f"the primals of {what} are a tuple of arguments, got {primals!r:.60}; write (x,) for one")
    try:
        inspect.signature(f).bind(*primals)
    except TypeError:
        hint = f"the function is called with {len(primals)} primals, {primals!r:.60}; write (x,) for one argument"
        raise TypeError(f"{what}: {hint}") from None
    except ValueError:  # some built-in functions have no signature
        pass
    direction = _matching(what, "tangent", tangents, primals)
    trace, _ = _trace(what, f, primals, range(len(primals)), {})
    trace.as_values |= want_values(direction)
    return trace, dict(zip(trace.inputs, direction, strict=True))


def _matching(what: str, name: str, tree: Any, template: Any) -> list[Scalar]:
    """List the leaves of `tree`, which must be structured like `template`."""
    found = trees.leaves_like(template, tree)
    if found is None:
        raise ValueError(f"the {name}s of {what} must be structured like {template!r:.60}, got {tree!r:.60}")
    return [x if isinstance(x, Value) else number(x, f"a {name} of {what}") for x in found]
