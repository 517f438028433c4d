"""Names of arrays in a checkpoint: what is legal, and how to list many of them in one line of an error."""

from collections.abc import Iterable

from autograd_mini.printing import printable

__all__ = ["listed", "name_objection"]

LONGEST_NAME = 200


def listed(names: Iterable[str], most: int = 5) -> str:
    """Write names on one line: the first few, and how many more there are.

    Example:
        >>> listed(["w", "b"]), listed(map(str, range(9)), 2)
        ("'w', 'b'", "'0', '1' and 7 more")
    """
    found = list(names)
    shown = ", ".join(f"'{printable(name, 60)}'" for name in found[:most])
    return f"{shown} and {len(found) - most:,} more" if len(found) > most else shown


def name_objection(name: str) -> str | None:
    """What is wrong with the name of an array; None if nothing is.

    Example:
        >>> name_objection("parameters/hidden.neuron1.w"), name_objection("../w")
        (None, "it has a part that is empty, '.' or '..'")
    """
    parts = name.split("/")
    if not name.isprintable() or not 0 < len(name.encode()) <= LONGEST_NAME:
        return f"it is empty, has more than {LONGEST_NAME} bytes, or holds a character that cannot be printed"
    if "\\" in name or ":" in name:
        return "it holds a backslash or a colon"
    if any(part in ("", ".", "..") for part in parts):
        return "it has a part that is empty, '.' or '..'"
    if parts[0] == "manifest.json" or any(part.endswith(".npy") for part in parts):
        return "it begins with manifest.json, or a part of it ends in .npy"
    return None
