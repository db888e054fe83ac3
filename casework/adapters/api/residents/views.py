"""Response views of residents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casework.adapters.api.shared.views import fields_of, instant
from casework.adapters.http.responses import WithETag
from casework.domain.access.policy import Actor, is_guest, may
from casework.domain.duplicates.likeness import SimilarResident
from casework.domain.privacy.disclosures import Disclosure
from casework.domain.privacy.masks import MaskState, masked
from casework.domain.residents.households import Household
from casework.domain.residents.registration_numbers import has_checksum, written
from casework.domain.residents.resident import Consent, Contact, Note, Resident
from casework.workflows.ports.paging import Row

READ = "case.read"
RESIDENT_FIELDS = (
    "id",
    "name",
    "birth_date",
    "sex",
    "centre_code",
    "district_code",
    "address",
    "phone",
    "lives_alone",
    "mobility",
    "ltc_grade",
    "disability",
    "insurance",
    "income_tier",
    "died_on",
    "registered_at",
    "registered_by",
)


PERSON_FIELDS = (
    "id",
    "name",
    "birth_date",
    "sex",
    "address",
    "phone",
    "lives_alone",
    "mobility",
    "ltc_grade",
)
CASE_FIELDS = ("id", "number", "status", "applied_on")


CONSENT_FIELDS = (
    "id",
    "resident_id",
    "purpose",
    "given_by",
    "given_on",
    "recipients",
    "expires_on",
    "recorded_at",
    "recorded_by",
    "withdrawn_at",
    "withdrawn_by",
    "withdrawal_reason",
)


TAKEN_BACK_FIELDS = (
    "answered_at",
    "answered_by",
    "answered_with",
    "answer",
    "answered_by_note_id",
    "reason",
    "taken_back_at",
    "taken_back_by",
)
NOTE_FIELDS = (
    "id",
    "resident_id",
    "kind",
    "text",
    "come_back_on",
    "written_at",
    "written_by",
    "answered_at",
    "answered_by",
    "answered_with",
    "answer",
    "answered_by_note_id",
    "corrects_note_id",
    "correction_reason",
    "corrected_by_note_id",
)


def resident(
    it: Resident, contacts: Sequence[Contact], cases: Sequence[Row], actor: Actor
) -> WithETag:
    """A resident with the people close to them and their cases."""
    writes = may(actor, "case.write") and not is_guest(actor, it)
    body = fields_of(it, RESIDENT_FIELDS) | {
        "contacts": [contact(one, actor) for one in contacts],
        "cases": [{name: row[name] for name in CASE_FIELDS} for row in cases],
        "allowed_actions": _actions(it, actor) if writes else [],
    }
    return WithETag(masked(body, actor, READ, "resident"), it.version)


def _actions(it: Resident, actor: Actor) -> list[str]:
    """What one who may change a resident may do; a supervisor takes a death back."""
    if it.died_on is None:
        return ["consents", "notes", "died"]
    return ["consents", "notes", *(["undo"] if may(actor, "case.supervise") else [])]


def person(it: Resident, actor: Actor) -> dict[str, Any]:
    """A resident in short: who it is, where they live, and how far they get."""
    return masked(fields_of(it, PERSON_FIELDS), actor, READ, "resident")


def contact(it: Contact, actor: Actor) -> dict[str, Any]:
    """Someone close to the resident; one who is not to be informed is not for everyone to call."""
    body = fields_of(it, ("name", "relation", "phone", "may_be_told"))
    states = () if it.may_be_told else (MaskState.NOT_TO_BE_TOLD,)
    return masked(body, actor, READ, "contact", states)


Found = tuple[Resident, Row | None, list[Row] | None]


def found_resident(found: Found, actor: Actor) -> dict[str, Any]:
    """A resident found by a search, with the open case, and open referrals where requested."""
    it, case, referrals = found
    names = ("id", "name", "birth_date", "sex", "centre_code", "phone", "address", "died_on")
    body = fields_of(it, names)
    body["open_case"] = None if case is None else {name: case[name] for name in CASE_FIELDS}
    if referrals is not None:
        body["open_referrals"] = [
            {
                "id": row["id"],
                "service_code": row["service_code"],
                "status": row["status"],
                "provider": {
                    "id": row["provider_id"],
                    "name": row["provider_name"],
                    "phone": row["provider_phone"],
                },
            }
            for row in referrals
        ]
    return masked(body, actor, READ, "found resident")


def consent(it: Consent, actor: Actor, *, is_guests: bool = False) -> WithETag:
    """A consent, and whether it can be withdrawn: not by a guest, who only looks."""
    lasts = it.withdrawn_at is None and may(actor, "case.write") and not is_guests
    body = fields_of(it, CONSENT_FIELDS) | {"allowed_actions": ["withdraw"] if lasts else []}
    return WithETag(masked(body, actor, READ, "consent"), it.version)


def consents(resident: Resident, given: list[Consent], actor: Actor) -> list[dict[str, Any]]:
    """All the consents of a resident."""
    guest = is_guest(actor, resident)
    return [dict(consent(one, actor, is_guests=guest)) for one in given]


def disclosure(it: Disclosure) -> dict[str, Any]:
    """What was disclosed of a resident: the names of the fields, never what stood in them."""
    basis = {"kind": it.basis_kind} | ({"consent_id": it.consent_id} if it.consent_id else {})
    return {
        "id": it.id,
        "at": instant(it.at),
        "to": {"kind": it.to_kind, "id": it.to_id, "name": it.to_name},
        "what": it.what,
        "basis": basis,
        "by": it.by,
        "referral_id": it.referral_id,
        "case_id": it.case_id,
        "case_number": it.case_number,
        "consent_withdrawn_at": instant(it.consent_withdrawn_at),
    }


def note(it: Note, actor: Actor, *, is_guests: bool = False) -> WithETag:
    """A contact note, and what may be done to it: nothing by a guest, who only looks."""
    writes = may(actor, "case.write") and not is_guests
    body = fields_of(it, NOTE_FIELDS) | {
        "with": it.with_whom,
        "answers_taken_back": [fields_of(one, TAKEN_BACK_FIELDS) for one in it.answers_taken_back],
        "allowed_actions": _actions_on_note(it) if writes else [],
    }
    return WithETag(body, it.version)


def _actions_on_note(it: Note) -> list[str]:
    if it.corrected_by_note_id is not None:
        return []
    if it.answered_at is not None:
        return ["correct", "undo"]
    return ["answer", "correct"] if it.is_promise else ["correct"]


def number(rrn: str | None) -> dict[str, Any]:
    """A registration number, for the actor who requested it."""
    if rrn is None:
        return {"rrn": None, "checksum": None}
    return {"rrn": written(rrn), "checksum": has_checksum(rrn)}


def similar_resident(one: SimilarResident) -> dict[str, Any]:
    """Somebody who may be the same person or live with them, and why one thinks so."""
    it = one.resident
    return {
        "id": it.id,
        "name": it.name,
        "birth_date": it.birth_date,
        "died_on": it.died_on,
        "centre_code": it.centre_code,
        "reasons": list(one.reasons),
    }


def merged_from(rows: list[Row]) -> list[dict[str, Any]]:
    """The records that lead to a resident."""
    return [
        {"id": row["id"], "merge_id": row["merge_id"], "merged_at": instant(row["merged_at"])}
        for row in rows
    ]


def household(row: Row) -> WithETag:
    """A household: the members the actor sees, and how many others live there."""
    it: Household = row["household"]
    return WithETag(_household(row), it.version)


def household_of(row: Row | None) -> dict[str, Any] | None:
    """The household of a resident, within that resident."""
    return None if row is None else _household(row)


def _household(row: Row) -> dict[str, Any]:
    it: Household = row["household"]
    return {"id": it.id, "kind": it.kind, "members": row["members"], "others": row["others"]}
