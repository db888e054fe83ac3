"""How many statements a request costs: sign-in, scope and audit included, and never more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from casework.bench.statements import statements
from tests.api.acts import a_case, a_referral, a_supported_case
from tests.api.conftest import SUPERVISOR, WORKER, Api

# What each costs today. On PostgreSQL the first statement reads the account and sets the session
# context for row-level security; on SQLite an audit entry is sealed in the same transaction, which
# is three of them, and what is inserted goes table by table. It may only fall: where it does, lower
# the number. The design allows 8 for a referral made, 5 for one read and 6 for a worklist.
COSTS = {
    "make a referral": {"postgresql": 7, "sqlite": 16},
    "make a referral under a key": {"postgresql": 8, "sqlite": 18},
    "read a referral": {"postgresql": 3, "sqlite": 6},
    "worklist of 50": {"postgresql": 5, "sqlite": 8},
    "overdue list of 50": {"postgresql": 5, "sqlite": 8},
}
MANY = 51


def make(api: Api, **headers: str) -> Callable[[], Any]:
    """A request for the one planned service of a new case."""
    supported = a_supported_case(api)
    body = {
        "planned_service_id": str(supported.service),
        "offering_id": str(api.offerings["alpha", "CARE-MEALS"].id),
        "priority": "routine",
        "basis": {"kind": "article_14_2"},
    }
    return lambda: api.as_(WORKER).post("/referrals", body, headers=headers)


def read(api: Api) -> Callable[[], Any]:
    """A look at a referral that was sent."""
    referral = a_referral(api)
    return lambda: api.as_(WORKER).get(f"/referrals/{referral}")


def worklist(api: Api, limit: int = 50) -> Callable[[], Any]:
    """A page of a worker's list."""
    return lambda: api.as_(WORKER).get("/worklist", params={"limit": limit})


def overdue(api: Api, limit: int = 50) -> Callable[[], Any]:
    """A page of a supervisor's list."""
    return lambda: api.as_(SUPERVISOR).get("/overdue", params={"limit": limit})


def allowed(api: Api, name: str) -> int:
    """The number of statements allowed on this store."""
    return COSTS[name][api.engine.dialect.name]


def sent_for(api: Api, request: Callable[[], Any]) -> tuple[list[str], Any]:
    """The statements of a request, with what rarely changes already cached; and its answer."""
    api.application.clockwork()
    api.application.catalogue()
    for username in (WORKER, SUPERVISOR):
        api.as_(username).get("/me")  # who never asked is read in a transaction of their own
        api.actor(username)  # the test's own query
    with statements(api.application.engine) as sent:
        answer = request()
    assert answer.status_code in (200, 201), answer.text
    return sent, answer.json()


@pytest.mark.parametrize(
    ("name", "prepare"),
    [
        ("make a referral", make),
        ("make a referral under a key", lambda api: make(api, **{"Idempotency-Key": "monday"})),
        ("read a referral", read),
    ],
)
def test_a_request_costs_no_more_than_it_does_today(
    api: Api, name: str, prepare: Callable[[Api], Callable[[], Any]]
) -> None:
    sent, _ = sent_for(api, prepare(api))
    assert len(sent) <= allowed(api, name), "\n".join(sent)


@pytest.mark.parametrize(
    ("name", "ask"), [("worklist of 50", worklist), ("overdue list of 50", overdue)]
)
def test_a_list_costs_the_same_whatever_the_size_of_its_page(
    api: Api, name: str, ask: Callable[..., Callable[[], Any]]
) -> None:
    for _ in range(MANY):
        a_case(api)
    api.clock.set("2026-03-12T09:00")
    api.application.sweep(api.application.context())
    costs = []
    for limit in (1, 2, 50, 200):
        sent, page = sent_for(api, ask(api, limit))
        assert len(page["items"]) == min(limit, MANY)
        costs.append(len(sent))
    assert len(set(costs)) == 1, costs
    assert costs[0] <= allowed(api, name), "\n".join(sent)
