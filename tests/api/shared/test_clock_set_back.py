"""The server's clock goes back two days: nothing comes twice, nothing stops, nothing is good again.

Only the clock that the application is given goes back, and with it the ids, which begin with it.
`tests/adapters/scheduler` sets back the clock by which a scheduler wakes; the sweep and the digests
are in `tests/adapters/persistence/supervision/test_outage.py` and `…/notices/test_notices.py`.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import uuid_utils.compat
from sqlalchemy import func, null, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.chain_store import SqlAuditChainStore
from casework.adapters.persistence.notices import outbox
from casework.adapters.persistence.supervision import sweeping
from casework.domain.clocks.schedule import slot_of
from casework.readiness import readiness
from casework.workflows.audit import sealing
from tests.adapters.persistence.notices.test_notices import Box, listen, messages, relayed
from tests.api.acts import a_referral, a_resident, a_supported_case, clock
from tests.api.conftest import BASE, PASSWORD, PROVIDER, SUPERVISOR, WORKER, Api
from tests.api.signing import ask, change, code, enrol, refresh, refused, sign_in, stored
from tests.audit import seal

TWO_DAYS, MINUTES = timedelta(days=2), 5
LATER = "2026-03-06T10:00"


@pytest.fixture
def api(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The small world, whose ids begin with its own clock."""
    numbers = count()

    def new_id() -> uuid.UUID:
        begins = int(api.clock.now.timestamp() * 1000) << 80
        return uuid.UUID(int=begins | 7 << 76 | 2 << 62 | next(numbers))

    monkeypatch.setattr(uuid_utils.compat, "uuid7", new_id)
    api.clock.set(LATER)
    return api


def set_back(api: Api) -> None:
    """The clock goes back two days."""
    api.clock.now -= TWO_DAYS


def tick(api: Api) -> Any:
    """A tick of the scheduler, which names its slot."""
    slot = slot_of(api.clock.now, MINUTES)
    return api.application.sweep(api.application.context(), slot=slot)


def ticks(api: Api, hours: int) -> list[Any]:
    """A tick each half hour, for so many hours."""
    found = []
    for _ in range(2 * hours):
        found.append(tick(api))
        api.clock.forward(minutes=30)
    return found


def raised(api: Api, referral: uuid.UUID) -> list[int]:
    """The tiers of the `response` clock of a request that were raised."""
    step = t.escalation
    which = step.c.deadline_id == clock(api, "response", referral), step.c.raised_at.is_not(None)
    with api.engine.connect() as connection:
        return sorted(connection.scalars(select(step.c.tier).where(*which)))


def how_many(api: Api, table: Any) -> int:
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


# The sweep


def test_the_sweep_goes_on_in_slots_that_were_swept_before(api: Api) -> None:
    set_back(api)
    ticks(api, 48)  # two days that will come once more
    old = a_referral(api)
    tick(api)
    set_back(api)
    urgent = a_referral(api, priority="emergency")
    done = ticks(api, 9)
    assert None not in done
    assert sum(one.failed for one in done) == 0
    assert raised(api, urgent), "four hours are over, though both days were swept"
    assert raised(api, old) == []
    ticks(api, 39)
    api.clock.forward(minutes=30)
    assert None not in ticks(api, 2), "and where the clock is right again"
    with api.engine.connect() as connection:
        told = connection.execute(
            select(t.event.c.subject_id, t.event.c.data).where(t.event.c.name == "EscalationRaised")
        ).all()
    said = [(one.subject_id, one.data["tier"]) for one in told]
    assert len(said) == len(set(said))


