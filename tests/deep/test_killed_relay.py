"""A relay that is killed while it sends: every message arrives, each under one id, none unsent.

The relay is `casework relay --once` as an operator starts it, killed with SIGKILL when its receiver
has heard so many; what it had leased is sent when the lease is over.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final

import pytest
from sqlalchemy import select, update

from casework.adapters.notifications.channels import OnTheWay
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.notices.outbox import SqlOutbox
from casework.bootstrap import utc_now
from casework.workflows.notices import relay as notice_relay
from tests.adapters.persistence.notices.test_notices import listen, messages
from tests.api.acts import a_referral, make_room
from tests.api.conftest import PROVIDER, Api
from tests.proofs.sweeps import environment

ROOT: Final = Path(__file__).resolve().parents[2]
REFERRALS, ENDPOINTS, KILLED_AFTER, AT_MOST_S = 8, 3, (4, 11), 90


@dataclass
class Receiver:
    """An endpoint on a socket of its own, which is slow enough to be in the middle."""

    url: str = ""
    takes_s: float = 0.05
    heard: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """The endpoint, serving."""
    it = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(it.takes_s)
            with it.lock:
                it.heard.append(self.headers["webhook-id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield it
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def waiting(api: Api, receiver: Receiver) -> set[str]:
    """Messages to that endpoint, which wait; their ids."""
    api.clock.now = utc_now()  # the clock of the process that is killed
    make_room(api)
    for n in range(ENDPOINTS):
        listen(api, PROVIDER, f"{receiver.url}{n}")
    for _ in range(REFERRALS):
        a_referral(api)
    ctx, notices = api.application.context(), api.application.notices
    while notice_relay._address(ctx, notices, lambda _: None):
        pass
    found = {str(row.id) for row in messages(api) if row.subscription_id is not None}
    assert len(found) == ENDPOINTS * REFERRALS
    return found


def started(api: Api) -> subprocess.Popen[bytes]:
    """One round of the relay, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "casework", "relay", "--once"], cwd=ROOT,
        env=environment(api.application.settings.url()),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def killed(api: Api, receiver: Receiver, after: int) -> None:
    """Start a relay and kill it when the endpoint has heard so many."""
    process, began = started(api), time.monotonic()
    while len(receiver.heard) < after:
        assert process.poll() is None, "it came to its end"
        assert time.monotonic() - began < AT_MOST_S
        time.sleep(0.005)
    process.kill()
    process.wait()


def lease_is_over(api: Api) -> None:
    """As if a minute had gone by."""
    with api.engine.begin() as connection:
        connection.execute(
            update(t.message).where(t.message.c.leased_until.is_not(None))
            .values(leased_until=utc_now())
        )  # fmt: skip


def states(api: Api) -> dict[str, str]:
    """The state of each message to the endpoint, by its id."""
    of = t.message
    with api.engine.connect() as connection:
        query = select(of.c.id, of.c.state).where(of.c.subscription_id.is_not(None))
        return {str(row.id): row.state for row in connection.execute(query)}


def test_what_a_killed_relay_was_sending_arrives_under_its_id(
    api: Api, receiver: Receiver, waiting: set[str]
) -> None:
    for after in KILLED_AFTER:
        killed(api, receiver, after)
        settled = {id for id, state in states(api).items() if state != "waiting"}
        assert settled <= set(receiver.heard), "nothing is settled that was not sent"
        assert settled < waiting, "it was in the middle"
        lease_is_over(api)
    assert started(api).wait(AT_MOST_S) == 0
    assert states(api) == dict.fromkeys(waiting, "sent")
    heard = Counter(receiver.heard)
    assert set(heard) == waiting
    assert max(heard.values()) <= 1 + len(KILLED_AFTER), "once more for each kill"


def test_the_control_a_relay_that_settles_before_it_sends_loses_messages(
    api: Api, receiver: Receiver, waiting: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leased = SqlOutbox._leased

    def settled(self: SqlOutbox, ids: list[Any], until: Any) -> Any:
        letters = leased(self, ids, until)
        for letter in letters:
            letter.message.arrived(utc_now())
            self.settle(letter)
        return letters

    class Killed(BaseException):
        """The process ends here."""

    def sends_nothing(*_: Any) -> Any:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(SqlOutbox, "_leased", settled)
        broken.setattr(OnTheWay, "start", sends_nothing)
        with pytest.raises(Killed):
            api.application.relay(api.application.context())
    lease_is_over(api)
    api.application.relay(api.application.context())
    assert set(receiver.heard) < waiting, "some are never heard"
