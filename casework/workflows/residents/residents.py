"""Residents, their consents and notes: registered, changed, shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.states import WithdrawReason
from casework.domain.errors import Forbidden, Invalid
from casework.domain.events import EventMetadata
from casework.domain.referring.referring import Details, move
from casework.domain.residents.death import check_lives
from casework.domain.residents.events import (
    ConsentCorrected,
    ConsentGiven,
    ConsentWithdrawn,
    NoteWritten,
    NumberRevealed,
    ResidentChanged,
    ResidentRegistered,
)
from casework.domain.residents.registration_numbers import NumberPurpose, read_number
from casework.domain.residents.resident import (
    Consent,
    ConsentPurpose,
    Contact,
    Note,
    NoteKind,
    Resident,
    check_birth_date,
    coded,
)
from casework.workflows.context import Context
from casework.workflows.ports.results import RecordedConsents, RegisteredResident
from casework.workflows.ports.unit_of_work import Work
from casework.workflows.residents import call_backs
from casework.workflows.residents import similar_residents as resident_alike


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    """Someone close to a resident."""

    name: str
    relation: str
    phone: str
    may_be_told: bool = False


def register_resident(
    ctx: Context,
    facts: dict[str, Any],
    contacts: Sequence[NewContact],
    *,
    confirm_new: bool,
    rrn: str | None = None,
) -> RegisteredResident:
    """Register a resident of the actor's area; a likely duplicate is shown first."""
    with ctx.work("case.write") as work:
        district = _district_within_scope(work, facts["centre_code"])
        resident = Resident(
            **coded(facts),
            id=ctx.new_id(),
            district_code=district,
            registered_at=ctx.now,
            registered_by=ctx.actor.id,
        )
        check_birth_date(resident.birth_date, ctx.act)
        number = _number(resident, rrn)
        alike = resident_alike.check_similar(ctx, work, resident, number, confirm_new=confirm_new)
        work.residents.add(resident, _contacts(ctx, resident.id, contacts))
        if number is not None:
            work.residents.save_rrn(resident.id, number)
        resident_alike.record_new(ctx, work, resident, alike)
        work.record([ResidentRegistered(_meta(ctx, resident.id), centre_code=resident.centre_code)])
        work.about(resident.id)
        made = RegisteredResident(id=resident.id, hints=resident_alike.hints(alike))
        work.commit(made)
        return made


def _district_within_scope(work: Work, centre_code: str) -> str:
    """The centre's district; refuses a centre outside the actor's scope."""
    district = _known_district(work, centre_code)
    if not work.scope.bounds.hold_centre(centre_code, district):
        raise Forbidden("not a centre you serve", code="centre_out_of_scope")
    return district


def _known_district(work: Work, centre_code: str) -> str:
    district = work.directory.centre_district(centre_code)
    if district is None:
        raise Invalid("no such centre", code="unknown_centre", field="centre_code")
    return district


def _number(resident: Resident, rrn: str | None) -> str | None:
    """The registration number; refuses one that cannot be this resident's."""
    if rrn is None:
        return None
    return read_number(rrn, birth_date=resident.birth_date, sex=resident.sex)


def _contacts(ctx: Context, resident_id: UUID, given: Sequence[NewContact]) -> list[Contact]:
    return [
        Contact(
            id=ctx.new_id(),
            resident_id=resident_id,
            name=one.name,
            relation=one.relation,
            phone=one.phone,
            may_be_told=one.may_be_told,
        )
        for one in given
    ]


