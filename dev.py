#!/usr/bin/env python3
"""One command for every task: python3 dev.py TASK [args…]

  setup   make .venv and install the locked requirements (every other task does so first)
  demo    start the product with invented people and places    (casework demo …args)
  serve   start the API server                                 (casework serve …args)
  test    run the tests on SQLite and on PostgreSQL            (pytest …args)
  check   format, lint, types, import rules and migration drift
  bench   measure on a throw-away PostgreSQL                   (casework bench …args)
  proof   prove a promise many times over: sweeps, tampering, imports, … (tests/proofs)
  browser install Chromium and Korean fonts, for the tests of the pages
  lock    resolve pyproject.toml into requirements.lock        (uv pip compile …args)

Every task runs in the folder of the project, wherever it is called from.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HELP = (__doc__ or "").strip()
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = str(BIN / "python")
UV = str(BIN / "uv")
PROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / ".casework-lock"

CASEWORK = [PYTHON, str(BIN / "casework")]
COMMANDS = {
    "demo": [*CASEWORK, "demo"],
    "serve": [*CASEWORK, "serve"],
    "test": [PYTHON, "-m", "pytest"],
    "bench": [PYTHON, "-m", "tests.postgres", "run", "--", *CASEWORK, "bench"],
    "proof": [PYTHON, "-m", "tests.proofs"],
}
CHECKS = {
    "format": [PYTHON, "-m", "ruff", "format", "--check"],
    "lint": [PYTHON, "-m", "ruff", "check"],
    "types": [PYTHON, "-m", "mypy"],
    "imports": [PYTHON, str(BIN / "lint-imports"), "--no-logo"],
    "migration drift": [PYTHON, "-m", "tests.drift"],
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_PACKAGES = ("chromium", "fonts-noto-cjk")
COMPILE = (
    "pip compile --universal --python-version 3.11 --extra dev --generate-hashes "
    "--no-header --no-annotate --quiet pyproject.toml -o requirements.lock"
)


def run(*command: str) -> None:
    """Run a command in the project's folder; end with its exit code where that is not zero."""
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if code:
        sys.exit(code)


def setup() -> None:
    """Make .venv and install the locked requirements, unless its stamp says that this is done."""
    # An environment is bound to its Python and its folder; to another lock file it can be brought.
    home = f"Python {platform.python_version()} in {ROOT}\n"
    digest = hashlib.sha256(LOCK.read_bytes() + PROJECT.read_bytes()).hexdigest()
    stamp = STAMP.read_text(encoding="utf-8") if STAMP.exists() else ""
    if stamp == home + digest:
        return
    print("setup: installing the locked requirements into .venv", flush=True)
    if stamp.startswith(home):
        STAMP.unlink()
        uv: str | None = UV
    else:
        shutil.rmtree(VENV, ignore_errors=True)
        # Not sys.executable, which in an activated .venv has just gone.
        base = getattr(sys, "_base_executable", sys.executable)
        uv = shutil.which("uv")
        make = [uv, "venv", "--quiet", "--python", base] if uv else [base, "-m", "venv"]
        run(*make, str(VENV))
    pip = [uv, "pip"] if uv else [PYTHON, "-m", "pip"]
    target = ["--quiet", "--python", PYTHON] if uv else ["--quiet"]
    sync = ["sync"] if uv else ["install", "-r"]
    run(*pip, *sync, str(LOCK), "--require-hashes", *target)
    run(*pip, "install", "--no-deps", "--no-build-isolation", "-e", str(ROOT), *target)
    STAMP.write_text(home + digest, encoding="utf-8")


def browser() -> None:
    """Install a browser, unless there is one: by apt, or else Playwright's own."""
    if any(map(shutil.which, BROWSERS)):
        return
    if shutil.which("apt-get"):
        run("apt-get", "update", "--quiet")
        run("apt-get", "install", "--quiet", "--yes", *BROWSER_PACKAGES)
    else:
        run(PYTHON, "-m", "playwright", "install", "chromium")


def check() -> int:
    """Run every check and report each; return the first exit code that is not zero."""
    codes = {}
    for name, command in CHECKS.items():
        print(f"── {name}", flush=True)
        codes[name] = subprocess.run(command, cwd=ROOT, check=False).returncode
    print("── result")
    for name, code in codes.items():
        print(f"   {name}: {'ok' if code == 0 else f'failed ({code})'}")
    return next((code for code in codes.values() if code), 0)


def lock(*args: str) -> None:
    """Resolve pyproject.toml into requirements.lock with the locked uv, and install the result."""
    if not Path(UV).exists():
        setup()
    run(UV, *COMPILE.split(), *args)
    setup()


def main(task: str = "--help", *args: str) -> int:
    """Run one task; return its exit code."""
    if sys.version_info < (3, 11):
        sys.exit(f"casework needs Python 3.11 or newer; this is {platform.python_version()}.")
    if task in ("-h", "--help", "help"):
        print(HELP)
        return 0
    if task not in ("setup", "check", "browser", "lock", *COMMANDS):
        print(f"dev.py: there is no task {task!r}.\n\n{HELP}", file=sys.stderr)
        return 2
    if task == "lock":
        lock(*args)
        return 0
    setup()
    if task == "setup":
        return 0
    if task == "check":
        return check()
    if task == "browser":
        browser()
        return 0
    # The tools of .venv go first, for what the task starts in its turn.
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # The task takes over this process, so that a signal (Ctrl-C, a stop) reaches it and no other.
    os.chdir(ROOT)
    os.execv(PYTHON, [*COMMANDS[task], *args])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
