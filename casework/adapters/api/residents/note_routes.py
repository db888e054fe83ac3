"""Notes: what was said with a resident, and whether somebody came back to what was promised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import Response

from casework.adapters.api.residents import bodies, views
from casework.adapters.api.residents import responses as r
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.routers import SubjectRouter
from casework.domain.access.policy import Actor, is_guest
from casework.workflows.ports.unit_of_work import Page, Paging, Reading
from casework.workflows.residents import call_backs, residents

router = SubjectRouter(tags=["residents"])
READ, WRITE = "case.read", "case.write"


@router.post("/residents/{id}/notes", **operation(WRITE, r.Note, status=201, refuses=(404, 409)))
def write_note(id: UUID, body: bodies.WriteNote, call: Caller) -> Response:
    """Record a call, visit or message.

    With a day to come back to: a promise, in the worklist of whoever carries the case, until it is
    answered. ``answers`` names the earlier note whose promise this one keeps.
    """
    return call.change(
        lambda ctx: residents.write_note(ctx, id, **body.model_dump()),
        READ,
        _of(call),
    )


@router.post("/notes/{id}/answer", **operation(WRITE, r.Note, refuses=(404, 409, 412)))
def answer_note(id: UUID, body: bodies.AnswerNote, call: Caller) -> Response:
    """Come back to what a note promised.

    It leaves the worklist; nothing else that is written about the resident ends it.
    """
    return call.change(
        lambda ctx: call_backs.answer_note(ctx, id, **body.model_dump()),
        READ,
        _of(call),
    )


@router.post("/notes/{id}/answer/undo", **operation(WRITE, r.Note, refuses=(404, 409, 412)))
def take_back_answer(id: UUID, body: bodies.TakeBackAnswer, call: Caller) -> Response:
    """Take back an answer that was none to this promise.

    What was promised is promised again, for its day; the answer stays with the note, with the
    reason.
    """
    return call.change(
        lambda ctx: call_backs.take_back_answer(ctx, id, body.reason),
        READ,
        _of(call),
    )


@router.post("/notes/{id}/correct", **operation(WRITE, r.Note, refuses=(404, 409, 412)))
def correct_note(id: UUID, body: bodies.CorrectNote, call: Caller) -> Response:
    """Put a note right.

    Another note says what the first should have said, and why: both stand, and that one is the
    answer. What was promised, or answered, goes over to it. Once it was answered, its day to come
    back stays.
    """
    given = body.model_dump(exclude_unset=True, exclude={"reason"})
    may_be_empty = ("with_whom", "come_back_on")
    changes = {name: to for name, to in given.items() if to is not None or name in may_be_empty}
    return call.change(
        lambda ctx: call_backs.correct_note(ctx, id, changes, body.reason),
        READ,
        _of(call),
    )


def _of(call: Call) -> Callable[[Reading, UUID], dict[str, Any]]:
    """How a note is shown to who asks."""
    return lambda reading, made: views.note(reading.residents.note(made), call.ctx.actor)


@router.get("/residents/{id}/notes", **operation("note.read", page_of(r.Note), refuses=(404,)))
def list_notes(id: UUID, call: Caller, paged: Paged) -> Response:
    """A resident's notes, newest first.

    What was said with the resident; not for assessors.
    """
    return call.pages(
        "note.read",
        paged,
        lambda reading, paging: _notes(reading, id, paging, call.ctx.actor),
        lambda found: views.note(found[0], call.ctx.actor, is_guests=found[1]),
    )


def _notes(reading: Reading, id: UUID, paging: Paging, actor: Actor) -> Page:
    """The notes, each with whether it is shown to a guest, who only looks."""
    page = reading.residents.notes(id, paging)
    guest = is_guest(actor, reading.residents.get(id))
    return Page([(one, guest) for one in page.rows], page.last_key)
