"""Bodies of the city's programme, and who sits in them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from casework.adapters.api.programme import bodies as s
from casework.adapters.api.programme import responses as r
from casework.adapters.api.programme import views as shape
from casework.adapters.api.shared.bodies import Day
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.errors import StaleVersion
from casework.domain.programme.kinds import BodyKind
from casework.workflows.ports.unit_of_work import Reading
from casework.workflows.programme import bodies

router = SubjectRouter(tags=["programme"])


def _shown(call: Call, reading: Reading, id: UUID) -> WithETag:
    return shape.body(call, reading.bodies.shown(id))


@router.get("/bodies", **operation(bodies.READ, page_of(r.ProgrammeBody)))
def list_bodies(
    call: Caller,
    paged: Paged,
    kind: Annotated[BodyKind | None, Query()] = None,
    area: Annotated[s.Area | None, Query()] = None,
    on: Annotated[Day | None, Query(description="The day as of which; today if left out.")] = None,
) -> Response:
    """The bodies in force on a day.

    Each with its rules and the seats that are held on that day.

    A supervisor gets those of the own district, and the city's without their rules and accounts.
    """
    day = on or call.ctx.act.today
    return call.pages(
        bodies.READ,
        paged,
        lambda reading, paging: reading.bodies.listed(kind, area, day, paging),
        lambda view: shape.body(call, view, day),
    )


@router.get("/bodies/{id}", **operation(bodies.READ, r.ProgrammeBody, refuses=(404,)))
def get_body(id: UUID, call: Caller) -> Response:
    """A body with its rules and seats.

    The seats are those that are held, and those to come. With its ``ETag``.
    """
    return call.look(bodies.READ, lambda reading: _shown(call, reading, id))


@router.post("/bodies", **operation(bodies.WRITE, r.ProgrammeBody, status=201, refuses=(409,)))
def add_body(body: s.AddBody, call: Caller) -> Response:
    """Enter a body.

    A supervisor enters those of the own district. An area has one council at a time, and one body
    that answers for a field or a service.
    """
    return call.change(
        lambda ctx: bodies.add_body(ctx, body.facts()),
        bodies.READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.patch(
    "/bodies/{id}", **operation(bodies.WRITE, r.ProgrammeBody, refuses=(404, 409, 412, 428))
)
def change_body(id: UUID, body: s.ChangeBody, call: Caller) -> Response:
    """Change a body.

    Needs ``If-Match``. A rule that is null goes back to the default of its kind.
    """
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")
    return call.change(
        lambda ctx: bodies.change_body(ctx, id, body.facts()),
        bodies.READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.post(
    "/bodies/{id}/end", **operation(bodies.WRITE, r.ProgrammeBody, refuses=(404, 409, 412))
)
def end_body(id: UUID, body: s.EndBody, call: Caller) -> Response:
    """Say on which day a body is there for the last time.

    Its seats end with it. Refused while it owes or awaits tasks, unless somebody takes them.
    """
    return call.change(
        lambda ctx: bodies.end_body(ctx, id, body.on, body.reason, body.hand_to),
        bodies.READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.post(
    "/bodies/{id}/seats",
    **operation(bodies.WRITE, r.ProgrammeBody, status=201, refuses=(404, 409, 412)),
)
def add_seats(id: UUID, body: s.AddSeats, call: Caller) -> Response:
    """Give up to 60 people, or offices, a seat.

    All of them, or none. Who is appointed has the seat until the end of the term.
    """
    wanted = [one.facts() for one in body.seats]
    return call.change(
        lambda ctx: bodies.add_seats(ctx, id, wanted),
        bodies.READ,
        lambda reading, made: _shown(call, reading, made),
    )


@router.post("/seats/{id}/end", **operation(bodies.WRITE, r.ProgrammeBody, refuses=(404, 409, 412)))
def end_seat(id: UUID, body: s.EndSeat, call: Caller) -> Response:
    """Say on which day a seat is held for the last time.

    Shows its body. A seat is never held longer than it was given for: another one follows.
    """
    return call.change(
        lambda ctx: bodies.end_seat(ctx, id, body.on),
        bodies.READ,
        lambda reading, made: _shown(call, reading, made),
    )
