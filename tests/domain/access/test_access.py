"""Who may do what: one table, default deny."""

import pytest

from casework.domain.access.policy import (
    EVERYTHING,
    POLICY,
    SYSTEM,
    Actor,
    Relation,
    Role,
    may,
    scope_of,
    scopes_of,
)
from casework.domain.casefile.referral_moves import Party
from casework.domain.errors import Forbidden
from tests.factories import ActorFactory

CELLS = [(action, role) for action in POLICY for role in Role]
# Written out by hand from the API's table: the roles that have a row, and how far they reach.
FOR_EVERYONE = {"account.self", "account.secure", "account.contact", "directory.read"}
PEOPLE = ("worker", "supervisor", "assessor", "provider", "city", "auditor", "admin")
EXPECTED = {
    "account.second_factor": {role: "all" for role in PEOPLE if role != "provider"},
    "account.tokens": dict.fromkeys(PEOPLE, "all"),
    "account.manage": {"admin": "all"},
    "offering.match": {"worker": "centre", "supervisor": "district"},
    "coverage.read": {"worker": "centre", "supervisor": "district", "city": "city"},
    "directory.entries": {
        "supervisor": "district",
        "provider": "own_agency",
        "city": "all",
        "admin": "all",
    },
    "directory.write": {"supervisor": "district", "admin": "all"},
    "directory.change": {"supervisor": "district", "provider": "own_agency", "admin": "all"},
    "directory.designate": {"supervisor": "district", "city": "all", "admin": "all"},
    "directory.open_work": {"supervisor": "district", "provider": "own_agency", "admin": "all"},
    "directory.confirm": {"supervisor": "district", "city": "all"},
    "directory.publish": {"city": "all", "admin": "all"},
    "directory.step": {"supervisor": "district", "city": "all", "admin": "all"},
    "catalogue.write": {"admin": "all"},
    "catalogue.confirm": {"city": "all"},
    "body.read": {"supervisor": "district", "city": "all", "admin": "all", "auditor": "all"},
    "body.write": {"supervisor": "district", "city": "all", "admin": "all"},
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
        "city": "city",
    },
    "overdue.read": {"worker": "centre", "supervisor": "district", "city": "city"},
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
    "capacity.write": {"supervisor": "district", "provider": "own_agency", "admin": "all"},
    "unmet.read": {"worker": "centre", "supervisor": "district"},
    "unmet.count": {"worker": "centre", "supervisor": "district", "city": "city"},
    "standard.read": {"supervisor": "district", "admin": "all"},
    "standard.write": {"supervisor": "district", "admin": "all"},
    "notice.release": {"supervisor": "district", "admin": "all"},
    "outbox.manage": {"admin": "all"},
    "webhook.manage": {"provider": "own_agency", "admin": "all"},
    "webhook.end": {"provider": "own_agency", "supervisor": "district", "admin": "all"},
    "inbox.read": {"provider": "own_agency"},
    "inbox.answer": {"provider": "own_agency"},
    "inbox.figures": {"provider": "own_agency"},
    "staff.manage": {"provider": "led_agency"},
    "job.read": {"supervisor": "district", "admin": "all"},
    "job.run": {"supervisor": "district", "admin": "all"},
    "break_glass.open": {"worker": "all", "supervisor": "all"},
    "break_glass.read": {"worker": "centre", "supervisor": "district"},
    "break_glass.review": {"supervisor": "district"},
    "access_request.read": {"worker": "centre", "supervisor": "district"},
    "access_request.write": {"worker": "centre", "supervisor": "district"},
    "resident.export": {"worker": "centre", "supervisor": "district"},
    "import.read": {
        "worker": "centre",
        "supervisor": "district",
        "assessor": "cases_sent",
        "admin": "all",
    },
    "import.write": {
        "worker": "centre",
        "supervisor": "district",
        "assessor": "cases_sent",
        "admin": "all",
    },
    "import.directory": {"supervisor": "district", "admin": "all"},
    "import.residents": {"worker": "centre", "supervisor": "district"},
    "import.assessments": {"assessor": "cases_sent"},
    "import.match": {"worker": "centre", "supervisor": "district"},
    "export.write": {
        "worker": "centre",
        "supervisor": "district",
        "assessor": "cases_sent",
        "provider": "own_agency",
        "city": "city",
        "admin": "all",
    },
    "audit.read": {"auditor": "all"},
    "audit.review": {"auditor": "all"},
}


@pytest.mark.parametrize(("action", "role"), CELLS)
def test_every_cell_of_the_table_is_as_the_contract_says(action, role):
    actor = Actor(id=None, role=role, is_head=True)
    expected = "all" if action in FOR_EVERYONE else EXPECTED[action].get(role)
    assert may(actor, action) is (expected is not None)
    if expected is None:
        with pytest.raises(Forbidden, match=f"{actor.role} may not do this"):
            scope_of(actor, action)
    else:
        found = scope_of(actor, action)
        assert (found.actor, found.relation) == (actor, expected)


def test_only_whoever_leads_an_agency_reaches_as_its_lead():
    for action, row in POLICY.items():
        for role, relation in row.items():
            plain = Actor(id=None, role=role)
            assert may(plain, action) is (relation is not Relation.LED_AGENCY), action
    with pytest.raises(Forbidden, match="provider may not do this"):
        scope_of(Actor(id=None, role=Role.PROVIDER), "staff.manage")
    assert "staff.manage" not in scopes_of(Actor(id=None, role=Role.PROVIDER, is_head=True))


def test_the_table_is_complete():
    assert set(EXPECTED) | FOR_EVERYONE == set(POLICY)
    for action, row in POLICY.items():
        assert row, action
        assert set(row) <= set(Role), action
        assert set(row.values()) <= set(Relation), action


def test_what_the_table_does_not_list_is_denied():
    for role in Role:
        for question in (may, scope_of):
            with pytest.raises((KeyError, Forbidden)):
                question(Actor(id=None, role=role), "case.destroy")
    with pytest.raises(ValueError, match="stranger"):
        may(Actor(id=None, role="stranger"), "directory.read")  # type: ignore[arg-type]


def test_nobody_but_those_in_the_field_touches_content():
    for role in (Role.CITY, Role.AUDITOR, Role.ADMIN, Role.INTEGRATION):
        actor = Actor(id=None, role=role)
        assert not any(
            may(actor, action)
            for action in POLICY
            if action.split(".")[0] in ("case", "assessment", "plan", "referral", "overdue")
            and (role, action) != (Role.CITY, "overdue.read")  # of the programme alone
        )


def test_the_system_itself_reaches_everything():
    assert scope_of(SYSTEM, "referral.answer") == EVERYTHING
    assert may(SYSTEM, "referral.send")


def test_every_part_in_the_lifecycle_is_an_action_of_the_table():
    for party in Party:
        assert party in (Party.SWEEP, Party.CASE) or party in POLICY


def test_only_a_provider_answers_as_one():
    assert ActorFactory(provider=True).answers_as_provider
    for role in ("worker", "supervisor", "assessor"):
        assert not ActorFactory(**{role: True}).answers_as_provider
