"""Reopening a closed case."""

from datetime import timedelta

import pytest

from casework.domain.cases import checks, correcting, intake
from casework.domain.cases.reopening import reopen
from casework.domain.errors import Conflict, Invalid
from tests.domain.helpers import clocks, last_clock, refused, running
from tests.factories import CaseFileFactory, ReferralFactory, ResidentFactory, Town, moves, seoul


def closed(stage="supported", state=None):
    """A case that was closed a day after it reached a stage, and a day later."""
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, stage=stage)
    if state:
        ReferralFactory(town=town, file=file, status=state)
    town.wait(days=1)
    moves.close(town, file, end_open=True)
    town.wait(days=1)
    return town, file


@pytest.mark.parametrize("stage", ["applied", "surveying", "planning", "supported"])
def test_a_reopened_case_has_the_state_it_had_and_its_clocks(stage):
    town, file = closed(stage)
    kinds = sorted({clock.kind for clock in file.deadlines.values() if clock.cancelled_at})
    reopen(file, "she came back", town.act(town.supervisor), file.case.worker_id)
    assert file.case.status == stage
    assert running(file) == kinds
    assert "came back" not in repr(file.events)
    with refused(Conflict, "not_allowed_in_state", file, state=stage):
        reopen(file, "again", town.act(town.supervisor), file.case.worker_id)


def test_a_case_that_reopens_for_nobody_waits_in_the_queue_and_its_clocks_with_it():
    town, file = closed()
    reopen(file, "she came back", town.act(town.supervisor), None)
    assert (file.case.worker_id, file.case.arrived_at) == (None, town.now)
    assert {(clock.worker_id, clock.held_by) for clock in file.running()} == {(None, "supervisor")}


def test_service_targets_count_afresh_and_statutory_clocks_keep_their_dates():
    town, file = closed()
    reopen(file, "she came back", town.act(town.supervisor), file.case.worker_id)
    assert last_clock(file, file.case.id, "notify_plan").started_at == town.now
    old, new = clocks(file, file.case.id, "first_check")
    assert (new.started_at, new.due_at) == (seoul("2026-04-01T10:00"), old.due_at)


def test_what_closing_ended_leaves_its_service_to_be_linked_anew():
    for state in ("requested", "in_progress", None):
        town, file = closed(state=state)
        reopen(file, "she came back", town.act(town.supervisor), file.case.worker_id)
        assert "link" in running(file)


def test_a_disposition_that_was_owed_is_owed_again():
    town, file = closed(state="declined")
    assert running(file) == []
    reopen(file, "she came back", town.act(town.supervisor), file.case.worker_id)
    (referral,) = file.referrals.values()
    assert last_clock(file, referral.id, "disposition").started_at == town.now
    assert running(file, moves.only_service(file).id) == []
    moves.dispose(town, file, referral, "refused")
    assert "disposition" not in running(file)


def test_a_reopening_needs_its_reason():
    town, file = closed()
    with refused(Invalid, "note_required", file):
        reopen(file, " ", town.act(town.supervisor), file.case.worker_id)


@pytest.mark.parametrize(("answered", "runs"), [(True, []), (False, ["signal"])])
def test_a_signal_that_was_answered_meanwhile_is_waited_for_no_longer(answered, runs):
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    signal = moves.signal(town, file)
    moves.close(town, file, end_open=True)
    town.wait(days=1)
    if answered:
        checks.answer_signal(file, signal, "went there", town.act())
    reopen(file, "she came back", town.act(town.supervisor), file.case.worker_id)
    assert [kind for kind in running(file) if kind == "signal"] == runs


def test_a_case_that_was_closed_with_guidance_is_surveyed_anew():
    town, file = Town("2026-04-01T10:00"), CaseFileFactory(town=Town("2026-04-01T10:00"))
    nothing = dict.fromkeys(intake.ACTIVITIES, 0)
    intake.record_pre_survey(file, False, nothing, "how to apply again", town.act())
    assert file.case.status == "closed"
    town.go_to("2026-04-03T10:00")
    reopen(file, "she can no longer wash herself", town.act(town.supervisor), file.case.worker_id)
    assert (file.case.status, running(file)) == ("applied", ["survey"])
    assert last_clock(file, file.case.id, "survey").due_at == seoul("2026-04-10T23:59:59")
    intake.record_pre_survey(file, True, nothing, None, town.act())
    assert (file.case.status, running(file)) == ("surveying", ["assessment"])


def test_guidance_that_a_correction_found_is_surveyed_anew_without_the_assessment():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, stage="surveying")
    nothing = dict.fromkeys(intake.ACTIVITIES, 0)
    town.wait(days=1)
    correcting.correct_pre_survey(file, False, nothing, "how to apply", "typed wrongly", town.act())
    assert (file.case.status, running(file)) == ("closed", [])
    town.wait(days=1)
    reopen(file, "she can no longer wash herself", town.act(town.supervisor), file.case.worker_id)
    assert (file.case.status, running(file)) == ("applied", ["survey"])
    intake.record_pre_survey(file, True, nothing, None, town.act())
    assert running(file) == ["assessment"]


@pytest.mark.parametrize("before", [None, 5])
@pytest.mark.parametrize("after", [None, 3, 9])
def test_a_discharge_is_awaited_as_it_was_put_right_while_the_case_was_closed(before, after):
    town = Town("2026-04-01T10:00")
    resident = ResidentFactory()
    was, to = (n and town.today + timedelta(days=n) for n in (before, after))
    application = intake.CareApplication(channel="self", applied_on=town.today, discharge_on=was)
    file = intake.open_case(resident, application, town.act(), town.worker.id)
    moves.close(town, file)
    changes = {"discharge_on": to}
    correcting.correct_application(file, resident, changes, "typed wrongly", town.act())
    town.wait(days=1)
    reopen(file, "she came back", town.act(town.supervisor), file.case.worker_id)
    found = [one for one in file.running() if one.kind == "discharge"]
    assert [one.due_at.date() for one in found] == ([to] if to else [])
    assert [one.started_at for one in found] == ([file.case.opened_at] if to else [])
