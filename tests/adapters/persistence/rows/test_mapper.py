"""Nothing is lost between a domain object and its row, whatever its fields hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from random import Random
from types import NoneType, UnionType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    Engine,
    SmallInteger,
    Table,
    delete,
    insert,
    inspect,
    select,
    text,
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
from casework.domain.access.accounts import Account
from casework.domain.access.grant_log import GrantEntry
from casework.domain.casefile.plan import PlannedItem
from casework.domain.clocks.calendar import SEOUL, Pause, Target, Unit
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import Part, Rung
from casework.domain.directory.designations import Designation
from casework.domain.directory.directory import CoPayment, Limit, Offering, Provider, Service
from casework.domain.directory.eligibility import Comparison, Rule
from casework.domain.duplicates.suspicions import Suspicion
from casework.domain.events import Event
from casework.domain.notices.outbox import Message
from casework.domain.residents.resident import Resident
from casework.workflows.access.signing_in import RefreshToken

EXAMPLES = 12
# Fields that their class's table does not hold, and where they stand instead.
STORED_ELSEWHERE = {
    (Offering, "provider_ended_on"): "provider",
    (Offering, "service_from"): "service",
    (Offering, "service_to"): "service",
    (Offering, "service_state"): "service",
    (Offering, "centres"): "offering_centre",
    (Offering, "known_as"): "provider",
    (Deadline, "planned"): "escalation",
}
# The registration number and the second factor's secret are in no object: whoever needs one asks
# for it alone.
KEPT_APART = {Resident: {"rrn", "rrn_index"}, Account: {"totp_sealed"}}
LETTERS = "가나다 라마바🏠'\"\\%;\n\tÄé≤x0"
MICROSECOND = timedelta(microseconds=1)
CLASSES = sorted(TABLES, key=lambda cls: cls.__name__)


class Inventor:
    """Makes up values by the type of a field and the column that is to hold them."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)

    def thing(self, cls: type, *, bare: bool = False) -> Any:
        """An object with every field set; a ``bare`` one with nothing where nothing may be."""
        hints, table = get_type_hints(cls), table_of(cls)
        values = {
            field.name: self.value(
                hints[field.name], table.c.get(field.name), field.name, bare=bare
            )
            for field in fields(cls)
            if (cls, field.name) != (Deadline, "planned")
        }
        if cls is Deadline:  # one end at most
            values[self._rng.choice(["met_at", "cancelled_at"])] = None
        if cls is Suspicion:  # each pair once
            pair = sorted([values["resident_id"], values["other_id"]])
            values["resident_id"], values["other_id"] = pair
        if cls is Designation and not bare:  # it ends after it begins
            days = sorted([values["valid_from"], values["valid_to"]])
            values["valid_from"], values["valid_to"] = days
        if cls is Offering:  # no more than there is
            free, held, waiting = (self._rng.randrange(99) for _ in range(3))
            values |= {"available": free, "held": held, "capacity": free + held}
            values |= {"waitlisted": waiting, "waiting": waiting, "for_waiting": min(free, waiting)}
        if cls is Message:  # one receiver
            values["account_id" if bare else "subscription_id"] = None
            values["subscription_id" if bare else "account_id"] = self._id()
        return cls(**values)

    def value(
        self, hint: Any, column: Column[Any] | None, name: str = "", *, bare: bool = False
    ) -> Any:
        """Something of that type which fits into the column."""
        if get_origin(hint) is UnionType:
            if bare:
                return None
            (hint,) = set(get_args(hint)) - {NoneType}
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return self._rng.choice(list(hint))
        if column is not None and (known := known_values(column)):
            return self._rng.choice(known)
        if get_origin(hint) in (list, tuple, frozenset):
            of = get_args(hint)[0]
            many = [] if bare else [self._one(of, name) for _ in range(self._rng.randrange(1, 4))]
            return get_origin(hint)(many)
        if get_origin(hint) is dict:
            return {} if bare else self._mapping(hint)
        if hint is str:
            return self._text(column)
        if hint is int and column is not None and isinstance(column.type, SmallInteger):
            return self._rng.randrange(-(2**15), 2**15)
        return self._simple[hint](self)

    def _one(self, of: Any, name: str) -> Any:
        if get_origin(of) is dict:
            return self._extension() if name == "extensions" else self._mapping(of)
        if isinstance(of, type) and issubclass(of, StrEnum):
            return self._rng.choice(list(of))
        return self._text(None) if of is str else self._simple[of](self)

    def _text(self, column: Column[Any] | None) -> str:
        longest = getattr(column.type, "length", None) if column is not None else None
        length = longest or self._rng.randrange(200)
        return "".join(self._rng.choices(LETTERS, k=length))

    def _mapping(self, hint: Any) -> dict[str, Any]:
        """What JSON can hold, nested; whole numbers where nothing else may stand."""
        numbers = {self._text(None) + str(n): self._rng.randrange(9) for n in range(3)}
        if get_args(hint)[1] is int:
            return numbers
        if get_args(hint)[1] is str:
            return {key: self._text(None) for key in numbers}
        return numbers | {"nothing": None, "yes": True, "list": [1.5, "가", {"in": {}}], "": ""}

    def _extension(self) -> dict[str, Any]:
        return {
            "until": self._day(), "at": self.instant(), "review_id": self._id(),
            "cause": self._text(None),
        }  # fmt: skip

    def _id(self) -> UUID:
        return UUID(int=self._rng.getrandbits(128))

    def _day(self) -> date:
        return date(1890, 1, 1) + timedelta(days=self._rng.randrange(80_000))

    def instant(self) -> datetime:
        """To the microsecond, as told in one of several places."""
        zone = self._rng.choice([UTC, SEOUL, timezone(timedelta(hours=-9, minutes=-30))])
        at = datetime(2000, 1, 1, tzinfo=UTC) + self._rng.randrange(10**15) * MICROSECOND
        return at.astimezone(zone)

    def _target(self) -> Target:
        return Target(self._rng.randrange(800_000), self._rng.choice(list(Unit)))

    def _pause(self) -> Pause:
        hints = get_type_hints(Pause)
        return Pause(**{field.name: self.value(hints[field.name], None) for field in fields(Pause)})

    def _item(self) -> PlannedItem:
        hints = get_type_hints(PlannedItem)
        return PlannedItem(**{name: self.value(hint, None) for name, hint in hints.items()})

    def _decimal(self) -> Decimal:
        return Decimal(self._rng.randrange(1, 10**9)).scaleb(-self._rng.randrange(4))

    def _rung(self) -> Rung:
        return Rung(self._rng.randrange(1, 4), self._target(), self._rng.choice(list(Part)))

    def _limit(self) -> Limit:
        return Limit(quantity=self._rng.randrange(1, 99), unit=self._text(None), per="year")

    def _rule(self) -> Rule:
        values = (str(self._rng.randrange(120)),)
        return Rule(fact="age", comparison=Comparison.AT_LEAST, values=values, basis="invented")

    def _paid(self) -> CoPayment:
        return CoPayment(income_tier=self._text(None), share_percent=self._rng.randrange(101))

    _simple: ClassVar[dict[Any, Callable[[Inventor], Any]]] = {
        bool: lambda self: self._rng.random() < 0.5,
        int: lambda self: self._rng.randrange(2**31),
        float: lambda self: self._rng.uniform(-180, 180),
        UUID: _id, date: _day, datetime: instant, Target: _target, Pause: _pause,
        PlannedItem: _item, Limit: _limit, CoPayment: _paid, Rule: _rule,
        Decimal: _decimal, Rung: _rung,
    }  # fmt: skip


