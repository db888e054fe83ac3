"""Events are read as they were written; one without a class is an error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from importlib import import_module
from pkgutil import walk_packages
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
import pytest
from sqlalchemy import Connection, insert, select

from casework import domain
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.types import to_json
from casework.adapters.persistence.rows.events import MODULES, UnknownEvent, event_of
from casework.adapters.persistence.rows.mapper import from_row, stored
from casework.domain.casefile.referral_events import ReferralHeld
from casework.domain.casefile.states import HoldReason, ReferralStatus
from casework.domain.clocks.calendar import SEOUL, Target, Unit
from casework.domain.events import EVENTS, ClockFacts, Event, EventSubject
from casework.domain.privacy.masks import MASKS
from casework.domain.residents.events import ResidentRegistered
from casework.domain.supervision.events import StandardChanged
from tests.adapters.persistence.rows.inventing import Inventor
from tests.proofs._folding import FOLDS

EXAMPLES = 12
KNOWN = sorted(EVENTS.values(), key=lambda cls: cls.__name__)
# A fact is an id, an amount, a day or an instant, yes or no, one of an enumeration, or a code of a
# list that an installation maintains; several of them; or a tuple of a few of them.
SINGLE = (UUID, int, Decimal, bool, date, datetime, Target)


def parts_of(hint: Any) -> Iterator[Any]:
    """The types that a fact of this type is made of, down to single values."""
    if get_origin(hint) is Annotated:
        yield hint
    elif get_origin(hint) in (tuple, Union, UnionType):
        for one in get_args(hint):
            if one not in (NoneType, Ellipsis):
                yield from parts_of(one)
    elif is_dataclass(hint) and hint is not Target:
        for one in get_type_hints(hint, include_extras=True).values():
            yield from parts_of(one)
    else:
        yield hint


def invented(cls: type[Event], seed: int, *, bare: bool = False) -> Event:
    """An event with every field set, or with None wherever a field is optional."""
    inventor, hints = Inventor(seed), get_type_hints(cls)
    facts = {name: inventor.value(hints[name], None, name, bare=bare) for name in cls.facts}
    if cls is StandardChanged:  # it says what it names, and nothing else
        facts["fields"] = () if bare else tuple(name for name in cls.facts if name != "fields")
    has_none = bare or cls is StandardChanged  # no clock of a case refers to it
    clocks = () if has_none else tuple(inventor.thing(ClockFacts) for _ in range(seed % 3))
    return cls(inventor.meta(), clocks, **facts)


def test_every_event_that_a_module_defines_is_registered_once_under_its_name() -> None:
    defined = [
        thing
        for module in walk_packages(domain.__path__, "casework.domain.")
        for thing in vars(import_module(module.name)).values()
        if isinstance(thing, type) and issubclass(thing, Event) and thing.__module__ == module.name
    ]
    concrete = [cls for cls in defined if cls.__name__ not in ("Event", "ReferralEvent")]
    assert sorted(cls.__name__ for cls in concrete) == sorted(EVENTS)
    assert {EVENTS[cls.__name__] for cls in concrete} == set(concrete)
    assert {cls.__module__ for cls in concrete} == {module.__name__ for module in MODULES}
    assert len(EVENTS) > 50


@pytest.mark.parametrize("cls", KNOWN, ids=lambda cls: cls.__name__)
def test_no_event_has_room_for_what_is_personal(cls: type[Event]) -> None:
    for name, hint in get_type_hints(cls, include_extras=True).items():
        if name not in cls.facts:
            continue
        for part in parts_of(hint):
            is_code = get_origin(part) is Annotated and part.__metadata__ == ("code",)
            is_known = part in SINGLE or (isinstance(part, type) and issubclass(part, StrEnum))
            assert is_code or is_known, f"{cls.__name__}.{name} may hold any text: {part}"
        assert name not in ("name", "phone", "address", "note", "text", "message", "said")


def test_the_control_a_field_of_free_text_would_be_noticed() -> None:
    parts = [*parts_of(str | None), *parts_of(tuple[dict[str, Any], ...])]
    assert parts == [str, dict[str, Any]]
    assert not any(part in SINGLE for part in parts)


def test_whatever_happened_comes_out_of_the_store_as_it_went_in(connection: Connection) -> None:
    for cls in KNOWN:
        events = [invented(cls, n) for n in range(EXAMPLES)] + [invented(cls, EXAMPLES, bare=True)]
        for event in events:
            with connection.begin_nested() as alone:
                connection.execute(insert(t.event), [stored(event, None)])
                row = connection.execute(select(t.event).where(t.event.c.id == event.id)).one()
                alone.rollback()
            found = from_row(Event, row)
            assert type(found) is cls
            assert found == event
            assert to_json(found.data) == to_json(event.data), "told as it was stored"


COLUMNS = ("id", "name", "subject_id", "resident_id", "case_id", "at", "by_id", "by_role")


def a_row(**changed: Any) -> dict[str, Any]:
    event = ReferralHeld(
        Inventor(1).meta(), status=ReferralStatus.ON_HOLD, reason=HoldReason.AWAY,
        until=date(2026, 4, 20),
    )  # fmt: skip
    row = {name: getattr(event, name) for name in COLUMNS}
    return row | {"data": orjson.loads(to_json(event.data))} | changed


def test_an_event_that_no_class_is_for_is_refused() -> None:
    assert event_of(a_row()).data["until"] == date(2026, 4, 20)
    with pytest.raises(UnknownEvent, match="no event is called ReferralForgotten"):
        event_of(a_row(name="ReferralForgotten"))
    with pytest.raises(UnknownEvent, match="ReferralHeld does not say note"):
        event_of(a_row(data=a_row()["data"] | {"note": "she is away"}))
    with pytest.raises(ValueError, match="weather"):
        event_of(a_row(data=a_row()["data"] | {"reason": "weather"}))
    with pytest.raises(KeyError, match="status"):
        event_of(a_row(data={"reason": "away", "until": "2026-04-20"}))


def test_a_period_is_text_and_a_clock_names_what_is_not_so() -> None:
    at = datetime(2026, 4, 1, 10, tzinfo=SEOUL)
    meta = replace(Inventor(3).meta(), at=at)
    changed = StandardChanged(
        meta, fields=("target", "lapse_after", "basis"), target=Target(5, Unit.WORKING_DAYS)
    )
    assert changed.data == {
        "fields": ["target", "lapse_after", "basis"], "target": "5 working_days",
        "lapse_after": None,
    }  # fmt: skip
    assert {field.name for field in fields(ClockFacts)} >= {"met_at", "cancelled_at"}


def test_every_event_that_says_a_state_a_place_or_a_worker_is_folded() -> None:
    folded = set(FOLDS)
    for cls in KNOWN:
        says_state = (
            cls.subject_type in (EventSubject.CASE, EventSubject.REFERRAL) and "status" in cls.facts
        )
        moves = cls is not ResidentRegistered and {"centre_code", "worker_id"} & set(cls.facts)
        assert (cls in folded) == bool(says_state or moves), cls.__name__


def test_what_a_role_is_shown_of_events_are_facts_of_some() -> None:
    facts = {name for cls in KNOWN for name in cls.facts}
    for masks in MASKS.values():
        if "event data" in masks:
            assert masks["event data"].shows <= facts
