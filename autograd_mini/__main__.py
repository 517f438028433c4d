"""``python -m autograd_mini`` is the command ``autograd-mini``."""

import sys

from autograd_mini.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
