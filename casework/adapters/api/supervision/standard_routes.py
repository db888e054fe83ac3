"""Standards and the calendar: what applies, setting it, and recounting running clocks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query, Response
from structlog import get_logger

from casework.adapters.api.shared.bodies import Code
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.supervision import responses as r
from casework.adapters.api.supervision import standard_bodies as s
from casework.adapters.api.supervision import standard_views as shape
from casework.adapters.http.call import Call
from casework.adapters.http.deadlines import RECORD_SECONDS
from casework.adapters.http.problems import language_of
from casework.adapters.http.responses import respond
from casework.adapters.http.routers import SubjectRouter
from casework.domain.casefile.hold_limits import HOLD_AT_MOST
from casework.domain.clocks.calendar import KNOWN_YEARS
from casework.domain.clocks.standards import (
    CareField,
    ClockKind,
    ClockSubject,
    Priority,
    most_specific,
)
from casework.domain.errors import StaleVersion
from casework.domain.supervision.recounting import Recount
from casework.domain.supervision.setting_standards import field_of
from casework.workflows.context import Context
from casework.workflows.ports.results import BegunRecount
from casework.workflows.ports.unit_of_work import Page, Paging, Reading
from casework.workflows.supervision import standards

router = SubjectRouter()
READ, WRITE, EVERYONE = "standard.read", "standard.write", "directory.read"
log = get_logger("casework.standards")


@router.get("/standards", tags=["standards"], **operation(READ, page_of(r.Standard)))
def list_standards(
    call: Caller,
    paged: Paged,
    kind: Annotated[ClockKind | None, Query()] = None,
    service: Annotated[Code | None, Query()] = None,
    priority: Annotated[Priority | None, Query()] = None,
    district: Annotated[Code | None, Query()] = None,
    in_force: Annotated[bool | None, Query()] = None,
) -> Response:
    """The standards, by kind.

    For a supervisor those of everywhere and of the own district; for an administrator all.
    """
    filters = {
        "kind": kind,
        "service_code": service,
        "priority": priority,
        "district_code": district,
        "in_force": in_force,
    }

    def read(reading: Reading, paging: Paging) -> Page:
        reading.standards.check_district(district, "district")
        return reading.standards.listed(filters, paging)

    return call.pages(READ, paged, read, lambda one: shape.standard(one, call.ctx.actor))


@router.get("/standards/effective", tags=["standards"], **operation(EVERYONE, r.EffectiveStandard))
def show_effective_standard(
    call: Caller,
    kind: Annotated[ClockKind, Query()],
    service: Annotated[Code | None, Query()] = None,
    field: Annotated[CareField | None, Query()] = None,
    priority: Annotated[Priority, Query()] = Priority.ROUTINE,
    district: Annotated[Code | None, Query()] = None,
    accept_language: Annotated[str | None, Header()] = None,
) -> Response:
    """Which standard applies, and why.

    For a clock that were set now. Without a target, no standard switches this kind on.
    """
    about = ClockSubject.for_counting(
        district_code=district or "",
        priority=priority,
        service_code=service,
        field=field_of(call.ctx.catalogue, service, field, named="service"),
    )

    def show(reading: Reading) -> dict[str, Any]:
        reading.standards.check_district(district, "district")
        found = most_specific(reading.standards.of_kind(kind), kind, about)
        return shape.effective(found, kind, about, language_of(accept_language))

    return call.look(EVERYONE, show)


@router.get("/standards/holds", tags=["standards"], **operation(EVERYONE, page_of(r.LongestHold)))
def list_longest_holds(call: Caller) -> Response:
    """How long a hold lasts at most, by its reason.

    Counted from the day on which somebody says so; whoever needs longer holds anew then.
    """
    found = [shape.longest_hold(reason, days) for reason, days in HOLD_AT_MOST.items()]
    return call.look(EVERYONE, lambda _reading: {"items": found, "next_cursor": None})


@router.get("/standards/{id}", tags=["standards"], **operation(READ, r.Standard, refuses=(404,)))
def get_standard(id: UUID, call: Caller) -> Response:
    """One standard.

    Its ETag is what a change wants in ``If-Match``.
    """
    return call.look(READ, lambda reading: _shown(call, reading, id))


def _shown(call: Call, reading: Reading, id: UUID) -> dict[str, Any]:
    return shape.standard(reading.standards.get(id), call.ctx.actor)


@router.post(
    "/standards", tags=["standards"], **operation(WRITE, r.Standard, status=201, refuses=(409,))
)
def add_standard(body: s.AddStandard, call: Caller) -> Response:
    """Add a standard.

    It concerns clocks that are set from now on. A supervisor adds for the own district.

    One that is for just the same is 409 ``standard_exists``: change that one.
    """
    terms, says_lapse = body.terms(), "lapse_after" in body.model_fields_set
    answer = call.change(
        lambda ctx: standards.add_standard(ctx, terms, usual_lapse=not says_lapse),
        READ,
        lambda reading, made: _shown(call, reading, made),
    )
    call.services.forget()
    return answer


@router.patch(
    "/standards/{id}",
    tags=["standards"],
    **operation(WRITE, r.Standard, refuses=(404, 409, 412, 428)),
)
def change_standard(id: UUID, body: s.ChangeStandard, call: Caller) -> Response:
    """Change what a standard says.

    Needs ``If-Match``. Clocks that run keep what they were set by; ``in_force`` ends it.
    """
    if call.ctx.expected_version is None:
        raise StaleVersion("say in If-Match which version you saw", code="precondition_required")
    answer = call.change(
        lambda ctx: standards.change_standard(ctx, id, body.terms()),
        READ,
        lambda reading, made: _shown(call, reading, made),
    )
    call.services.forget()
    return answer


@router.post(
    "/standards/{id}/recalculate",
    tags=["standards"],
    **operation(WRITE, r.Recalculation, refuses=(404, 409), is_long=True),
)
def recalculate_standard(id: UUID, call: Caller, body: s.Recalculate | None = None) -> Response:
    """Take a standard for running clocks too.

    The running clocks within scope for which it is the most specific one.

    Pauses, extensions and raised steps stay. ``dry_run`` tells what would change. One that fails
    is counted and stops nobody; doing it again finds only what is left.
    """
    dry_run = body is not None and body.dry_run
    if dry_run:
        call.first(lambda ctx: standards.check_recalculable(ctx, id))
        done = standards.try_recalculation(call.refreshed(), id)
    else:
        _, done = _recounted(call, lambda ctx: standards.begin_recalculation(ctx, id))
    shown = {"standard_id": id, "dry_run": dry_run, "found": done.found}
    return respond(shown | shape.recount(done), 200)


def _recounted(
    call: Call, begin: Callable[[Context], BegunRecount]
) -> tuple[BegunRecount, Recount]:
    """Begin a recount and carry it out, or show the one that was begun under the same key."""
    done: list[Recount] = []

    def go_on(ctx: Context, begun: BegunRecount) -> None:
        recount = standards.begun_recount(ctx, begun.recount_id)
        if recount.ended_at is None:
            _carry_out(call, ctx, recount)
        else:  # a repeated request is a look, and leaves its entry
            with ctx.reading(READ) as reading:
                recount = reading.standards.recount(begun.recount_id)
        done.append(recount)

    begun = call.continued(begin, go_on)
    return begun, done[0]


def _carry_out(call: Call, ctx: Context, recount: Recount) -> None:
    """Carry a recount out; one that the database or the time ends keeps what it did."""

    def note_failure(case_id: UUID, error: Exception) -> None:
        log.error("a case could not be recounted", case_id=str(case_id), error=type(error).__name__)
        if call.services.fault(error) in ("busy", "full"):
            raise error

    try:
        standards.carry_out(ctx, recount, note_failure)
    except Exception:
        with suppress(Exception), call.services.time_allowed(RECORD_SECONDS):
            standards.save_recount(ctx, recount)
        raise


@router.get("/holidays", tags=["calendar"], **operation(EVERYONE, page_of(r.Holiday)))
def list_holidays(
    call: Caller,
    paged: Paged,
    year: Annotated[int | None, Query(ge=KNOWN_YEARS[0], le=KNOWN_YEARS[-1])] = None,
    district: Annotated[Code | None, Query()] = None,
) -> Response:
    """The holidays of a year, by day.

    This year's if left out; with ``district``, as that district counts.

    With an ``id``, it was declared; one that is not ``closed`` was taken off the list.
    """
    of_year = year or call.ctx.act.today.year
    known = call.ctx.clockwork.calendar_of(district)

    def read(reading: Reading, paging: Paging) -> Page:
        reading.standards.check_district(district, "district")
        declared = reading.standards.holidays(of_year, district)
        days = shape.calendar(known, of_year, declared)
        if paging.after is not None:
            days = [day for day in days if day["on"].isoformat() > str(paging.after[0])]
        shown = days[: paging.limit]
        more = len(days) > paging.limit
        return Page(shown, (shown[-1]["on"].isoformat(),) if more else None)

    return call.pages(EVERYONE, paged, read, lambda day: day)


@router.post(
    "/holidays",
    tags=["calendar"],
    **operation(WRITE, r.DeclaredHoliday, status=201, also=200, refuses=(409,), is_long=True),
)
def declare_holiday(body: s.DeclareHoliday, call: Caller) -> Response:
    """Declare a day closed, or open after all.

    Counts the running clocks again that it touches, and names them; 200 where it replaces one.

    A supervisor declares for the own district. A later word on the same day counts.
    """
    command = standards.DayCommand(**body.model_dump())
    begun, done = _recounted(call, lambda ctx: standards.declare_holiday(ctx, command))
    with call.ctx.reading(EVERYONE) as reading:
        day = reading.standards.holiday(begun.subject_id)
    said = shape.recount(done)
    return respond(
        shape.holiday(day) | said | {"recounted": said.pop("deadlines")},
        201 if begun.is_new else 200,
    )
