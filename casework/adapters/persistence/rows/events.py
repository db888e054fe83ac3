"""Events as they are stored: their name and their facts as JSON, and the classes read back.

Reading needs every class in the registry, so each module that defines events is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import ModuleType, NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from casework.adapters.persistence.engine.types import period
from casework.domain.access.policy import actor_role
from casework.domain.casefile import events as of_cases
from casework.domain.casefile import recounts as of_recounts
from casework.domain.casefile import referral_events as of_referrals
from casework.domain.clocks.calendar import Target
from casework.domain.directory import events as of_offerings
from casework.domain.duplicates import events as of_merges
from casework.domain.events import EVENTS, ClockFacts, Event, EventMetadata
from casework.domain.planning import events as of_plans
from casework.domain.privacy import events as of_openings
from casework.domain.programme import events as of_bodies
from casework.domain.residents import events as of_residents
from casework.domain.supervision import events as of_clocks

MODULES: Final[tuple[ModuleType, ...]] = (
    of_bodies, of_cases, of_clocks, of_merges, of_offerings, of_openings, of_plans, of_recounts,
    of_referrals, of_residents,
)  # fmt: skip
Read = Callable[[Any], Any]


class UnknownEvent(LookupError):
    """A stored event of which no class, or a stored fact of which no field, is known."""


def event_of(row: Mapping[str, Any]) -> Event:
    """The event of a row, whose facts are plain JSON values.

    Raises :class:`UnknownEvent` for a name or a fact that no class has.
    """
    cls = EVENTS.get(row["name"])
    if cls is None:
        raise UnknownEvent(f"no event is called {row['name']}")
    said = dict(row["data"])
    clocks = tuple(_of(ClockFacts)(one) for one in said.pop("clocks", ()))
    facts = {name: field.take(name, said) for name, field in _fields(row["name"]).items()}
    if said:
        raise UnknownEvent(f"{cls.__name__} does not say {', '.join(sorted(said))}")
    meta = {name: row[name] for name in EventMetadata.__dataclass_fields__}
    meta["by_role"] = actor_role(row["by_role"])
    return cls(EventMetadata(**meta), clocks, **facts)


@dataclass(frozen=True, slots=True)
class _Field:
    """How one fact is read; whether it may be left out."""

    read: Read
    may_be_nothing: bool

    def take(self, name: str, said: dict[str, Any]) -> Any:
        """The fact, taken out of what is said."""
        value = said.pop(name, None) if self.may_be_nothing else said.pop(name)
        return None if value is None else self.read(value)


@cache
def _fields(event: str) -> dict[str, _Field]:
    hints = get_type_hints(EVENTS[event])
    return {
        name: _Field(_of(hints[name]), NoneType in get_args(hints[name]))
        for name in EVENTS[event].facts
    }


@cache
def _of(hint: Any) -> Read:
    """How a JSON value is read into what a field's type says."""
    if get_origin(hint) in (Union, UnionType):  # ``Code | None`` is the former
        (hint,) = (one for one in get_args(hint) if one is not NoneType)
    if get_origin(hint) is tuple:
        each = _of(get_args(hint)[0])
        return lambda stored: tuple(each(one) for one in stored)
    if is_dataclass(hint) and hint is not Target:
        return _parts(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    return _SIMPLE[hint]


def _parts(cls: Any) -> Read:
    of = {name: _of(hint) for name, hint in get_type_hints(cls).items()}
    return lambda stored: cls(
        **{name: None if stored[name] is None else read(stored[name]) for name, read in of.items()}
    )


_SIMPLE: Final[dict[type, Read]] = {
    bool: bool,
    int: int,
    str: str,
    UUID: UUID,
    Decimal: Decimal,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    Target: period,
}
