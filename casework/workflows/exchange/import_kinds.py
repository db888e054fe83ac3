"""Rows of each kind of file: which resident each is about, and the use case that it runs.

The use cases are those of the single operations, so an import can do nothing that they refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from casework.domain.access.policy import Actor
from casework.domain.cases.intake import Finding
from casework.domain.clocks.standards import CareField
from casework.domain.errors import Conflict, Invalid, NotFound
from casework.domain.exchange.importing import FileKind, ImportRow
from casework.domain.residents.names import name_and_birth
from casework.workflows.cases import intake, taking_over
from casework.workflows.context import Context
from casework.workflows.directory import directory
from casework.workflows.ports.unit_of_work import Parts, Work
from casework.workflows.residents import residents


class NobodyFound(Exception):
    """No resident, or no single one, matches the row."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code, self.why = code, why


@dataclass(frozen=True, slots=True)
class PlaceCodes:
    """The codes of districts and centres, by the names in a sheet."""

    districts: Mapping[str, str]
    centres: Mapping[str, str]


@dataclass(slots=True)
class KnownResidents:
    """Residents by external id: from stored rows and from the rows of this batch."""

    import_id: UUID
    of_batch: dict[str, UUID]

    def residents(self, work: Work, external_id: str, *, by_hand: bool = False) -> set[UUID]:
        """Residents within scope with this external id; ``by_hand``: as assigned by a person."""
        found = set(work.imports.by_external_id(external_id, self.import_id, by_hand=by_hand))
        met = None if by_hand else self.of_batch.get(external_id)
        return found if met is None else found | {met}


@dataclass(frozen=True, slots=True)
class RowContext:
    """The context of one row: the outer transaction for look-ups, the inner context to act.

    ``parts`` is where each row's own part is begun.
    """

    ctx: Context
    work: Work
    parts: Parts
    places: PlaceCodes
    known: KnownResidents


Values = dict[str, Any]
Done = tuple[UUID | None, UUID | None]


# What tells the rows of one case apart: two meals of a day are two services by what they say.
OF_SERVICE: Final = ("service_code", "agency", "starts_on", "content")


def named_places(values: Values, places: PlaceCodes) -> tuple[Values, list[dict[str, str]]]:
    """The values with names of districts and centres replaced by codes, and unknown names."""
    found, errors = dict(values), []
    of = {
        "district_code": (places.districts, "unknown_district"),
        "centre_code": (places.centres, "unknown_centre"),
        "centres": (places.centres, "unknown_centre"),
    }
    for name, (codes, unknown) in of.items():
        if name not in found:
            continue
        given = found[name] if isinstance(found[name], list) else [found[name]]
        # A code outside the sender's scope is left to the use case to refuse.
        if any(one not in codes and not one.isascii() for one in given):
            errors.append({"field": name, "code": unknown, "message": "no such place, or several"})
        known = [codes.get(one, one) for one in given]
        found[name] = known if isinstance(found[name], list) else known[0]
    return found, errors


def shaped(kind: FileKind, values: Values) -> Values:
    """The values in the shape of the kind's request body."""
    if kind != FileKind.ASSESSMENTS:
        return values
    rest = {name: value for name, value in values.items() if not name.startswith("need_")}
    needs = [
        {"field": field, "level": values[f"need_{field}"]}
        for field in CareField
        if f"need_{field}" in values
    ]
    return rest | {"needs": needs}


def key_of(kind: FileKind, fields: Values) -> str:
    """The key by which a row duplicates an earlier one of its file."""
    match kind:
        case FileKind.PROVIDERS:
            return str(fields["slug"])
        case FileKind.OFFERINGS:
            return f"{fields['provider']} {fields['service_code']}"
        case FileKind.RUNNING_CASES:
            service = (fields[name] for name in OF_SERVICE)
            return " ".join((_person(fields), *(str(one or "-").strip() for one in service)))
        case FileKind.ASSESSMENTS:
            return f"{_person(fields)} {fields['assessed_on']} {fields['determination']}"
    return _person(fields)


def _person(fields: Values) -> str:
    if fields.get("name") and fields.get("birth_date"):
        return name_and_birth(fields["name"], fields["birth_date"])
    return str(fields.get("resident_id") or fields.get("external_id"))


def _provider(row_context: RowContext, fields: Values) -> Done:
    return directory.add_provider(row_context.ctx, fields), None


def _offering(row_context: RowContext, fields: Values) -> Done:
    """Add an offering; without centres, it covers the agency's whole district."""
    provider = row_context.work.directory_editing.provider_by_slug(fields.pop("provider"))
    if provider is None:
        raise Invalid("no such agency", code="unknown_provider", field="provider")
    fields["centres"] = fields.get("centres") or row_context.work.directory_editing.centres_of(
        provider.district_code
    )
    return directory.propose_offering(row_context.ctx, provider.id, fields), None


