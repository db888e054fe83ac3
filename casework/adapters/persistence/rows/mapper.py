"""One small mapper between dataclass fields and columns of the same name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
from sqlalchemy import Table

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import (
    decrypted_fields,
    encrypt_row,
    require_vault,
)
from casework.adapters.persistence.engine.types import to_json
from casework.adapters.persistence.rows.events import event_of
from casework.adapters.persistence.rows.parts import items, legal_holds, taken_back
from casework.adapters.persistence.rows.plain import as_dict
from casework.adapters.persistence.tables import audit
from casework.adapters.persistence.tables.exchange import import_file, import_row
from casework.adapters.persistence.tables.privacy import break_glass
from casework.domain.access.accounts import Account
from casework.domain.access.grant_log import GrantEntry
from casework.domain.access.policy import actor_role
from casework.domain.access.tokens import AccountToken
from casework.domain.access.tries import Try, TryState
from casework.domain.audit.reviews import AuditReview
from casework.domain.casefile.case import Assessment, Case, Check, Signal
from casework.domain.casefile.correction import Correction
from casework.domain.casefile.plan import Conference, PlannedService, PlanVersion
from casework.domain.casefile.referral import Referral
from casework.domain.cases.absences import Absence
from casework.domain.clocks.calendar import Pause, PauseSource, Target, Unit
from casework.domain.clocks.deadlines import Deadline, Escalation
from casework.domain.clocks.standards import EscalationTier, Part, Standard
from casework.domain.directory.designations import Designation
from casework.domain.directory.directory import (
    Centre,
    CoPayment,
    District,
    Limit,
    Offering,
    Provider,
    Service,
)
from casework.domain.directory.eligibility import as_data, rule_of
from casework.domain.directory.entries import DirectoryChange
from casework.domain.duplicates.merging import Merge
from casework.domain.duplicates.suspicions import Suspicion
from casework.domain.events import Event
from casework.domain.exchange.importing import ImportFile, ImportRow
from casework.domain.notices.notices import Notice
from casework.domain.notices.outbox import Message, Subscription, message_kind
from casework.domain.planning.conferences import AgendaItem
from casework.domain.privacy.access_requests import AccessRequest
from casework.domain.privacy.break_glass import BreakGlass
from casework.domain.programme.bodies import Body
from casework.domain.programme.seats import Seat
from casework.domain.residents.households import Household, HouseholdMember
from casework.domain.residents.names import (
    digits_of,
    initials_of,
    last_digits_of,
    name_and_birth,
    name_key,
)
from casework.domain.residents.resident import (
    Consent,
    Contact,
    Note,
    Resident,
)
from casework.domain.supervision.recounting import Recount
from casework.domain.supervision.reviewing import Review
from casework.domain.supervision.setting_standards import Holiday
from casework.workflows.ports.vault import Place, Vault


@dataclass(frozen=True)
class Codec:
    """How one field is written and read where the column cannot hold it as it is."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def pauses_of(stored: list[dict[str, Any]]) -> tuple[Pause, ...]:
    """The pauses of a clock as its row holds them."""
    return tuple(
        Pause(
            began_at=datetime.fromisoformat(one["began_at"]),
            until=date.fromisoformat(one["until"]),
            reason=one["reason"],
            resumed_at=datetime.fromisoformat(one["resumed_at"]) if one["resumed_at"] else None,
            source=PauseSource(one["source"]),
        )
        for one in stored
    )


