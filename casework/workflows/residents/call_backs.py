"""Promises to come back to a resident, which end when they are answered."""

from __future__ import annotations

from uuid import UUID

from casework.domain.errors import Invalid, NotFound
from casework.domain.events import EventMetadata
from casework.domain.residents.events import NoteAnswered
from casework.domain.residents.resident import Note, Resident
from casework.workflows.context import Context
from casework.workflows.ports.unit_of_work import Work


def answer_note(ctx: Context, note_id: UUID, *, text: str | None, with_whom: str | None) -> UUID:
    """Record that somebody came back to what a note promised."""
    with ctx.work("case.write") as work:
        note = work.residents.note(note_id, lock=True)
        ctx.expect(note.version)
        note.take_answer(ctx.act, text=text, with_whom=with_whom)
        keep(ctx, work, note)
        work.commit(note.id)
        return note.id


def promised(work: Work, resident: Resident, note_id: UUID) -> Note:
    """The earlier note of the same resident that a later one answers."""
    try:
        note = work.residents.note(note_id, lock=True)
    except NotFound:
        note = None
    if note is None or note.resident_id != resident.id:
        raise Invalid("no such note of this resident", code="unknown_note", field="answers")
    return note


def keep(ctx: Context, work: Work, note: Note) -> None:
    """Save an answered note, and write down that it was answered."""
    work.residents.save_note(note)
    meta = EventMetadata.of(ctx.act, note.resident_id, resident_id=note.resident_id)
    work.record([NoteAnswered(meta, note_id=note.id, by_note_id=note.answered_by_note_id)])
