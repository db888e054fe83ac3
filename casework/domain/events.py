"""Domain events: each is a class with typed fields, in one registry.

They carry references, codes, amounts and dates, never names or free text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, TypeVar, dataclass_transform
from uuid import UUID

from casework.domain.access.policy import ActorRole
from casework.domain.act import Act
from casework.domain.clocks.calendar import Target
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import ClockKind, Part

# Text of a closed list that an installation keeps: of a centre, a district, a service, a unit, a
# field's name, or a hash. A plain ``str`` is in no event.
Code = Annotated[str, "code"]


class EventSubject(StrEnum):
    """What something happened to."""

    RESIDENT = "resident"
    CASE = "case"
    PLANNED_SERVICE = "planned_service"
    REFERRAL = "referral"
    DEADLINE = "deadline"
    OFFERING = "offering"
    BREAK_GLASS = "break_glass"
    STANDARD = "standard"
    HOLIDAY = "holiday"
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMetadata:
    """When something happened, to what, and by whom; ``by_id`` is None for the system."""

    id: UUID
    subject_id: UUID
    resident_id: UUID | None
    case_id: UUID | None
    at: datetime
    by_id: UUID | None
    by_role: ActorRole

    @classmethod
    def of(
        cls,
        act: Act,
        subject_id: UUID,
        *,
        resident_id: UUID | None = None,
        case_id: UUID | None = None,
    ) -> EventMetadata:
        """What an act does to a subject."""
        return cls(
            id=act.new_id(),
            subject_id=subject_id,
            resident_id=resident_id,
            case_id=case_id,
            at=act.at,
            by_id=act.by.id,
            by_role=act.by.role,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFacts:
    """How a clock stands after an event that touched it: enough to fold its history."""

    id: UUID
    kind: ClockKind
    subject_id: UUID
    held_by: Part
    due_at: datetime
    met_at: datetime | None
    cancelled_at: datetime | None
    paused_until: datetime | None

    @classmethod
    def of(cls, clock: Deadline) -> ClockFacts:
        """The facts of a clock as it stands now."""
        return cls(**{field.name: getattr(clock, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to one subject, with every clock of its case that it touched."""

    meta: EventMetadata
    clocks: tuple[ClockFacts, ...] = ()

    subject_type: ClassVar[EventSubject]
    # The names of what it says, in their order, without its clocks.
    facts: ClassVar[tuple[str, ...]] = ()
    # Whether ``data`` names the facts that are None; else they are left out.
    names_nothing: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """As it is stored and shown."""
        return type(self).__name__

    @property
    def id(self) -> UUID:
        """Its own id."""
        return self.meta.id

    @property
    def subject_id(self) -> UUID:
        """What it happened to."""
        return self.meta.subject_id

    @property
    def resident_id(self) -> UUID | None:
        """On whose timeline it stands, if on one."""
        return self.meta.resident_id

    @property
    def case_id(self) -> UUID | None:
        """Of which case it is, if of one."""
        return self.meta.case_id

    @property
    def at(self) -> datetime:
        """When it happened."""
        return self.meta.at

    @property
    def by_id(self) -> UUID | None:
        """Whose act it was; None for the system."""
        return self.meta.by_id

    @property
    def by_role(self) -> ActorRole:
        """In which role."""
        return self.meta.by_role

    @property
    def data(self) -> dict[str, Any]:
        """The facts by name, as stored and shown: the clocks last, where it touched any."""
        said = {name: getattr(self, name) for name in self.facts}
        if not self.names_nothing:
            said = {name: value for name, value in said.items() if value is not None}
        return as_data(said | ({"clocks": self.clocks} if self.clocks else {}))


E = TypeVar("E", bound=Event)
EVENTS: Final[dict[str, type[Event]]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(subject: EventSubject, *, names_nothing: bool = False) -> Callable[[type[E]], type[E]]:
    """Make a class an event of that kind of subject, and enter it into the registry."""

    def register(cls: type[E]) -> type[E]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        made.subject_type, made.names_nothing = subject, names_nothing
        made.facts = tuple(one.name for one in fields(made) if one.name not in ("meta", "clocks"))
        if made.__name__ in EVENTS:
            raise TypeError(f"two events are called {made.__name__}")
        EVENTS[made.__name__] = made
        return made

    return register


def as_data(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts by name as they are stored and shown: dictionaries, lists and single values."""
    return {name: _plain(value) for name, value in facts.items()}


def _plain(value: Any) -> Any:
    """A period is text such as ``5 working_days``."""
    if isinstance(value, Target):
        return f"{value.amount} {value.unit}"
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