def _resident(row_context: RowContext, fields: Values) -> Done:
    fields.pop("external_id", None)
    made = residents.register_resident(row_context.ctx, fields, [], confirm_new=False)
    return made.id, made.id


def _case(row_context: RowContext, fields: Values) -> Done:
    resident_id = _registered(row_context, fields)
    return intake.open_case(row_context.ctx, resident_id, fields, None), resident_id


def _running_case(row_context: RowContext, fields: Values) -> Done:
    resident_id = _registered(row_context, fields)
    return taking_over.take_over(row_context.ctx, resident_id, fields), resident_id


def _registered(row_context: RowContext, fields: Values) -> UUID:
    """The resident of a row, whose names are taken out of it; refuses one about nobody."""
    who = {
        name: fields.pop(name, None)
        for name in ("resident_id", "external_id", "name", "birth_date")
    }
    try:
        return find(row_context, who)
    except NobodyFound as nobody:
        raise Invalid(nobody.why, code=nobody.code, field=_where(who)) from None


def _where(who: Values) -> str:
    return next(
        name for name in ("resident_id", "external_id", "name") if who[name] or name == "name"
    )


def _assessment(row_context: RowContext, fields: Values) -> Done:
    who = {name: fields.pop(name, None) for name in ("external_id", "name", "birth_date")}
    fields.pop("centre_code", None)
    resident_id = find(row_context, who)
    done = record(row_context.ctx, row_context.work, resident_id, Finding(**fields))
    if who["external_id"]:
        row_context.known.of_batch[who["external_id"]] = resident_id
    return done


def record(ctx: Context, work: Work, resident_id: UUID, finding: Finding) -> Done:
    """Record a result in the resident's open case, unless it is recorded already."""
    resident = work.residents.get(resident_id)
    case_id = work.residents.open_case(resident.id)
    if case_id is None:
        raise NobodyFound("no_open_case", "the resident has no open case")
    if work.imports.has_assessment(case_id, finding.assessed_on, finding.determination):
        raise Conflict("this result stands there already", code="assessment_exists")
    return intake.record_assessment(ctx, case_id, finding).id, resident.id


def find(row_context: RowContext, who: Values) -> UUID:
    """The resident of a row: by our id, the sender's external id, or name and birth date."""
    if who.get("resident_id"):
        return _only(row_context.work.imports.within_scope([who["resident_id"]]))
    if who.get("external_id"):
        known = _by_external_id(row_context, who)
        if known:
            return _only(known)
    if _is_named(who):
        return _only(row_context.work.imports.by_name(who["name"], who["birth_date"]))
    raise NobodyFound("nobody_found", "nobody within scope is known by this")


def _by_external_id(row_context: RowContext, who: Values) -> list[UUID]:
    """Residents by external id. Senders may use the same ids, so a given name must agree.

    The name is not checked where a person assigned that id to that resident.
    """
    known = row_context.known.residents(row_context.work, who["external_id"])
    if not known or not _is_named(who):
        return sorted(known)
    agreed = set(row_context.work.imports.by_name(who["name"], who["birth_date"]))
    agreed |= row_context.known.residents(row_context.work, who["external_id"], by_hand=True)
    if not known & agreed:
        raise NobodyFound("id_of_another", "the id is of somebody of another name or birth date")
    return sorted(known & agreed)


def _is_named(who: Values) -> bool:
    return bool(who.get("name") and who.get("birth_date"))


def _only(found: list[UUID]) -> UUID:
    if not found:
        raise NobodyFound("nobody_found", "nobody within scope is known by this")
    if len(found) > 1:
        raise NobodyFound("several_found", "more than one within scope is known by this")
    return found[0]


CARRY_OUT: Final[dict[FileKind, Callable[[RowContext, Values], Done]]] = {
    FileKind.PROVIDERS: _provider,
    FileKind.OFFERINGS: _offering,
    FileKind.RESIDENTS: _resident,
    FileKind.CASES: _case,
    FileKind.ASSESSMENTS: _assessment,
    FileKind.RUNNING_CASES: _running_case,
}


def place_in_queue(row: ImportRow, fields: Values, actor: Actor, work: Work) -> None:
    """Queue a row at its centre, where it names one of the sender's district."""
    centre = fields.get("centre_code")
    if centre and work.directory.centre_district(centre) == actor.district_code:
        row.centre_code = centre


def finding_of(fields: Values) -> Finding:
    """The assessment in a row's fields."""
    return Finding(
        assessed_on=_day(fields["assessed_on"]),
        received_on=_day(fields["received_on"]) if fields.get("received_on") else None,
        assessor=fields["assessor"],
        determination=fields["determination"],
        needs=fields.get("needs", []),
    )


def _day(given: date | str) -> date:
    return given if isinstance(given, date) else date.fromisoformat(given)


def must_be_there(ids: list[UUID]) -> UUID:
    """The resident chosen from the queue; outside the actor's scope, NotFound."""
    if not ids:
        raise NotFound("no such resident")
    return ids[0]
