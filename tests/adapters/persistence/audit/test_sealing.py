"""The audit's hash chains: sealed in order, reported broken wherever they were tampered with."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from casework import operations
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.chain_store import SqlAuditChainStore
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.tables.audit import audit_head, audit_pending, audit_seal
from casework.domain.audit.chain import CHAIN_LIST, CITY, Flaw, retention_start
from casework.domain.errors import Invalid
from casework.workflows.audit.sealing import AuditCheck, verify
from tests.api.acts import a_case
from tests.api.asking import ABSENT
from tests.api.conftest import DISTRICT, OTHER_DISTRICT, STRANGER, WORKER, Api
from tests.audit import free_hand, leave_as_it_was, seal

KEY = b"a" * 32


def look_around(api: Api) -> None:
    """Entries in three chains: two districts and the city."""
    for username in (WORKER, STRANGER, "admin"):
        for _ in range(3):
            api.as_(username).get("/accounts")
    api.as_(WORKER).get(f"/cases/{ABSENT}")


def checked(api: Api, **how: Any) -> AuditCheck:
    """What a check finds, page by page of two."""
    return verify(api.application.seals, KEY, api.clock.now, page=2, **how)


def seals(api: Api, chain: str) -> list[Any]:
    """The seals of a chain, in order."""
    query = select(audit_seal).where(audit_seal.c.chain == chain).order_by(audit_seal.c.seq)
    with api.engine.connect() as connection:
        return list(connection.execute(query))


@pytest.fixture
def sealed(api: Api) -> Api:
    """A small world with audit entries, all of them sealed."""
    look_around(api)
    seal(api.application)
    return api


def test_each_district_has_a_chain_and_what_has_none_is_the_citys(sealed: Api) -> None:
    assert [len(seals(sealed, chain)) for chain in (DISTRICT, OTHER_DISTRICT, CITY)] == [4, 3, 3]
    for chain in (DISTRICT, OTHER_DISTRICT, CITY):
        rows = seals(sealed, chain)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert set(sealed.application.seals.heads()) == {DISTRICT, OTHER_DISTRICT, CITY, CHAIN_LIST}
    found = checked(sealed)
    assert (found.entries, found.chains, found.waiting, found.flaws) == (10, 3, 0, [])


def test_entries_are_sealed_at_once_on_sqlite_and_soon_after_on_postgresql(api: Api) -> None:
    look_around(api)
    waiting = checked(api).waiting
    assert waiting == (10 if api.engine.dialect.name == "postgresql" else 0)
    assert seal(api.application).entries == waiting
    assert seal(api.application).entries == 0
    assert checked(api) == AuditCheck(entries=10, chains=3)


def test_an_entry_that_waits_too_long_is_a_flaw(api: Api) -> None:
    look_around(api)
    with api.engine.begin() as connection:
        free_hand(connection)
        connection.execute(delete(audit_seal))
        connection.execute(delete(audit_head))
        connection.execute(delete(audit_pending))
        ids = connection.scalars(select(t.audit_entry.c.id)).all()
        connection.execute(insert(audit_pending), [{"entry_id": id} for id in ids])
        leave_as_it_was(connection)
    api.clock.forward(minutes=10)
    assert checked(api).flaws == []
    api.clock.forward(seconds=1)
    assert {flaw.why for flaw in checked(api).flaws} == {"entry_unsealed"}
    assert seal(api.application).entries == 10
    assert checked(api).flaws == []


COLUMNS = [column.name for column in t.audit_entry.columns if column.name != "id"]
OTHER: dict[str, Any] = {
    "at": datetime(2026, 3, 2, 1, 0, 0, 1, tzinfo=UTC),
    "actor_id": ABSENT,
    "subjects": [str(ABSENT)],
    "outcome": "failed",
    "district_code": OTHER_DISTRICT,
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_change_of_any_column_is_found_at_its_entry(sealed: Api, column: str) -> None:
    second = seals(sealed, DISTRICT)[1]
    with sealed.engine.begin() as connection:
        free_hand(connection)
        connection.execute(
            update(t.audit_entry)
            .where(t.audit_entry.c.id == second.entry_id)
            .values({column: OTHER.get(column, "x")})
        )
    assert checked(sealed).flaws == [
        Flaw(chain=DISTRICT, why="entry_altered", seq=2, entry_id=second.entry_id)
    ]


def test_deletions_cuts_and_edits_of_the_seals_are_found(sealed: Api) -> None:
    rows, chain = seals(sealed, DISTRICT), audit_seal.c.chain == DISTRICT
    entry, seq = t.audit_entry.c.id, audit_seal.c.seq
    head = audit_head.c.chain == DISTRICT
    first, second, third, fourth = (row.entry_id for row in rows)
    swapped = {2: third, 3: second}
    cases: list[tuple[list[Any], Flaw]] = [
        ([delete(t.audit_entry).where(entry == second)], flaw("entry_missing", 2, second)),
        ([delete(audit_seal).where(chain, seq == 2)], flaw("seal_missing", 2, third)),
        (
            [
                delete(audit_seal).where(chain, seq == 2),
                delete(t.audit_entry).where(entry == second),
            ],
            flaw("seal_missing", 2, third),
        ),
        (
            [
                delete(audit_seal).where(chain, seq == 4),
                delete(t.audit_entry).where(entry == fourth),
            ],
            flaw("tail_cut", 4),
        ),
        (
            [
                delete(audit_seal).where(chain, seq == 4),
                delete(t.audit_entry).where(entry == fourth),
                update(audit_head).where(head).values(count=3, last_hash=rows[2].hash),
            ],
            flaw("head_altered"),
        ),
        (
            [update(audit_seal).where(chain, seq == 2).values(hash="0" * 64)],
            flaw("entry_altered", 2, second),
        ),
        (
            [update(audit_seal).where(chain, seq == 3).values(previous="0" * 64)],
            flaw("seal_altered", 3, third),
        ),
        (
            [
                update(audit_seal).where(chain, seq == 2).values(entry_id=ABSENT),
                update(audit_seal).where(chain, seq == 3).values(entry_id=swapped[3]),
                update(audit_seal).where(chain, seq == 2).values(entry_id=swapped[2]),
            ],
            flaw("entry_altered", 2, third),
        ),
        ([delete(audit_head).where(head)], flaw("head_missing", 1, first)),
        ([update(audit_head).where(head).values(mac="0" * 64)], flaw("head_altered")),
        (
            [insert(audit_seal).values(rows[3]._asdict() | {"seq": 5, "entry_id": ABSENT})],
            flaw("seal_beyond_head", 5, ABSENT),
        ),
        (
            [delete(audit_head).where(audit_head.c.chain == CHAIN_LIST)],
            Flaw(chain=CHAIN_LIST, why="chains_altered"),
        ),
    ]  # fmt: skip
    for statements, expected in cases:
        with sealed.engine.connect() as connection:
            free_hand(connection)
            for statement in statements:
                connection.execute(statement)
            found = verify_within(connection, sealed)
            connection.rollback()
        assert expected in found.flaws, (expected, found.flaws)
    assert checked(sealed).flaws == []


def flaw(why: str, seq: int | None = None, entry_id: UUID | None = None) -> Flaw:
    """A flaw in the chain of the district."""
    return Flaw(chain=DISTRICT, why=why, seq=seq, entry_id=entry_id)


def verify_within(connection: Any, api: Api) -> AuditCheck:
    """Check the state inside an open transaction."""
    return verify(SqlAuditChainStore(lambda: nullcontext(connection)), KEY, api.clock.now)


def test_a_whole_chain_that_is_taken_away_is_missed(sealed: Api) -> None:
    with sealed.engine.begin() as connection:
        free_hand(connection)
        for table, column in (
            (audit_seal, audit_seal.c.chain),
            (audit_head, audit_head.c.chain),
            (t.audit_entry, t.audit_entry.c.district_code),
        ):
            connection.execute(delete(table).where(column == DISTRICT))
    assert checked(sealed).flaws == [Flaw(chain=CHAIN_LIST, why="chains_altered")]


def test_an_entry_that_went_past_the_sealer_is_found(sealed: Api) -> None:
    with sealed.engine.begin() as connection:
        row = connection.execute(select(t.audit_entry).limit(1)).one()
        made_up = dict(row._mapping) | {"id": new_id()}
        free_hand(connection)
        connection.execute(insert(t.audit_entry), [made_up])
    assert checked(sealed).flaws == [
        Flaw(chain=DISTRICT, why="entry_unsealed", entry_id=made_up["id"])
    ]


def test_nothing_is_sealed_onto_a_head_that_somebody_changed(sealed: Api) -> None:
    with sealed.engine.begin() as connection:
        connection.execute(update(audit_head).where(audit_head.c.chain == DISTRICT).values(count=9))
    assert sealed.as_(WORKER).get("/accounts").status_code == 200, "the house goes on"
    assert sealed.as_(STRANGER).get("/accounts").status_code == 200
    assert [flaw.chain for flaw in seal(sealed.application).flaws] == [DISTRICT]
    assert [len(seals(sealed, chain)) for chain in (DISTRICT, OTHER_DISTRICT)] == [4, 4]
    found = checked(sealed)
    assert (found.flaws, found.waiting) == ([flaw("head_altered")], 1)


def test_a_database_that_was_set_back_is_found_by_an_exported_head(sealed: Api) -> None:
    exported = list(sealed.application.seals.heads().values())
    assert checked(sealed, exported=exported).flaws == []
    look_around(sealed)
    seal(sealed.application)
    assert checked(sealed, exported=exported).flaws == [], "it went on"
    later = list(sealed.application.seals.heads().values())
    with sealed.engine.begin() as connection:  # the state of the first export, restored
        free_hand(connection)
        for head in exported:
            chain = head.chain
            old = select(audit_seal.c.entry_id).where(
                audit_seal.c.chain == chain, audit_seal.c.seq > head.count
            )
            if chain != CHAIN_LIST:
                connection.execute(delete(t.audit_entry).where(t.audit_entry.c.id.in_(old)))
                connection.execute(
                    delete(audit_seal).where(
                        audit_seal.c.chain == chain, audit_seal.c.seq > head.count
                    )
                )
            connection.execute(
                update(audit_head)
                .where(audit_head.c.chain == chain)
                .values(count=head.count, last_hash=head.last_hash, mac=head.mac)
            )
    assert checked(sealed).flaws == [], "by itself it is whole"
    found = checked(sealed, exported=later).flaws
    assert {one.why for one in found} == {"not_as_exported"}
    assert {one.chain for one in found} == {DISTRICT, OTHER_DISTRICT, CITY}
    forged = [replace(head, mac="0" * 64) for head in exported]
    assert len(checked(sealed, exported=forged).flaws) == len(forged)


def test_a_sweep_that_changed_something_is_an_entry_that_names_its_run(api: Api) -> None:
    def runs() -> list[Any]:
        entry = t.audit_entry.c
        query = select(entry.actor, entry.role, entry.task, entry.asked_for)
        with api.engine.connect() as connection:
            return [
                tuple(row) for row in connection.execute(query.where(entry.action == "job.change"))
            ]

    a_case(api)
    api.application.sweep(api.application.context())
    assert runs() == [], "nothing was due yet"
    api.clock.set("2026-03-20T10:00")
    api.application.sweep(api.application.context(), dry_run=True)
    assert runs() == []
    result = api.application.sweep(api.application.context())
    assert result is not None
    assert result.changed > 0
    assert runs() == [("casework", "system", "sweep overdue", str(result.run_id))]


# Append-only


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'x'",
        "DELETE FROM audit_entry",
        "UPDATE audit_seal SET hash = 'x'",
        "DELETE FROM audit_seal",
        "DELETE FROM audit_head",
    ],
)
def test_whoever_may_write_can_only_add(api: Api, statement: str) -> None:
    # The database judges by its own clock how old an entry is, and lets go of what is old enough.
    api.clock.now = datetime.now(UTC)
    look_around(api)
    seal(api.application)
    with api.engine.connect() as connection, pytest.raises(DBAPIError, match="only added to"):
        connection.execute(text(statement))
    assert checked(api) == AuditCheck(entries=10, chains=3)


def test_no_table_of_the_audit_is_emptied_or_written_over_as_a_whole(sealed: Api) -> None:
    on_sqlite = sealed.engine.dialect.name == "sqlite"
    for table in ("audit_entry", "audit_seal", "audit_head"):
        statement = f"TRUNCATE {table}"
        if on_sqlite:
            statement = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
        if on_sqlite and table == "audit_head":
            continue  # a head does change; its mark protects it
        with sealed.engine.connect() as connection, pytest.raises(DBAPIError, match="only added"):
            connection.execute(text(statement))
    assert checked(sealed) == AuditCheck(entries=10, chains=3)


# Retention: deleting old entries


def old_entries(api: Api) -> None:
    """Entries of 2023 and 2024, sealed, before those of today."""
    now = api.clock.now
    for moment in ("2023-05-01T10:00", "2024-03-01T10:00", "2024-03-02T10:00"):
        api.clock.set(moment)
        api.as_(WORKER).get("/accounts")
        seal(api.application)
    api.clock.now = now
    look_around(api)
    seal(api.application)


def test_what_is_older_than_two_years_is_forgotten_and_the_rest_still_holds(api: Api) -> None:
    old_entries(api)
    assert operations.prune_audit(api.application, retention_start(api.clock.now)) == 2
    rows = seals(api, DISTRICT)
    assert rows[0].seq == 3, "the entry of two years ago to the moment is kept"
    seal(api.application)
    found = checked(api)
    assert found.flaws == []
    with api.engine.connect() as connection:
        pruned = connection.execute(
            select(t.audit_entry).where(t.audit_entry.c.action == "audit.prune")
        ).all()
    assert [(one.role, one.asked_for) for one in pruned] == [("system", f"{DISTRICT} up to 2")]
    look_around(api)
    seal(api.application)
    assert checked(api).flaws == []


def test_nothing_younger_is_forgotten_whatever_is_asked_for(api: Api) -> None:
    old_entries(api)
    before = len(seals(api, DISTRICT))
    limit = retention_start(api.clock.now)
    with pytest.raises(Invalid, match="kept for 2 years"):
        operations.prune_audit(api.application, limit + timedelta(microseconds=1))
    assert len(seals(api, DISTRICT)) == before
    assert retention_start(api.clock.now, 1) == limit, "a shorter time is not to be had"
    assert retention_start(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2026, 2, 28, tzinfo=UTC)


def test_what_an_exported_head_says_of_a_pruned_chain_still_holds(api: Api) -> None:
    old_entries(api)
    exported = list(api.application.seals.heads().values())
    operations.prune_audit(api.application, retention_start(api.clock.now))
    assert checked(api, exported=exported).flaws == []
