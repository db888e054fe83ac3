"""The comprehensive list: the states of an entry, and the history of its changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from casework.domain.access.policy import ActorRole
from casework.domain.act import Act
from casework.domain.directory.directory import EntryState, Offering, Service
from casework.domain.errors import Conflict, NotAllowedInState, require

# Each step: from which states, and to which.
STEPS: Final[dict[str, tuple[frozenset[EntryState], EntryState]]] = {
    "confirm": (frozenset({EntryState.PROPOSED}), EntryState.CONFIRMED),
    "publish": (frozenset({EntryState.CONFIRMED}), EntryState.PUBLISHED),
    "withdraw": (frozenset({EntryState.CONFIRMED, EntryState.PUBLISHED}), EntryState.PROPOSED),
}
MAX_AT_ONCE: Final = 100
SERVICE, PROVIDER, OFFERING, DESIGNATION = "service", "provider", "offering", "designation"
# The facts that the history records, by kind.
FACTS: Final[dict[str, tuple[str, ...]]] = {
    SERVICE: (
        "field", "name_ko", "name_en", "run_by", "unit", "limit_note", "basis", "certainty",
        "limits", "co_payments", "eligibility", "given_at", "fresh_for_days", "valid_from",
        "valid_to", "state",
    ),
    PROVIDER: (
        "slug", "name", "kind", "phone", "district_code", "lat", "lon", "opening_hours",
        "contacts", "languages", "ended_on", "end_reason",
    ),
    OFFERING: (
        "service_code", "is_open", "capacity", "available", "waiting", "full_until", "unit",
        "as_of", "given_at", "centres", "state",
    ),
    DESIGNATION: ("code", "valid_from", "valid_to", "designated_by"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryChange:
    """One change of a thing of the directory: who, when, and what it was before."""

    id: UUID
    subject_type: str
    subject_id: str
    provider_id: UUID | None
    did: str
    at: datetime
    by_id: UUID | None
    by_role: ActorRole
    before: dict[str, Any]
    after: dict[str, Any]


def next_state(entry: Service | Offering, step: str, act: Act) -> EntryState:
    """The state after a step; refuses one that the state does not allow, or on one's own entry."""
    allowed, to = STEPS[step]
    if entry.state not in allowed:
        raise NotAllowedInState(step, entry.state, steps_from(entry.state))
    if step == "confirm" and entry.proposed_by is not None and entry.proposed_by == act.by.id:
        raise Conflict("it cannot be confirmed by the account that proposed it", code="own_entry")
    return to


def check_each_once(offering_ids: Sequence[UUID]) -> None:
    """Refuse an entry that is named twice: its second step would be refused."""
    twice = [index for index, id in enumerate(offering_ids) if id in offering_ids[:index]]
    require(
        not twice,
        "each entry is named once",
        code="entry_named_twice",
        field=f"offering_ids.{twice[0]}" if twice else "offering_ids",
    )


def steps_from(state: EntryState) -> list[str]:
    """What can be done with an entry in a state."""
    return sorted(step for step, (allowed, _) in STEPS.items() if state in allowed)


def facts_of(kind: str, thing: Any) -> dict[str, Any]:
    """The facts of a thing that the history records, as plain values."""
    return {name: _plain(getattr(thing, name)) for name in FACTS[kind]}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a change is about: its kind, its id or code, and the agency it belongs to, if any."""

    kind: str
    id: object
    provider_id: UUID | None = None


def change_of(
    subject: Subject, did: str, before: Mapping[str, Any], after: Mapping[str, Any], act: Act
) -> DirectoryChange:
    """The difference between two states of a thing; a new thing had no state before."""
    names = [name for name in after if name not in before or before[name] != after[name]]
    return DirectoryChange(
        id=act.new_id(),
        subject_type=subject.kind,
        subject_id=str(subject.id),
        provider_id=subject.provider_id,
        did=did,
        at=act.at,
        by_id=act.by.id,
        by_role=act.by.role,
        before={name: before.get(name) for name in names},
        after={name: after[name] for name in names},
    )


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
