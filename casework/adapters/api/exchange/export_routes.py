"""Exports of lists: the same rows and fields as the plain lists, with a stated purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Response

from casework.adapters.api.casefile import views as case_views
from casework.adapters.api.directory import list_views
from casework.adapters.api.exchange import export_bodies as s
from casework.adapters.api.exchange import export_views
from casework.adapters.api.exchange.import_routes import Language, sheet
from casework.adapters.api.referring import views as referral_views
from casework.adapters.api.residents import views as resident_views
from casework.adapters.api.shared import views as shared_views
from casework.adapters.api.shared.routing import SHEET, Caller, File, operation
from casework.adapters.api.supervision import views as supervision_views
from casework.adapters.api.supervision.routes import since_of
from casework.adapters.http.call import Call
from casework.adapters.http.problems import language_of
from casework.adapters.http.responses import dated
from casework.adapters.http.routers import SubjectRouter
from casework.domain.access.policy import Role, scope_of
from casework.domain.clocks.standards import Part
from casework.domain.exchange.exporting import ACTION, ExportOf
from casework.domain.figures.figures import Month, Period
from casework.domain.figures.questions import Question
from casework.workflows.exchange.exporting import whole
from casework.workflows.figures import figures
from casework.workflows.ports.supervision import OverdueFilter, WorklistFilter
from casework.workflows.ports.unit_of_work import Page, Paging, Reading

router = SubjectRouter(tags=["exports"])
WRITE = "export.write"


@dataclass(frozen=True)
class ExportRequest:
    """One export of one actor."""

    call: Call
    filters: s.ExportFilters

    @property
    def lateness(self) -> shared_views.Lateness:
        """How late things are today."""
        return shared_views.Lateness(self.call.ctx.clockwork, self.call.ctx.now)


def _worklist(of: ExportRequest, reading: Reading) -> Iterator[Any]:
    given = of.filters
    filters = WorklistFilter(due=given.due or "all", kind=given.kind, field=given.field)
    show = supervision_views.work_item(of.lateness, of.call.ctx.actor)
    return map(show, whole(reading, lambda look, paging: look.worklists.mine(filters, paging)))


def _overdue(of: ExportRequest, reading: Reading) -> Iterator[Any]:
    given = of.filters
    filters = OverdueFilter(
        centre=given.centre,
        worker=given.worker,
        kind=given.kind,
        field=given.field,
        provider=given.provider,
        held_by=given.held_by and Part(given.held_by),
        tier=given.tier,
        answered=given.answered,
        since=since_of(given.since),
    )
    show = supervision_views.overdue_item(of.lateness, of.call.ctx.actor)
    return map(show, whole(reading, lambda look, paging: look.worklists.overdue(filters, paging)))


def _cases(of: ExportRequest, reading: Reading) -> Iterator[Any]:
    given, actor = of.filters, of.call.ctx.actor
    filters = {"status": given.status, "centre": given.centre, "worker": given.worker}
    rows = whole(reading, lambda look, paging: look.cases.listed(filters, paging))
    return (case_views.case_row(row, actor) for row in rows)


def _residents(of: ExportRequest, reading: Reading) -> Iterator[Any]:
    filters = {"centre_code": of.filters.centre}

    def read(look: Reading, paging: Paging) -> Page:
        page = look.residents.search(filters, paging)
        cases = look.cases.open_of([one.id for one in page.rows])
        return Page([(one, cases.get(one.id), None) for one in page.rows], page.last_key)

    rows = whole(reading, read)
    return (resident_views.found_resident(row, of.call.ctx.actor) for row in rows)


def _referrals(of: ExportRequest, reading: Reading) -> Iterator[Any]:
    filters = {
        name: getattr(of.filters, name) for name in ("status", "field", "provider", "centre")
    }
    rows = whole(reading, lambda look, paging: look.referrals.listed(filters, paging))
    return map(referral_views.referral_row(of.call.ctx.actor), rows)


def _figures(of: ExportRequest, reading: Reading) -> Iterator[Any]:
    given, ctx = of.filters, of.call.ctx
    month = Month.parse(given.month) if given.month else Month.of(ctx.act.today)
    is_over = given.month is not None or ctx.actor.role == Role.CITY
    period = Period(month.first, month.last if is_over else ctx.act.today)
    period.check(by_month=given.by == "month")
    question = Question(
        period=period,
        by=given.by,
        district=given.district,
        centre=given.centre,
        field=given.field,
        provider=given.provider,
    )
    return export_views.figure_lines(figures.figures(ctx, reading, question))


def _providers(_of: ExportRequest, reading: Reading) -> Iterator[Any]:
    return map(
        list_views.provider, whole(reading, lambda look, paging: look.directory.providers(paging))
    )


def _offerings(of: ExportRequest, reading: Reading) -> Iterator[Any]:
    given, ctx = of.filters, of.call.ctx
    rows = whole(
        reading,
        lambda look, paging: look.directory.offerings(
            given.service, given.centre, given.is_open, paging
        ),
    )
    return (list_views.offering(row, ctx.catalogue, ctx.actor, ctx.now) for row in rows)


READ: Final[dict[str, Callable[[ExportRequest, Reading], Iterator[Any]]]] = {
    ExportOf.WORKLIST: _worklist,
    ExportOf.OVERDUE: _overdue,
    ExportOf.CASES: _cases,
    ExportOf.RESIDENTS: _residents,
    ExportOf.REFERRALS: _referrals,
    ExportOf.FIGURES: _figures,
    ExportOf.PROVIDERS: _providers,
    ExportOf.OFFERINGS: _offerings,
}
OF_THE_DIRECTORY: Final = "directory.read"


@router.post(
    "/exports",
    **operation(
        WRITE,
        File(SHEET, "성명,전화번호,기한종류,…"),
        use_key=False,
        is_long=True,
        may_be_stale=True,
    ),
)
def export_list(body: s.ExportList, call: Caller, accept_language: Language = None) -> Response:
    """Take a list away as a file.

    At most 20,000 rows, with the scope, fields and audit of the plain list.

    The audit entry says what was taken away and what for.
    """
    body.check()
    action = ACTION[body.what]
    scope_of(call.ctx.actor, action)
    # Reading the directory is not recorded; taking it away is.
    ctx = call.recorded_as(f"{body.what} {body.format} {body.purpose}")

    def read(reading: Reading) -> Response:
        items = READ[body.what](ExportRequest(call, body.filters), reading)
        lines = (export_views.line(body.what, item) for item in items)
        headings = export_views.headings(body.what, language_of(accept_language))
        return sheet(call, body.format, headings, lines, f"casework-{body.what}")

    response, as_of = call.read(ctx, WRITE if action == OF_THE_DIRECTORY else action, read)
    return dated(response, as_of)
