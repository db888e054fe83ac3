"""The table of moves is sound: explored from the first state by every move, not by examples.

Every row is tried from every reachable standing, by the domain itself, on a
case file of its own each time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple
from uuid import UUID

import pytest

from casework.domain.access.policy import POLICY, SYSTEM, Role
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_moves import ENDED, MOVES, OPEN, OWES_DISPOSITION, Party
from casework.domain.casefile.states import ReferralStatus
from casework.domain.cases.reopening import reopen
from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import ClockKind, Standard
from casework.domain.errors import Refusal
from casework.domain.referring.referring import resume_after_hold
from tests.domain.helpers import running
from tests.factories import CaseFileFactory, Town, moves

REPORTS = Standard(
    id=UUID(int=77), kind=ClockKind.PROGRESS, target=Target(1, Unit.MONTHS), basis="x"
)
BY_ITSELF = "the hold runs out"
ACTS = (*MOVES, BY_ITSELF)
WAITS_FOR = {"requested": "response", "waitlisted": "waitlist", "accepted": "start",
             "in_progress": "progress"}  # fmt: skip


class Standing(NamedTuple):
    """The state of a referral, as far as any move depends on it."""

    status: str
    held_from: str | None
    owes: bool


class Walk(NamedTuple):
    """A story: the acts, and their results."""

    town: Town
    file: CaseFile
    referral: Referral

    @property
    def standing(self) -> Standing:
        """The present standing of the referral."""
        one = self.referral
        return Standing(one.status, one.held_from, one.owes_disposition)


def walk(path: tuple[str, ...]) -> Walk:
    """Tell a story from a draft on, a minute between its acts."""
    town = Town(standards=(*SHIPPED, REPORTS))
    file = CaseFileFactory(town=town, supported=True)
    told = Walk(town, file, moves.refer(town, file, send=False))
    for action in path:
        act(told, action)
    return told


def act(told: Walk, action: str) -> None:
    """One act more."""
    town, file, referral = told
    town.wait(minutes=1)
    if action == BY_ITSELF:
        if referral.resume_at is not None:
            town.go_to(referral.resume_at)
        resume_after_hold(file, referral, town.act(SYSTEM))
    elif action == "dispose":
        moves.dispose(town, file, referral)
    else:
        moves.move(town, file, referral, action)


@cache
def table() -> tuple[dict[Standing, tuple[str, ...]], dict[Standing, dict[str, Standing]]]:
    """The shortest story to each standing, and where each act leads from there."""
    begin = walk(()).standing
    stories: dict[Standing, tuple[str, ...]] = {begin: ()}
    leads: dict[Standing, dict[str, Standing]] = defaultdict(dict)
    waiting = [begin]
    while waiting:
        standing = waiting.pop(0)
        for action in ACTS:
            told = walk(stories[standing])
            try:
                act(told, action)
            except Refusal:
                continue
            leads[standing][action] = told.standing
            if told.standing not in stories:
                stories[told.standing] = (*stories[standing], action)
                waiting.append(told.standing)
    return stories, leads


def every_story() -> Iterator[tuple[Standing, tuple[str, ...]]]:
    """Each standing with each act by which it can be entered."""
    stories, leads = table()
    yield next(iter(stories.items()))
    for standing, acts in leads.items():
        for action, then in acts.items():
            yield then, (*stories[standing], action)


def test_every_state_is_reached_and_each_of_the_rows_leads_somewhere() -> None:
    stories, leads = table()
    assert {standing.status for standing in stories} == set(ReferralStatus)
    assert {action for acts in leads.values() for action in acts} == set(ACTS)
    assert {standing.held_from for standing in stories} == {None, "accepted", "in_progress"}


def test_the_table_is_walked_exactly_where_its_rows_say() -> None:
    _, leads = table()
    for standing in table()[0]:
        listed = {
            action
            for action, move in MOVES.items()
            if standing.status in move.from_ and (action != "dispose" or standing.owes)
        }
        listed |= {BY_ITSELF} if standing.status == "on_hold" else set()
        assert set(leads[standing]) == listed, standing


def test_every_open_state_has_an_exit_for_someone() -> None:
    """A person's move, by a role that the policy lets make it, out of the state."""
    stories, leads = table()
    for standing in stories:
        if ReferralStatus(standing.status) not in OPEN:
            continue
        for party in (Party.SENDER, Party.ANSWERER):
            assert {Role.WORKER, Role.SUPERVISOR} <= set(POLICY[party])
        exits = {
            action
            for action, then in leads[standing].items()
            if then.status != standing.status and action in MOVES
            if MOVES[action].who in (Party.SENDER, Party.ANSWERER)
        }
        assert exits, standing


