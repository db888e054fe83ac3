"""Referrals: made, sent, answered, served, ended, disposed of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from casework.adapters.api.referring import responses as r
from casework.adapters.api.referring import views
from casework.adapters.api.shared import bodies as s
from casework.adapters.api.shared.responses import page_of
from casework.adapters.api.shared.routing import Caller, Paged, operation
from casework.adapters.api.shared.views import recounted
from casework.adapters.api.shared.views import warnings as said
from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.adapters.http.routers import SubjectRouter
from casework.domain.casefile.referral_moves import MOVES
from casework.domain.casefile.states import ReferralStatus
from casework.domain.referring.referring import Details
from casework.workflows.context import Context
from casework.workflows.planning import warnings
from casework.workflows.ports.results import Corrected
from casework.workflows.ports.unit_of_work import Reading
from casework.workflows.referring import correcting, referring

router = SubjectRouter(prefix="/referrals", tags=["referrals"])


def _shown(call: Call) -> Callable[[Reading, UUID], Any]:
    return lambda reading, id: _referral(call, reading, id)


def _referral(call: Call, reading: Reading, id: UUID) -> WithETag:
    ctx, view = call.ctx, reading.referrals.get(id)
    found = said(warnings.of_referral(ctx, view), call.language)
    return views.referral(view, ctx.actor, ctx.now, found)


def _change(call: Call, use_case: Callable[[Context], Any]) -> Response:
    return call.change(use_case, "referral.read", _shown(call))


@router.post("", **operation("referral.send", r.Referral, status=201, refuses=(404, 409)))
def refer(body: s.CreateReferral, call: Caller) -> Response:
    """Ask a provider for a planned service.

    Make a referral; it is sent at once unless ``send`` is false.
    """
    command = referring.ReferCommand(
        **body.model_dump(exclude={"basis"}),
        basis_kind=body.basis.kind,
        consent_id=getattr(body.basis, "consent_id", None),
    )
    return _change(call, lambda ctx: referring.refer(ctx, command))


@router.get("", **operation("referral.read", page_of(r.ReferralRow)))
def list_referrals(
    call: Caller,
    paged: Paged,
    status: Annotated[ReferralStatus | None, Query()] = None,
    field: Annotated[s.Code | None, Query()] = None,
    provider: Annotated[UUID | None, Query()] = None,
    centre: Annotated[s.Code | None, Query()] = None,
    overdue: Annotated[bool | None, Query()] = None,
) -> Response:
    """Referrals I see, newest first.

    Filtered by state, field, provider, centre, or whether a clock of it is overdue.
    """
    filters = {
        "status": status,
        "field": field,
        "provider": provider,
        "centre": centre,
        "overdue": overdue,
    }
    return call.pages(
        "referral.read",
        paged,
        lambda reading, paging: reading.referrals.listed(filters, paging),
        views.referral_row(call.ctx.actor),
    )


@router.get("/{id}", **operation("referral.read", r.Referral, refuses=(404,)))
def get_referral(id: UUID, call: Caller) -> Response:
    """A referral with clocks and history.

    One referral as the account sees it.
    """
    return call.look(
        "referral.read",
        lambda reading: _referral(call, reading, id),
    )


def _move(call: Call, id: UUID, action: str, body: s.Body) -> Response:
    given = body.model_dump(exclude_none=True)
    replace_with = given.pop("replace_with", None)
    details = Details(**given)
    return _change(
        call, lambda ctx: referring.move_referral(ctx, id, action, details, replace_with)
    )


def _add_move(action: str, schema: type[s.Body], summary: str) -> None:
    """An operation for one row of the lifecycle table."""

    def move(id: UUID, body: Any, call: Caller) -> Response:
        return _move(call, id, action, body)

    move.__annotations__["body"] = schema
    move.__name__ = f"{action.replace('-', '_')}_referral"
    move.__doc__ = f"{summary}.\n\n{MOVES[action].event.__name__}"
    answers = operation(MOVES[action].who, r.Referral, refuses=(404, 409, 412))
    router.post(f"/{{id}}/{action}", **answers)(move)


for _action, _schema, _summary in (
    ("send", s.SendReferral, "Send a drafted referral"),
    ("accept", s.AcceptReferral, "Take it on"),
    ("waitlist", s.WaitlistReferral, "Not now, but in turn"),
    ("decline", s.DeclineReferral, "Decline with a listed reason"),
    ("start", s.StartReferral, "The service began"),
    ("report", s.ReportProgress, "Report how it goes"),
    ("hold", s.HoldReferral, "Pause until a last day"),
    ("resume", s.ResumeReferral, "End a pause early"),
    ("complete", s.CompleteReferral, "The service ended"),
    ("fail", s.FailReferral, "It came to nothing"),
    ("cancel", s.EndReferral, "The sender calls it off"),
    ("withdraw", s.EndReferral, "The resident calls it off"),
    ("enter-in-error", s.EnterReferralInError, "It should never have been entered"),
):
    _add_move(_action, _schema, _summary)


@router.post("/{id}/signal", **operation("referral.answer", r.Referral, refuses=(404, 409, 412)))
def signal_on_referral(id: UUID, body: s.RaiseSignal, call: Caller) -> Response:
    """Say that something changed with the resident.

    A provider's or worker's word; a clock starts on the worker.
    """
    return _change(call, lambda ctx: referring.signal_change(ctx, id, body.kind, body.note))


def _correct(call: Call, use_case: Callable[[Context], Corrected]) -> Response:
    """Put a referral right and show it, with the clocks that were counted anew."""

    def show(reading: Reading, made: Corrected) -> Any:
        shown = _shown(call)(reading, made.id)
        shown["recounted"] = recounted(made.recounted)
        return shown

    return call.change(use_case, "referral.read", show)


@router.post(
    "/{id}/correct", **operation("referral.send", r.CorrectedReferral, refuses=(404, 409, 412))
)
def correct_referral(id: UUID, body: s.CorrectReferral, call: Caller) -> Response:
    """Put right on which days it was asked, answered, started or ended.

    The former days are kept with the case; the clocks that rest on them are counted anew.
    """
    days = body.model_dump(exclude_none=True, exclude={"reason"})
    return _correct(call, lambda ctx: correcting.correct_referral(ctx, id, days, body.reason))


@router.post(
    "/{id}/priority", **operation("referral.send", r.CorrectedReferral, refuses=(404, 409, 412))
)
def change_priority(id: UUID, body: s.ChangePriority, call: Caller) -> Response:
    """Raise or lower how pressing it is.

    Its running clocks are counted anew from their start.
    """
    return _correct(
        call, lambda ctx: correcting.change_priority(ctx, id, body.priority, body.reason)
    )


@router.post("/{id}/dispose", **operation("referral.send", r.Referral, refuses=(404, 409, 412)))
def dispose_referral(id: UUID, body: s.DisposeReferral, call: Caller) -> Response:
    """Say what happens instead.

    After declined, lapsed, failed, withdrawn or an early end; ``re_refer`` asks the next offering,
    or names the open referral of the same planned service that replaces it already.
    """
    return _change(
        call,
        lambda ctx: referring.dispose_referral(
            ctx, id, body.disposition, body.offering_id, body.note, body.replaced_by
        ),
    )