def known_values(column: Column[Any]) -> list[str]:
    """What a CHECK constraint lets into a column of codes."""
    for constraint in column.table.constraints:
        if isinstance(constraint, CheckConstraint):
            rule = str(constraint.sqltext)
            if rule.startswith(f"{column.name} IN "):
                return re.findall(r"'(\w+)'", rule)
    return []


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection to tables that no longer ask whether what they refer to exists."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        else:
            found = inspect(connection)
            for table in t.metadata.sorted_tables:
                for key in found.get_foreign_keys(table.name):
                    connection.execute(
                        text(f'ALTER TABLE {table.name} DROP CONSTRAINT "{key["name"]}"')
                    )
        yield connection


def stored_and_read(connection: Connection, thing: Any) -> Any:
    """The object that comes back, from a table in which it stands alone."""
    cls, table = type(thing), table_of(type(thing))
    with connection.begin_nested() as alone:  # taken back, for what is insert-only too
        if cls is not GrantEntry:
            connection.execute(delete(table))
        connection.execute(insert(table), [stored(thing, vault_of(connection))])
        row = connection.execute(select(table)).one()
        alone.rollback()
    if cls is not Offering:
        return from_row(cls, row, vault_of(connection))
    apart = {name for known, name in STORED_ELSEWHERE if known is Offering}
    return Offering(**row._mapping, **{name: getattr(thing, name) for name in apart})


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
    """Were a column forgotten by the mapper, the comparison above would say so."""
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
    offering.service_from, offering.service_to = service.valid_from, service.valid_to
    offering.service_state = service.state
    offering.centres = ["2635051000", "2635052000"]
    offering.known_as = frozenset({provider.slug, provider.name, provider.kind})
    insert_all(connection, [provider, service, offering])
    found = SqlDirectory(connection, inventor.thing(Offering).as_of).offering(offering.id)
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


def test_ids_dates_and_instants_in_an_event_come_back_as_their_text(connection: Connection) -> None:
    at = datetime(2026, 4, 1, 10, 0, 0, 123456, tzinfo=SEOUL)
    event = Inventor(2).thing(Event)
    event.data.clear()
    event.data.update(id=UUID(int=1), on=date(2026, 4, 1), at=at, how_much=Decimal("1.50"))
    assert stored_and_read(connection, event).data == {
        "id": str(UUID(int=1)), "on": "2026-04-01", "at": "2026-04-01T10:00:00.123456+09:00",
        "how_much": "1.50",
    }  # fmt: skip


# Instants


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
        thing = Inventor(4).thing(Event)
        object.__setattr__(thing, "at", at)
        found = stored_and_read(connection, thing).at
        assert found == at
        assert found.utcoffset() == timedelta()
        assert found.microsecond == at.microsecond


def test_instants_sort_as_time_goes_in_whatever_zone_they_were_told(connection: Connection) -> None:
    inventor = Inventor(6)
    told = [inventor.instant() for _ in range(50)]
    near = datetime(2026, 4, 1, tzinfo=UTC)
    told += [near, near + MICROSECOND, near - MICROSECOND, near + timedelta(seconds=1)]
    for at in told:
        thing = inventor.thing(Event)
        object.__setattr__(thing, "at", at)
        connection.execute(insert(t.event), [to_row(thing)])
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
