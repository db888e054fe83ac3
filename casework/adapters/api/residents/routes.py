"""Residents: registered, found, changed; their consents and timeline."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from fastapi import Response

from casework.adapters.api.residents import bodies, views
from casework.adapters.api.residents import responses as r
from casework.adapters.api.residents.views import household_of, merged_from, similar_resident
from casework.adapters.api.shared import responses as shared_responses
from casework.adapters.api.shared.responses import OutOfSight, page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.shared.views import event
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.access.policy import may
from casework.domain.casefile.case_numbers import read_case_number
from casework.domain.duplicates.likeness import SimilarResident
from casework.domain.errors import Invalid, NotFound, StaleVersion
from casework.workflows.ports.paging import Row
from casework.workflows.ports.results import RegisteredResident
from casework.workflows.ports.unit_of_work import Page, Paging, Reading
from casework.workflows.residents import deaths, residents

router = SubjectRouter(tags=["residents"])
READ, WRITE, DISCLOSED = "case.read", "case.write", "disclosure.read"


def _shown(call: Call, reading: Reading, id: UUID) -> WithETag:
    it, contacts = reading.residents.with_contacts(id)
    shown = views.resident(it, contacts, reading.cases.of_resident(it.id), call.ctx.actor)
    shown["merged_from"] = merged_from(reading.merges.into(it.id))
    if may(call.ctx.actor, WRITE):
        shown["household"] = household_of(reading.households.of(it.id))
    return shown


def _registered(call: Call, reading: Reading, made: RegisteredResident) -> WithETag:
    """Someone new, with those who may be the same or live with them, where there are any."""
    shown = _shown(call, reading, made.id)
    hints = [hint for one in made.hints if (hint := _hint(reading, one))]
    if hints:
        shown["hints"] = hints
    return shown


def _hint(reading: Reading, one: Row) -> dict[str, Any] | None:
    """One of them as the actor may see them now, or None."""
    try:
        it, _ = reading.residents.with_contacts(UUID(one["id"]))
    except NotFound:
        return None
    return similar_resident(SimilarResident(it, one["reasons"]))


@router.post("/residents", **operation(WRITE, r.RegisteredResident, status=201, refuses=(409,)))
def register_resident(body: bodies.RegisterResident, call: Caller) -> Response:
    """Register a resident.

    A likely duplicate is refused with the candidates, unless ``confirm_new``.

    A resident who is less similar, or has the same telephone, is a hint in the answer.
    """
    if body.rrn is not None:
        _check_rrn_stored(call)
    facts = body.model_dump(exclude={"contacts", "confirm_new", "rrn"})
    contacts = _contacts(body.contacts)
    return call.change(
        lambda ctx: residents.register_resident(
            ctx, facts, contacts, confirm_new=body.confirm_new, rrn=body.rrn
        ),
        READ,
        lambda reading, made: _registered(call, reading, made),
    )


def _check_rrn_stored(call: Call) -> None:
    if not call.services.stores_rrn:
        raise Invalid(
            "registration numbers are not kept here; leave it out",
            code="rrn_not_collected",
            field="rrn",
        )


def _contacts(given: list[bodies.ContactInput]) -> list[residents.NewContact]:
    return [residents.NewContact(**one.model_dump()) for one in given]


@router.post("/residents/search", **operation(READ, page_of(r.FoundResident), use_key=False))
def search_residents(body: bodies.SearchResidents, call: Caller, paged: Paged) -> Response:
    """Find residents by name, birth date, telephone, centre or number of a case.

    Two letters of a name are enough, be they initial consonants; of a telephone, the resident's or
    a contact's, the last four digits. A POST: nothing of it is in the URL.
    """
    filters = body.model_dump(exclude_none=True)
    if not filters:
        raise Invalid(
            "say name, birth_date, phone, centre_code, case_number or former_number",
            code="criterion_required",
            field="name",
        )
    if "case_number" in filters:
        filters["case_number"] = read_case_number(filters["case_number"])
    with_referrals = ("phone" in filters or "name" in filters) and may(
        call.ctx.actor, "referral.read"
    )
    return call.pages(
        READ,
        paged,
        lambda reading, paging: _search(reading, filters, paging, with_referrals),
        lambda found: views.found_resident(found, call.ctx.actor),
    )


def _search(reading: Reading, filters: Row, paging: Paging, with_referrals: bool) -> Page:
    """The residents with their open case and referrals; None where these are not shown."""
    page = reading.residents.search(filters, paging)
    ids = [one.id for one in page.rows]
    cases = reading.cases.open_of(ids)
    referrals: dict[UUID, list[Row]] = defaultdict(list)
    for row in reading.referrals.open_of(ids) if with_referrals else ():
        referrals[row["resident_id"]].append(row)
    return Page(
        [
            (one, cases.get(one.id), referrals[one.id] if with_referrals else None)
            for one in page.rows
        ],
        page.last_key,
    )


@router.get("/residents/{id}", **operation(READ, r.Resident, refuses=(404,)))
def get_resident(id: UUID, call: Caller) -> Response:
    """A resident.

    With contacts and cases.
    """
    return call.look(READ, lambda reading: _shown(call, reading, id))


@router.patch(
    "/residents/{id}", **operation(WRITE, (r.Resident, OutOfSight), refuses=(404, 409, 412, 428))
)
def change_resident(id: UUID, body: bodies.ChangeResident, call: Caller) -> Response:
    """Change facts of a resident.

    Needs ``If-Match``. The centre changes only while no case is open.
    """
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")
    if "rrn" in body.model_fields_set:
        _check_rrn_stored(call)
    changes = body.model_dump(exclude_unset=True, exclude={"contacts"})
    contacts = _contacts(body.contacts) if "contacts" in body.model_fields_set else None
    return call.change(
        lambda ctx: residents.change_resident(ctx, id, changes, contacts),
        READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.post(
    "/residents/{id}/rrn/reveal", **operation("rrn.read", r.RegistrationNumber, refuses=(404,))
)
def reveal_registration_number(id: UUID, body: bodies.RevealNumber, call: Caller) -> Response:
    """Show a resident's registration number.

    The only place that shows it; each look is on the timeline with what it was for.

    ``checksum`` says whether the old checksum holds, which numbers since October 2020 have not.
    """
    _check_rrn_stored(call)
    return call.change(
        lambda ctx: residents.reveal_number(ctx, id, body.purpose),
        "rrn.read",
        lambda reading, made: views.number(reading.residents.rrn(reading.residents.get(made).id)),
    )


@router.post(
    "/residents/{id}/died", **operation(WRITE, (r.Resident, OutOfSight), refuses=(404, 409, 412))
)
def record_death(id: UUID, body: bodies.RecordDeath, call: Caller) -> Response:
    """Record that a resident died.

    What was to be come back to ends, and nothing opens for them without being asked for.

    An open case is closed for itself; closing a case with ``death`` records it as well.
    """
    return call.change(
        lambda ctx: deaths.record_death(ctx, id, body.on),
        READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.post(
    "/residents/{id}/died/undo",
    **operation("case.supervise", (r.Resident, OutOfSight), refuses=(404, 409, 412)),
)
def take_back_death(id: UUID, body: bodies.TakeBackDeath, call: Caller) -> Response:
    """Take back a death that was recorded in error.

    What was to be come back to is there again; the reason goes to the notes.
    """
    return call.change(
        lambda ctx: deaths.take_back_death(ctx, id, body.reason),
        READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.post("/residents/{id}/consents", **operation(WRITE, r.Consent, status=201, refuses=(404,)))
def give_consent(id: UUID, body: bodies.GiveConsent, call: Caller) -> Response:
    """Record a consent.

    Given by the resident, or by someone for them.
    """
    return call.change(
        lambda ctx: residents.record_consent(ctx, id, **body.model_dump()),
        READ,
        lambda reading, made: views.consent(reading.residents.consent(made), call.ctx.actor),
    )


@router.post(
    "/residents/{id}/consents/batch", **operation(WRITE, r.Consents, status=201, refuses=(404,))
)
def give_consents(id: UUID, body: bodies.GiveConsents, call: Caller) -> Response:
    """Record several consents that were given in one act.

    All of them or none; a field is named by its place, as ``consents.1.given_on``.
    """
    given = [residents.NewConsent(**one.model_dump()) for one in body.consents]
    return call.change(
        lambda ctx: residents.record_consents(ctx, id, given),
        READ,
        lambda reading, made: {
            "items": [
                dict(views.consent(one, call.ctx.actor))
                for one in reading.residents.with_consents(made.id)[1]
                if one.id in made.consents
            ]
        },
    )


@router.get(
    "/residents/{id}/disclosures", **operation(DISCLOSED, page_of(r.Disclosure), refuses=(404,))
)
def list_disclosures(id: UUID, call: Caller, paged: Paged) -> Response:
    """What was disclosed of a resident: to whom, when, on which basis.

    Newest first: names of fields and never what stood in them.
    """
    return call.pages(
        DISCLOSED,
        paged,
        lambda reading, paging: reading.disclosures.of_resident(id, paging),
        views.disclosure,
    )


@router.get("/residents/{id}/consents", **operation(READ, page_of(r.Consent), refuses=(404,)))
def list_consents(id: UUID, call: Caller) -> Response:
    """A resident's consents.

    All of them, in the order in which they were recorded; there is no second page.
    """
    return call.look(
        READ,
        lambda reading: {
            "items": views.consents(*reading.residents.with_consents(id), call.ctx.actor),
            "next_cursor": None,
        },
    )


@router.post("/consents/{id}/correct", **operation(WRITE, r.Consent, refuses=(404, 409, 412)))
def correct_consent(id: UUID, body: bodies.CorrectConsent, call: Caller) -> Response:
    """Put the days of a consent right.

    The former days stay in the history, the reason among the notes. What rests on it goes on.
    """
    given = body.model_dump(exclude_unset=True, exclude={"reason"})
    days = {name: on for name, on in given.items() if on is not None or name == "expires_on"}
    return call.change(
        lambda ctx: residents.correct_consent(ctx, id, days, body.reason),
        READ,
        lambda reading, made: views.consent(reading.residents.consent(made), call.ctx.actor),
    )


@router.post("/consents/{id}/withdraw", **operation(WRITE, r.Consent, refuses=(404, 409, 412)))
def withdraw_consent(
    id: UUID, call: Caller, body: bodies.WithdrawConsent | None = None
) -> Response:
    """Withdraw a consent.

    Every open referral that rests on it is withdrawn with it.
    """
    reason = body.reason if body else None
    return call.change(
        lambda ctx: residents.withdraw_consent(ctx, id, reason),
        READ,
        lambda reading, made: views.consent(reading.residents.consent(made), call.ctx.actor),
    )


@router.get(
    "/residents/{id}/timeline", **operation(READ, page_of(shared_responses.Event), refuses=(404,))
)
def get_timeline(id: UUID, call: Caller, paged: Paged) -> Response:
    """What happened, newest first.

    Codes, dates and references; never what someone wrote freely.
    """
    actor = call.ctx.actor
    return call.pages(
        READ,
        paged,
        lambda reading, paging: reading.residents.timeline(id, paging),
        lambda one: event(one, actor, READ),
    )
