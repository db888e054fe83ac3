"""What an operator watches: the backlog by kind of clock, queues, connections, disks; of nobody."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from casework import watching
from casework.adapters.archives.file import ArchiveFile
from casework.adapters.http.metrics import CONNECTIONS, forget_ended
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows.mapper import stored
from casework.adapters.persistence.supervision import backlog, clock_counts
from casework.bench.statements import statements
from casework.domain.notices.outbox import DIGEST, Message, Subscription
from casework.workflows.audit import exporting
from casework.workflows.ports.supervision import ClockCounts
from tests.api.acts import a_case, a_referral, a_resident
from tests.api.conftest import DISTRICT, PROVIDER, SUPERVISOR, WORKER, Api
from tests.api.shared.test_operation import figures, tick
from tests.audit import seal
from tests.proofs._kept_figures import count_again

# The last sweep; all queues.
STATEMENTS = 2


def watched(api: Api) -> dict[str, float]:
    """The samples as they are now, whatever was told half a minute ago."""
    watch = api.client.app.state.probe.watched  # type: ignore[attr-defined]
    watch.backlog.forget()
    counted(watch)  # what is being counted for somebody else would be told as well
    watch.clocks.forget()
    counted(watch)
    return figures(api)


def counted(watch: watching.Watch) -> ClockCounts:
    """The clocks, once they are counted."""
    until = time.monotonic() + 10
    while (found := watch.clocks()) is None:
        assert time.monotonic() < until
    return found


def by_kind_and_tier(found: dict[str, float]) -> Counter[tuple[str, int]]:
    """Overdue clocks, as the metrics count them."""
    name = re.compile(r'casework_clocks_overdue\{kind="(\w+)",tier="(\d)"\}')
    hits = ((name.fullmatch(sample), value) for sample, value in found.items())
    return Counter({(hit[1], int(hit[2])): int(value) for hit, value in hits if hit and value})


@pytest.mark.both_stores
def test_overdue_clocks_are_counted_by_kind_and_tier_as_the_list_shows_them(api: Api) -> None:
    a_case(api)
    a_case(api)
    a_referral(api)
    seen: set[int] = set()
    for turn in range(24):
        if turn % 2:
            tick(api)
        items = api.as_(SUPERVISOR).items("/overdue", limit=200)
        listed = Counter((one["kind"], one["tier"] or 0) for one in items)
        found = watched(api)
        assert by_kind_and_tier(found) == listed
        seen |= {tier for _, tier in listed}
        oldest = min((one["due_at"] for one in items if one["kind"] == "response"), default=None)
        name = 'casework_clocks_oldest_overdue_timestamp_seconds{kind="response"}'
        assert (name in found) == (oldest is not None)
        api.clock.forward(days=turn % 2)
    assert seen == {0, 1, 2}


@pytest.mark.both_stores
def test_a_count_in_parts_is_the_count_at_once_and_no_statement_reads_more_than_a_part(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        a_referral(api)
    api.clock.forward(days=20)
    tick(api)
    whole = clock_counts.count_clocks(api.engine, api.clock.now)
    running = sum(one.running for one in whole.clocks)
    assert any(tier for one in whole.clocks for tier in one.overdue), "some were told of"
    for at_once in (1, 2, 5, running, running + 1):
        monkeypatch.setattr(clock_counts, "AT_ONCE", at_once)
        with statements(api.engine) as sent:
            assert clock_counts.count_clocks(api.engine, api.clock.now) == whole, at_once
        parts = running // at_once + 1
        assert len(sent) == parts * (2 + (api.engine.dialect.name == "postgresql")), at_once


def test_clocks_are_told_with_the_instant_at_which_they_were_counted(api: Api) -> None:
    name = "casework_clocks_counted_timestamp_seconds"
    running = 'casework_clocks_running{kind="response"}'
    counted_at = api.clock.now
    before = watched(api)
    a_referral(api)
    api.clock.forward(minutes=5)
    assert before[name] == counted_at.timestamp()
    assert (figures(api)[name], figures(api)[running]) == (before[name], before[running])
    after = watched(api)
    assert after[name] == api.clock.now.timestamp()
    assert after[running] == before[running] + 1


def test_what_takes_long_to_count_is_counted_a_twentieth_of_the_time() -> None:
    times: list[float] = []

    def read() -> int:
        times.append(time.monotonic())
        time.sleep(0.05)
        return len(times)

    aside = watching.Aside("the clocks", read, seconds=0.1, waits=10)
    assert aside() == 1, "the first who ask wait for it"
    while len(times) < 2:
        assert aside() == 1
    assert times[1] - times[0] >= watching.RESTS * 0.05


@pytest.mark.both_stores
def test_what_runs_is_counted_whether_it_is_late_or_not_and_every_kind_is_there(api: Api) -> None:
    name = 'casework_clocks_running{kind="%s"}'
    before = watched(api)
    assert before[name % "check"] == before[name % "response"] == 0
    referral = a_referral(api)
    assert watched(api)[name % "response"] == 1
    api.clock.forward(days=30)
    assert watched(api)[name % "response"] == 1
    api.clock.forward(days=-30)
    api.as_(PROVIDER).post(f"/referrals/{referral}/accept", {})
    assert watched(api)[name % "response"] == 0


def test_the_last_sweep_says_how_long_it_took_and_what_it_left(api: Api) -> None:
    assert "casework_sweep_seconds" not in watched(api)
    a_referral(api)
    api.clock.forward(days=3)
    tick(api)
    found = watched(api)
    assert found["casework_sweep_seconds"] == 0, "the clock of a test stands still"
    assert found["casework_sweep_changed"] > 0
    assert found["casework_sweep_failed"] == 0
    with api.engine.begin() as connection:
        later = api.clock.now + timedelta(seconds=7)
        connection.execute(update(t.job_run).values(ended_at=later, failed=2))
    found = watched(api)
    assert (found["casework_sweep_seconds"], found["casework_sweep_failed"]) == (7, 2)


def test_queues_say_how_much_waits_and_since_when(api: Api) -> None:
    since = 'casework_waiting_since_timestamp_seconds{queue="%s"}'
    found = watched(api)
    for queue in ("notices", "messages", "imports"):
        assert found[f'casework_waiting{{queue="{queue}"}}'] == 0
        assert since % queue not in found
    a_referral(api)
    api.clock.forward(days=3)
    tick(api)
    with api.engine.connect() as connection:
        first = connection.scalar(select(func.min(t.notice.c.since)))
    assert first is not None
    found = watched(api)
    assert found['casework_waiting{queue="notices"}'] > 0
    assert found[since % "notices"] == first.timestamp()
    api.application.relay(api.application.context())
    assert watched(api)['casework_waiting{queue="notices"}'] == 0


def test_what_figures_did_not_count_yet_waits(api: Api) -> None:
    a_referral(api)
    assert watched(api)['casework_waiting{queue="figures"}'] > 0
    count_again(api)
    assert watched(api)['casework_waiting{queue="figures"}'] == 0


def a_message(api: Api, **facts: object) -> None:
    message = Message(
        id=new_id(), kind=DIGEST, account_id=api.id_of(WORKER), subscription_id=None,
        district_code=DISTRICT, payload={}, created_at=api.clock.now, next_at=api.clock.now,
    )  # fmt: skip
    row = {field: getattr(message, field) for field in [one.name for one in t.message.c]} | facts
    with api.engine.begin() as connection:
        connection.execute(insert(t.message), [row])


def an_endpoint(api: Api, retry_at: datetime) -> UUID:
    endpoint = Subscription(
        id=new_id(), url="https://example.org/", secret="s" * 24, kinds=[], provider_id=None,
        district_code=None, created_at=api.clock.now, created_by=None, retry_at=retry_at,
    )  # fmt: skip
    with api.engine.begin() as connection:
        row = stored(endpoint, vault_of(connection))
        connection.execute(insert(t.subscription), [row])
    return endpoint.id


def test_the_relay_is_behind_with_what_is_due_and_not_with_what_rests_or_waits(api: Api) -> None:
    now = api.clock.now
    since = 'casework_waiting_since_timestamp_seconds{queue="messages"}'
    rests = an_endpoint(api, retry_at=now + timedelta(minutes=5))
    early = now - timedelta(hours=1)
    a_message(api, account_id=None, subscription_id=rests, next_at=early)
    a_message(api, next_at=now + timedelta(minutes=1))
    a_message(api, state="dead", next_at=early)
    a_message(api, next_at=early, leased_until=now + timedelta(minutes=1))
    found = watched(api)
    assert since not in found
    assert found['casework_waiting{queue="messages"}'] == 3
    assert (found["casework_messages_dead"], found["casework_endpoints_resting"]) == (1, 1)
    a_message(api, next_at=now - timedelta(minutes=3))
    assert watched(api)[since] == (now - timedelta(minutes=3)).timestamp()
    api.clock.forward(minutes=5, seconds=1)
    found = watched(api)
    assert found[since] == early.timestamp(), "the endpoint has rested"
    assert found["casework_endpoints_resting"] == 0


def test_entries_that_wait_for_their_seal_are_told_with_the_first_of_them(api: Api) -> None:
    a_resident(api)
    seal(api.application)
    found = watched(api)
    assert found['casework_waiting{queue="audit"}'] == 0
    assert found["casework_audit_sealed_timestamp_seconds"] == api.clock.now.timestamp()
    with api.engine.begin() as connection:
        entry = connection.execute(select(t.audit_entry).limit(1)).one()
        row = dict(entry._mapping) | {"id": new_id(), "at": api.clock.now}
        connection.execute(insert(t.audit_entry), [row])
        if api.engine.dialect.name == "sqlite":  # where no trigger does it
            connection.exec_driver_sql("INSERT INTO audit_pending VALUES (?)", (row["id"].hex,))
    written = api.clock.now.timestamp()
    api.clock.forward(minutes=20)
    found = watched(api)
    assert found['casework_waiting{queue="audit"}'] == 1
    assert found['casework_waiting_since_timestamp_seconds{queue="audit"}'] == written


def test_the_exported_heads_are_asked_for_aside_and_told_when_they_are_known(
    api: Api, tmp_path: Path
) -> None:
    name = "casework_audit_exported_timestamp_seconds"
    place = ArchiveFile(tmp_path / "heads")
    of = api.application.exporting = replace(api.application.exporting, archives=[place])
    a_resident(api)
    seal(api.application)
    assert exporting.export(of, api.clock.now).kept_by
    watched(api)
    until = time.monotonic() + 10
    while name not in (found := watched(api)):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert found[name] == api.clock.now.timestamp()
    assert found['casework_disk_free_bytes{place="heads"}'] > 0


def test_a_place_that_answers_slowly_keeps_no_scrape_waiting() -> None:
    let_go = threading.Event()

    def slow() -> int:
        let_go.wait(10)
        return 1

    aside = watching.Aside("a place", slow, seconds=30)
    began = time.monotonic()
    assert aside() is None
    assert aside() is None
    assert time.monotonic() - began < 1
    let_go.set()
    while aside() is None:
        assert time.monotonic() - began < 10
    assert aside() == 1


def test_the_backlog_is_two_statements_and_none_while_it_is_fresh(api: Api) -> None:
    a_referral(api)
    tick(api)
    watch = watching.Watch(api.application)
    sets_context = api.engine.dialect.name == "postgresql"
    with statements(api.application.engine) as sent:
        watch.backlog()
    assert len(sent) == STATEMENTS + sets_context
    with statements(api.application.engine) as sent:
        watch.backlog()
    assert sent == []
    control = watching.Watch(api.application, seconds=-1)
    control.backlog()
    with statements(api.application.engine) as sent:
        control.backlog()
    assert sent != []


def test_of_many_who_ask_at_once_one_reads_and_nobody_waits_for_it_who_has_a_value() -> None:
    numbers, reading, let_go = count(), threading.Event(), threading.Event()

    def read() -> int:
        number = next(numbers)
        if number:
            reading.set()
            let_go.wait(10)
        return number

    value = watching.Remembered(read, seconds=-1)
    assert value() == 0
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(value)
        assert reading.wait(10)
        others = [pool.submit(value) for _ in range(7)]
        assert {one.result(timeout=5) for one in others} == {0}
        let_go.set()
        assert first.result(timeout=5) == 1


def test_what_cannot_be_read_says_so_and_the_rest_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert watched(api)["casework_backlog_read"] == 1

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(watching, "read_backlog", broken)
    monkeypatch.setattr(watching, "count_clocks", broken)
    watch = api.client.app.state.probe.watched  # type: ignore[attr-defined]
    watch.backlog.forget()
    watch.clocks.forget()
    found = figures(api)
    assert found["casework_backlog_read"] == 0
    assert found['casework_ready{part="database"}'] == 1
    assert found['casework_disk_free_bytes{place="key_ring"}'] > 0
    assert not [name for name in found if name.startswith("casework_clocks")]


def test_connections_in_use_are_counted_and_given_back(api: Api) -> None:
    # Once the clocks are counted, which takes a connection aside.
    assert watched(api)["casework_connections_at_most"] == api.application.settings.threads
    before = CONNECTIONS._value.get()
    with api.application.engine.connect(), api.application.engine.connect() as other:
        assert CONNECTIONS._value.get() == before + 2
        other.invalidate()
        a_resident(api)
    assert CONNECTIONS._value.get() == before


def test_the_values_of_a_label_are_few_and_known(api: Api) -> None:
    a_referral(api)
    a_message(api)
    few = {"kind", "tier", "queue", "place", "part", "name"}
    for sample in watched(api):
        if sample.startswith("casework_") and "request" not in sample:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', sample))
            assert set(labels) <= few, sample
            assert all(re.fullmatch(r"[a-z_]+|[0-5]", value) for value in labels.values()), sample


def test_no_queue_is_counted_further_than_it_says_anything(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "MOST", 2)
    for _ in range(3):
        a_message(api)
    assert watched(api)['casework_waiting{queue="messages"}'] == 2


def test_a_process_that_is_gone_says_nothing_of_now_and_what_it_counted_stays(
    tmp_path: Path,
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = [
        f"{kind}_{pid}.db"
        for kind in ("gauge_livesum", "counter")
        for pid in (gone.pid, os.getpid())
    ]
    for name in names:
        (tmp_path / name).touch()
    forget_ended(tmp_path)
    left = {one.name for one in tmp_path.iterdir()}
    assert left == set(names) - {f"gauge_livesum_{gone.pid}.db"}