def _extensions(stored: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    return tuple(
        one
        | {
            "until": date.fromisoformat(one["until"]),
            "at": datetime.fromisoformat(one["at"]),
            "review_id": UUID(one["review_id"]),
        }
        for one in stored
    )


def _escalation_tiers(stored: list[dict[str, Any]] | None) -> tuple[EscalationTier, ...] | None:
    if stored is None:
        return None
    return tuple(
        EscalationTier(
            one["tier"], Target(one["after"]["amount"], Unit(one["after"]["unit"])), Part(one["to"])
        )
        for one in stored
    )


def _as_dicts(things: Iterable[Any] | None) -> list[dict[str, Any]] | None:
    return None if things is None else [as_dict(thing) for thing in things]


def _as_text(cells: dict[str, Any] | None) -> str | None:
    return None if cells is None else to_json(cells)


def _as_cells(stored: str | None) -> dict[str, Any] | None:
    return None if stored is None else dict(orjson.loads(stored))


def _instants(stored: list[str] | None) -> list[datetime]:
    return [datetime.fromisoformat(one) for one in stored or ()]


def _tries(stored: list[list[str]] | None) -> list[Try]:
    return [
        Try(datetime.fromisoformat(at), source, TryState(state))
        for at, source, state in stored or ()
    ]


def _places(stored: dict[str, str] | None) -> dict[str, datetime]:
    return {source: datetime.fromisoformat(at) for source, at in (stored or {}).items()}


def _tuple_of(cls: type[Any]) -> Codec:
    return Codec(_as_dicts, lambda stored: tuple(cls(**one) for one in stored or ()))


CODECS: Final[dict[type, dict[str, Codec]]] = {
    Account: {
        "tries": Codec(
            lambda tries: [[one.at.isoformat(), one.source, one.state] for one in tries], _tries
        ),
        "signed_in_from": Codec(
            lambda known: {source: at.isoformat() for source, at in known.items()}, _places
        ),
        "grants": Codec(list, lambda stored: list(stored or ())),
    },
    Case: {"legal_holds": Codec(lambda holds: _as_dicts(holds) or None, legal_holds)},
    Deadline: {
        "pauses": Codec(_as_dicts, pauses_of),
        "extensions": Codec(list, _extensions),
        "escalation": Codec(_as_dicts, _escalation_tiers),
    },
    DirectoryChange: {"by_role": Codec(str, actor_role)},
    ImportRow: {"cells": Codec(_as_text, _as_cells)},
    Message: {"kind": Codec(str, message_kind)},
    Note: {"answers_taken_back": Codec(_as_dicts, taken_back)},
    PlanVersion: {"services": Codec(_as_dicts, items)},
    Service: {
        "eligibility": Codec(
            lambda rules: [as_data(rule) for rule in rules],
            lambda stored: tuple(rule_of(one) for one in stored or ()),
        ),
        "limits": _tuple_of(Limit),
        "co_payments": _tuple_of(CoPayment),
    },
    Provider: dict.fromkeys(("opening_hours", "contacts"), Codec(list, lambda it: it or [])),
    Standard: {
        "escalation": Codec(_as_dicts, _escalation_tiers),
        # One that was written by hand, without a version, is the first.
        "version": Codec(int, lambda stored: 1 if stored is None else stored),
    },
}
# Columns derived from a field, for searching only.
DERIVED: Final[dict[type, dict[str, Callable[[Any], Any]]]] = {
    Standard: {"scope": lambda it: it.scope},
    Resident: {
        "name_key": lambda it: name_key(it.name),
        "name_initials": lambda it: initials_of(it.name),
        "phone_digits": lambda it: digits_of(it.phone),
        "phone_ending": lambda it: last_digits_of(it.phone),
        "name_birth_index": lambda it: name_and_birth(it.name, it.birth_date),
    },
    Contact: {
        "phone_digits": lambda it: digits_of(it.phone),
        "phone_ending": lambda it: last_digits_of(it.phone),
    },
    ImportRow: {"external_index": lambda it: it.external_id},
}
TABLES: Final[dict[type, Table]] = {
    District: t.district,
    Centre: t.centre,
    Service: t.service,
    Standard: t.standard,
    Holiday: t.holiday_override,
    Recount: t.recount,
    Provider: t.provider,
    Offering: t.offering,
    Designation: t.designation,
    DirectoryChange: t.directory_change,
    Account: t.account,
    AccountToken: t.account_token,
    GrantEntry: t.account_grant_log,
    Body: t.body,
    Seat: t.seat,
    Resident: t.resident,
    Contact: t.contact,
    Consent: t.consent,
    Note: t.note,
    Case: t.care_case,
    Assessment: t.assessment,
    Check: t.care_check,
    Correction: t.correction,
    Signal: t.signal,
    Conference: t.conference,
    PlanVersion: t.plan_version,
    AgendaItem: t.agenda_item,
    PlannedService: t.planned_service,
    Referral: t.referral,
    Deadline: t.deadline,
    Escalation: t.escalation,
    Review: t.review,
    Absence: t.absence,
    Event: t.event,
    Notice: t.notice,
    Subscription: t.subscription,
    Message: t.message,
    BreakGlass: break_glass,
    Suspicion: t.duplicate_suspicion,
    Merge: t.resident_merge,
    Household: t.household,
    HouseholdMember: t.household_member,
    AuditReview: audit.audit_review,
    AccessRequest: audit.access_request,
    ImportFile: import_file,
    ImportRow: import_row,
}


def _coded(hint: Any) -> Codec | None:
    """How a field that holds a member of an enumeration, or several, or None, is read."""
    if get_origin(hint) is UnionType:
        inner = [_coded(one) for one in get_args(hint) if one is not NoneType]
        return inner[0] if len(inner) == 1 else None
    if get_origin(hint) in (list, tuple):
        kind, of = get_origin(hint), get_args(hint)[0]
        return Codec(list, lambda stored: kind(map(of, stored))) if _is_enum(of) else None
    if not _is_enum(hint):
        return None
    members = {one.value: one for one in hint}  # a tenth of what calling the enumeration costs
    return Codec(
        _as_it_is, lambda stored: None if stored is None else members.get(stored) or hint(stored)
    )


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, StrEnum)


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class _Shape:
    table: Table
    names: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    codecs: dict[str, Codec]
    writes: dict[str, Callable[[Any], Any]]
    derived: dict[str, Callable[[Any], Any]]
    encrypted: Mapping[str, Callable[[Any, Place, Vault], Any]]


