"""Every example runs as a reader would run it, and says what the lecture says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
ARGUMENTS = {"gpt": ("--steps", "3", "--samples", "2")}  # by itself it takes 1000 steps


def run(example: Path, *arguments: str, folder: Path = ROOT) -> str:
    command = [sys.executable, "-W", "error", str(example), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_runs(example: Path, tmp_path: Path) -> None:
    if "viz" in example.read_text() and shutil.which("dot") is None:
        pytest.skip("there is no program dot on the PATH to draw the pictures of this example")
    assert run(example, *ARGUMENTS.get(example.stem, ()), folder=tmp_path)


def test_the_lecture_line_by_line() -> None:
    output = run(ROOT / "examples" / "decoding_neural_networks.py")
    assert "3 neurons × (49 weights + 1 bias) = 150" in output
    for pattern in ("curve", "diagonal", "horizontal line"):
        line = next(line for line in output.splitlines() if line.strip().startswith(f"{pattern}:"))
        assert f"{pattern} 0.818 active" in line
        assert line.count("active") == 1
    assert "(3, 49) · (49,) → [0.0, 0.818, 0.0]" in output
    assert [f"sigmoid({s} - 15) = {a}" in output for s, a in ((14, 0.269), (15, "0.500"), (16, 0.731))] == [True] * 3
    assert "cost 0.7901" in output
    assert "prediction: 1," in output


def test_looking_back_tells_the_same_push_three_times() -> None:
    output = run(ROOT / "examples" / "looking_back.py")
    strongest = float(re.search(r"pushes it\n +\d+ +\d+ +\d +(-?[\d.e-]+)", output)[1])  # type: ignore[index]
    arrived = float(re.search(r"✓ hidden\.neuron1\.w\[0\] .* (-?[\d.e-]+)\n", output)[1])  # type: ignore[index]
    assert arrived / 16 == pytest.approx(strongest, rel=1e-5)  # the mean over 16 rows; six digits are printed
