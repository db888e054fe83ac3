"""Promises to come back to a resident, which end when they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from casework.domain.errors import Invalid, NotFound
from casework.domain.events import EventMetadata
from casework.domain.residents.death import check_lives
from casework.domain.residents.events import NoteAnswered, NoteAnswerTakenBack, NoteCorrected
from casework.domain.residents.resident import Note, NoteKind, Resident
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


def take_back_answer(ctx: Context, note_id: UUID, reason: str) -> UUID:
    """Take back an answer that was none to this promise, which is open again."""
    with ctx.work("case.write") as work:
        note = work.residents.note(note_id, lock=True)
        ctx.expect(note.version)
        note.take_back_answer(reason, ctx.act)
        work.residents.save_note(note)
        meta = EventMetadata.of(ctx.act, note.resident_id, resident_id=note.resident_id)
        work.record([NoteAnswerTakenBack(meta, note_id=note.id, come_back_on=note.come_back_on)])
        work.commit(note.id)
        return note.id


def correct_note(ctx: Context, note_id: UUID, changes: Mapping[str, Any], reason: str) -> UUID:
    """Put a note right by another that says why; what it promised is promised by that one."""
    with ctx.work("case.write") as work:
        note = work.residents.note(note_id, lock=True)
        ctx.expect(note.version)
        correction = note.correct(_coded(changes), reason, ctx.act)
        if correction is None:
            work.commit(note.id)
            return note.id
        if note.come_back_on is None and correction.come_back_on is not None:
            check_lives(work.residents.get(note.resident_id).died_on)
        work.residents.save_note(note)
        work.residents.add_note(correction)
        meta = EventMetadata.of(ctx.act, note.resident_id, resident_id=note.resident_id)
        happened = NoteCorrected(
            meta,
            note_id=note.id,
            by_note_id=correction.id,
            fields=tuple(n for n in changes if getattr(note, n) != getattr(correction, n)),
            come_back_on=correction.come_back_on,
        )
        work.record([happened])
        work.commit(correction.id)
        return correction.id


def _coded(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {n: NoteKind(to) if n == "kind" else to for n, to in changes.items()}


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
