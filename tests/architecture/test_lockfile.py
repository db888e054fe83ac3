"""The lock file is for everyone: it names no package index and says what pyproject.toml says."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
IGNORED = {"uv.lock"}  # records index hosts, and is therefore never committed
LOCK_FILES = sorted(path.name for path in ROOT.glob("*.lock") if path.name not in IGNORED)


def pins() -> dict[str, str]:
    """The locked version of each distribution, by its canonical name."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", text, flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def requirements() -> list[Requirement]:
    """What pyproject.toml asks for: to run, to develop and to build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["build-system"]["requires"],
    ]
    return [Requirement(line) for line in asked]


@pytest.mark.parametrize("name", LOCK_FILES)
def test_a_lock_file_holds_no_address(name: str) -> None:
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_a_lock_file_that_records_hosts_is_ignored() -> None:
    assert set((ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()) >= IGNORED


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_is_locked_at_a_version_it_allows(requirement: Requirement) -> None:
    locked = pins().get(canonicalize_name(requirement.name))
    assert locked is not None, "run `python3 dev.py lock`"
    assert locked in requirement.specifier


def test_every_locked_version_is_pinned_by_hash() -> None:
    entries = re.split(r"\n(?=[\w.-]+==)", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert len(entries) == len(pins())
