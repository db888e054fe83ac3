"""Care conferences: their members, their agenda, and when they may decide."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from casework.domain.errors import Conflict, Invalid
from casework.domain.planning import conferences, deciding
from casework.domain.planning.conferences import AgendaItem, Submission
from tests.domain.helpers import event_names, field_of, refused, running
from tests.factories import CaseFileFactory, Town, moves
from tests.factories.town import seoul

HELD_ON = date(2026, 4, 17)
NURSE = {"name": "a nurse", "agency": "the health centre"}


def submission(follows=HELD_ON):
    """A plan that was submitted, whose determination was on a day."""
    return Submission(
        case_id=uuid4(), resident_id=uuid4(), plan_version_id=uuid4(), number=1,
        follows=follows,
    )  # fmt: skip


def items_of(file):
    """What was put on an agenda since the file was made."""
    return [thing for thing in file.added if isinstance(thing, AgendaItem)]


def put(*plans, present=(), held_on=HELD_ON):
    """Put plans on the agenda of a meeting on a day."""
    town = Town("2026-04-17T11:00")
    meeting = moves.conference(town, held_on)
    return conferences.put_on_agenda(
        meeting, [one.case_id for one in plans], {one.case_id: one for one in plans}, present,
        town.act(town.supervisor),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("members", "code"),
    [([], "members_required"), ([NURSE, dict(NURSE)], "duplicate_member")],
)
def test_a_meeting_has_members_each_of_them_once(members, code):
    with refused(Invalid, code) as caught:
        conferences.check_members(members)
    assert field_of(caught) == "members"


def test_namesakes_of_two_agencies_are_two_members():
    conferences.check_members([NURSE, NURSE | {"agency": "the hospital"}])


def test_each_new_item_says_which_version_who_and_when_and_leaves_an_event():
    one, other = submission(), submission()
    items, events = put(one, other)
    assert [item.plan_version_id for item in items] == [one.plan_version_id, other.plan_version_id]
    assert {item.added_at for item in items} == {seoul("2026-04-17T11:00")}
    assert [(event.name, event.case_id) for event in events] == [
        ("PlanPutOnAgenda", one.case_id), ("PlanPutOnAgenda", other.case_id),
    ]  # fmt: skip


def test_what_is_there_already_is_neither_an_item_nor_an_event_again():
    one = submission()
    assert put(one, present={one.plan_version_id}) == ([], [])


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_an_agenda_holds_so_many_plans_and_not_one_more(more):
    present = {uuid4() for _ in range(conferences.AGENDA_HOLDS - 1 + more)}
    if more > 0:
        with refused(Invalid, "agenda_full"):
            put(submission(), present=present)
    else:
        assert len(put(submission(), present=present)[0]) == 1


@pytest.mark.parametrize(
    ("determined_on", "fits"),
    [(date(2026, 4, 16), True), (date(2026, 4, 17), True), (date(2026, 4, 18), False)],
)
def test_a_determination_is_there_by_the_day_of_the_meeting(determined_on, fits):
    if fits:
        assert len(put(submission(determined_on))[0]) == 1
    else:
        with refused(Invalid, "date_too_early"):
            put(submission(determined_on))


@pytest.mark.parametrize("today", ["2026-04-16", "2026-04-17", "2026-04-18"])
def test_a_meeting_decides_from_its_own_day_on(today):
    town = Town("2026-04-15T10:00")
    file = CaseFileFactory(town=town, submitted=True)
    version = file.versions[-1]
    meeting = moves.conference(town, HELD_ON)
    town.go_to(f"{today}T10:00")
    decision = replace(
        moves.decision(version), conference=meeting, without_meeting_reason=None,
        agenda=frozenset({version.id}),
    )  # fmt: skip
    if today < "2026-04-17":
        with refused(Conflict, "not_held_yet", file, held_on=HELD_ON):
            deciding.decide(file, decision, town.act(town.supervisor))
        assert "decision" in running(file)
    else:
        deciding.decide(file, decision, town.act(town.supervisor))
        assert event_names(file)[-1] == "PlanApproved"
        assert items_of(file) == [], "it is on the agenda already"


def test_a_plan_that_is_on_another_agenda_is_not_decided_there():
    town = Town("2026-04-17T10:00")
    file = CaseFileFactory(town=town, submitted=True)
    version = file.versions[-1]
    meeting = moves.conference(town, HELD_ON)
    decision = replace(
        moves.decision(version), conference=meeting, without_meeting_reason=None,
        agenda=frozenset({uuid4()}),
    )  # fmt: skip
    with refused(Conflict, "not_on_agenda", file, state="planning"):
        deciding.decide(file, decision, town.act(town.supervisor))


def test_a_meeting_that_is_recorded_with_its_decision_had_the_plan_on_its_agenda():
    town = Town("2026-04-17T10:00")
    file = CaseFileFactory(town=town, submitted=True)
    version = moves.decide(town, file, held_on=HELD_ON)
    (item,) = items_of(file)
    assert (item.conference_id, item.plan_version_id) == (version.conference_id, version.id)
