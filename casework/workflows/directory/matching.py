"""Matching: candidates for a resident, eligibility of a referral, and coverage gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from casework.domain.casefile.referral import Referral
from casework.domain.directory.coverage import CentreCoverage
from casework.domain.directory.directory import Centre, EntryState, Service
from casework.domain.directory.eligibility import JudgedRule, facts_of, judge, snapshot
from casework.domain.directory.matching import Match, MatchRequest, matches
from casework.domain.directory.past import REMEMBERED_FOR, told
from casework.domain.errors import Invalid, require
from casework.domain.figures.figures import spent_in
from casework.domain.figures.response_rates import MEASURED_OVER, Answers, measured
from casework.domain.residents.death import check_lives
from casework.workflows.context import Context
from casework.workflows.ports.matching import ResponseRateStore
from casework.workflows.ports.unit_of_work import Page, Paging, Reading, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchQuestion:
    """Which service is sought, for whom, and the preferences."""

    service_code: str
    resident_id: UUID | None = None
    centre_code: str | None = None
    mobility: str | None = None
    needed_by: date | None = None
    language: str | None = None
    # Of a resident who died only where the actor says so.
    confirm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The matches in order, the point they are measured from, and the service's eligibility."""

    centre: Centre
    judged: Sequence[JudgedRule]
    found: Sequence[Match]


def match(ctx: Context, reading: Reading, question: MatchQuestion) -> Matched:
    """The offerings that cover a resident, or a centre, in the order in which to ask them."""
    service = _check(ctx, question)
    facts: dict[str, str | None] = {}
    centre_code, mobility = question.centre_code or "", question.mobility
    before: Mapping[UUID, dict[str, Any]] = {}
    if question.resident_id is not None:
        resident = reading.matching.resident(question.resident_id)
        check_lives(resident.died_on, confirmed=question.confirm)
        facts = facts_of(resident, ctx.act.today)
        centre_code, mobility = resident.centre_code, mobility or resident.mobility
        since = ctx.now - REMEMBERED_FOR
        before = told(reading.matching.setbacks(resident.id, since))
    covering = reading.matching.candidates(service.code, centre_code)
    if covering is None:
        raise Invalid("no such centre", code="unknown_centre", field="centre_code")
    centre, candidates = covering
    judged = judge(service.eligibility, facts)
    wish = MatchRequest(
        point=(centre.lat, centre.lon),
        now=ctx.now,
        calendar=ctx.clockwork.calendar_of(centre.district_code),
        judged=judged,
        mobility=mobility,
        language=question.language,
        needed_by=question.needed_by,
        before=before,
    )
    return Matched(centre=centre, judged=judged, found=matches(candidates, wish))


def _check(ctx: Context, question: MatchQuestion) -> Service:
    """The service; refuses a question without exactly one of resident and centre."""
    require(
        (question.resident_id is None) != (question.centre_code is None),
        "name a resident or a centre",
        code="resident_or_centre",
        field="resident_id",
    )
    require(
        question.needed_by is None or question.needed_by >= ctx.act.today,
        "a day that has passed",
        code="needed_by_past",
        field="needed_by",
    )
    return known_service(ctx, question.service_code, "service_code")


def known_service(ctx: Context, code: str, field: str) -> Service:
    """The service, which must be in the published catalogue."""
    service = ctx.catalogue.get(code)
    if service is None or service.state != EntryState.PUBLISHED:
        raise Invalid("no such service", code="unknown_service", field=field)
    return service


def record_judgement(ctx: Context, work: Work, referral: Referral | None) -> None:
    """Store on a new referral its service's eligibility rules and the facts they were judged on."""
    service = ctx.catalogue.get(referral.service_code) if referral else None
    if referral is None or service is None or not service.eligibility:
        return
    today = ctx.act.today
    facts = facts_of(work.residents.get(referral.resident_id), today)
    referral.judged = snapshot(judge(service.eligibility, facts), today)


def coverage_gaps(
    ctx: Context,
    reading: Reading,
    service: str | None,
    designation: str | None,
    paging: Paging,
) -> Page:
    """Centres within scope without an accepting agency, or without one nearby, by code."""
    if service is not None:
        known_service(ctx, service, "service")
    found = [one for one in reading.matching.coverage(service, designation) if one.gap]
    if paging.after is not None:
        found = [one for one in found if _key(one) > paging.after]
    shown = found[: paging.limit]
    return Page(shown, _key(shown[-1]) if len(found) > paging.limit else None)


def _key(one: CentreCoverage) -> tuple[str]:
    return (one.centre.code,)


def measure(ctx: Context, store: AbstractContextManager[ResponseRateStore]) -> int:
    """Recalculate every agency's response rate; returns how many have one."""
    spent = spent_in(ctx.clockwork)
    with store as answers:
        rows = answers.answered(ctx.now - MEASURED_OVER, ctx.now)
        found = []
        for provider_id, own in groupby(rows, key=lambda row: row.provider_id):
            said = measured(
                (
                    Answers(
                        spent(row.district_code, row.began_on, row.ended_on, row.pauses),
                        row.accepted,
                        row.count,
                    )
                    for row in own
                ),
                ctx.now,
            )
            if said is not None:
                found.append((provider_id, said))
        answers.save(found, ctx.now)
    return len(found)