def _shape(cls: type) -> _Shape:
    table = TABLES[cls]
    if cls is Event:  # one table for every class of event, whose columns are properties of them all
        columns = tuple(column.name for column in table.c)
        return _Shape(table, columns, attrgetter(*columns), {}, {}, {}, {})
    names = tuple(f.name for f in fields(cls) if f.name in table.c)
    encrypted = {name: way for name, way in decrypted_fields(table).items() if name in names}
    hints = get_type_hints(cls)
    coded = {name: codec for name in names if (codec := _coded(hints[name])) is not None}
    codecs = coded | CODECS.get(cls, {})
    writes = {name: one.write for name, one in codecs.items() if one.write is not _as_it_is}
    values = attrgetter(*names)
    return _Shape(table, names, values, codecs, writes, DERIVED.get(cls, {}), encrypted)


_SHAPES: Final = {cls: _shape(cls) for cls in TABLES}


def stored_as(thing: Any) -> type:
    """The class under which a thing is stored: every event has the one table of events."""
    return Event if isinstance(thing, Event) else type(thing)


def to_row(thing: Any) -> dict[str, Any]:
    """The columns of a domain object, unencrypted; ``stored`` gives what is written."""
    shape = _SHAPES[stored_as(thing)]
    row = dict(zip(shape.names, shape.values(thing), strict=True))
    for name, write in shape.writes.items():
        row[name] = write(row[name])
    for name, derive in shape.derived.items():
        row[name] = derive(thing)
    return row


def stored(thing: Any, vault: Vault | None) -> dict[str, Any]:
    """The columns of a domain object as they are stored."""
    shape = _SHAPES[stored_as(thing)]
    row = to_row(thing)
    return encrypt_row(shape.table, row, thing.id, vault) if shape.encrypted else row


def from_row(cls: type[Any], row: Any, vault: Vault | None = None, prefix: str = "") -> Any:
    """The domain object of a row (a Row or a mapping), whose columns may carry a prefix."""
    shape = _SHAPES[cls]
    found: Any = getattr(row, "_mapping", row)
    values = {name: found[prefix + name] for name in shape.names}
    if cls is Event:
        return event_of(values)
    for name, unseal in shape.encrypted.items():
        if values[name] is not None:
            place = Place(shape.table.name, name, values["id"])
            values[name] = unseal(values[name], place, require_vault(vault))
    for name, codec in shape.codecs.items():
        values[name] = codec.read(values[name])
    return cls(**values)


def table_of(cls: type) -> Table:
    """The table that holds a class."""
    return TABLES[cls]
