"""The migration of duplicates: there is no way back while a merge stands."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from casework.adapters.persistence.schema import migrations

MERGE = """INSERT INTO resident_merge
  (id, survivor_id, duplicate_id, reason, merged_at, survivor_centre, duplicate_centre, undone_at)
  VALUES ('{0}', '{1}', '{2}', 'x', '2026-03-02 00:00:00', '1', '2', {3})"""


def down_from_here() -> tuple[str, str]:
    """The migration under test, and the one before it, whatever their numbers."""
    (found,) = [
        script
        for script in ScriptDirectory(str(migrations.MIGRATIONS)).walk_revisions()
        if "duplicates_merges_households" in Path(script.path).stem
    ]
    return found.revision, str(found.down_revision)


def test_a_merge_that_stands_keeps_its_tables_and_one_that_was_undone_does_not(
    tmp_path: Path,
) -> None:
    here, before = down_from_here()
    path = tmp_path / "merged.sqlite"
    url = f"sqlite:///{path}"
    migrations.upgrade(url, here)
    write(path, MERGE.format("0" * 32, "1" * 32, "2" * 32, "NULL"))
    with pytest.raises(RuntimeError, match="1 merges stand: undo them"):
        migrations.downgrade(url, before)
    assert "merge_child" in tables(url)
    write(path, "UPDATE resident_merge SET undone_at = '2026-03-03 00:00:00'")
    migrations.downgrade(url, before)
    assert not {"merge_child", "household", "duplicate_suspicion"} & tables(url)


def write(path: Path, statement: str) -> None:
    """Write without the foreign keys, which a connection of its own does not heed."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def tables(url: str) -> set[str]:
    """What stands there."""
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()
