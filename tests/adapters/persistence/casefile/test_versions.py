"""A save raises the version of what changed by one, so that a writer who read before is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, select

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.rows.saving import update_row
from casework.domain.cases import checks
from casework.domain.errors import StaleVersion
from casework.workflows.cases import caseload, running
from casework.workflows.planning import planning
from casework.workflows.referring import referring
from tests.api.acts import (
    Supported,
    a_case,
    a_referral,
    a_submitted_plan,
    a_supported_case,
    assessed,
    moved,
    surveyed,
)
from tests.api.conftest import COLLEAGUE, PROVIDER, SUPERVISOR, WORKER, Api

FRIDAY = date(2026, 3, 6)
FOUND = checks.Findings(
    checked_on=date(2026, 3, 3), findings="well", goals=[{"goal": "home", "met": "yes"}]
)


def row_of(api: Api, table: Table, id: UUID) -> dict[str, Any]:
    with api.engine.connect() as connection:
        return dict(connection.execute(select(table).where(table.c.id == id)).one()._mapping)


def version(api: Api, table: Table, id: UUID) -> int:
    return int(row_of(api, table, id)["version"])


def revision(api: Api, case: UUID) -> int:
    return int(row_of(api, t.care_case, case)["plan_revision"])


def last_version(api: Api, case: UUID) -> UUID:
    of = t.plan_version
    query = select(of.c.id).where(of.c.case_id == case).order_by(of.c.number.desc())
    with api.engine.connect() as connection:
        found: UUID = connection.scalars(query.limit(1)).one()
    return found


def decide(api: Api, case: UUID, named: dict[str, Any], *, approve: bool) -> None:
    command = planning.DecisionCommand(
        **named, approve=approve, reason="too few visits", without_meeting_reason="no meeting"
    )
    planning.decide_plan(api.context(SUPERVISOR), case, command)


def check(api: Api, case: UUID) -> None:
    api.clock.set("2026-03-03T10:00")
    running.record_check(api.context(WORKER), case, FOUND)


def colleague(api: Api) -> UUID:
    id = api.context(COLLEAGUE).actor.id
    assert id is not None
    return id


ON_A_SUPPORTED_CASE: dict[str, Callable[[Api, UUID], Any]] = {
    "check": check,
    "signal": lambda api, case: running.raise_signal(api.context(WORKER), case, "fall", None),
    "telling": lambda api, case: planning.notify_plan(
        api.context(WORKER), case, date(2026, 3, 2), "her"
    ),
    "assigning": lambda api, case: running.assign_case(
        api.context(SUPERVISOR), case, colleague(api)
    ),
    "hold": lambda api, case: caseload.hold_case(
        api.context(WORKER), case, "hospitalised", FRIDAY, None
    ),
    "closing": lambda api, case: running.close_case(
        api.context(WORKER),
        case,
        {"reason": "moved_away", "effective_on": date(2026, 3, 2), "note": "moved",
         "end_open": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ON_A_SUPPORTED_CASE)
def test_an_act_on_a_case_raises_its_version_by_one(api: Api, name: str) -> None:
    case = a_supported_case(api).case
    api.clock.forward(days=1)
    before = version(api, t.care_case, case)
    ON_A_SUPPORTED_CASE[name](api, case)
    assert version(api, t.care_case, case) == before + 1


def test_survey_and_assessment_raise_the_version_of_the_case_by_one_each(api: Api) -> None:
    case = a_case(api)
    surveyed(api, case)
    assert version(api, t.care_case, case) == 2
    assessed(api, case)
    assert version(api, t.care_case, case) == 3


def test_the_answer_to_a_signal_raises_both_versions_by_one(api: Api) -> None:
    case = a_supported_case(api).case
    signal = running.raise_signal(api.context(WORKER), case, "fall", None).id
    before = version(api, t.care_case, case), version(api, t.signal, signal)
    running.answer_signal(api.context(WORKER), signal, "visited")
    after = version(api, t.care_case, case), version(api, t.signal, signal)
    assert after == (before[0] + 1, before[1] + 1)


def test_the_move_of_a_referral_raises_its_own_version_alone(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    before = version(api, t.care_case, supported.case)
    assert version(api, t.referral, referral) == 1
    moved(api, referral, "accept", PROVIDER)
    assert version(api, t.referral, referral) == 2
    assert version(api, t.care_case, supported.case) == before


def test_a_disposition_raises_the_versions_of_the_referral_and_its_service(api: Api) -> None:
    supported = a_supported_case(api)
    referral = a_referral(api, supported)
    moved(api, referral, "decline", PROVIDER, reason="at_capacity")
    before = version(api, t.referral, referral), version(api, t.planned_service, supported.service)
    referring.dispose_referral(api.context(WORKER), referral, "refused", None, None)
    after = version(api, t.referral, referral), version(api, t.planned_service, supported.service)
    assert after == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("approve", [True, False])
def test_a_decision_raises_the_versions_of_what_it_changes(api: Api, approve: bool) -> None:
    case, named = a_submitted_plan(api)
    plan = last_version(api, case)
    before = version(api, t.plan_version, plan), revision(api, case)
    decide(api, case, named, approve=approve)
    assert (version(api, t.plan_version, plan), revision(api, case)) == (
        before[0] + 1, before[1] + 1,
    )  # fmt: skip


def test_a_plan_has_a_revision_for_every_act_on_any_of_its_versions(api: Api) -> None:
    case, named = a_submitted_plan(api)
    plan = last_version(api, case)
    assert (version(api, t.plan_version, plan), revision(api, case)) == (2, 2)
    decide(api, case, named, approve=True)
    assert (version(api, t.plan_version, plan), revision(api, case)) == (3, 3)


def test_a_row_that_was_written_meanwhile_is_not_overwritten(api: Api) -> None:
    supported: Supported = a_supported_case(api)
    row = row_of(api, t.resident, supported.resident)
    with api.engine.begin() as connection:
        update_row(connection, t.resident, row | {"mobility": "limited"})
        with pytest.raises(StaleVersion):
            update_row(connection, t.resident, row | {"mobility": "bedridden"})
    assert row_of(api, t.resident, supported.resident)["mobility"] == "limited"
    assert version(api, t.resident, supported.resident) == row["version"] + 1
