"""`dev.py`: what it installs for which task, and its one-line error when a tool is missing."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import dev

RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
Asked = Callable[..., list[str]]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The commands that a setup runs, each as its first words, in a folder of its own.

    ``uv`` says whether there is one besides that of an environment to develop with.
    """
    commands: list[list[str]] = []
    venv = tmp_path / ".venv"
    for name, value in {
        "ROOT": tmp_path, "VENV": venv, "BIN": venv / "bin", "PYTHON": f"{venv}/bin/python",
        "STAMP": venv / ".stamp", "RUNTIME": tmp_path / RUNTIME,
        "DEVELOPMENT": tmp_path / DEVELOPMENT,
    }.items():  # fmt: skip
        monkeypatch.setattr(dev, name, value)
    for lock in (RUNTIME, DEVELOPMENT):
        (tmp_path / lock).write_text("one==1\n")

    def run(*command: str) -> None:
        commands.append(list(command))
        if "venv" in command:
            site = f"python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
            (venv / "bin").mkdir(parents=True)
            (venv / "lib" / site).mkdir(parents=True)
        elif DEVELOPMENT in " ".join(command):
            (venv / "bin" / "uv").touch(mode=0o755)

    def asked(lock: str, uv: bool = False) -> list[str]:
        commands.clear()
        on_path = tmp_path / "path"
        on_path.mkdir(exist_ok=True)
        if uv:
            (on_path / "uv").touch(mode=0o755)
        monkeypatch.setenv("PATH", str(on_path))
        dev.setup(tmp_path / lock)
        return [_told(command) for command in commands]

    monkeypatch.setattr(dev, "run", run)
    return asked


def _told(command: list[str]) -> str:
    words = [Path(word).name for word in command if not word.startswith("-")]
    return " ".join(word for word in words if word in {"uv", "pip", "venv", RUNTIME, DEVELOPMENT})


def test_the_product_is_installed_alone_and_once(asked: Asked) -> None:
    assert asked(RUNTIME) == ["venv", f"pip {RUNTIME}"]
    assert asked(RUNTIME) == []


def test_what_it_is_developed_with_is_added(asked: Asked) -> None:
    asked(RUNTIME)
    assert asked(DEVELOPMENT) == [f"pip {DEVELOPMENT}"]
    assert asked(DEVELOPMENT) == []


def test_what_it_is_developed_with_stays_for_the_product(asked: Asked) -> None:
    assert asked(DEVELOPMENT) == ["venv", f"pip {DEVELOPMENT}"]
    assert asked(RUNTIME) == []


@pytest.mark.parametrize("changed", [RUNTIME, DEVELOPMENT])
def test_a_changed_lock_file_is_followed_by_uv(asked: Asked, tmp_path: Path, changed: str) -> None:
    asked(DEVELOPMENT)
    (tmp_path / changed).write_text("one==2\n")
    assert asked(RUNTIME) == [f"uv pip {DEVELOPMENT}"]
    assert asked(DEVELOPMENT) == []


def test_without_uv_a_changed_lock_file_means_a_new_environment(
    asked: Asked, tmp_path: Path
) -> None:
    asked(RUNTIME)
    (tmp_path / RUNTIME).write_text("one==2\n")
    assert asked(RUNTIME) == ["venv", f"pip {RUNTIME}"]


def test_a_lock_file_to_develop_with_is_nothing_to_the_product(
    asked: Asked, tmp_path: Path
) -> None:
    asked(RUNTIME)
    (tmp_path / DEVELOPMENT).write_text("one==2\n")
    assert asked(RUNTIME) == []


def test_uv_is_used_where_it_is_there(asked: Asked) -> None:
    assert asked(RUNTIME, uv=True) == ["uv venv", f"uv pip {RUNTIME}"]


@pytest.mark.parametrize("stamp", ["Python 3.11.0 in /elsewhere\nrequirements.lock\n", "", "x\n"])
def test_an_environment_of_somewhere_else_is_made_anew(
    asked: Asked, tmp_path: Path, stamp: str
) -> None:
    asked(DEVELOPMENT)
    (tmp_path / ".venv" / ".stamp").write_text(stamp)
    assert asked(RUNTIME) == ["venv", f"pip {RUNTIME}"]


def test_the_command_of_the_environment_is_the_package_of_the_folder(
    asked: Asked, tmp_path: Path
) -> None:
    asked(RUNTIME)
    (link,) = (tmp_path / ".venv").rglob("casework.pth")
    assert link.read_text() == f"{tmp_path}\n"
    script = tmp_path / ".venv" / "bin" / "casework"
    assert os.access(script, os.X_OK)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    told = subprocess.run(
        [script, "due", "survey", "--from", "2026-03-03"],
        capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(Path(dev.__file__).parent)},
    )  # fmt: skip
    assert told.stdout == "2026-03-03  2026-03-10\n", told.stderr


# What is missing


@pytest.mark.parametrize("version", [(3, 8, 10), (3, 10, 99)])
def test_an_older_python_is_told_so(monkeypatch: pytest.MonkeyPatch, version: tuple[int]) -> None:
    monkeypatch.setattr(dev, "sys", SimpleNamespace(version_info=version, exit=sys.exit))
    with pytest.raises(SystemExit, match=r"casework needs Python 3\.11 or newer; this is [\d.]+$"):
        dev.main("demo")


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(SystemExit, match=r"^dev\.py: no-such-program is needed and not installed"):
        dev.run("no-such-program", "--version")


def test_a_python_without_ensurepip_is_told_what_to_install(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dev.importlib.util.find_spec", lambda _name: None)
    with pytest.raises(SystemExit, match=r"^dev\.py: .* install python3-venv or uv\.$"):
        asked(RUNTIME)


def test_an_unknown_task_is_followed_by_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main("wash") == 2
    assert capsys.readouterr().err.startswith("dev.py: there is no task 'wash'.\n\n")
    assert dev.main("--help") == 0
    explained = re.findall(r"^  (\w+) ", capsys.readouterr().out, re.MULTILINE)
    assert {*dev.COMMANDS, "setup", "check", "browser", "lock"} == set(explained)
