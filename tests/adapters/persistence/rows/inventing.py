"""Made-up values for every field of every class, by its type and by the column that holds it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from random import Random
from types import NoneType, UnionType
from typing import Any, ClassVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, SmallInteger, Table

from casework.adapters.persistence.rows.mapper import TABLES, table_of
from casework.domain.casefile.plan import PlannedItem
from casework.domain.casefile.retained import LEAST_YEARS
from casework.domain.clocks.calendar import SEOUL, Pause, Target, Unit
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import CARE_SUBJECTS, ClockSubjectType, EscalationTier, Part
from casework.domain.directory.designations import Designation
from casework.domain.directory.directory import CoPayment, District, Limit, Offering
from casework.domain.directory.eligibility import Comparison, Rule
from casework.domain.duplicates.suspicions import Suspicion
from casework.domain.events import EventMetadata
from casework.domain.notices.outbox import Message
from casework.domain.programme.bodies import Body
from casework.domain.programme.kinds import BodyKind
from casework.domain.programme.seats import Seat

LETTERS = "가나다 라마바🏠'\"\\%;\n\tÄé≤x0"
MICROSECOND = timedelta(microseconds=1)
PROGRAMME_SUBJECTS = [one for one in ClockSubjectType if one not in CARE_SUBJECTS]


class Inventor:
    """Makes up values by the type of a field and the column that is to hold them."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)

    def thing(self, cls: type, *, bare: bool = False) -> Any:
        """An object with every field set; a ``bare`` one has None wherever a field is optional."""
        hints = get_type_hints(cls)
        table = table_of(cls) if cls in TABLES else None
        values = {
            field.name: self.value(
                hints[field.name], column_of(table, field.name), field.name, bare=bare
            )
            for field in fields(cls)
            if (cls, field.name) != (Deadline, "planned")
        }
        if cls is Deadline:  # one end at most
            values[self._rng.choice(["met_at", "cancelled_at"])] = None
            values["subject_type"] = self._rng.choice(
                PROGRAMME_SUBJECTS if bare else CARE_SUBJECTS
            )  # without a case it is of the programme
        if cls is Suspicion:  # each pair once
            pair = sorted([values["resident_id"], values["other_id"]])
            values["resident_id"], values["other_id"] = pair
        if cls is Designation and not bare:  # it ends after it begins
            days = sorted([values["valid_from"], values["valid_to"]])
            values["valid_from"], values["valid_to"] = days
        if cls in (Body, Seat) and not bare:  # it ends after it begins
            names = ("valid_from", "valid_to") if cls is Body else ("begins_on", "ends_on")
            values |= dict(zip(names, sorted(values[name] for name in names), strict=True))
        if cls is Body:  # only a partner is an agency, and no number is below nought
            values["kind"] = BodyKind.PARTNER
            values["teams_stated"] = None if bare else self._rng.randrange(99)
        if cls is Offering:  # no more than there is
            free, held, waiting = (self._rng.randrange(99) for _ in range(3))
            values |= {"available": free, "held": held, "capacity": free + held}
            values |= {"waitlisted": waiting, "waiting": waiting, "for_waiting": min(free, waiting)}
        if cls is District and values["retention_years"] is not None:  # no less than the law asks
            values["retention_years"] = self._rng.randrange(LEAST_YEARS, 99)
        if cls is Message:  # one receiver
            values["account_id" if bare else "subscription_id"] = None
            values["subscription_id" if bare else "account_id"] = self._id()
        return cls(**values)

    def meta(self) -> EventMetadata:
        """When something happened, to what, and by whom."""
        return cast("EventMetadata", self.thing(EventMetadata))

    def value(
        self, hint: Any, column: Column[Any] | None, name: str = "", *, bare: bool = False
    ) -> Any:
        """A value of that type that fits into the column."""
        if get_origin(hint) in (Union, UnionType):
            if bare and NoneType in get_args(hint):
                return None
            hint = self._rng.choice([one for one in get_args(hint) if one is not NoneType])
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
        if hint not in self._simple and isinstance(hint, type) and is_dataclass(hint):
            return self.thing(hint)
        return self._simple[hint](self)

    def _one(self, of: Any, name: str) -> Any:
        if get_origin(of) is dict:
            return self._extension() if name == "extensions" else self._mapping(of)
        if isinstance(of, type) and issubclass(of, StrEnum):
            return self._rng.choice(list(of))
        if of not in self._simple and isinstance(of, type) and is_dataclass(of):
            return self.thing(of)
        return self._text(None) if of is str else self._simple[of](self)

    def _text(self, column: Column[Any] | None) -> str:
        longest = getattr(column.type, "length", None) if column is not None else None
        length = longest or self._rng.randrange(200)
        return "".join(self._rng.choices(LETTERS, k=length))

    def _mapping(self, hint: Any) -> dict[str, Any]:
        """A nested JSON value; integers only where nothing else is allowed."""
        numbers = {self._text(None) + str(n): self._rng.randrange(9) for n in range(3)}
        if get_args(hint)[1] is int:
            return numbers
        if get_args(hint)[1] is datetime:
            return {key: self.instant() for key in numbers}
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
        """An instant with microseconds, in one of several time zones."""
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

    def _rung(self) -> EscalationTier:
        return EscalationTier(
            self._rng.randrange(1, 4), self._target(), self._rng.choice(list(Part))
        )

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
        Decimal: _decimal, EscalationTier: _rung,
    }  # fmt: skip


def column_of(table: Table | None, name: str) -> Column[Any] | None:
    """The column that holds a field, if a table does."""
    return None if table is None else table.c.get(name)


def known_values(column: Column[Any]) -> list[str]:
    """The values that a CHECK constraint allows in a column of codes."""
    for constraint in column.table.constraints:
        if isinstance(constraint, CheckConstraint):
            rule = str(constraint.sqltext)
            if rule.startswith(f"{column.name} IN "):
                return re.findall(r"'(\w+)'", rule)
    return []
