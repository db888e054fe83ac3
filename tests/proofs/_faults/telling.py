"""The relay killed while it sends, and a mail server that is dead."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from typing import Any, Final

from sqlalchemy import func, select, update

from casework.adapters.persistence import tables as t
from casework.bootstrap import utc_now
from casework.domain.notices.notices import NoticeKind
from casework.domain.notices.outbox import Subscription
from casework.workflows.notices.endpoints import subscribe
from tests.api.conftest import PROVIDER, Api
from tests.proofs._faults.load import Load
from tests.proofs._faults.receivers import MailServer, Receiver, endpoint
from tests.proofs._faults.site import Process, Site, site
from tests.proofs._faults.trial import Outcome, Plan, defect, strike_under_load

SETTLES_FIRST, BELIEVES = "settles-before-it-sends", "believes-in-mail"
WAITING, HEARD, AT_MOST_S, ENDPOINTS, ROUNDS = 8, 2, 240.0, 2, 6
ROUND: Final = ("relay", "--once")


def kill_relay(plan: Plan) -> Outcome:
    """`casework relay` is killed while it sends, and another one takes over after the lease."""
    with site(plan.store, plan.server) as place, endpoint() as receiver:
        _listen(place.world, receiver.url, ENDPOINTS)
        load, unheard = Load(place, place.serve().address), set[str]()
        relay = place.run(*ROUND, settings=defect(plan, SETTLES_FIRST))
        assert relay.wait() == 0
        relay.prepare()

        def strike() -> float:
            _until_enough_waits(place.world)
            before, until = len(receiver.heard), time.monotonic() + AT_MOST_S
            relay.start()
            while len(receiver.heard) < before + HEARD and not relay.has_ended:
                assert time.monotonic() < until, "it sends nothing"
                time.sleep(0.002)
            relay.kill()
            settled = {id for id, state in states(place.world).items() if state != "waiting"}
            unheard.update(settled - set(receiver.heard))
            _let_leases_end(place.world)
            return time.monotonic()

        outcome = strike_under_load(load, plan, strike)
        _rounds(place, states)
        outcome.amiss += [f"settled and not sent: {id}" for id in sorted(unheard)]
        _judge(place.world, receiver, outcome)
        return outcome


def _listen(world: Api, url: str, count: int) -> None:
    """Endpoints of an agency for everything that it may hear."""
    for n in range(count):
        ctx = world.context(PROVIDER)
        endpoint = Subscription(
            id=ctx.new_id(), url=f"{url}{n}", secret="only-for-tests", kinds=list(NoticeKind),
            provider_id=None, district_code=None, created_at=ctx.now, created_by=ctx.actor.id,
        )  # fmt: skip
        subscribe(ctx, endpoint, in_clear=True)


def states(world: Api, to: Any = t.message.c.subscription_id) -> dict[str, str]:
    """The state of each message to endpoints, or to people, by its id."""
    query = select(t.message.c.id, t.message.c.state).where(to.is_not(None))
    with world.engine.connect() as connection:
        return {str(row.id): row.state for row in connection.execute(query)}


def _let_leases_end(world: Api) -> None:
    """As if a minute had gone by, and every wait before the next try."""
    now = utc_now()
    with world.engine.begin() as connection:
        waiting = t.message.c.state == "waiting"
        connection.execute(update(t.message).where(waiting).values(leased_until=None, next_at=now))
        connection.execute(update(t.subscription).values(retry_at=None))


def _until_enough_waits(world: Api) -> None:
    """Wait until clients have given the relay something to tell."""
    query = select(func.count()).select_from(t.notice).where(
        t.notice.c.addressed_at.is_(None), t.notice.c.provider_id.is_not(None)
    )  # fmt: skip
    until = time.monotonic() + AT_MOST_S
    while time.monotonic() < until:
        with world.engine.connect() as connection:
            if (connection.scalar(query) or 0) >= WAITING:
                return
        time.sleep(0.02)


def _rounds(place: Site, those: Callable[[Api], dict[str, str]], **settings: str) -> None:
    """Rounds of the relay until nothing waits any more."""
    for _ in range(ROUNDS):
        _let_leases_end(place.world)
        assert place.run(*ROUND, settings=settings).wait() == 0
        if "waiting" not in those(place.world).values():
            return


def _judge(world: Api, receiver: Receiver, outcome: Outcome) -> None:
    """What was sent with what was heard, and both with what there was to tell."""
    sent, heard = states(world), Counter(receiver.heard)
    told = select(func.count()).select_from(t.notice).where(t.notice.c.provider_id.is_not(None))
    with world.engine.connect() as connection:
        notices = connection.scalar(told) or 0
    lost = sent.keys() - heard.keys()
    outcome.figures |= {
        "messages": len(sent), "heard_again": heard.total() - len(heard),
        "messages_lost": len(lost), "messages_doubled": len(sent) - ENDPOINTS * notices,
    }  # fmt: skip
    outcome.amiss += [f"never heard: {id}" for id in lost]
    outcome.amiss += [f"heard of no message: {id}" for id in heard.keys() - sent.keys()]
    outcome.amiss += [f"{id} is {state}" for id, state in sent.items() if state != "sent"]
    if len(sent) != ENDPOINTS * notices or not sent:
        outcome.amiss.append(f"{len(sent)} messages tell of {notices} notices")
    most = 1 + outcome.strikes
    outcome.amiss += [f"{id} was heard {n} times" for id, n in heard.items() if n > most]


def dead_mail(plan: Plan) -> Outcome:
    """The mail server refuses, then takes connections and is silent, then works again, in turn."""
    mails = MailServer()
    with site(plan.store, plan.server) as place, endpoint() as receiver:
        _listen(place.world, receiver.url, ENDPOINTS)
        with place.world.engine.begin() as connection:
            mail = t.account.c.username + "@mail.example"
            connection.execute(update(t.account).values(email=mail))
        # What is urgent is mailed at once, the rest in a digest in the morning.
        load = Load(place, place.serve().address, priority="emergency", thinks_s=0.5, clients=1)
        own = defect(plan, BELIEVES) | {
            "CASEWORK_SMTP_HOST": "127.0.0.1", "CASEWORK_SMTP_PORT": str(mails.port),
            "CASEWORK_SMTP_STARTTLS": "false",
        }  # fmt: skip
        relay = place.run(*ROUND, settings=own)
        assert relay.wait() == 0
        relay.prepare()
        modes, amiss = cycle((mails.refusing, mails.silent, mails.working)), list[str]()

        def strike() -> float:
            _until_enough_waits(place.world)
            with next(modes)():
                amiss.extend(_a_round(place.world, relay, mails.receiver))
            return time.monotonic()

        outcome = strike_under_load(load, plan, strike)
        with mails.working():
            _rounds(place, _mails, **own)
        _judge(place.world, receiver, outcome)
        _all_mailed(place.world, mails, outcome)
        outcome.amiss += amiss
        return outcome


def _mails(world: Api) -> dict[str, str]:
    return states(world, t.message.c.account_id)


def _a_round(world: Api, relay: Process, mailed: Receiver) -> list[str]:
    """A round of the relay: it ends, what is sent was mailed, and endpoints heard everything."""
    _let_leases_end(world)
    relay.start()
    code, mails = relay.wait(), _mails(world)
    sent = {id for id, state in mails.items() if state == "sent"} - set(mailed.heard)
    left = sum(state == "waiting" for state in states(world).values())
    return [
        *([f"the relay ended with {code}"] if code else []),
        *([] if mails else ["there was no mail"]),
        *([f"{len(sent)} mails are said to be sent, to nobody"] if sent else []),
        *([f"{left} messages to endpoints wait for a mail server"] if left else []),
    ]


def _all_mailed(world: Api, server: MailServer, outcome: Outcome) -> None:
    """Every mail arrived once."""
    mails, heard = _mails(world), Counter(server.receiver.heard)
    lost = mails.keys() - heard.keys()
    outcome.figures |= {"mails": len(mails), "mails_lost": len(lost)}
    outcome.amiss += [f"never mailed: {id}" for id in lost]
    outcome.amiss += [f"mailed {n} times: {id}" for id, n in heard.items() if n > 1]
    outcome.amiss += [f"{id} is {state}" for id, state in mails.items() if state != "sent"]
