"""Nothing is lost between a domain object and its row, whatever its fields hold."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_type_hints
from uuid import uuid4

import pytest
from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import StatementError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.directory.directory import SqlDirectory
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.types import Instant
from casework.adapters.persistence.rows.bulk import insert_all
from casework.adapters.persistence.rows.mapper import (
    DERIVED,
    TABLES,
    from_row,
    stored,
    table_of,
    to_row,
)
from casework.adapters.persistence.rows.offerings import offering_of
from casework.domain.access.accounts import Account
from casework.domain.access.grant_log import GrantEntry
from casework.domain.access.policy import EVERYTHING
from casework.domain.access.tokens import RefreshToken
from casework.domain.casefile.referral_events import ReferralLapsed
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import SEOUL
from casework.domain.clocks.deadlines import Deadline
from casework.domain.directory.directory import Offering, Provider, Service
from casework.domain.events import Event
from casework.domain.programme.bodies import Body
from casework.domain.residents.resident import Resident
from tests.adapters.persistence.rows.inventing import MICROSECOND, Inventor

EXAMPLES = 12
# Fields that the table of their class does not hold, and where they are stored instead.
STORED_ELSEWHERE = {
    (Offering, "provider_ended_on"): "provider",
    (Offering, "designated_to"): "designation",
    (Offering, "service_from"): "service",
    (Offering, "service_to"): "service",
    (Offering, "service_state"): "service",
    (Offering, "centres"): "offering_centre",
    (Offering, "known_as"): "provider",
    (Deadline, "planned"): "escalation",
    (Body, "fields"): "body_answers",
    (Body, "services"): "body_answers",
}
# The registration number and the second factor's secret are in no object: code that needs one reads
# it on its own.
KEPT_APART = {
    Resident: {"rrn", "rrn_index"},
    Account: {"totp_sealed"},
    Deadline: {"heard_until"},  # found by the relay, and forgotten by whatever plans a clock anew
}
# Events have a table together, and are read into the class that their name says.
CLASSES = sorted(TABLES.keys() - {Event}, key=lambda cls: cls.__name__)


def stored_and_read(connection: Connection, thing: Any) -> Any:
    """Store one object and read it back."""
    cls = Event if isinstance(thing, Event) else type(thing)
    table = table_of(cls)
    with connection.begin_nested() as alone:  # rolled back, for insert-only rows too
        if cls is not GrantEntry:
            connection.execute(delete(table))
        connection.execute(insert(table), [stored(thing, vault_of(connection))])
        row = connection.execute(select(table)).one()
        alone.rollback()
    if cls is Body:
        apart = {name for known, name in STORED_ELSEWHERE if known is Body}
        kept = {name: getattr(thing, name) for name in apart}
        return replace(from_row(Body, row), **kept)
    if cls is not Offering:
        return from_row(cls, row, vault_of(connection))
    apart = {name for known, name in STORED_ELSEWHERE if known is Offering}
    return offering_of(row._mapping, **{name: getattr(thing, name) for name in apart})


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_field_has_a_column_or_a_place_of_its_own(cls: type) -> None:
    names, columns = {field.name for field in fields(cls)}, set(table_of(cls).c.keys())
    elsewhere = {name for known, name in STORED_ELSEWHERE if known is cls}
    assert names - columns == elsewhere
    filled = set(DERIVED.get(cls, {})) | KEPT_APART.get(cls, set())
    assert columns - names == filled, "columns that no field fills"


def test_whatever_comes_out_of_the_store_equals_what_went_in(connection: Connection) -> None:
    for cls in CLASSES:
        inventor = Inventor(len(cls.__name__))
        things = [inventor.thing(cls) for _ in range(EXAMPLES)] + [inventor.thing(cls, bare=True)]
        for thing in things:
            found = stored_and_read(connection, thing)
            for field in fields(cls):
                before, after = getattr(thing, field.name), getattr(found, field.name)
                assert after == before, f"{cls.__name__}.{field.name}"
                assert isinstance(after, type(before)), f"{cls.__name__}.{field.name}"
            assert to_row(found) == to_row(thing)


def test_a_second_round_changes_nothing_either(connection: Connection) -> None:
    for cls in CLASSES:
        once = stored_and_read(connection, Inventor(7).thing(cls))
        assert repr(stored_and_read(connection, once)) == repr(once)


def test_the_control_a_lost_field_is_noticed(connection: Connection) -> None:
    """If the mapper forgot a column, the comparison above would fail."""
    thing = Inventor(1).thing(Deadline)
    connection.execute(delete(t.deadline))
    row = to_row(thing)
    row["worker_id"] = None
    connection.execute(insert(t.deadline), [row])
    assert from_row(Deadline, connection.execute(select(t.deadline)).one()) != thing


def test_the_centres_of_an_offering_stand_in_a_table_of_their_own(connection: Connection) -> None:
    inventor = Inventor(3)
    provider, offering = inventor.thing(Provider), inventor.thing(Offering)
    service = inventor.thing(Service)
    provider.is_active, offering.provider_id = True, provider.id
    offering.service_code, offering.provider_ended_on = service.code, provider.ended_on
    offering.designated_to = None  # no designation was made
    offering.service_from, offering.service_to = service.valid_from, service.valid_to
    offering.service_state = service.state
    offering.centres = ["2635051000", "2635052000"]
    offering.known_as = frozenset({provider.slug, provider.name, provider.kind})
    insert_all(connection, [provider, service, offering])
    now = inventor.thing(Offering).as_of
    found = SqlDirectory(connection, EVERYTHING, now).offering(offering.id)
    assert found is not None
    found.centres.sort()
    assert found == offering


def test_a_refresh_token_comes_back_whole(connection: Connection) -> None:
    inventor, hints = Inventor(5), get_type_hints(RefreshToken)
    assert set(hints) == set(t.refresh_token.c.keys())
    for bare in (False, True):
        row = {
            name: inventor.value(hint, t.refresh_token.c[name], bare=bare)
            for name, hint in hints.items()
        }
        connection.execute(insert(t.refresh_token), [row])
        found = connection.execute(
            select(t.refresh_token).where(t.refresh_token.c.id == row["id"])
        ).one()
        assert dict(found._mapping) == row


# Instants


def happened(at: datetime) -> Event:
    meta = Inventor(at.microsecond).meta()
    return ReferralLapsed(replace(meta, id=uuid4(), at=at), status=ReferralStatus.LAPSED)


def every_instant() -> list[tuple[Table, Column[Any]]]:
    return [
        (table, column)
        for table in t.metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, Instant)
    ]


def test_every_column_that_holds_a_moment_holds_it_as_an_instant() -> None:
    instants = [column for _, column in every_instant()]
    for table in t.metadata.sorted_tables:
        for column in table.c:
            assert not isinstance(column.type, DateTime), f"{column} forgets its offset"
            named_so = column.name == "at" or column.name.endswith("_at")
            if column.name == "given_at":  # where a service is given, not when
                continue
            assert not named_so or any(column is one for one in instants), column
    assert len(instants) > 40


def test_an_instant_keeps_its_microseconds_and_comes_back_in_utc(connection: Connection) -> None:
    for at in (
        datetime(2026, 4, 1, 0, 0, 0, 1, tzinfo=SEOUL),
        datetime(2026, 4, 1, 23, 59, 59, 999_999, tzinfo=SEOUL),
        datetime(2026, 4, 1, tzinfo=timezone(timedelta(hours=-11))),
    ):
        found = stored_and_read(connection, happened(at)).at
        assert found == at
        assert found.utcoffset() == timedelta()
        assert found.microsecond == at.microsecond


def test_instants_sort_as_time_goes_in_whatever_zone_they_were_told(connection: Connection) -> None:
    inventor = Inventor(6)
    told = [inventor.instant() for _ in range(50)]
    near = datetime(2026, 4, 1, tzinfo=UTC)
    told += [near, near + MICROSECOND, near - MICROSECOND, near + timedelta(seconds=1)]
    for at in told:
        connection.execute(insert(t.event), [to_row(happened(at))])
    assert list(connection.scalars(select(t.event.c.at).order_by(t.event.c.at))) == sorted(told)
    early = select(t.event.c.at).where(t.event.c.at < near)
    assert sorted(connection.scalars(early)) == sorted(at for at in told if at < near)


def test_a_moment_without_its_offset_is_refused_in_every_column(connection: Connection) -> None:
    naive = datetime(2026, 4, 1, 10)  # noqa: DTZ001 - what is to be refused
    for table, column in every_instant():
        with pytest.raises(StatementError, match="an instant needs its offset"):
            connection.execute(update(table), [{column.name: naive}])
        with pytest.raises(StatementError, match="an instant needs its offset"):
            connection.execute(select(table).where(column == naive))
