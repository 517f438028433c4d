"""How inputs lie: the rows and columns that a picture sets them in."""

import operator
from typing import Any

__all__ = ["checked_shape"]


def checked_shape(shape: Any, inputs: int) -> list[int] | None:
    """Check rows and columns of the inputs; None where they are not laid out.

    Raises:
        ValueError: for a shape that does not hold the inputs.
    """
    if shape is None:
        return None
    try:
        sides = [operator.index(side) for side in shape]
    except TypeError:
        sides = []
    if sides == [inputs]:  # a row of numbers that are no picture, as ``Dataset.shape`` has it
        return None
    if len(sides) != 2 or min(sides) < 1 or sides[0] * sides[1] != inputs:
        raise ValueError(
            f"input_shape is (rows, columns) that hold {inputs} inputs, as (7, 7) holds 49; got {shape!r:.60}"
        )
    return sides
