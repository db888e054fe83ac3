"""The lock files are for everyone: they name no package index and say what pyproject.toml says."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
TELEMETRY = "requirements-telemetry.lock"
IGNORED = {"uv.lock"}  # records index hosts, and is therefore never committed
LOCK_FILES = sorted(path.name for path in ROOT.glob("*.lock") if path.name not in IGNORED)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TO_RUN = PROJECT["project"]["dependencies"]
TO_TRACE = [*TO_RUN, *PROJECT["project"]["optional-dependencies"]["telemetry"]]
TO_DEVELOP = [
    *TO_TRACE,
    *PROJECT["project"]["optional-dependencies"]["dev"],
    *PROJECT["project"]["optional-dependencies"]["client"],
    *PROJECT["build-system"]["requires"],
]


def entries(lock: str) -> dict[str, str]:
    """What a lock file says of each distribution, its version and hashes, by canonical name."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+)(==[^\n]+\n(?: +[^\n]+\n)*)", text, flags=re.MULTILINE)
    assert "".join(name + entry for name, entry in found) == text
    return {canonicalize_name(name): entry for name, entry in found}


def version(entry: str) -> str:
    """The version that an entry pins."""
    return re.split(r"[\s;]", entry.removeprefix("=="))[0]


def test_there_are_three_lock_files() -> None:
    assert sorted([RUNTIME, DEVELOPMENT, TELEMETRY]) == LOCK_FILES


@pytest.mark.parametrize("name", LOCK_FILES)
def test_a_lock_file_holds_no_address(name: str) -> None:
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_a_lock_file_that_records_hosts_is_ignored() -> None:
    assert set((ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()) >= IGNORED


@pytest.mark.parametrize(
    ("lock", "line"),
    [(RUNTIME, line) for line in TO_RUN]
    + [(TELEMETRY, line) for line in TO_TRACE]
    + [(DEVELOPMENT, line) for line in TO_DEVELOP],
)
def test_every_requirement_is_locked_at_a_version_it_allows(lock: str, line: str) -> None:
    requirement = Requirement(line)
    locked = entries(lock).get(canonicalize_name(requirement.name))
    assert locked is not None, "run `python3 dev.py lock`"
    assert version(locked) in requirement.specifier


@pytest.mark.parametrize("lock", LOCK_FILES)
def test_every_locked_version_is_pinned_by_hash(lock: str) -> None:
    assert [name for name, entry in entries(lock).items() if "--hash=sha256:" not in entry] == []


def test_what_runs_the_product_is_what_it_is_developed_with() -> None:
    runtime, development = entries(RUNTIME), entries(DEVELOPMENT)
    assert len(runtime) < len(development)
    assert {name: development.get(name) for name in runtime} == runtime
    traced = entries(TELEMETRY)
    assert {name: traced.get(name) for name in runtime} == runtime
    assert {name: development[name].partition(";")[0] for name in traced} == {
        name: entry.partition(";")[0] for name, entry in traced.items()
    }


@pytest.mark.parametrize("folder", ["casework", "migrations"])
def test_the_product_imports_only_what_is_installed_to_run_it(folder: str) -> None:
    distributions, locked = packages_distributions(), entries(RUNTIME)
    known = {"casework", *sys.stdlib_module_names}
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in imported(path) - known
        if not locked.keys() & {canonicalize_name(one) for one in distributions.get(name, ())}
    }
    assert missing == set()


def imported(path: Path) -> set[str]:
    """The packages that a file imports anywhere in it, in functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found
