"""``diagnose``: every check on one graph."""

from collections.abc import Callable, Iterator
from typing import Any

from autograd_mini.diagnose.changed_data import changed_data
from autograd_mini.diagnose.findings import Diagnosis, Finding
from autograd_mini.diagnose.gradients import non_finite_loss, unbalanced_gradients
from autograd_mini.diagnose.passes import growing_graph, no_path, second_backward
from autograd_mini.diagnose.scene import Scene, scene
from autograd_mini.diagnose.units import stuck_units

__all__ = ["diagnose"]

_CHECKS: tuple[Callable[[Scene], Iterator[Finding]], ...] = (
    second_backward,
    changed_data,
    no_path,
    stuck_units,
    growing_graph,
    non_finite_loss,
    unbalanced_gradients,
)
_FLAT = frozenset({"dead relu", "saturated sigmoid", "saturated tanh"})


def diagnose(loss: Any, parameters: Any) -> Diagnosis:
    """Look for the mistakes that people really make in training. Nothing is changed, no gradient and no data.

    The place to call it is between the forward pass and ``optimizer.step()``, before ``backward()`` or after it: only
    after it can a second backward pass be seen, only before it an operation left over from an earlier iteration.

    - ``second backward without zeroing``: the gradients are not this loss's alone
    - ``data changed after the forward pass``: numbers were assigned that the forward pass had used
    - ``no path to the loss``: parameters that the loss does not depend on
    - ``dead relu``: relus that are inactive and will stay so; ``units.py`` says when that is certain
    - ``saturated sigmoid``, ``saturated tanh``: neurons on the flat part for every example
    - ``growing graph``: the graph reaches back into earlier iterations
    - ``loss not finite``: the loss is inf or nan
    - ``vanishing gradients``, ``exploding gradients``: the layer furthest from the loss has less than 1e-5 of the
      gradient of the nearest layer, or more than 1e5 times it; or a gradient is beyond 1e6, or not finite

    Args:
        loss: the Value that is minimised.
        parameters: the Values that training moves: a list, lists or dicts of them, or a model with ``parameters()``.

    Returns:
        The findings, each with name, message, nodes, line and fix; empty, and so false, when nothing was found.

    Raises:
        TypeError: if `loss` is not a Value, or something among the parameters is not one.
        ValueError: if there is no parameter.

    Example:
        >>> from autograd_mini import parameter
        >>> w = parameter(2.0, "w")
        >>> loss = (w * 3 - 1) ** 2
        >>> loss.backward()
        >>> loss.backward()
        >>> diagnose(loss, [w])
        second backward without zeroing
          w.grad is 60, which is 2 times this loss's gradient 30: backward() ran 2 times
          where: make the graph under record_lines() to see the line
          fix: write model.zero_grad(), or p.grad = None for each parameter, before each backward();
               adding up gradients over several batches on purpose is fine: write it after each step()
               then
    """
    look = scene(loss, parameters)
    found = [finding for check in _CHECKS for finding in check(look)]
    if not _FLAT.isdisjoint(finding.name for finding in found):  # which is why they vanish
        found = [finding for finding in found if finding.name != "vanishing gradients"]
    return Diagnosis(found)
