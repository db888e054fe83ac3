"""Care plans: versions, the decision on them, and the services that live across them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from casework.domain.casefile.case_moves import allowed_actions
from casework.domain.casefile.plan import PlanVersion
from casework.domain.cases.reopening import reopen
from casework.domain.errors import Conflict, Forbidden, Invalid
from casework.domain.planning import deciding, planning
from tests.domain.helpers import ends, event_names, field_of, refused, running
from tests.factories import ActorFactory, CaseFileFactory, ReferralFactory, Town, moves


def planned(stage="planning", **facts):
    """A town and a case file as far as a stage."""
    town = Town("2026-04-01T10:00")
    return town, CaseFileFactory(town=town, stage=stage, **facts)


def statuses(file):
    """The versions of the plan by number."""
    return {version.number: version.status for version in file.versions}


# Drafting


def test_a_draft_is_the_next_version_and_is_written_over_until_submitted():
    town, file = planned()
    first = moves.draft(town, file, "CARE-MEALS")
    again = moves.draft(town, file, "MED-VISIT")
    assert first is again
    assert again.number == 1
    assert [item.service_code for item in again.services] == ["MED-VISIT"]
    moves.submit(town, file)
    with refused(Conflict, "not_allowed_in_state", file, state="submitted"):
        moves.draft(town, file, "CARE-MEALS")
    moves.decide(town, file)
    second = moves.draft(
        town, file, keep=tuple(s for s in file.services.values() if s.status == "in_force")
    )
    assert (second.number, second.status) == (2, "draft")


@pytest.mark.parametrize("stage", ["applied", "surveying"])
def test_only_an_urgent_case_has_a_plan_before_the_determination(stage):
    town, file = planned(stage)
    with refused(Conflict, "not_allowed_in_state", file, state=stage):
        moves.draft(town, file, "CARE-MEALS")
    town, file = planned(stage, urgent=True)
    moves.draft(town, file, "CARE-MEALS")
    with refused(Conflict, "not_allowed_in_state", file, state=stage):
        moves.submit(town, file)


def test_a_closed_case_is_planned_no_more():
    town, file = planned("submitted", urgent=True)
    version = file.versions[-1]
    moves.close(town, file)
    with refused(Conflict, "not_allowed_in_state", file, state="closed"):
        moves.draft(town, file, "CARE-MEALS")
    with refused(Conflict, "not_allowed_in_state", file, state="closed"):
        moves.submit(town, file)
    with refused(Conflict, "not_allowed_in_state", file, state="closed"):
        moves.decide(town, file)
    assert version.status == "submitted"
    assert file.case.status == "closed"


def draft_of(*items, heard_on=date(2026, 4, 1)):
    return planning.Draft(goals=[], items=list(items), heard_on=heard_on, heard_from="himself")


@pytest.mark.parametrize(
    ("facts", "code", "field"),
    [
        ({"service_code": "CARE-GONE"}, "unknown_service", "services.1.service_code"),
        ({"quantity": Decimal(0)}, "invalid", "services.1.quantity"),
        ({"ends_on": date(2026, 5, 3)}, "ends_before_start", "services.1.ends_on"),
    ],
)
def test_an_item_that_cannot_be_right_is_refused_and_makes_nothing(facts, code, field):
    town, file = planned()
    good, bad = moves.item(), moves.item(**({"service_code": "MED-VISIT"} | facts))
    with refused(Invalid, code, file) as caught:
        planning.put_draft(file, draft_of((None, good), (None, bad)), town.catalogue, town.act())
    assert field_of(caught) == field


def test_a_service_of_one_day_and_half_an_hour_is_planned():
    town, file = planned()
    day = date(2026, 5, 4)
    one_day = moves.item(starts_on=day, ends_on=day, quantity=Decimal("0.5"))
    planning.put_draft(file, draft_of((None, one_day)), town.catalogue, town.act())
    assert len(file.services) == 1


def test_a_planned_service_keeps_its_id_and_its_service():
    town, file = planned("supported")
    service = moves.only_service(file)
    version = moves.draft(town, file, keep=(service,))
    assert [item.id for item in version.services] == [service.id]
    other = moves.item("MED-VISIT")
    for item, code in (
        ((service.id, other), "service_changed"),
        ((other.id, other), "unknown_planned_service"),
    ):
        with refused(Invalid, code, file):
            planning.put_draft(file, draft_of(item), town.catalogue, town.act())
    twice = draft_of((service.id, moves.item()), (service.id, moves.item()))
    with refused(Invalid, "duplicate_service", file):
        planning.put_draft(file, twice, town.catalogue, town.act())


def test_an_item_takes_the_id_of_its_planned_service():
    town, file = planned()
    version = moves.draft(town, file, "CARE-MEALS", "CARE-MEALS")
    assert {item.id for item in version.services} == set(file.services)
    assert {service.field for service in file.services.values()} == {"care"}


def test_a_dropped_service_does_not_come_back():
    town, file = planned()
    moves.draft(town, file, "CARE-MEALS")
    dropped = moves.only_service(file)
    moves.draft(town, file, "MED-VISIT")
    assert dropped.status == "dropped"
    with refused(Invalid, "unknown_planned_service", file):
        moves.draft(town, file, keep=(dropped,))


def test_the_family_is_heard_today_or_earlier():
    town, file = planned()
    for day, fine in ((31, True), (1, True), (2, False)):
        heard_on = date(2026, 3 if day == 31 else 4, day)
        draft = draft_of((None, moves.item()), heard_on=heard_on)
        if fine:
            planning.put_draft(file, draft, town.catalogue, town.act())
        else:
            with refused(Invalid, "date_in_future", file):
                planning.put_draft(file, draft, town.catalogue, town.act())


# Deciding


def test_a_decision_is_bound_to_number_and_hash():
    town, file = planned("submitted")
    version = file.versions[-1]
    by = town.act(town.supervisor)
    for facts in ({"hash": "0" * 64}, {"number": 2}):
        with refused(Conflict, "version_changed", file):
            deciding.decide(file, moves.decision(version, **facts), by)
    deciding.decide(file, moves.decision(version), by)
    assert (version.decision, version.decided_by) == ("approve", town.supervisor.id)


def test_the_hash_follows_what_the_version_says_and_not_how_it_is_stored():
    town, file = planned("drafted")
    version = file.versions[-1]
    before = version.content_hash()
    assert len(before) == 64
    version.drafted_at, version.version = town.wait(days=1).now, 99
    (item,) = version.services
    version.services = [moves.item(id=item.id, quantity=Decimal("3.00"))]
    assert version.content_hash() == before
    changes: tuple[dict[str, Any], ...] = (
        {"goals": ["another"]},
        {"heard_from": "someone else"},
        {"heard_on": date(2026, 3, 31)},
        {"services": [moves.item(id=item.id, quantity=Decimal("3.5"))]},
        {"services": [moves.item(id=item.id, content="dinner")]},
        {"services": []},
        {"number": 2},
    )
    for change in changes:
        kept = {name: getattr(version, name) for name in change}
        for name, value in change.items():
            setattr(version, name, value)
        assert version.content_hash() != before
        for name, value in kept.items():
            setattr(version, name, value)


def test_nobody_decides_on_their_own_draft():
    for who in ("draft", "submit"):
        town, file = planned()
        moves.draft(town, file, "CARE-MEALS", by=town.supervisor if who == "draft" else None)
        moves.submit(town, file, by=town.supervisor if who == "submit" else None)
        with refused(Forbidden, "own_draft", file):
            moves.decide(town, file)
        town.supervisor = ActorFactory(supervisor=True)
        assert moves.decide(town, file).status == "approved"


def test_a_decision_says_how_it_was_taken():
    town, file = planned("submitted")
    by, version = town.act(town.supervisor), file.versions[-1]
    met = moves.conference(town, town.today)
    for facts in (
        {"without_meeting_reason": None},
        {"without_meeting_reason": " "},
        {"conference": met},
    ):
        with refused(Invalid, "how_decided", file):
            deciding.decide(file, moves.decision(version, **facts), by)
    in_meeting = moves.decision(version, conference=met, without_meeting_reason=None)
    deciding.decide(file, in_meeting, by)
    assert (version.conference_id, version.without_meeting_reason) == (met.id, None)
    town, file = planned("submitted")
    moves.decide(town, file)
    version = file.versions[-1]
    assert version.conference_id is None
    assert version.without_meeting_reason == "no meeting this week"


@pytest.mark.parametrize(
    ("held_on", "code"),
    [
        ("2026-03-31", "date_too_early"),
        ("2026-04-01", None),
        ("2026-04-02", None),
        ("2026-04-08", None),
        ("2026-04-09", "date_in_future"),
    ],
)
def test_a_conference_lies_between_the_submission_and_today(held_on, code):
    town, file = planned("submitted")
    town.go_to("2026-04-08")
    if code:
        with refused(Invalid, code, file) as caught:
            moves.decide(town, file, held_on=date.fromisoformat(held_on))
        assert field_of(caught) == "conference.held_on"
    else:
        moves.decide(town, file, held_on=date.fromisoformat(held_on))
        assert str(file.case.first_approved_on) == held_on


def test_without_a_submitted_version_there_is_nothing_to_decide():
    town, file = planned("drafted")
    version = file.versions[-1]
    with refused(Conflict, "not_allowed_in_state", file):
        deciding.decide(file, moves.decision(version), town.act(town.supervisor))
    moves.submit(town, file)
    moves.decide(town, file)
    with refused(Conflict, "not_allowed_in_state", file):
        moves.decide(town, file)


def test_the_first_approved_version_supports_the_case():
    town, file = planned("submitted")
    assert file.case.status == "planning"
    town.wait(days=1)
    moves.decide(town, file)
    assert file.case.status == "supported"
    assert file.case.first_approved_on == town.today
    assert moves.only_service(file).status == "in_force"
    assert event_names(file)[-1] == "PlanApproved"


def test_a_returned_version_stays_and_the_next_one_is_drafted():
    town, file = planned("submitted")
    moves.decide(town, file, approve=False)
    assert statuses(file) == {1: "returned"}
    assert file.case.status == "planning"
    assert file.in_force is None
    service = moves.only_service(file)
    moves.approve_plan(town, file, keep=(service,))
    assert statuses(file) == {1: "returned", 2: "approved"}


def test_a_new_version_supersedes_the_one_in_force_when_it_is_approved():
    town, file = planned("supported")
    first, service = file.in_force, moves.only_service(file)
    moves.draft(town, file, "MED-VISIT", keep=(service,))
    assert file.in_force is first
    moves.submit(town, file)
    assert file.in_force is first
    moves.decide(town, file)
    assert statuses(file) == {1: "superseded", 2: "approved"}
    assert file.case.status == "supported"


def test_an_approved_version_never_changes():
    town, file = planned("supported")
    first = file.in_force
    assert isinstance(first, PlanVersion)
    before = (first.content_hash(), first.decided_at, first.decided_by, first.drafted_at)
    town.wait(days=1)
    moves.approve_plan(town, file, "MED-VISIT", keep=(moves.only_service(file),))
    assert (first.content_hash(), first.decided_at, first.decided_by, first.drafted_at) == before
    assert first.hash == before[0]


def test_a_returned_change_leaves_the_version_in_force():
    town, file = planned("supported")
    first, service = file.in_force, moves.only_service(file)
    moves.draft(town, file, "MED-VISIT")  # would drop the meals
    moves.submit(town, file)
    moves.decide(town, file, approve=False)
    assert file.in_force is first
    assert service.status == "in_force"
    assert file.case.status == "supported"
    assert "plan" in running(file)


# Dropping services


@pytest.mark.parametrize(
    "state", ["draft", "requested", "accepted", "on_hold", "declined", "lapsed"]
)
def test_a_service_in_use_cannot_be_dropped(state):
    town, file = planned("supported")
    service = moves.only_service(file)
    ReferralFactory(town=town, file=file, status=state)
    with refused(Conflict, "service_in_use", file, planned_service_id=service.id):
        moves.draft(town, file, "MED-VISIT")


@pytest.mark.parametrize("state", ["draft", "requested", "declined"])
def test_a_service_that_came_into_use_after_submission_stops_the_approval(state):
    town, file = planned("supported")
    service = moves.only_service(file)
    moves.draft(town, file, "MED-VISIT")
    moves.submit(town, file)
    ReferralFactory(town=town, file=file, service=service, status=state)
    with refused(Conflict, "service_in_use", file, planned_service_id=service.id):
        moves.decide(town, file)
    moves.decide(town, file, approve=False)
    assert service.status == "in_force"


@pytest.mark.parametrize("state", ["completed", "cancelled", "entered_in_error"])
def test_a_service_not_in_use_is_dropped_when_the_version_without_it_is_approved(state):
    town, file = planned("supported")
    service = moves.only_service(file)
    ReferralFactory(town=town, file=file, status=state)
    moves.draft(town, file, "MED-VISIT")
    moves.submit(town, file)
    assert service.status == "in_force"
    moves.decide(town, file)
    assert service.status == "dropped"
    assert running(file, service.id) == []
    assert file.events[-1].data["dropped"] == [service.id]


def test_the_link_clock_of_a_dropped_service_is_cancelled_at_the_approval():
    town, file = planned("supported")
    service = moves.only_service(file)
    moves.draft(town, file)
    moves.submit(town, file)
    assert ends(file, service.id) == {"link": "running"}
    town.wait(days=1)
    moves.decide(town, file)
    assert ends(file, service.id) == {"link": "cancelled"}


def test_services_keep_clocks_settlement_and_referrals_across_versions():
    town = Town()
    codes = ("CARE-MEALS", "MED-VISIT", "NUR-BATH")
    file = CaseFileFactory(town=town, supported=True, services=codes)
    meals, visit, bath = file.services.values()
    referral = ReferralFactory(town=town, file=file, service=meals, accepted=True)
    moves.settle(town, file, "refused", service=visit)
    before = {clock.id for clock in file.running() if clock.kind in ("link", "start")}
    town.wait(days=1)
    moves.approve_plan(town, file, "CARE-HOUSEWORK", keep=(meals, visit, bath))
    new = list(file.services.values())[-1]
    assert file.is_settled(visit)
    assert file.referrals_of(meals) == [referral]
    after = {clock.id for clock in file.running() if clock.kind in ("link", "start")}
    assert after - before == {file.clock("link", new.id).id}
    assert before <= after


# Telling


@pytest.mark.parametrize(
    ("on", "code"),
    [
        ("2026-03-31", "date_too_early"),
        ("2026-04-01", None),
        ("2026-04-03", None),
        ("2026-04-04", "date_in_future"),
    ],
)
def test_the_resident_is_told_between_the_approval_and_today(on, code):
    town, file = planned("supported")
    town.go_to("2026-04-03")
    if code:
        with refused(Invalid, code, file):
            planning.notify(file, date.fromisoformat(on), "the resident", town.act())
    else:
        planning.notify(file, date.fromisoformat(on), "the resident", town.act())
        assert str(file.case.notified_on) == on


def test_telling_of_a_new_version_follows_its_own_approval():
    town, file = planned("supported")
    town.go_to("2026-04-20")
    moves.approve_plan(town, file, keep=(moves.only_service(file),))
    with refused(Invalid, "date_too_early", file):
        planning.notify(file, date(2026, 4, 19), "the resident", town.act())
    planning.notify(file, date(2026, 4, 20), "the resident", town.act())
    assert "notify_plan" not in running(file)


@pytest.mark.parametrize("told_before", [True, False])
def test_telling_follows_its_approval_once_and_a_reopening_does_not_move_it(told_before):
    town, file = planned("supported")
    town.go_to("2026-04-20")
    moves.approve_plan(town, file, keep=(moves.only_service(file),))
    planning.notify(file, date(2026, 4, 20), "the resident", town.act())
    with refused(Invalid, "date_too_early", file):
        planning.notify(file, date(2026, 4, 19), "her daughter", town.act())
    moves.approve_plan(town, file, keep=(moves.only_service(file),))
    if told_before:
        planning.notify(file, date(2026, 4, 20), "the resident", town.act())
    town.go_to("2026-04-22")
    moves.close(town, file)
    reopen(file, "she came back", town.act(town.supervisor), file.case.worker_id)
    if told_before:
        with refused(Conflict, "already_notified", file):
            planning.notify(file, date(2026, 4, 21), "the resident", town.act())
    else:
        planning.notify(file, date(2026, 4, 21), "the resident", town.act())
    assert "notify_plan" not in running(file)


def test_there_is_nothing_to_tell_before_an_approval_or_after_closing():
    town, file = planned("submitted")
    with refused(Conflict, "not_allowed_in_state", file):
        planning.notify(file, town.today, "the resident", town.act())
    town, file = planned("supported")
    moves.close(town, file)
    with refused(Conflict, "not_allowed_in_state", file, state="closed"):
        planning.notify(file, town.today, "the resident", town.act())


def test_a_decision_is_offered_to_a_supervisor_who_neither_drafted_nor_submitted_it():
    town, file = planned("planning")
    drafter, submitter, other = (ActorFactory(supervisor=True) for _ in range(3))
    assert "decision" not in allowed_actions(file, other)
    moves.draft(town, file, "CARE-MEALS", by=drafter)
    moves.submit(town, file, by=submitter)
    assert "decision" in allowed_actions(file, other)
    for someone in (drafter, submitter, town.worker):
        assert "decision" not in allowed_actions(file, someone)
