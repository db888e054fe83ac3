"""The migration of the directory: designations leave their list, and come back into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.schema import migrations
from tests import postgres

A, B, C = uuid4(), uuid4(), uuid4()
BEFORE = (
    "INSERT INTO district (code, name_ko, name_en) VALUES ('1', '가', 'a')",
    "INSERT INTO service (code, field, name_ko, name_en, run_by, unit, basis, certainty)"
    " VALUES ('S', 'care', '가', 'a', 'city', 'visit', 'Act 18', 'C'),"
    " ('T', 'care', '나', 'b', 'city', 'visit', 'Act 18', 'C')",
    *(
        "INSERT INTO provider (id, slug, name, kind, phone, district_code, lat, lon, designations,"
        f" is_active) VALUES ('{{{slug}}}', '{slug}', '가', 'clinic', '051', '1', 35, 129,"
        f" '{codes}', true)"
        for slug, codes in (
            ("a", '["home_visit_15", "agreement_hospital"]'), ("b", "[]"), ("c", "[]"),
        )
    ),
    *(
        "INSERT INTO offering (id, provider_id, service_code, is_open, capacity, available,"
        f" waiting, unit, as_of) VALUES ('{{{slug}}}', '{{{slug}}}', 'S', true, 2, 1, 0,"
        " 'visit', '2026-03-02 00:00:00.000000')"
        for slug in ("a", "b")
    ),
)  # fmt: skip


def step() -> tuple[str, str]:
    """The migration under test, and the one before it, whatever their numbers."""
    (found,) = [
        script
        for script in ScriptDirectory(str(migrations.MIGRATIONS)).walk_revisions()
        if Path(script.path).stem.endswith("_directory")
    ]
    return found.revision, str(found.down_revision)


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database as it stood before, with agencies in it."""
    if request.param == "sqlite":
        yield from _filled(f"sqlite:///{tmp_path / 'before.sqlite'}")
    else:
        server: postgres.Server = request.getfixturevalue("postgres_server")
        with server.database(f"casework-{uuid4().hex}") as url:
            yield from _filled(url)


def _filled(url: str) -> Iterator[Engine]:
    migrations.upgrade(url, step()[1])
    engine = open_engine(url)
    ids = {"a": A, "b": B, "c": C}
    if engine.dialect.name == "sqlite":
        ids = {slug: id.hex for slug, id in ids.items()}  # type: ignore[misc]
    with engine.begin() as connection:
        for statement in BEFORE:
            connection.exec_driver_sql(statement.format_map(_Ids(ids)))
    yield engine
    engine.dispose()


class _Ids(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def read(engine: Engine, query: str) -> list[tuple[object, ...]]:
    """What a query finds."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def url_of(engine: Engine) -> str:
    """Where it is, with its password."""
    return engine.url.render_as_string(hide_password=False)


def test_what_stood_there_is_published_and_its_designations_hold_from_before(
    engine: Engine,
) -> None:
    migrations.upgrade(url_of(engine), step()[0])
    held = read(
        engine,
        "SELECT p.slug, d.code, d.valid_from, d.valid_to FROM designation d"
        " JOIN provider p ON p.id = d.provider_id ORDER BY d.code",
    )
    assert held == [("a", "agreement_hospital", None, None), ("a", "home_visit_15", None, None)]
    assert read(engine, "SELECT DISTINCT state, version FROM offering") == [("published", 1)]
    assert read(engine, "SELECT DISTINCT state, version FROM service") == [("published", 1)]


def test_on_the_way_back_nobody_is_asked_who_is_not_listed(engine: Engine) -> None:
    here, before = step()
    migrations.upgrade(url_of(engine), here)
    with engine.begin() as connection:
        for statement in (
            "UPDATE designation SET valid_to = '2020-01-01' WHERE code = 'agreement_hospital'",
            "UPDATE offering SET state = 'confirmed' WHERE provider_id ="
            " (SELECT id FROM provider WHERE slug = 'b')",
            "UPDATE provider SET ended_on = '2020-01-01' WHERE slug = 'c'",
            "UPDATE service SET state = 'proposed'",
        ):
            connection.execute(text(statement))
    migrations.downgrade(url_of(engine), before)
    lists = read(engine, "SELECT CAST(designations AS TEXT) FROM provider ORDER BY slug")
    assert lists == [('["home_visit_15"]',), ("[]",), ("[]",)]
    active = read(engine, "SELECT is_active FROM provider ORDER BY slug")
    assert [bool(one) for (one,) in active] == [True, True, False]
    asked = "SELECT is_open FROM offering o JOIN provider p ON p.id = o.provider_id ORDER BY slug"
    assert [bool(one) for (one,) in read(engine, asked)] == [True, False]
    assert read(engine, "SELECT code FROM service") == [("S",)]
