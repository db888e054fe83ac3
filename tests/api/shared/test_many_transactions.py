"""Operations of many transactions under an idempotency key: once, repeated, and in parallel.

The key belongs to one transaction of the request. What the others do is neither taken for a
repetition of it nor left out by one.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from casework.adapters.api.app import ROUTERS
from casework.adapters.http.route import GuardedRoute
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.timeouts import OutOfTime
from casework.adapters.persistence.unit_of_work.idempotency import KEY_LEASE
from casework.domain.casefile.casefile import CaseFile
from casework.domain.supervision import recounting
from casework.workflows.cases import caseload
from casework.workflows.cases.running import raise_signal
from casework.workflows.ports.unit_of_work import RequestFacts
from casework.workflows.supervision import standards
from tests.api import acts
from tests.api.asking import everything, refusal
from tests.api.conftest import COLLEAGUE, DISTRICT, PROVIDER, SUPERVISOR, WORKER, Api
from tests.api.directory.test_steps_of_entries import drafts
from tests.api.planning.test_conferences import meeting
from tests.api.recounting import events

pytestmark = pytest.mark.both_stores
KEY = {"Idempotency-Key": "one of many"}
RUN = "/jobs/overdue/run"
LATER = "2026-03-17T09:00:00+09:00"
DAY = {"on": "2026-03-06", "closed": True, "name": "임시공휴일", "district_code": DISTRICT}
SHEET = (
    "성명,생년월일,성별,읍면동,전화번호\n"
    "가상주민갑,1941.5.6.,여,우1동,\n가상주민을,1942.5.6.,남,우1동,\n"
)


@dataclass(frozen=True)
class Ready:
    """A request that is ready to be sent: as whom, where to, with what."""

    who: str
    path: str
    body: Any = None
    files: Any = None

    def send(self, api: Api, headers: Any = None) -> Any:
        """Send it under the key, or under other headers."""
        told = {"data": self.body, "files": self.files} if self.files else {"json": self.body}
        return api.as_(self.who).request(
            "POST", self.path, headers=KEY if headers is None else headers, **told
        )


def sweep(api: Api) -> Ready:
    """Two referrals to lapse, two to resume, and a case whose hold is over."""
    for _ in range(2):
        acts.a_referral(api)
        held = acts.a_referral(api)
        acts.moved(api, held, "accept", PROVIDER)
        acts.moved(api, held, "hold", PROVIDER, reason="away", until=date(2026, 3, 10))
    case = acts.a_case(api)
    caseload.hold_case(api.context(WORKER), case, "hospitalised", date(2026, 3, 10), None)
    return Ready(SUPERVISOR, RUN, {"as_of": LATER})


def _standard(api: Api) -> str:
    for _ in range(3):
        acts.a_case(api)
    own = {
        "kind": "survey",
        "district_code": DISTRICT,
        "target": {"amount": 2, "unit": "working_days"},
    }
    made = api.as_(SUPERVISOR).post("/standards", own)
    assert made.status_code == 201, made.text
    return f"/standards/{made.json()['id']}/recalculate"


def recount(api: Api) -> Ready:
    """Three clocks of a standard that was added after they began."""
    return Ready(SUPERVISOR, _standard(api), {"dry_run": False})


def dry_recount(api: Api) -> Ready:
    """The same, which changes nothing."""
    return Ready(SUPERVISOR, _standard(api), {"dry_run": True})


def holiday(api: Api) -> Ready:
    """A day within three running clocks."""
    for _ in range(3):
        acts.a_case(api)
    return Ready(SUPERVISOR, "/holidays", DAY)


def handover(api: Api) -> Ready:
    """Three cases of a leaver."""
    for _ in range(3):
        acts.a_case(api)
    ids = {"from_worker_id": str(api.id_of(WORKER)), "to_worker_id": str(api.id_of(COLLEAGUE))}
    return Ready(SUPERVISOR, "/caseloads/handover", ids | {"reason": "left"})


def file(api: Api) -> Ready:
    """A file of two residents."""
    return Ready(WORKER, "/imports", {"kind": "residents"}, {"file": ("x.csv", SHEET.encode())})


def _answers(api: Api) -> list[dict[str, Any]]:
    acts.make_room(api)
    return [{"referral_id": str(acts.a_referral(api)), "action": "accept"} for _ in range(3)]


def answers(api: Api) -> Ready:
    """Three requests of one agency, each answered by itself."""
    return Ready(PROVIDER, "/inbox/answers", {"answers": _answers(api)})


def answers_together(api: Api) -> Ready:
    """Three requests of one agency, all accepted or none."""
    return Ready(PROVIDER, "/inbox/answers", {"answers": _answers(api), "all_or_nothing": True})


def decisions(api: Api) -> Ready:
    """Three plans on the agenda of a meeting."""
    path, wanted = meeting(api), []
    for _ in range(3):
        case, named = acts.a_submitted_plan(api)
        wanted.append(named | {"case_id": str(case), "decision": "approve"})
    cases = {"case_ids": [one["case_id"] for one in wanted]}
    assert api.as_(SUPERVISOR).post(f"{path}/agenda", cases).status_code == 200
    return Ready(SUPERVISOR, f"{path}/decisions", {"decisions": wanted})


def reviews(api: Api) -> Ready:
    """Three overdue clocks."""
    late = [acts.clock(api, "response", acts.a_referral(api)) for _ in range(3)]
    api.clock.set("2026-03-12T10:00")
    chase = {"action": "chase", "cause": "provider_slow"}
    return Ready(
        SUPERVISOR, "/overdue/reviews", {"reviews": [chase | {"deadline_id": str(i)} for i in late]}
    )


def steps(api: Api) -> Ready:
    """Three entries of the directory to be confirmed."""
    return Ready(
        "city", "/directory/entries/steps", {"step": "confirm", "offering_ids": drafts(api)}
    )


READY: dict[str, Callable[[Api], Ready]] = {
    one.__name__: one
    for one in (
        sweep, recount, dry_recount, holiday, handover, file, answers, answers_together, decisions,
        reviews, steps,
    )
}  # fmt: skip
TEMPLATES = {
    "/jobs/overdue/run", "/standards/{id}/recalculate", "/holidays", "/caseloads/handover",
    "/imports", "/inbox/answers", "/conferences/{id}/decisions", "/overdue/reviews",
    "/directory/entries/steps",
}  # fmt: skip
each = pytest.mark.parametrize("name", READY)


def happened(api: Api) -> list[tuple[Any, ...]]:
    """What was recorded, about what: events and changes of the directory."""
    change = t.directory_change
    with api.engine.connect() as connection:
        found = [
            *connection.execute(select(*t.event.c["name", "subject_id", "at"])),
            *connection.execute(select(*change.c["did", "subject_id", "at"])),
        ]
    return [tuple(one) for one in found]


def check_each_once(before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]) -> None:
    """Nothing was recorded twice about the same thing."""
    new = list(after)
    for one in before:
        new.remove(one)
    assert len(new) == len(set(new)), sorted(one for one in new if new.count(one) > 1)


def test_every_operation_of_many_transactions_stands_here() -> None:
    """Those that are declared as long and heed a key."""
    found = {
        route.path
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, GuardedRoute) and "POST" in (route.methods or ())
        if (extra := route.openapi_extra or {}).get("x-long") and not extra.get("x-no-key")
    }
    assert found == TEMPLATES


@each
def test_a_repeated_request_changes_nothing_more_and_answers_the_same(api: Api, name: str) -> None:
    ready, before = READY[name](api), happened(api)
    first = ready.send(api)
    assert first.status_code in (200, 201), first.text
    assert first.json().get("failed", 0) == 0
    check_each_once(before, happened(api))
    after = everything(api)
    for _ in range(2):
        again = ready.send(api)
        assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert everything(api) == after


@each
def test_in_parallel_it_is_done_once(api: Api, name: str) -> None:
    ready, before = READY[name](api), happened(api)
    with ThreadPoolExecutor(3) as pool:
        sent = [one.result() for one in [pool.submit(ready.send, api) for _ in range(3)]]
    for answer in sent:
        ok = answer.status_code in (200, 201)
        assert ok or refusal(answer) == (409, "in_flight"), answer.text
    assert any(answer.status_code in (200, 201) for answer in sent)
    last = ready.send(api)
    assert last.status_code in (200, 201), last.text
    whole = name != "file" and "results" not in last.json()  # a file may have been on its way
    for answer in sent:
        if answer.status_code == last.status_code:
            assert answer.json().get("id") == last.json().get("id")
            assert not whole or answer.json() == last.json()
    for result in last.json().get("results", ()):
        assert result["status"] == 200, result
    assert last.json().get("failed", 0) == 0
    check_each_once(before, happened(api))


def test_a_sweep_under_a_key_lapses_and_resumes_all_that_is_due(api: Api) -> None:
    ready = sweep(api)
    dry = api.as_(SUPERVISOR).post(RUN, ready.body | {"dry_run": True}).json()
    done = ready.send(api).json()
    assert (done["found"], done["changed"], done["failed"]) == (dry["found"], dry["found"], 0)
    names = [name for name, *_ in happened(api)]
    assert names.count("ReferralLapsed") == 2
    assert names.count("ReferralResumed") == 2
    assert names.count("CaseResumed") == 1
    left = api.as_(SUPERVISOR).post(RUN, ready.body).json()
    assert (left["found"], left["failed"]) == (0, 0)
    with api.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(t.job_run)) == 3


# Broken off


def _broken_off_after(monkeypatch: pytest.MonkeyPatch, cases: int, error: Exception) -> None:
    """Let a recount fail with an error once it has moved the clocks of that many batches of one."""
    renew = recounting.renew
    done: list[CaseFile] = []

    def renewed(file: CaseFile, *rest: Any) -> Any:
        if len(done) == cases:
            raise error
        done.append(file)
        return renew(file, *rest)

    monkeypatch.setattr(recounting, "renew", renewed)
    monkeypatch.setattr(standards, "AT_ONCE", 1)


@pytest.mark.parametrize("name", ["recount", "holiday"])
def test_a_recount_that_was_broken_off_goes_on_under_its_key(
    api: Api, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = READY[name](api)
    with monkeypatch.context() as broken:
        _broken_off_after(broken, 2, OutOfTime("the request took too long"))
        assert refusal(ready.send(api)) == (503, "busy")
    assert len(events(api, "DeadlineRecounted")) == 2
    done = ready.send(api)
    assert done.status_code in (200, 201), done.text
    said = done.json()
    assert len(said.get("recounted", said.get("deadlines"))) == said["changed"] == 3
    assert len(events(api, "DeadlineRecounted")) == 3
    assert ready.send(api).json() == said


@pytest.mark.parametrize("name", ["recount", "holiday"])
def test_a_recount_that_was_killed_goes_on_when_its_lease_is_over(
    api: Api, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = READY[name](api)

    def lose(*_: Any) -> None:
        raise ConnectionError("killed before it could say so")

    with monkeypatch.context() as killed:
        _broken_off_after(killed, 2, OutOfTime("killed"))
        killed.setattr(type(api.application.store), "store_key", lose)
        assert ready.send(api).status_code == 503
    assert refusal(ready.send(api)) == (409, "in_flight")
    api.clock.now += KEY_LEASE
    assert refusal(ready.send(api)) == (409, "in_flight")
    api.clock.now += timedelta(seconds=1)
    done = ready.send(api)
    assert done.status_code in (200, 201), done.text
    assert len(events(api, "DeadlineRecounted")) == 3


def test_a_second_transaction_under_one_key_is_a_defect_and_never_a_repetition(api: Api) -> None:
    case = acts.a_case(api)
    facts = RequestFacts(task="POST /x", idempotency_key="k", digest="d")
    store = api.application.store.for_request(facts)
    keyed = replace(api.context(WORKER), store=store)
    raise_signal(keyed, case, "fall", None)
    with pytest.raises(RuntimeError, match="second transaction"):
        raise_signal(keyed, case, "worse", None)
