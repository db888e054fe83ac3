"""Set-up steps of tests, done by the real use cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from casework.adapters.persistence import tables as t
from casework.domain.casefile.plan import PlannedItem
from casework.domain.cases import intake as survey
from casework.domain.planning import planning as plan
from casework.domain.referring.referring import Details
from casework.workflows.cases import intake
from casework.workflows.planning import planning
from casework.workflows.referring import referring
from casework.workflows.residents import residents
from tests.api.conftest import SUPERVISOR, WORKER, Api

_numbers = count(1)


@dataclass(frozen=True)
class Supported:
    """A case with an approved plan of one service."""

    resident: UUID
    case: UUID
    service: UUID


def a_resident(api: Api, by: str = WORKER, **facts: Any) -> UUID:
    """Register an invented resident of the centre of the registering actor."""
    ctx = api.context(by)
    usual = {"name": f"가상주민{next(_numbers)}", "birth_date": date(1941, 5, 6), "sex": "female",
             "centre_code": ctx.actor.centre_code, "phone": "010-0000-0000"}  # fmt: skip
    return residents.register_resident(ctx, usual | facts, [], confirm_new=True).id


def a_case(api: Api, by: str = WORKER, resident: UUID | None = None, **facts: Any) -> UUID:
    """Open a case on an application of today; its ``survey`` clock runs."""
    application = {"channel": "self", "applied_on": api.context(by).act.today} | facts
    return intake.open_case(api.context(by), resident or a_resident(api, by), application, None)


def number_of(api: Api, case: UUID) -> str:
    """The number of a case, to say on the telephone."""
    with api.engine.connect() as connection:
        query = select(t.care_case.c.number).where(t.care_case.c.id == case)
        number: str = connection.execute(query).scalar_one()
    return number


def surveyed(api: Api, case: UUID, by: str = WORKER) -> None:
    """The pre-survey, which sends the case for assessment."""
    activities = dict.fromkeys(survey.ACTIVITIES, 1)
    intake.record_pre_survey(
        api.context(by), case, dementia_medicine=False, activities=activities, guidance=None
    )


def assessed(api: Api, case: UUID, by: str = WORKER) -> None:
    """The determination."""
    ctx = api.context(by)
    finding = survey.Finding(
        assessed_on=ctx.act.today, received_on=ctx.act.today, assessor="an assessor",
        determination="community_care", needs=[],
    )  # fmt: skip
    intake.record_assessment(ctx, case, finding)


def a_submitted_plan(
    api: Api,
    by: str = WORKER,
    code: str = "CARE-MEALS",
    resident: UUID | None = None,
    **application: Any,
) -> tuple[UUID, dict[str, Any]]:
    """A case with a submitted plan of one service; returns what a decision must name."""
    case = a_case(api, by, resident, **application)
    surveyed(api, case, by)
    assessed(api, case, by)
    ctx = api.context(by)
    item = PlannedItem(
        id=ctx.new_id(), service_code=code, content="lunch", quantity=Decimal(3), unit="meal",
        per="week", starts_on=ctx.act.today, ends_on=ctx.act.today.replace(year=2027),
    )  # fmt: skip
    draft = plan.Draft(goals=["stay at home"], items=[(None, item)], heard_on=ctx.act.today,
                       heard_from="the resident")  # fmt: skip
    planning.put_draft(ctx, case, draft)
    submitted = planning.submit_plan(ctx, case)
    return case, {"version": submitted.version, "hash": submitted.hash}


def a_supported_case(
    api: Api,
    by: str = WORKER,
    supervisor: str = SUPERVISOR,
    code: str = "CARE-MEALS",
    resident: UUID | None = None,
    **application: Any,
) -> Supported:
    """A case with an approved plan of one service, all on this day; its ``link`` clock runs."""
    resident = resident or a_resident(api, by)
    case, named = a_submitted_plan(api, by, code, resident, **application)
    command = planning.DecisionCommand(
        **named, approve=True, without_meeting_reason="no meeting this week"
    )
    planning.decide_plan(api.context(supervisor), case, command)
    return Supported(resident, case, _service_of(api, case))


def _service_of(api: Api, case: UUID) -> UUID:
    with api.engine.connect() as connection:
        found: UUID = connection.scalars(
            select(t.planned_service.c.id).where(t.planned_service.c.case_id == case)
        ).one()
    return found


def a_referral(
    api: Api, supported: Supported | None = None, provider: str = "alpha", by: str = WORKER,
    **facts: Any,
) -> UUID:  # fmt: skip
    """Ask an agency for the one planned service; its ``response`` clock runs."""
    supported = supported or a_supported_case(api, by)
    usual: dict[str, Any] = {"priority": "routine", "basis_kind": "article_14_2"}
    command = referring.ReferCommand(
        planned_service_id=supported.service,
        offering_id=api.offerings[provider, "CARE-MEALS"].id,
        **(usual | facts),
    )
    return referring.refer(api.context(by), command)


def moved(api: Api, referral: UUID, action: str, by: str, **details: Any) -> None:
    """Make a move of the lifecycle table."""
    referring.move_referral(api.context(by), referral, action, Details(**details))


def make_room(api: Api, places: int = 500) -> None:
    """Set that many free places everywhere, for tests of something else."""
    with api.engine.begin() as connection:
        connection.execute(update(t.offering).values(capacity=places + 20, available=places))


def clock(api: Api, kind: str, subject: UUID) -> UUID:
    """The newest clock of a kind on a subject."""
    with api.engine.connect() as connection:
        found: UUID = connection.scalars(
            select(t.deadline.c.id)
            .where(t.deadline.c.kind == kind, t.deadline.c.subject_id == subject)
            .order_by(t.deadline.c.started_at.desc(), t.deadline.c.id.desc())
        ).first()  # type: ignore[assignment]
    assert found is not None, f"no {kind} clock"
    return found
