"""Work moves with people: to another worker, to another centre."""

from casework.domain.cases.handover import assign, transfer
from casework.domain.directory.directory import Centre
from casework.domain.errors import Conflict
from tests.domain.helpers import last_clock, last_event, refused
from tests.factories import (
    ActorFactory,
    CaseFileFactory,
    OfferingFactory,
    ReferralFactory,
    ResidentFactory,
    Town,
    moves,
)

THERE = Centre(code="2641053000", district_code="26410", name="금정", lat=35.2, lon=129.1)
HERE = Centre(code="2635051000", district_code="26350", name="우동", lat=35.1, lon=129.1)


def moved():
    """A supported case whose resident has just moved to another district."""
    town, resident = Town("2026-04-01T10:00"), ResidentFactory()
    file = CaseFileFactory(town=town, resident=resident, supported=True)
    referral = ReferralFactory(town=town, file=file, requested=True)
    moves.signal(town, file)
    transfer(file, resident, THERE, town.act(town.supervisor))
    return town, file, resident, referral


# To another centre


def test_everything_that_is_open_follows_a_resident_who_moves():
    town, file, resident, referral = moved()
    for thing in (resident, file.case, referral, *file.running()):
        assert (thing.centre_code, thing.district_code) == ("2641053000", "26410")
    ended = [clock for clock in file.deadlines.values() if not clock.is_running]
    assert {clock.centre_code for clock in ended} == {"2635051000"}
    assert (file.case.worker_id, file.case.arrived_at) == (None, town.now)
    assert file.case.status == "supported"


def test_until_someone_takes_it_on_the_supervisor_holds_what_the_worker_held():
    _, file, _, _ = moved()
    assert {clock.kind: clock.held_by for clock in file.running()} == {
        "first_check": "supervisor",
        "notify_plan": "supervisor",
        "signal": "supervisor",
        "response": "provider",
    }
    assert {clock.worker_id for clock in file.running()} == {None}


def test_a_clock_that_starts_before_someone_takes_it_on_is_the_supervisors_as_well():
    town, file, _, referral = moved()
    moves.move(town, file, referral, "decline")
    assert last_clock(file, referral.id, "disposition").held_by == "supervisor"
    near = OfferingFactory(centres=[THERE.code])
    again = moves.refer(town, file, offering=near, by=town.supervisor)
    assert last_clock(file, again.id, "response").held_by == "provider"


def test_a_move_keeps_due_dates_and_is_written_down_with_every_clock():
    _, file, _, _ = moved()
    said = {"centre_code": "2641053000", "before": "2635051000"}
    assert last_event(file, clocks=False) == ("CaseTransferred", said)
    told = {clock["kind"]: clock["due_at"] for clock in last_event(file)[1]["clocks"]}
    assert told == {clock.kind: clock.due_at for clock in file.running()}
    assert str(told["response"].date()) == "2026-04-06"


def test_nobody_is_transferred_to_where_they_are_or_after_the_end():
    town, resident = Town(), ResidentFactory()
    file = CaseFileFactory(town=town, resident=resident, supported=True)
    with refused(Conflict, "already_there", file, resident, state="supported"):
        transfer(file, resident, HERE, town.act(town.supervisor))
    moves.close(town, file)
    with refused(Conflict, "not_allowed_in_state", file, resident, state="closed") as caught:
        transfer(file, resident, THERE, town.act(town.supervisor))
    assert caught.value.detail == "transfer is not possible while closed"


# To another worker


def test_whoever_takes_on_an_arrived_case_holds_its_clocks_again():
    town, file, _, _ = moved()
    newcomer = ActorFactory(worker=True)
    assign(file, newcomer.id, town.act(town.supervisor))
    assert (file.case.worker_id, file.case.arrived_at) == (newcomer.id, None)
    assert {clock.kind: clock.held_by for clock in file.running()} == {
        "first_check": "worker",
        "notify_plan": "worker",
        "signal": "worker",
        "response": "provider",
    }
    assert {clock.worker_id for clock in file.running()} == {newcomer.id}
    name, said = last_event(file)
    assert (name, said["worker_id"]) == ("CaseAssigned", newcomer.id)
    assert "before" not in said
    assert {one["kind"] for one in said["clocks"]} == {one.kind for one in file.running()}
