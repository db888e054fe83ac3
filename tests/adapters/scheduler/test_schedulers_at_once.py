"""Two schedulers run all their jobs at the same moment, round after round: nothing comes twice.

`tests/deep/test_schedulers_at_once.py` does it for many more rounds.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, make_url, select
from structlog.testing import capture_logs

from casework.adapters.identity import Argon2Passwords, JwtTokens
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.chain_store import SqlAuditChainStore
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.notices.outbox import SqlOutbox
from casework.background_jobs import JOBS, RELAY, Job, run
from casework.bootstrap import Application
from casework.domain.notices.outbox import Letter
from casework.workflows.audit import sealing
from tests.adapters.persistence.notices.test_notices import Box, listen
from tests.api.acts import a_case, a_referral, a_resident, moved
from tests.api.conftest import PROVIDER, WORKER, Api
from tests.proofs._invariants import broken, left_by_sweep, read

ROUNDS = 2
SHEET = (
    "성명,생년월일,성별,읍면동,전화번호\n"
    "가상명{n}갑,1941.5.6.,여,우1동,\n가상명{n}을,1942.5.6.,남,우1동,\n"
)


class SlowBox(Box):
    """Records what is sent, and takes a while for it, in seconds."""

    takes_s = 0.02

    def deliver(self, letters: Sequence[Letter], now: datetime) -> list[str | None]:
        """As ever, but that another scheduler comes in between."""
        time.sleep(self.takes_s if letters else 0)
        return super().deliver(letters, now)


@contextmanager
def two_schedulers(api: Api) -> Iterator[list[Application]]:
    """Two applications with engines of their own, as `casework scheduler` has one."""
    url = make_url(api.application.settings.url())
    if url.get_backend_name() != "sqlite":
        url = url.set(username="casework_scheduler")
    found = [
        Application(
            settings=api.application.settings,
            engine=open_engine(url.render_as_string(hide_password=False)),
            passwords=Argon2Passwords(cheap=True),
            tokens=JwtTokens(b"t" * 32),
            vault=api.application.vault,
            now=api.clock,
        )
        for _ in range(2)
    ]
    for one in found:
        one.transport = SlowBox()
    try:
        yield found
    finally:
        for one in found:
            one.engine.dispose()


def live(api: Api, n: int) -> None:
    """What happens before a round: applications, requests, answers, a file, likely duplicates."""
    a_case(api, resident=a_resident(api, name="가상 같은이름", phone=f"010-0000-{n:04}"))
    asked = [a_referral(api, priority="emergency"), a_referral(api), a_referral(api)]
    moved(api, asked[1], "accept", PROVIDER)
    moved(api, asked[2], "waitlist", PROVIDER)
    if n % 2:
        moved(api, asked[1], "withdraw", WORKER, reason="resident_asked")  # frees its place
    file = {"file": ("x.csv", SHEET.format(n=n).encode())}
    sent = api.as_(WORKER).request("POST", "/imports", data={"kind": "residents"}, files=file)
    assert sent.status_code in (200, 201, 202), sent.text


def round_of_all(schedulers: list[Application], n: int, jobs: tuple[Job, ...] = JOBS) -> None:
    """All jobs of both at the same moment, in one order or the other."""
    barrier = Barrier(len(schedulers))

    def work(application: Application, order: int) -> None:
        barrier.wait()
        for job in jobs[::order]:
            run(application, job)

    orders = (1, 1) if n % 2 else (1, -1)
    with ThreadPoolExecutor(len(schedulers)) as pool:
        for done in [pool.submit(work, *one) for one in zip(schedulers, orders, strict=True)]:
            done.result()


def rounds(api: Api, schedulers: list[Application], count: int) -> list[Any]:
    """So many rounds, eight hours apart; what was logged as a failure."""
    listen(api, PROVIDER, "https://alpha.example/")
    failures: list[Any] = []
    for n in range(count):
        live(api, n)
        api.clock.forward(hours=8)
        with capture_logs() as logs:
            round_of_all(schedulers, n)
        failures += [one for one in logs if one["log_level"] in ("error", "critical")]
    return failures


def twice(api: Api, schedulers: list[Application]) -> list[str]:
    """What came twice: a step, a letter, a digest, an addressee, an offer, a row of a file."""
    boxes = [one.transport for one in schedulers]
    letters = Counter(
        letter.message.id for box in boxes if isinstance(box, Box) for letter in box.letters
    )
    found: dict[str, Counter[Any]] = {"letter": letters}
    with api.engine.connect() as connection:
        events = connection.execute(select(t.event.c.name, t.event.c.subject_id, t.event.c.data))
        told: Counter[Any] = Counter(
            (one.subject_id, one.data["tier"]) for one in events if one.name == "EscalationRaised"
        )
        found["step"] = told
        found["digest"] = Counter(
            tuple(row)
            for row in connection.execute(
                select(t.message.c.account_id, t.message.c.digest_on).where(
                    t.message.c.digest_on.is_not(None)
                )
            )
        )
        found["addressee"] = Counter(
            tuple(row)
            for row in connection.execute(select(t.addressee.c.notice_id, t.addressee.c.account_id))
        )
        found["resident"] = Counter(
            connection.scalars(select(t.resident.c.name).where(t.resident.c.name.like("가상명%")))
        )
    return [f"{kind} {which}" for kind, of in found.items() for which, n in of.items() if n > 1]


def how_many(api: Api, *where: Any, of: Any) -> int:
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(of).where(*where)) or 0


def assert_whole(api: Api, schedulers: list[Application], count: int) -> None:
    """Nothing is left, nothing came twice, and every invariant holds."""
    assert twice(api, schedulers) == []
    state = read(api.engine)
    assert broken(state, api.application.clockwork()) == []
    assert left_by_sweep(state, api.clock.now) == []
    assert how_many(api, t.resident.c.name.like("가상명%"), of=t.resident) == 2 * count
    assert how_many(api, t.message.c.state != "sent", of=t.message) == 0
    assert how_many(api, t.notice.c.addressed_at.is_(None), of=t.notice) == 0
    check = sealing.verify(SqlAuditChainStore(api.engine.connect), b"a" * 32, api.clock.now)
    assert (check.flaws, check.waiting) == ([], 0)


@pytest.mark.both_stores
def test_two_schedulers_at_once_do_everything_once(api: Api) -> None:
    with two_schedulers(api) as schedulers:
        failures = rounds(api, schedulers, ROUNDS)
        assert failures == []
        round_of_all(schedulers, ROUNDS)  # what was leased or locked in the last one
        assert_whole(api, schedulers, ROUNDS)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_the_control_without_leases_letters_leave_twice(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqlOutbox, "_leased", lambda self, ids, _until: self._letters(ids))
    monkeypatch.setattr(SlowBox, "takes_s", 1.0)
    listen(api, PROVIDER, "https://alpha.example/")
    a_referral(api)
    with two_schedulers(api) as schedulers:
        round_of_all(schedulers, 1, (RELAY,))
        assert any(one.startswith("letter") for one in twice(api, schedulers))
