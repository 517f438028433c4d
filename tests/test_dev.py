"""The script ./dev and the lock files it installs from. Nothing here touches the network or the real environment."""

import re
import subprocess
import sys
import tomllib
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


def call_dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, ROOT / "dev", *arguments], capture_output=True, text=True)


def requirements(lock: Path) -> list[str]:
    """The requirements of a lock file, each with the hashes that follow it on continued lines."""
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    return text.replace("\\\n", " ").strip().splitlines()


def load_dev() -> ModuleType:
    loader = SourceFileLoader("dev", str(ROOT / "dev"))
    spec = spec_from_loader("dev", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def dev(tmp_path: Path) -> ModuleType:
    """The script as a module that believes it lives in an empty project, and whose steps only leave notes."""
    module = load_dev()
    (tmp_path / "requirements").mkdir()
    for name in ("requirements/dev.lock", "requirements/bench.lock", "pyproject.toml"):
        (tmp_path / name).write_text("first\n")
    module.ROOT, module.VENV, module.PYTHON = tmp_path, tmp_path / ".venv", tmp_path / ".venv" / "python"
    module.steps = []

    def run_step(*command: object) -> None:
        module.steps.append(" ".join(map(str, command)))
        if "--clear" in command:
            module.VENV.mkdir(exist_ok=True)
            module.PYTHON.touch()

    module.run_step = run_step
    return module


def test_help_lists_the_commands(dev: ModuleType) -> None:
    done = call_dev("--help")
    assert done.returncode == 0
    assert all(f"./dev {command}" in done.stdout for command in dev.COMMANDS)


@pytest.mark.parametrize("arguments", [["tset"], ["check", "--fix"]])
def test_an_unknown_command_exits_2_and_names_the_legal_ones(dev: ModuleType, arguments: list[str]) -> None:
    done = call_dev(*arguments)
    assert done.returncode == 2
    assert " ".join(arguments) in done.stderr
    assert all(command in done.stderr for command in dev.COMMANDS)


def test_no_command_shows_the_help_and_exits_2() -> None:
    done = call_dev()
    assert done.returncode == 2
    assert "./dev demo" in done.stdout


@pytest.mark.parametrize("changed", ["requirements/dev.lock", "pyproject.toml"])
def test_the_environment_is_made_once_and_again_after_a_change(dev: ModuleType, changed: str) -> None:
    dev.prepare("dev")
    assert ["--clear" in step for step in dev.steps] == [True, False, False]
    assert "--require-hashes" in dev.steps[1]
    assert "--editable" in dev.steps[2]
    dev.prepare("dev")
    assert len(dev.steps) == 3
    (dev.ROOT / changed).write_text("second\n")
    dev.prepare("dev")
    assert len(dev.steps) == 6


def test_a_half_made_environment_is_not_trusted(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    dev.prepare("dev")
    (dev.ROOT / "pyproject.toml").write_text("second\n")
    note_step = dev.run_step

    def interrupted(*command: object) -> None:
        note_step(*command)
        if "--require-hashes" in command:
            raise KeyboardInterrupt

    monkeypatch.setattr(dev, "run_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dev.prepare("dev")
    # Not even the old stamp is left, which would match again if the change were undone.
    (dev.ROOT / "pyproject.toml").write_text("first\n")
    monkeypatch.setattr(dev, "run_step", note_step)
    dev.steps.clear()
    dev.prepare("dev")
    assert "--clear" in dev.steps[0]


def test_the_bench_lock_is_added_to_the_same_environment(dev: ModuleType) -> None:
    dev.prepare("dev")
    dev.steps.clear()
    dev.prepare("bench")
    dev.prepare("bench")
    assert len(dev.steps) == 1
    assert "bench.lock" in dev.steps[0]


def test_peers_are_pinned_and_installed_when_asked_for(dev: ModuleType) -> None:
    dev.prepare("dev")
    dev.steps.clear()
    (dev.ROOT / "requirements" / "peers.txt").write_text("first\n")
    dev.prepare("peers")
    dev.prepare("peers")
    assert len(dev.steps) == 1
    assert "peers.txt" in dev.steps[0]
    assert "--require-hashes" not in dev.steps[0]
    pinned = requirements(ROOT / "requirements" / "peers.txt")
    assert {line.partition("==")[0] for line in pinned} == {"jax", "torch"}
    assert all("==" in line for line in pinned)


@pytest.mark.parametrize(
    ("arguments", "installed"),
    [
        (["bench"], ["dev", "bench", "peers"]),
        (["test", "--peers"], ["dev", "notebook", "peers"]),
        (["test", "--browser"], ["dev", "browser", "chromium"]),
        (["test"], ["dev"]),
    ],
)
def test_only_what_compares_installs_what_it_compares_with(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, arguments: list[str], installed: list[str]
) -> None:
    prepared: list[str] = []
    monkeypatch.setattr(dev, "prepare", prepared.append)
    monkeypatch.setattr(dev, "ensure_dot", lambda: None)
    monkeypatch.setattr(dev, "ensure_chromium", lambda: prepared.append("chromium"))
    monkeypatch.setattr(dev.os, "chdir", lambda path: None)
    monkeypatch.setattr(dev.os, "execv", lambda path, command: None)
    dev.main(arguments)
    assert prepared == installed


def test_a_failing_step_shows_its_output_and_ends_with_its_code(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        load_dev().run_step(sys.executable, "-c", "print('no such package'); raise SystemExit(7)")
    assert stopped.value.code == 7
    assert "no such package" in capfd.readouterr().err


def test_check_runs_every_tool_and_returns_the_first_failure(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = iter([0, 3, 1])
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, next(codes)))
    assert dev.check() == 3
    assert "failed: ruff format --check, mypy" in capsys.readouterr().err
    assert next(codes, None) is None


def test_a_failing_apt_is_tried_once(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[list[str]] = []

    def fail(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 0 if command[-1] == "true" else 100)

    dev.prepare("dev")
    monkeypatch.setattr(dev.shutil, "which", lambda name: None if name == "dot" else f"/usr/bin/{name}")
    monkeypatch.setattr(dev.os, "geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "run", fail)
    dev.ensure_dot()
    assert "apt-get" in calls[-1][-1]
    assert len(calls) == 2
    capsys.readouterr()
    dev.ensure_dot()
    assert len(calls) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_and_hashes_everything_and_names_no_place(lock: Path) -> None:
    assert not re.search(r"://|@ |(^|[\s=\"'])[/~]|index|find-links|trusted-host", lock.read_text(), re.MULTILINE)
    assert requirements(lock)
    for requirement in requirements(lock):
        assert re.match(r"[a-z0-9.-]+==\S+ ", requirement), requirement
        assert re.search(r" --hash=sha256:[0-9a-f]{64}\b", requirement), requirement


def test_the_dev_lock_holds_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = {re.split(r"[\[<>=~! ]", line)[0] for line in project["dependencies"] + extras["dev"] + extras["test"]}
    locked = {requirement.split("==")[0] for requirement in requirements(ROOT / "requirements" / "dev.lock")}
    assert asked - {project["name"]} <= locked


def test_the_notebook_lock_holds_what_plots_and_notebooks_ask_for_beside_the_dev_lock() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = {re.split(r"[<>=~! ]", line)[0] for line in extras["plots"] + extras["notebook"]}
    locks = [requirements(ROOT / "requirements" / f"{name}.lock") for name in ("dev", "notebook")]
    dev, notebook = ([line.split()[0] for line in lock] for lock in locks)
    assert asked <= {pin.split("==")[0] for pin in notebook}
    # Both are installed into one environment, so what is in both has one version.
    in_dev = {pin.split("==")[0] for pin in dev}
    assert [pin for pin in notebook if pin.split("==")[0] in in_dev and pin not in dev] == []
