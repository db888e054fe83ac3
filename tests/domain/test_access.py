"""Who may do what: one table, default deny."""

import pytest

from casework.domain.access import EVERYTHING, POLICY, SYSTEM, Actor, Relation, Role, may, reach
from casework.domain.errors import Forbidden
from casework.domain.lifecycle import Party
from tests.factories import ActorFactory

CELLS = [(action, role) for action in POLICY for role in Role]
# Written out by hand from the API's table: the roles that have a row, and how far they reach.
FOR_EVERYONE = {"account.self", "account.secure", "directory.read"}
PEOPLE = ("worker", "supervisor", "assessor", "provider", "city", "auditor", "admin")
EXPECTED = {
    "account.second_factor": {role: "all" for role in PEOPLE if role != "provider"},
    "account.tokens": dict.fromkeys(PEOPLE, "all"),
    "account.manage": {"admin": "all"},
    "case.read": {"worker": "centre", "supervisor": "district", "assessor": "cases_sent"},
    "case.write": {"worker": "centre", "supervisor": "district"},
    "note.read": {"worker": "centre", "supervisor": "district"},
    "disclosure.read": {"worker": "centre", "supervisor": "district"},
    "rrn.read": {"worker": "centre", "supervisor": "district"},
    "assessment.write": {"worker": "centre", "supervisor": "district", "assessor": "cases_sent"},
    "plan.decide": {"supervisor": "district"},
    "case.supervise": {"supervisor": "district"},
    "duplicate.review": {"supervisor": "district"},
    "referral.read": {"worker": "centre", "supervisor": "district", "provider": "own_agency"},
    "referral.send": {"worker": "centre", "supervisor": "district"},
    "referral.answer": {"worker": "centre", "supervisor": "district", "provider": "own_agency"},
    "referral.correct": {"supervisor": "district"},
    "link.manage": {"worker": "centre", "supervisor": "district"},
    "answering.manage": {"supervisor": "district", "admin": "all"},
    "deadline.read": {
        "worker": "centre",
        "supervisor": "district",
        "assessor": "cases_sent",
        "provider": "own_agency",
    },
    "overdue.read": {"worker": "centre", "supervisor": "district"},
    "overdue.review": {"supervisor": "district"},
    "account.list": {
        "worker": "centre",
        "supervisor": "district",
        "provider": "own_agency",
        "admin": "all",
    },
    "figures.read": {
        "worker": "centre",
        "supervisor": "district",
        "provider": "own_agency",
        "city": "city",
    },
    "figures.open": {"supervisor": "district"},
    "figures.close": {"supervisor": "district"},
    "unmet.read": {"worker": "centre", "supervisor": "district"},
    "unmet.count": {"worker": "centre", "supervisor": "district", "city": "city"},
    "standard.read": {"supervisor": "district", "admin": "all"},
    "standard.write": {"supervisor": "district", "admin": "all"},
    "notice.release": {"supervisor": "district", "admin": "all"},
    "outbox.manage": {"admin": "all"},
    "webhook.manage": {"provider": "own_agency", "admin": "all"},
    "job.read": {"supervisor": "district", "admin": "all"},
    "job.run": {"supervisor": "district", "admin": "all"},
    "break_glass.open": {"worker": "all", "supervisor": "all"},
    "break_glass.read": {"worker": "centre", "supervisor": "district"},
    "break_glass.review": {"supervisor": "district"},
    "access_request.read": {"worker": "centre", "supervisor": "district"},
    "access_request.write": {"worker": "centre", "supervisor": "district"},
    "resident.export": {"worker": "centre", "supervisor": "district"},
    "audit.read": {"auditor": "all"},
    "audit.review": {"auditor": "all"},
}


@pytest.mark.parametrize(("action", "role"), CELLS)
def test_every_cell_of_the_table_is_as_the_contract_says(action, role):
    actor = Actor(id=None, role=role)
    expected = "all" if action in FOR_EVERYONE else EXPECTED[action].get(role)
    assert may(actor, action) is (expected is not None)
    if expected is None:
        with pytest.raises(Forbidden, match=f"{actor.role} may not do this"):
            reach(actor, action)
    else:
        found = reach(actor, action)
        assert (found.actor, found.relation) == (actor, expected)


def test_the_table_is_complete():
    assert set(EXPECTED) | FOR_EVERYONE == set(POLICY)
    for action, row in POLICY.items():
        assert row, action
        assert set(row) <= set(Role), action
        assert set(row.values()) <= set(Relation), action


def test_what_the_table_does_not_list_is_denied():
    for role in Role:
        for question in (may, reach):
            with pytest.raises((KeyError, Forbidden)):
                question(Actor(id=None, role=role), "case.destroy")
    with pytest.raises(ValueError, match="stranger"):
        may(Actor(id=None, role="stranger"), "directory.read")


def test_nobody_but_those_in_the_field_touches_content():
    for role in ("city", "auditor", "admin", "integration"):
        actor = Actor(id=None, role=role)
        assert not any(
            may(actor, action)
            for action in POLICY
            if action.split(".")[0] in ("case", "assessment", "plan", "referral", "overdue")
        )


def test_the_system_itself_reaches_everything():
    assert reach(SYSTEM, "referral.answer") == EVERYTHING
    assert may(SYSTEM, "referral.send")


def test_every_part_in_the_lifecycle_is_an_action_of_the_table():
    for party in Party:
        assert party == Party.SWEEP or party in POLICY


def test_only_a_provider_answers_as_one():
    assert ActorFactory(provider=True).answers_as_provider
    for role in ("worker", "supervisor", "assessor"):
        assert not ActorFactory(**{role: True}).answers_as_provider
