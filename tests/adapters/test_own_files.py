"""The files of an installation on SQLite are the owner's alone, whatever the usual mask allows."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.sheets.workbooks import write_workbook
from casework.settings import Settings


@pytest.fixture(autouse=True)
def _everybody_may_read() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """The rights on a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_database_and_what_sqlite_puts_beside_it_are_the_owners(tmp_path: Path) -> None:
    file = tmp_path / "casework.sqlite"
    engine = open_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE note (text)"))
        connection.execute(text("INSERT INTO note VALUES ('a')"))
        beside = sorted(one.name for one in tmp_path.iterdir())
        assert beside == ["casework.sqlite", "casework.sqlite-shm", "casework.sqlite-wal"]
        assert {mode(one) for one in tmp_path.iterdir()} == {0o600}
    engine.dispose()


def test_the_folder_of_the_data_and_its_keys_are_the_owners(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    settings.key("token")
    assert mode(tmp_path / "data") == 0o700
    assert mode(tmp_path / "data" / "token.key") == 0o600


def test_a_folder_that_was_there_stays_as_the_operator_made_it(tmp_path: Path) -> None:
    there = tmp_path / "data"
    there.mkdir(mode=0o750)
    Settings(data_dir=there).url()
    assert mode(there) == 0o750


def test_no_file_is_written_while_a_workbook_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: set[str] = set()

    def rows() -> Iterator[list[str]]:
        for number in range(3000):
            seen.update(one.name for one in tmp_path.rglob("*"))
            yield [f"김영수{number}"] * 3

    assert write_workbook(["name", "other", "more"], rows())
    assert seen == set()
    assert list(tmp_path.iterdir()) == []
