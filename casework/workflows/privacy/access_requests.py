"""Data access requests: received, identity checked, answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from casework.domain.privacy import access_requests as domain
from casework.workflows.context import Context

READ, WRITE, EXPORT = "access_request.read", "access_request.write", "resident.export"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccessRequest:
    """A request as it was sent."""

    received_on: date
    requested_by: str
    requester: str | None = None
    identity_how: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequestAnswer:
    """An answer as it was sent."""

    answer: str
    answered_on: date
    handed_over: str | None = None
    reason: str | None = None


def receive(ctx: Context, resident_id: UUID, received: NewAccessRequest) -> UUID:
    """Record a request, with the identity check if it was done at once."""
    with ctx.work(WRITE) as work:
        resident = work.residents.get(resident_id, lock=True)
        request = domain.receive(
            ctx.act,
            resident.id,
            resident.district_code,
            received.received_on,
            domain.Requester(received.requested_by),
            received.requester,
        )
        if received.identity_how is not None:
            request.check_identity(ctx.act, domain.IdentityProof(received.identity_how))
        work.access_requests.add(request)
        work.commit(request.id)
        return request.id


def check_identity(ctx: Context, id: UUID, how: str) -> UUID:
    """Record that the requester's identity was checked."""
    with ctx.work(WRITE) as work:
        request = work.access_requests.get(id, lock=True)
        ctx.expect(request.version)
        request.check_identity(ctx.act, domain.IdentityProof(how))
        work.access_requests.save(request)
        work.commit(request.id)
        return request.id


def answer(ctx: Context, id: UUID, given: AccessRequestAnswer) -> UUID:
    """Record how a request was answered."""
    with ctx.work(WRITE) as work:
        request = work.access_requests.get(id, lock=True)
        ctx.expect(request.version)
        request.close(
            ctx.act,
            domain.AccessAnswer(given.answer),
            given.answered_on,
            domain.AnswerChannel(given.handed_over) if given.handed_over else None,
            given.reason,
        )
        work.access_requests.save(request)
        work.commit(request.id)
        return request.id
