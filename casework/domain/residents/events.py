"""What happens to a resident's record, consents, notes and household."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from casework.domain.events import Code, Event, EventSubject, event
from casework.domain.residents.registration_numbers import NumberPurpose
from casework.domain.residents.resident import ConsentPurpose, NoteKind


@event(EventSubject.RESIDENT)
class ResidentRegistered(Event):
    """Somebody was entered."""

    centre_code: Code


@event(EventSubject.RESIDENT)
class ResidentChanged(Event):
    """Facts were changed: ``fields`` are their names."""

    fields: tuple[Code, ...]


@event(EventSubject.RESIDENT)
class DeathRecorded(Event):
    """The resident died."""

    died_on: date


@event(EventSubject.RESIDENT)
class DeathTakenBack(Event):
    """The resident lives after all: the death on that day was recorded in error."""

    died_on: date


@event(EventSubject.RESIDENT)
class NumberRevealed(Event):
    """The registration number was looked at."""

    purpose: NumberPurpose


@event(EventSubject.RESIDENT)
class ConsentGiven(Event):
    """The resident, or somebody for them, agreed."""

    consent_id: UUID
    purpose: ConsentPurpose


@event(EventSubject.RESIDENT)
class ConsentCorrected(Event):
    """Its days were put right: ``fields`` are the names, and these are the days that were there."""

    consent_id: UUID
    fields: tuple[Code, ...]
    given_on_before: date
    expires_on_before: date | None


@event(EventSubject.RESIDENT)
class ConsentWithdrawn(Event):
    """A consent was taken back."""

    consent_id: UUID
    purpose: ConsentPurpose


@event(EventSubject.RESIDENT)
class NoteWritten(Event):
    """Somebody spoke with the resident and wrote it down."""

    note_id: UUID
    kind: NoteKind
    come_back_on: date | None


@event(EventSubject.RESIDENT)
class NoteCorrected(Event):
    """A note was mistaken: ``by_note_id`` puts it right, ``fields`` are what is otherwise there."""

    note_id: UUID
    by_note_id: UUID
    fields: tuple[Code, ...]
    come_back_on: date | None


@event(EventSubject.RESIDENT)
class NoteAnswered(Event):
    """Somebody came back to what was promised, as ``by_note_id`` says where it was written down."""

    note_id: UUID
    by_note_id: UUID | None = None


@event(EventSubject.RESIDENT)
class NoteAnswerTakenBack(Event):
    """What was promised was not answered after all: it is promised again, for its day."""

    note_id: UUID
    come_back_on: date | None


@event(EventSubject.RESIDENT)
class HouseholdJoined(Event):
    """One of those who live together."""

    household_id: UUID


@event(EventSubject.RESIDENT)
class HouseholdLeft(Event):
    """No longer one of them."""

    household_id: UUID
