#!/usr/bin/env python3
"""One command for every task: `python3 dev.py TASK [args…]`.

These need what runs the product, about 150 MB:

  demo     start the product with invented people and places   (casework demo …args)
  serve    start the API server                                (casework serve …args)
  casework any other command of the product                    (casework …args)

These need what it is developed with as well, and install it when first called:

  setup    make .venv and install everything that is locked
  test     run the tests on SQLite and on PostgreSQL           (pytest …args)
           --deep: the long campaigns, and the other store of what runs on one
           --on 2028-02-29T10:00: as if it were then in Seoul (with libfaketime)
  check    format, lint, types, import rules and migration drift
  bench    measure on a throw-away PostgreSQL                  (casework bench …args)
  proof    prove a promise many times over: sweeps, tampering, imports, … (tests/proofs)
  browser  install Chromium and Korean fonts, for the tests of the pages
  lock     resolve pyproject.toml into the lock files          (uv pip compile …args)

Every task runs in the folder of the project, wherever it is called from.
"""

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

HELP = (__doc__ or "").strip()
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = str(BIN / "python")
# What runs the product; the same versions, and what it is developed with.
RUNTIME = ROOT / "requirements.lock"
DEVELOPMENT = ROOT / "requirements-dev.lock"
# What runs the product, and the extra that sends traces.
TELEMETRY = ROOT / "requirements-telemetry.lock"
STAMP = VENV / ".casework-lock"

CASEWORK = [PYTHON, "-m", "casework"]
COMMANDS = {
    "demo": [*CASEWORK, "demo"],
    "serve": [*CASEWORK, "serve"],
    "casework": CASEWORK,
    "test": [PYTHON, "-m", "tests.run"],
    "bench": [PYTHON, "-m", "tests.postgres", "run", "--", *CASEWORK, "bench"],
    "proof": [PYTHON, "-m", "tests.proofs"],
}
LEAN = ("demo", "serve", "casework")
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
    "pip compile --universal --python-version 3.11 --generate-hashes "
    "--no-header --no-annotate --quiet pyproject.toml"
)


def run(*command: str) -> None:
    """Run a command in the project's folder; end with its exit code where that is not zero."""
    try:
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
    except FileNotFoundError:
        sys.exit(f"dev.py: {command[0]} is needed and not installed.")
    if code:
        sys.exit(code)


def setup(lock: Path) -> None:
    """Make .venv and install a lock file into it, unless its stamp says that this is done.

    What it is developed with stays for `demo` and `serve`, and is brought up to date with them.
    """
    # An environment is bound to its Python and its folder; to another lock file it can be brought.
    home = f"Python {platform.python_version()} in {ROOT}"
    stamp = STAMP.read_text(encoding="utf-8") if STAMP.exists() else ""
    there = stamp.splitlines() if stamp.startswith(f"{home}\n") else []
    if there[1:2] == [DEVELOPMENT.name]:
        lock = DEVELOPMENT
    wanted = [home, lock.name, *(_digest(one) for one in (RUNTIME, lock))]
    if there == wanted:
        return
    what = "runs the product" if lock == RUNTIME else "the product is developed with"
    print(f"setup: installing what {what} into .venv", flush=True)
    STAMP.unlink(missing_ok=True)
    # Without uv nothing takes away what a lock file no longer names, so that .venv is made again.
    if there[2:3] == wanted[2:3] or (there and _uv()):
        install(lock)
    else:
        make()
        install(lock)
    link()
    STAMP.write_text("\n".join(wanted), encoding="utf-8")


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _uv() -> str:
    """The path of uv, from .venv or elsewhere; empty where there is none."""
    return shutil.which("uv", path=str(BIN)) or shutil.which("uv") or ""


def make() -> None:
    """Make a new .venv."""
    shutil.rmtree(VENV, ignore_errors=True)
    # Not sys.executable, which in an activated .venv has just gone.
    base = getattr(sys, "_base_executable", sys.executable)
    uv = _uv()
    if uv:
        run(uv, "venv", "--quiet", "--python", base, str(VENV))
    elif importlib.util.find_spec("ensurepip"):
        run(base, "-m", "venv", str(VENV))
    else:
        sys.exit("dev.py: this Python makes no environments: install python3-venv or uv.")


def link() -> None:
    """Let `casework` in .venv be the package of this folder, as an editable install does."""
    # Written by hand, so that nothing has to be there to build with.
    site = VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (site / "casework.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    script = BIN / "casework"
    command = f'#!/bin/sh\nexec {shlex.quote(PYTHON)} -P -m casework "$@"\n'
    script.write_text(command, encoding="utf-8")
    script.chmod(0o755)


def install(lock: Path) -> None:
    """Install exactly what a lock file names, each file by its hash."""
    uv = _uv()
    if uv:
        run(uv, "pip", "sync", str(lock), "--require-hashes", "--quiet", "--python", PYTHON)
    else:
        pip = [PYTHON, "-m", "pip", "--quiet", "--quiet", "--disable-pip-version-check"]
        run(*pip, "install", "--no-compile", "--no-deps", "--require-hashes", "-r", str(lock))


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
    """Resolve pyproject.toml into the lock files, and install the result."""
    if not _uv():
        setup(DEVELOPMENT)
    compile_ = [_uv() or "uv", *COMPILE.split(), *args]
    run(
        *compile_,
        "--extra",
        "dev",
        "--extra",
        "client",
        "--extra",
        "telemetry",
        "-o",
        DEVELOPMENT.name,
    )
    run(*compile_, "--constraint", DEVELOPMENT.name, "-o", RUNTIME.name)
    with_traces = [*compile_, "--extra", "telemetry"]
    run(*with_traces, "--constraint", DEVELOPMENT.name, "-o", TELEMETRY.name)
    setup(DEVELOPMENT)


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
    setup(RUNTIME if task in LEAN else DEVELOPMENT)
    if task == "setup":
        return 0
    if task == "check":
        return check()
    if task == "browser":
        browser()
        return 0
    # Compiled modules are kept beside what is installed, also where none may be written into the
    # tree: each process of the tests would compile 2,000 of them anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(VENV / "pycache")
    # The tools of .venv go first, for what the task starts in its turn.
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # The task takes over this process, so that a signal (Ctrl-C, a stop) reaches it and no other.
    os.chdir(ROOT)
    os.execv(PYTHON, [*COMMANDS[task], *args])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
