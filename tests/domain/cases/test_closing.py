"""Closing a case: what was open ends with it."""

from datetime import date

import pytest

from casework.domain.casefile.case import CLOSING_REASONS
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.errors import Conflict, Invalid
from tests.domain.clocks.test_clocks import REPORTS
from tests.domain.helpers import ends, event_names, field_of, refused, running
from tests.factories import CaseFileFactory, ReferralFactory, Town, moves


def supported(**facts):
    town = Town("2026-04-01T10:00")
    return town, CaseFileFactory(town=town, supported=True, **facts)


@pytest.mark.parametrize("stage", ["applied", "surveying", "planning", "submitted", "supported"])
def test_a_case_can_be_closed_in_every_state_and_no_clock_runs_on(stage):
    town = Town()
    file = CaseFileFactory(town=town, stage=stage, discharge_on=town.today)
    assert running(file)
    ran = file.running()
    town.wait(hours=1)
    moves.close(town, file, reason="moved_away", note="to Ulsan")
    case = file.case
    assert (case.status, case.is_open, case.closed_at) == ("closed", False, town.now)
    assert (case.closed_reason, case.closing_note) == ("moved_away", "to Ulsan")
    assert running(file) == []
    assert {(clock.met_at, clock.cancelled_at) for clock in ran} == {(None, town.now)}
    assert file.events[-1].name == "CaseClosed"
    assert "Ulsan" not in repr(file.events)
    with refused(Conflict, "not_allowed_in_state", file, state="closed"):
        moves.close(town, file)


@pytest.mark.parametrize("reason", CLOSING_REASONS)
def test_the_reasons_are_those_of_the_rule_and_three_of_our_own(reason):
    town, file = supported()
    moves.close(town, file, reason=reason)
    assert file.events[-1].data["reason"] == reason


def test_another_reason_is_refused():
    assert set(CLOSING_REASONS) == {
        "death",
        "long_stay",
        "needs_no_longer_complex",
        "refused",
        "other_recognised",
        "guided",
        "not_eligible",
        "moved_away",
    }
    town, file = supported()
    with refused(Invalid, "reason_unknown", file) as caught:
        moves.close(town, file, reason="tired")
    assert field_of(caught) == "reason"


@pytest.mark.parametrize(
    ("effective_on", "code"),
    [
        ("2026-03-31", "date_too_early"),
        ("2026-04-01", None),
        ("2026-04-08", None),
        ("2026-04-09", "date_in_future"),
    ],
)
def test_a_case_closes_between_its_application_and_today(effective_on, code):
    town, file = supported()
    town.go_to("2026-04-08")
    on = date.fromisoformat(effective_on)
    if code:
        with refused(Invalid, code, file):
            moves.close(town, file, effective_on=on)
    else:
        moves.close(town, file, effective_on=on)
        assert file.case.effective_on == on


OPEN_STATES = ["draft", "requested", "waitlisted", "accepted", "in_progress", "on_hold"]


@pytest.mark.parametrize("state", OPEN_STATES)
def test_closing_is_refused_while_a_referral_is_open(state):
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, status=state)
    with refused(Conflict, "referrals_open", file, referrals=[referral.id], state="supported"):
        moves.close(town, file)


@pytest.mark.parametrize("state", ["draft", "requested", "waitlisted", "accepted", "on_hold"])
def test_what_never_started_is_cancelled_with_the_case(state):
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, status=state)
    town.wait(days=1)
    moves.close(town, file, end_open=True)
    assert (referral.status, referral.reason) == ("cancelled", "case_closed")
    assert (referral.ended_at, referral.ended_by_closing) == (town.now, True)
    assert (referral.lapse_at, referral.resume_at, referral.outcome) == (None, None, None)
    assert event_names(file)[-2:] == ["ReferralCancelled", "CaseClosed"]
    assert running(file) == []


@pytest.mark.parametrize("state", ["in_progress", "on_hold_after_start"])
@pytest.mark.parametrize(
    ("effective_on", "ended_on"),
    [
        ("2026-04-02", "2026-04-03"),
        ("2026-04-03", "2026-04-03"),
        ("2026-04-04", "2026-04-04"),
    ],
)
def test_what_had_started_ended_early_on_the_later_of_start_and_closing(
    state, effective_on, ended_on
):
    town, file = supported()
    town.go_to("2026-04-03")
    referral = ReferralFactory(town=town, file=file, status=state)
    town.go_to("2026-04-10")
    moves.close(town, file, end_open=True, effective_on=date.fromisoformat(effective_on))
    assert (referral.status, referral.outcome) == ("completed", "ended_early")
    assert str(referral.ended_on) == ended_on
    assert event_names(file)[-2:] == ["ReferralCompleted", "CaseClosed"]
    assert running(file) == []


def test_closing_leaves_the_planned_service_unsettled():
    for state in ("requested", "in_progress"):
        town, file = supported()
        ReferralFactory(town=town, file=file, status=state)
        moves.close(town, file, end_open=True)
        assert not file.is_settled(moves.only_service(file))


def test_what_was_settled_before_stays_so():
    town, file = supported(services=("CARE-MEALS", "MED-VISIT"))
    meals, visit = file.services.values()
    ReferralFactory(town=town, file=file, service=meals, completed=True)
    moves.settle(town, file, "refused", service=visit)
    moves.close(town, file)
    assert file.is_settled(meals)
    assert file.is_settled(visit)


def test_the_clocks_of_what_ends_are_ended_as_the_table_says():
    town, file = supported()
    declined = ReferralFactory(town=town, file=file, declined=True)
    waiting = ReferralFactory(town=town, file=file, waitlisted=True)
    asked = ReferralFactory(town=town, file=file, requested=True)
    moves.close(town, file, end_open=True)
    assert ends(file, waiting.id)["waitlist"] == "met"
    assert ends(file, asked.id)["response"] == "cancelled"
    assert ends(file, declined.id)["disposition"] == "cancelled"


def test_each_referral_that_ends_ends_its_own_clocks_and_no_others():
    town = Town("2026-04-01T10:00", standards=(*SHIPPED, REPORTS))
    file = CaseFileFactory(town=town, supported=True)
    started = ReferralFactory(town=town, file=file, in_progress=True)
    waiting = ReferralFactory(town=town, file=file, waitlisted=True)
    also_started = ReferralFactory(town=town, file=file, in_progress=True)
    moves.close(town, file, end_open=True)
    assert ends(file, started.id)["progress"] == "met"
    assert ends(file, waiting.id)["waitlist"] == "met"
    assert ends(file, also_started.id)["progress"] == "met"


def test_a_closed_case_keeps_the_state_it_was_in():
    town, file = supported()
    moves.close(town, file, end_open=True)
    assert file.case.status_before_closing == "supported"


def test_no_disposition_can_be_made_on_a_closed_case():
    town, file = supported()
    referral = ReferralFactory(town=town, file=file, declined=True)
    moves.close(town, file)
    with refused(Conflict, "not_allowed_in_state", file, state="declined", allowed_actions=[]):
        moves.dispose(town, file, referral)


def test_without_open_referrals_nothing_else_is_touched():
    town, file = supported()
    done = ReferralFactory(town=town, file=file, completed=True)
    before = repr(done)
    town.wait(days=1)
    moves.close(town, file, end_open=True)
    assert repr(done) == before
