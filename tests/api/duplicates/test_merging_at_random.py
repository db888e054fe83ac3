"""Random residents, merged in random trees and unmerged again: every row is as it was."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.errors import Refusal
from casework.workflows.planning import planning
from casework.workflows.residents import residents
from tests.api import acts
from tests.api.conftest import NEIGHBOUR, PROVIDER, SUPERVISOR, WORKER, Api
from tests.api.duplicates.test_merging import CONSENT, FRIEND, check_sound, held, merged, undo

PEOPLE, ACTS, MERGES = 6, 6, 8
SEEDS = (1, 2, 3)


class Lives:
    """Some residents of two centres, to whom things happen at random."""

    def __init__(self, api: Api, rng: Random) -> None:
        self.api, self.rng = api, rng
        self.at: dict[UUID, str] = {}
        self.cases: dict[UUID, list[acts.Supported]] = {}
        for _ in range(PEOPLE):
            by = rng.choice([WORKER, NEIGHBOUR])
            one = acts.a_resident(api, by, name=rng.choice(["김영숙", "김영순", "이만복"]))
            self.at[one], self.cases[one] = by, []

    def happen(self) -> None:
        """Something happens to somebody, if it can."""
        one = self.rng.choice(list(self.at))
        acts_of: list[Callable[[UUID], Any]] = [
            self.support, self.support, self.ask, self.ask, self.close, self.signal, self.note,
            self.consent, self.befriend, self.live_together,
        ]  # fmt: skip
        self.rng.choice(acts_of)(one)

    def support(self, one: UUID) -> None:
        """A case with a plan, if none is open."""
        by = self.at[one]
        try:
            case, named = acts.a_submitted_plan(self.api, by, resident=one)
        except Refusal:
            return
        command = planning.DecisionCommand(
            **named, approve=True, without_meeting_reason="no meeting this week"
        )
        planning.decide_plan(self.api.context(SUPERVISOR), case, command)
        self.cases[one].append(acts.Supported(one, case, acts._service_of(self.api, case)))

    def newest(self, one: UUID) -> acts.Supported | None:
        """The newest case."""
        return self.cases[one][-1] if self.cases[one] else None

    def ask(self, one: UUID) -> None:
        """An agency is asked, and perhaps answers."""
        if (life := self.newest(one)) is None:
            return
        try:
            referral = acts.a_referral(self.api, life, by=self.at[one])
        except Refusal:
            return
        answer = self.rng.choice([None, "accept", "waitlist"])
        if answer is not None:
            acts.moved(self.api, referral, answer, PROVIDER)

    def close(self, one: UUID) -> None:
        """The newest case ends."""
        if (life := self.newest(one)) is not None:
            body = {"reason": "moved_away", "end_open_referrals": True}
            self.api.as_(self.at[one]).post(f"/cases/{life.case}/close", body)

    def signal(self, one: UUID) -> None:
        """Something changed."""
        if (life := self.newest(one)) is not None:
            self.api.as_(self.at[one]).post(f"/cases/{life.case}/signals", {"kind": "worse"})

    def note(self, one: UUID) -> None:
        """Somebody called."""
        residents.write_note(
            self.api.context(self.at[one]), one, kind="call", with_whom=None, text="x",
            come_back_on=None,
        )  # fmt: skip

    def consent(self, one: UUID) -> None:
        """A consent is given."""
        self.api.as_(self.at[one]).post(f"/residents/{one}/consents", CONSENT)

    def befriend(self, one: UUID) -> None:
        """Somebody is close to them."""
        worker, path = self.api.as_(self.at[one]), f"/residents/{one}"
        friend = FRIEND | {"name": f"가상벗{self.rng.randrange(3)}"}
        seen = worker.get(path).headers["etag"]
        done = worker.patch(path, {"contacts": [friend]}, headers={"If-Match": seen})
        assert done.status_code == 200

    def live_together(self, one: UUID) -> None:
        """With somebody else."""
        other = self.rng.choice(list(self.at))
        self.api.as_(SUPERVISOR).post("/households", {"resident_ids": [str(one), str(other)]})


def kinds(api: Api) -> set[str]:
    """What was moved by the merges."""
    with api.engine.connect() as connection:
        return set(connection.scalars(select(t.merge_child.c.kind).distinct()))


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_was_merged_is_parted_again_as_it_was(api: Api, seed: int) -> None:
    rng = Random(seed)
    lives = Lives(api, rng)
    for _ in range(PEOPLE * ACTS):
        lives.happen()
    list(api.application.find_duplicates())
    check_sound(api)
    before, made = [held(api)], []
    for _ in range(MERGES):
        one, other = rng.sample(list(lives.at), 2)
        answer = merged(api, one, other)
        if answer.status_code != 201:
            assert answer.json()["code"] in ("already_merged", "open_case_exists")
            continue
        check_sound(api)
        made.append(UUID(answer.json()["id"]))
        before.append(held(api))
    assert len(made) > 1, "there was nothing to part"
    assert {"care_case", "contact", "note", "consent"} <= kinds(api)
    list(api.application.find_duplicates())
    while made:
        assert before.pop() == held(api)
        undo(api, made.pop())
        check_sound(api)
    assert before.pop() == held(api)