def test_from_every_open_state_an_end_is_reached_and_from_no_end_an_open_state() -> None:
    stories, leads = table()
    for standing in stories:
        seen, waiting = {standing}, [standing]
        while waiting:
            for then in leads[waiting.pop()].values():
                if then not in seen:
                    seen.add(then)
                    waiting.append(then)
        if ReferralStatus(standing.status) in OPEN:
            assert any(ReferralStatus(one.status) in ENDED for one in seen), standing
        else:
            assert all(ReferralStatus(one.status) in ENDED for one in seen), standing


def test_what_is_owed_can_be_said_and_is_then_no_longer_owed() -> None:
    stories, leads = table()
    for standing in stories:
        if standing.owes:
            assert ReferralStatus(standing.status) in OWES_DISPOSITION
            assert leads[standing]["dispose"] == standing._replace(owes=False)
        else:
            assert "dispose" not in leads[standing]


def faults_of(told: Walk) -> Iterator[str]:
    """Invariants 2 and 3 for one referral and its planned service."""
    referral, file = told.referral, told.file
    status, kinds = told.standing.held_from or referral.status, running(file, referral.id)
    expected = WAITS_FOR.get(status) if referral.is_open else None
    if referral.owes_disposition and file.case.is_open:
        expected = "disposition"
    if not file.case.is_open:
        expected = None
    if kinds != ([expected] if expected else []):
        yield f"{told.standing}: {kinds} run, not {expected}"
    if (referral.status == "on_hold") != (referral.resume_at is not None):
        yield f"{told.standing}: resumes at {referral.resume_at}"
    if (referral.lapse_at is not None) != (referral.status in ("requested", "waitlisted")):
        yield f"{told.standing}: lapses at {referral.lapse_at}"
    service = moves.only_service(file)
    covered = referral.is_with_provider or referral.owes_disposition or file.is_settled(service)
    links = running(file, service.id)
    if links != (["link"] if file.case.is_open and not covered else []):
        yield f"{told.standing}: the service has {links}"
    if not file.case.is_open and running(file):
        yield f"{told.standing}: {running(file)} run on a closed case"


def test_no_clock_is_left_on_what_has_ended_and_nothing_waits_without_one() -> None:
    tried = 0
    for standing, path in every_story():
        told = walk(path)
        assert told.standing == standing
        assert list(faults_of(told)) == [], path
        tried += 1
    assert tried > 60


@pytest.mark.parametrize("opened_again", [False, True])
def test_closing_in_any_standing_leaves_nothing_and_reopening_brings_back_what_is_owed(
    opened_again: bool,
) -> None:
    for path in table()[0].values():
        told = walk(path)
        told.town.wait(minutes=1)
        moves.close(told.town, told.file, end_open=True)
        if opened_again:
            told.town.wait(days=1)
            reopen(
                told.file,
                "she came back",
                told.town.act(told.town.supervisor),
                told.file.case.worker_id,
            )
        assert list(faults_of(told)) == [], path


def test_the_control_a_move_that_forgets_its_clocks_is_seen() -> None:
    told = walk(("send",))
    told.referral.status = ReferralStatus.DECLINED
    told.referral.lapse_at = None
    assert list(faults_of(told)) != []