def test_the_control_where_slots_stay_taken_nothing_is_raised_for_two_days(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = update(t.job_run).where(t.job_run.c.id.is_(None)).values(slot=None)
    monkeypatch.setattr(sweeping, "_LEAVE_SLOT", never)
    ticks(api, 48)
    set_back(api)
    urgent = a_referral(api, priority="emergency")
    assert set(ticks(api, 9)) == {None}
    assert raised(api, urgent) == []


def test_a_slot_is_still_one_schedulers_where_the_clock_stands_right(api: Api) -> None:
    assert [tick(api) is None for _ in range(2)] == [False, True]


def test_when_a_clock_was_breached_stays_as_it_is(api: Api) -> None:
    urgent = a_referral(api, priority="emergency")
    ticks(api, 9)

    def breached() -> Any:
        with api.engine.connect() as connection:
            of = t.deadline.c.id == clock(api, "response", urgent)
            return connection.scalar(select(t.deadline.c.breached_at).where(of))

    before, tiers = breached(), raised(api, urgent)
    assert before is not None
    set_back(api)
    ticks(api, 9)
    assert (breached(), raised(api, urgent)) == (before, tiers)
    api.clock.forward(days=2)
    ticks(api, 1)
    assert breached() == before


def test_the_tick_of_a_later_day_does_not_say_that_the_scheduler_is_alive(api: Api) -> None:
    tick(api)
    set_back(api)
    api.application.built_at = api.clock.now
    api.clock.forward(minutes=3 * MINUTES + 1)
    assert readiness(api.application)["scheduler"] is False
    tick(api)
    assert readiness(api.application)["scheduler"] is True


# The outbox


def test_what_waits_or_is_leased_on_a_later_day_is_sent_once_and_now(api: Api) -> None:
    listen(api, PROVIDER, "https://alpha.example/")
    a_referral(api)
    failing = Box(down=True)
    for _ in range(3):
        relayed(api, failing)
        api.clock.forward(minutes=2)
    a_referral(api)
    with api.engine.begin() as connection:  # as by a relay that was killed
        connection.execute(
            update(t.message).values(leased_until=api.clock.now + timedelta(seconds=50))
        )
    set_back(api)
    box = Box()
    done = [relayed(api, box) for _ in range(3)]
    waiting = how_many(api, t.message)
    assert sum(one.sent for one in done) == waiting == len(box.letters)
    assert {row.state for row in messages(api)} == {"sent"}
    api.clock.forward(days=2)
    assert relayed(api, box).sent == 0


def test_the_control_where_every_wait_is_believed_it_waits_for_two_days(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LONGEST_WAIT", timedelta(days=9))
    listen(api, PROVIDER, "https://alpha.example/")
    a_referral(api)
    relayed(api, Box(down=True))
    set_back(api)
    assert relayed(api, Box()).sent == 0


def test_a_message_that_fails_after_the_clock_was_set_back_waits_as_ever(api: Api) -> None:
    listen(api, PROVIDER, "https://alpha.example/")
    a_referral(api)
    relayed(api, Box(down=True))
    set_back(api)
    assert relayed(api, Box(down=True)).failed > 0
    assert relayed(api, Box(down=True)).failed == 0
    api.clock.forward(hours=7)
    assert relayed(api, Box()).failed == 0
    assert {row.state for row in messages(api)} == {"sent"}


# Signing in


def test_what_was_used_ended_or_revoked_is_not_good_again(api: Api) -> None:
    api.clock.now -= TWO_DAYS
    session = sign_in(api, WORKER).json()
    used = session["refresh_token"]
    following = refresh(api, used).json()["refresh_token"]
    other = sign_in(api, WORKER).json()["refresh_token"]
    api.client.post(BASE + "/auth/revoke", data={"token": other})
    made = ask(api, session["access_token"], "POST", "/me/tokens", {
        "name": "가상", "expires_on": "2026-12-31", "scopes": ["case.read"], "password": PASSWORD,
    })  # fmt: skip
    assert made.status_code == 201, made.text
    own = made.json()["secret"]
    ask(api, session["access_token"], "POST", f"/me/tokens/{made.json()['id']}/revoke")
    api.clock.forward(days=2)
    set_back(api)
    assert ask(api, own, "GET", "/cases").status_code == 401
    for token in (other, used, following):  # the reuse of one ends its whole sign-in
        assert refused(refresh(api, token)) == (401, "invalid_credentials")


def test_tokens_of_a_later_day_are_not_good_until_then(api: Api) -> None:
    session = sign_in(api, WORKER).json()
    set_back(api)
    assert ask(api, session["access_token"], "GET", "/me").status_code == 401
    assert refused(refresh(api, session["refresh_token"])) == (401, "invalid_credentials")
    assert sign_in(api, WORKER).status_code == 200
    api.clock.forward(days=2)
    assert ask(api, session["access_token"], "GET", "/me").status_code == 200
    assert refresh(api, session["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("ahead", "status"), [(60, 200), (61, 401)])
def test_a_refresh_token_may_be_from_a_clock_a_minute_ahead(
    api: Api, ahead: int, status: int
) -> None:
    token = sign_in(api, WORKER).json()["refresh_token"]
    api.clock.forward(seconds=-ahead)
    assert refresh(api, token).status_code == status


def test_a_refresh_token_that_was_refused_as_too_old_stays_so(api: Api) -> None:
    token = sign_in(api, WORKER).json()["refresh_token"]
    api.clock.forward(days=2)
    assert refresh(api, token).status_code == 401
    set_back(api)
    assert refresh(api, token).status_code == 401


def test_a_code_of_the_second_factor_is_not_good_again(api: Api) -> None:
    secret, recovery = enrol(api, str(sign_in(api, WORKER).json()["access_token"]))
    api.clock.forward(minutes=5)
    given = code(api, secret)
    assert sign_in(api, WORKER, totp=given).status_code == 200
    set_back(api)
    for one in (given, code(api, secret), code(api, secret, 1)):
        assert sign_in(api, WORKER, totp=one).status_code == 401
    api.clock.forward(hours=2)  # who used one on a later day signs in with a recovery code
    assert sign_in(api, WORKER, recovery_code=recovery[0]).status_code == 200
    api.clock.forward(days=2)
    assert sign_in(api, WORKER, totp=code(api, secret)).status_code == 200


def test_who_has_to_wait_on_a_later_day_does_not_wait_for_two_days(api: Api) -> None:
    for _ in range(10):
        sign_in(api, WORKER, "wrong")
    assert sign_in(api, WORKER).status_code == 401
    set_back(api)
    assert sign_in(api, WORKER).status_code == 200
    assert stored(api, WORKER).tries == []


def test_a_place_that_has_to_wait_on_a_later_day_does_not_wait_for_two_days(api: Api) -> None:
    for n in range(100):
        sign_in(api, f"nobody{n}", "wrong")
    assert sign_in(api, WORKER).status_code == 401
    set_back(api)
    assert sign_in(api, WORKER).status_code == 200
    for n in range(101):
        sign_in(api, f"nobody{n}", "wrong")
    assert sign_in(api, WORKER).status_code == 401, "and is counted from the beginning"


def test_guesses_are_counted_as_ever_after_the_clock_was_set_back(api: Api) -> None:
    change(api, WORKER, signed_in_from={})
    set_back(api)
    for _ in range(10):
        sign_in(api, WORKER, "wrong")
    assert sign_in(api, WORKER).status_code == 401


# Lists, keys, the audit


def test_a_list_goes_on_from_a_page_of_a_later_day(api: Api) -> None:
    worker = api.as_(WORKER)
    later = {str(a_resident(api)) for _ in range(4)}
    cases = [worker.post("/cases", a_case_of(id)).json()["id"] for id in sorted(later)]
    page = worker.get("/cases", params={"limit": 2}).json()
    set_back(api)
    earlier = worker.post("/cases", a_case_of(str(a_resident(api)))).json()["id"]
    found = [one["id"] for one in page["items"]]
    found += [one["id"] for one in worker.items("/cases", limit=2, cursor=page["next_cursor"])]
    assert len(found) == len(set(found))
    assert set(found) >= set(cases)
    assert {one["id"] for one in worker.items("/cases", limit=2)} == {*cases, earlier}


def a_case_of(resident: str) -> dict[str, Any]:
    """An application of a resident."""
    return {"resident_id": resident, "channel": "self", "applied_on": "2026-03-03"}


def test_a_key_of_a_later_day_has_one_effect(api: Api) -> None:
    worker, key = api.as_(WORKER), {"Idempotency-Key": "once"}
    path = f"/residents/{a_resident(api)}/notes"
    body = {"kind": "call", "text": "가상"}
    first = worker.post(path, body, headers=key)
    assert first.status_code == 201
    set_back(api)
    again = worker.post(path, body, headers=key)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    other = worker.post(path, body | {"text": "other"}, headers=key)
    assert refused(other) == (422, "idempotency_key_reused")
    api.clock.forward(days=2)
    assert worker.post(path, body, headers=key).json()["id"] == first.json()["id"]
    assert how_many(api, t.note) == 1


def test_a_key_that_was_held_by_who_was_killed_on_a_later_day_is_free(api: Api) -> None:
    supervisor, key = api.as_(SUPERVISOR), {"Idempotency-Key": "once"}
    path = "/jobs/overdue/run"
    assert supervisor.post(path, headers=key).status_code == 200
    with api.engine.begin() as connection:
        connection.execute(update(t.idempotency).values(in_progress=True, made=null()))
    assert refused(supervisor.post(path, headers=key)) == (409, "in_flight")
    set_back(api)
    assert supervisor.post(path, headers=key).status_code == 200


def test_the_audit_is_sealed_and_whole(api: Api) -> None:
    supported = a_supported_case(api)
    shown = f"/cases/{supported.case}"
    assert api.as_(WORKER).get(shown).status_code == 200
    seal(api.application)
    assert api.as_(WORKER).get(shown).status_code == 200
    set_back(api)  # between an entry and its seal
    assert api.as_(WORKER).get(shown).status_code == 200
    # What waits and is of the future is told as long as it waits, some seconds on PostgreSQL.
    assert {one.why for one in verified(api).flaws} <= {"entry_unsealed"}
    assert seal(api.application).flaws == []
    assert verified(api).flaws == []
    api.clock.forward(days=2)
    assert api.as_(WORKER).get(shown).status_code == 200
    assert seal(api.application).flaws == []
    check = verified(api)
    assert (check.flaws, check.waiting) == ([], 0)
    assert check.entries == how_many(api, t.audit_entry) > 3
    audit = api.as_("auditor").items("/audit", limit=3)
    assert len({one["id"] for one in audit}) == len(audit) > 3


def verified(api: Api) -> sealing.AuditCheck:
    """What `casework audit verify` finds."""
    return sealing.verify(SqlAuditChainStore(api.engine.connect), b"a" * 32, api.clock.now)