def change_resident(
    ctx: Context,
    resident_id: UUID,
    changes: dict[str, Any],
    contacts: Sequence[NewContact] | None,
) -> UUID:
    """Change facts of a resident, if unchanged since the actor read them (``If-Match``).

    A resident without an open case may move to any centre, which then has the old one's access.
    """
    with ctx.work("case.write") as work:
        resident = work.residents.get(resident_id, lock=True)
        ctx.expect(resident.version)
        standing = None
        if "centre_code" in changes:
            changes = changes | {"district_code": _known_district(work, changes["centre_code"])}
            standing = open_case_of(work, resident.id)
        facts = coded({name: value for name, value in changes.items() if name != "rrn"})
        changed = resident.change(ctx.act, facts, standing)
        more = ["contacts"] if contacts is not None else []
        if "rrn" in changes and _takes_number(work, resident, changes["rrn"]):
            more.append("rrn")
        changed += more
        if changed:
            work.residents.save(
                resident, None if contacts is None else _contacts(ctx, resident.id, contacts)
            )
            work.record([ResidentChanged(_meta(ctx, resident.id), fields=tuple(changed))])
        if not resident_alike.TELLING.isdisjoint(changed):
            work.duplicates.queue_check(resident.id)
        if "centre_code" in changed:
            work.residents.move_with_resident(resident)
        work.commit(resident.id)
        return resident.id


def _takes_number(work: Work, resident: Resident, rrn: str | None) -> bool:
    """Store or remove the registration number; returns whether it changed."""
    number = _number(resident, rrn)
    if number == work.residents.rrn(resident.id):
        return False
    work.residents.save_rrn(resident.id, number)
    return True


def reveal_number(ctx: Context, resident_id: UUID, purpose: str) -> UUID:
    """Record who reads a registration number, and the purpose, before it is shown."""
    with ctx.work("rrn.read") as work:
        resident = work.residents.get(resident_id)
        work.record([NumberRevealed(_meta(ctx, resident.id), purpose=NumberPurpose(purpose))])
        work.commit(resident.id)
        return resident.id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsent:
    """What a resident, or someone for them, agreed to."""

    purpose: str
    given_by: str
    given_on: date
    recipients: Sequence[str] = ()
    expires_on: date | None = None


def record_consent(ctx: Context, resident_id: UUID, **given: Any) -> UUID:
    """Record a consent of a resident, or of someone for them."""
    with ctx.work("case.write") as work:
        (consent,) = take_consents(ctx, work, resident_id, {"": NewConsent(**given)})
        work.commit(consent.id)
        return consent.id


def record_consents(
    ctx: Context, resident_id: UUID, given: Sequence[NewConsent]
) -> RecordedConsents:
    """Record several consents in one act, as at intake: all or none."""
    with ctx.work("case.write") as work:
        named = {f"consents.{n}.": one for n, one in enumerate(given)}
        taken = [one.id for one in take_consents(ctx, work, resident_id, named)]
        made = RecordedConsents(id=resident_id, consents=taken)
        work.commit(made)
        return made


def take_consents(
    ctx: Context, work: Work, resident_id: UUID, given: Mapping[str, NewConsent]
) -> list[Consent]:
    """Add consents, each keyed by the path of its fields in the request body."""
    resident = work.residents.get(resident_id, lock=True)
    taken = [_consent(ctx, resident, one, where) for where, one in given.items()]
    for one in taken:
        work.residents.add_consent(one)
    work.record(
        ConsentGiven(_meta(ctx, resident.id), consent_id=one.id, purpose=one.purpose)
        for one in taken
    )
    return taken


def _consent(ctx: Context, resident: Resident, given: NewConsent, where: str) -> Consent:
    ctx.act.not_future(given.given_on, f"{where}given_on")
    ctx.act.not_before(given.expires_on, given.given_on, f"{where}expires_on")
    return Consent(
        id=ctx.new_id(),
        resident_id=resident.id,
        purpose=ConsentPurpose(given.purpose),
        given_by=given.given_by,
        given_on=given.given_on,
        recipients=list(given.recipients),
        expires_on=given.expires_on,
        recorded_at=ctx.now,
        recorded_by=ctx.actor.id,
    )


def correct_consent(
    ctx: Context, consent_id: UUID, days: Mapping[str, date | None], reason: str
) -> UUID:
    """Put the days of a consent right; the reason is added to the resident's notes."""
    with ctx.work("case.write") as work:
        consent = work.residents.consent(consent_id, lock=True)
        ctx.expect(consent.version)
        given_on, expires_on = consent.given_on, consent.expires_on
        names = consent.correct(
            days.get("given_on") or given_on, days.get("expires_on", expires_on), ctx.act
        )
        if names:
            work.residents.save_consent(consent)
            work.residents.add_note(_reason(ctx, consent.resident_id, reason))
            corrected = ConsentCorrected(
                _meta(ctx, consent.resident_id),
                consent_id=consent.id,
                fields=tuple(names),
                given_on_before=given_on,
                expires_on_before=expires_on,
            )
            work.record([corrected])
        work.commit(consent.id)
        return consent.id


