"""Draw the pictures of the README, in light and dark: python examples/readme_pictures.py [FOLDER]"""

import sys
from pathlib import Path

from viz.gallery import PICTURES


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("network", "neuron", "marks"):
        for theme, file in (("light", f"{name}.svg"), ("dark", f"{name}-dark.svg")):
            print(PICTURES[name].draw(theme).save(folder / file))


if __name__ == "__main__":
    main()
