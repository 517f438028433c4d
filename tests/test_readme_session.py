"""The terminal session in the README is what the command prints today."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "(step) "


def test_the_session_in_the_readme_is_recorded_truly() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("\n## Step through backprop\n")[2].partition("\n## ")[0]
    recorded = "".join(re.findall(r"^```console\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
    first, _, shown = recorded.partition("\n")
    command = shlex.split(first.removeprefix("$ autograd-mini "))
    assert command[:2] == ["step", "examples/one_digit.py:loss"]
    typed = [line.removeprefix(PROMPT) for line in shown.splitlines() if line.startswith(PROMPT)]
    assert typed == ["until hidden.neuron1.w[8]", "back", "explain hidden.neuron1.w[8]", "quit"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "autograd_mini", *command],
        input="".join(f"{line}\n" for line in typed), capture_output=True, text=True, encoding="utf-8", cwd=ROOT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert shown == done.stdout
