"""Which fields a role gets of what it may read: allow-lists, with the states that mask more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from casework.domain.access.policy import POLICY, SYSTEM_ROLE, Actor, Relation, Role
from casework.domain.clocks.calendar import SEOUL, Pause, PauseSource, Target, Unit
from casework.domain.clocks.deadlines import Deadline
from casework.domain.privacy import masks
from casework.domain.privacy.masks import (
    MASKS,
    WINDOWS,
    MaskState,
    as_shown,
    masked,
    sees_clock,
    without_masked,
)

PROVIDER, ASSESSOR = (Actor(id=None, role=role) for role in (Role.PROVIDER, Role.ASSESSOR))
WORKER = Actor(id=None, role=Role.WORKER)
READ = "referral.read"
AT = datetime(2026, 3, 3, 9, tzinfo=SEOUL)
# Actions that show a personal record, unlike figures, accounts and endpoints.
OF_A_RECORD = ("case.", "note.", "assessment.", "plan.", "referral.", "deadline.", "overdue.")


def a_clock(**facts: Any) -> Deadline:
    """A clock on something, held by somebody."""
    usual: dict[str, Any] = {
        "id": uuid4(), "kind": "response", "subject_type": "referral", "subject_id": uuid4(),
        "case_id": uuid4(), "resident_id": uuid4(), "centre_code": "1", "district_code": "1",
        "worker_id": None, "provider_id": None, "held_by": "provider", "field": None,
        "service_code": None, "priority": "routine", "standard_id": None, "basis": "x",
        "target": Target(3, Unit.DAYS), "started_at": AT, "due_at": AT,
    }  # fmt: skip
    return Deadline(**(usual | facts))


def test_what_is_not_named_is_covered_and_a_list_is_empty() -> None:
    body = {"kind": "consent", "consent_id": "c", "new": [1]}
    found = masked(body, PROVIDER, READ, "referral basis")
    assert found == {"kind": "consent", "consent_id": None, "new": []}
    assert body["consent_id"] == "c"


def test_workers_supervisors_and_the_system_get_everything() -> None:
    body = {"whatever": 1, "note": "x"}
    for role in (Role.WORKER, Role.SUPERVISOR, SYSTEM_ROLE):
        actor = Actor(id=None, role=role)
        assert masked(body, actor, READ, "referral", list(MaskState)) == body
        assert without_masked(body, actor, READ, "event data") == body


@pytest.mark.parametrize("role", [r for r in Role if r not in masks.GET_EVERYTHING])
def test_a_thing_that_a_role_has_no_row_for_is_covered_whole(role: Role) -> None:
    actor = Actor(id=None, role=role)
    assert masked({"name": "x", "all": [1]}, actor, "case.write", "resident") == {
        "name": None,
        "all": [],
    }
    assert without_masked({"name": "x"}, actor, "case.write", "event data") == {}


@pytest.mark.parametrize(
    ("belongs", "shown"),
    [
        ({}, {"kind": None, "other": None}),
        ({"centre_code": "1"}, {"kind": "x", "other": "y"}),
        ({"district_code": "1"}, {"kind": "x", "other": "y"}),
        ({"provider_id": UUID(int=1)}, {"kind": "x", "other": None}),
    ],
)
def test_a_system_gets_what_is_got_where_it_belongs(
    belongs: dict[str, Any], shown: dict[str, Any]
) -> None:
    system = Actor(id=None, role=Role.INTEGRATION, **belongs)
    body = {"kind": "x", "other": "y"}
    assert masked(body, system, "referral.read", "referral basis") == shown


def test_a_state_covers_what_is_shown_otherwise() -> None:
    body = {"message": "m", "resident": {"name": "n"}, "note": "n", "reason": "r", "status": "s"}
    for states, away in (
        ([], set()),
        ([MaskState.CONSENT_WITHDRAWN], {"message", "resident"}),
        ([MaskState.ENDED_BY_SENDER], {"note"}),
        ([MaskState.ENDED_BY_SENDER, MaskState.IN_ERROR], {"note", "reason"}),
    ):
        found = masked(body, PROVIDER, READ, "referral", states)
        assert found == {k: None if k in away else v for k, v in body.items()}, states


def test_a_state_may_cover_a_part_of_a_field() -> None:
    body = {"by": {"id": "a", "role": "worker"}, "data": {}}
    told = masked(body, PROVIDER, READ, "event", [MaskState.BY_ANOTHER])
    assert told["by"] == {"id": None, "role": "worker"}
    assert masked(body, PROVIDER, READ, "event")["by"]["id"] == "a"


def test_whoever_reads_a_record_and_does_not_get_everything_has_a_mask_or_a_window() -> None:
    for action, row in POLICY.items():
        for role in set(row) - masks.GET_EVERYTHING:
            if action.startswith(OF_A_RECORD):
                of_programme = row[role] is Relation.CITY  # about no resident, and never over
                assert of_programme or (action, role) in WINDOWS, (action, role)
                by = "deadline.read" if action == "overdue.read" else action  # the same items
                assert (by, role) in MASKS or not action.endswith(".read"), (action, role)


def test_masks_and_windows_are_of_cells_that_the_policy_allows() -> None:
    for action, role in {**MASKS, **WINDOWS}:
        assert role in POLICY[action], (action, role)
    for (action, role), window in WINDOWS.items():
        named = {"own_agency": masks.Window.ASKED, "cases_sent": masks.Window.SENT}
        assert named[POLICY[action][role]] == window
    assert {Relation.OWN_AGENCY, Relation.CASES_SENT} == {
        POLICY[action][role] for action, role in WINDOWS
    }


def test_what_a_state_covers_is_shown_otherwise() -> None:
    for (action, role), of in MASKS.items():
        for resource, mask in of.items():
            for state, names in mask.hides.items():
                outer = {name.partition(".")[0] for name in names}
                assert outer <= mask.shows, (action, role, resource, state)


def test_nobody_is_shown_where_a_referral_went_next_or_whose_hand_it_was() -> None:
    shown = MASKS[READ, Role.PROVIDER]["referral"].shows
    assert not shown & {"replaces", "replaced_by", "disposition", "disposed_at", "created_at"}
    assert not shown & {"outside_area_reason", "assessments", "checks", "signals", "contacts"}
    assert "worker_id" not in MASKS["deadline.read", Role.PROVIDER]["work item"].shows


@pytest.mark.parametrize(
    ("actor", "held_by", "subject_type", "sees"),
    [
        (PROVIDER, "provider", "referral", True),
        (PROVIDER, "worker", "referral", False),
        (PROVIDER, "supervisor", "case", False),
        (ASSESSOR, "assessor", "case", True),
        (ASSESSOR, "worker", "planned_service", True),
        (ASSESSOR, "provider", "referral", False),
        (WORKER, "provider", "referral", True),
    ],
)
def test_a_clock_is_seen_as_the_table_says(
    actor: Actor, held_by: str, subject_type: str, sees: bool
) -> None:
    clock = a_clock(held_by=held_by, subject_type=subject_type)
    assert sees_clock(actor, clock) is sees


def test_why_the_whole_case_is_held_is_not_told_to_an_agency() -> None:
    own = Pause(AT, date(2026, 3, 5), "resident_asked")
    of_case = Pause(
        AT + timedelta(days=4), date(2026, 3, 9), "hospitalised", source=PauseSource.CASE
    )
    clock = a_clock(pauses=(own, of_case))
    told = as_shown(clock, PROVIDER)
    assert told.pauses == (own, replace(of_case, reason="hold"))
    assert as_shown(clock, WORKER) is clock
    assert clock.pauses == (own, of_case)


def test_the_rows_that_are_printed_say_all_of_it() -> None:
    rows: list[tuple[Any, ...]] = list(masks.table())
    assert len(rows) == len(set(rows))
    printed = "\n".join("|".join(row) for row in rows)
    for action, role in {**MASKS, **WINDOWS}:
        assert f"{action}: {role}" in printed
    for of in MASKS.values():
        for resource, mask in of.items():
            assert resource in printed
            for name in mask.shows:
                assert name in printed