def _reason(ctx: Context, resident_id: UUID, text: str) -> Note:
    return Note(
        id=ctx.new_id(),
        resident_id=resident_id,
        kind=NoteKind.NOTE,
        with_whom=None,
        text=text,
        come_back_on=None,
        written_at=ctx.now,
        written_by=ctx.actor.id,
    )


def withdraw_consent(ctx: Context, consent_id: UUID, reason: str | None) -> UUID:
    """Withdraw a consent; every open referral that rests on it is withdrawn with it (rule 10)."""
    with ctx.work("case.write") as work:
        files = work.files.resting_on(consent_id)
        consent = work.residents.consent(consent_id, lock=True)
        ctx.expect(consent.version)
        consent.withdraw(ctx.act, reason)
        work.residents.save_consent(consent)
        withdrawn = Details(reason=WithdrawReason.CONSENT_WITHDRAWN)
        for file in files:
            for referral in file.open_referrals():
                if referral.consent_id == consent_id:
                    move(file, referral, "withdraw", withdrawn, ctx.act)
            work.files.save(file, ctx.now)
        work.record(
            [
                ConsentWithdrawn(
                    _meta(ctx, consent.resident_id),
                    consent_id=consent.id,
                    purpose=consent.purpose,
                )
            ]
        )
        work.commit(consent.id)
        return consent.id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNote:
    """What was said with whom; ``answers`` is the earlier note whose promise it keeps."""

    kind: str
    with_whom: str | None
    text: str
    come_back_on: date | None
    answers: UUID | None = None


def write_note(ctx: Context, resident_id: UUID, **given: Any) -> UUID:
    """Record a call, visit or message with a resident: a :class:`NewNote`."""
    said = NewNote(**given)
    with ctx.work("case.write") as work:
        resident = work.residents.get(resident_id, lock=True)
        ctx.act.not_before(said.come_back_on, ctx.act.today, "come_back_on")
        ctx.act.not_too_far(said.come_back_on, "come_back_on")
        check_lives(said.come_back_on and resident.died_on)
        promised = said.answers and call_backs.promised(work, resident, said.answers)
        note = Note(
            id=ctx.new_id(),
            resident_id=resident.id,
            kind=NoteKind(said.kind),
            with_whom=said.with_whom,
            text=said.text,
            come_back_on=said.come_back_on,
            written_at=ctx.now,
            written_by=ctx.actor.id,
        )
        work.residents.add_note(note)
        work.record(
            [
                NoteWritten(
                    _meta(ctx, resident.id),
                    note_id=note.id,
                    kind=note.kind,
                    come_back_on=said.come_back_on,
                )
            ]
        )
        if promised:
            promised.take_answer(ctx.act, note_id=note.id)
            call_backs.keep(ctx, work, promised)
        work.commit(note.id)
        return note.id


def add_reason(ctx: Context, work: Work, text: str, *resident_ids: UUID) -> None:
    """Add why something was done, as free text, to the notes of the residents whom it concerns."""
    reasons = (
        Note(
            id=ctx.new_id(),
            resident_id=resident_id,
            kind=NoteKind.NOTE,
            with_whom=None,
            text=text,
            come_back_on=None,
            written_at=ctx.now,
            written_by=ctx.actor.id,
        )
        for resident_id in resident_ids
    )
    work.residents.add_note(*reasons)


def _meta(ctx: Context, resident_id: UUID) -> EventMetadata:
    return EventMetadata.of(ctx.act, resident_id, resident_id=resident_id)


def open_case_of(work: Work, resident_id: UUID) -> CaseFile | None:
    """The file of a resident's open case, with its plan, or None."""
    case_id = work.residents.open_case(resident_id)
    return work.files.of_case(case_id, with_plan=True) if case_id else None
