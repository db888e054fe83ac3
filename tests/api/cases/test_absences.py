"""Absences over HTTP: deputies of deputies, listed, corrected, ended, and what cannot be."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from tests.api import acts
from tests.api.asking import (
    ABSENT,
    Ask,
    check_nobody_and_wrong_roles,
    etag,
    everything,
    fields_of,
    refusal,
)
from tests.api.conftest import (
    ASSESSOR,
    COLLEAGUE,
    DISTRICT,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
)

THIRD = f"worker3.{HERE}"
HEAD = f"head.{DISTRICT}"


def a_third_worker(api: Api) -> str:
    with api.engine.begin() as connection:
        like = connection.execute(
            select(t.account).where(t.account.c.username == COLLEAGUE)
        ).mappings().one()  # fmt: skip
        row = dict(like) | {"id": new_id(), "username": THIRD, "external_id": None}
        connection.execute(insert(t.account), [row])
    return THIRD


def record(api: Api, away: str, deputy: str, first: str, last: str) -> Any:
    body = {"worker_id": str(api.id_of(away)), "deputy_id": str(api.id_of(deputy)),
            "from": first, "to": last}  # fmt: skip
    return api.as_(SUPERVISOR).post("/absences", body)


def recorded(api: Api, away: str, deputy: str, first: str, last: str) -> dict[str, Any]:
    answer = record(api, away, deputy, first, last)
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"1"'
    return dict(answer.json())


def todo(api: Api, by: str) -> list[str]:
    return sorted(one["kind"] for one in api.as_(by).items("/worklist", due="all"))


def test_a_deputy_who_is_away_too_passes_the_work_on(api: Api) -> None:
    acts.a_case(api)
    third = a_third_worker(api)
    recorded(api, WORKER, COLLEAGUE, "2026-03-04", "2026-03-10")
    recorded(api, COLLEAGUE, third, "2026-03-05", "2026-03-06")
    for day, (colleague, other) in {
        3: ([], []), 4: (["survey"], []), 5: ([], ["survey"]), 6: ([], ["survey"]),
        7: (["survey"], []), 11: ([], []),
    }.items():  # fmt: skip
        api.clock.set(f"2026-03-{day:02}T12:00")
        assert (todo(api, COLLEAGUE), todo(api, third)) == (colleague, other), day
        assert todo(api, WORKER) == ["survey"], "nothing is reassigned"
        assert todo(api, SUPERVISOR) == []


def test_where_the_chain_ends_in_nobody_the_supervisor_has_the_work(api: Api) -> None:
    resident = acts.a_resident(api)
    acts.a_case(api, resident=resident)
    note = {"kind": "call", "text": "calls back", "come_back_on": "2026-03-05"}
    assert api.as_(WORKER).post(f"/residents/{resident}/notes", note).status_code == 201
    third = a_third_worker(api)
    recorded(api, WORKER, COLLEAGUE, "2026-03-04", "2026-03-10")
    recorded(api, COLLEAGUE, third, "2026-03-04", "2026-03-10")
    api.clock.set("2026-03-05T12:00")
    assert todo(api, third) == ["come_back", "survey"]
    with api.engine.begin() as connection:
        third_one = t.account.c.username == third
        connection.execute(update(t.account).where(third_one).values(is_active=False))
    assert todo(api, COLLEAGUE) == []
    assert todo(api, SUPERVISOR) == ["come_back", "survey"]
    assert todo(api, FAR_SUPERVISOR) == []
    api.clock.set("2026-03-11T12:00")
    assert todo(api, SUPERVISOR) == []


def test_supervisors_and_assessors_have_deputies_of_their_own(api: Api) -> None:
    assert recorded(api, SUPERVISOR, HEAD, "2026-03-04", "2026-03-10")["ended_on"] is None
    for away, deputy, code in (
        (ASSESSOR, SUPERVISOR, "deputy_of_other_role"), (WORKER, HEAD, "deputy_of_other_role"),
        (WORKER, NEIGHBOUR, "worker_of_other_centre"), (WORKER, STRANGER, "unknown_worker"),
        (WORKER, "admin", "unknown_worker"), (WORKER, WORKER, "own_deputy"),
    ):  # fmt: skip
        answer = record(api, away, deputy, "2026-03-04", "2026-03-10")
        assert refusal(answer) == (422, code)
        assert fields_of(answer) == ["deputy_id"]


def test_what_an_absent_supervisor_promised_is_in_the_deputys_list(api: Api) -> None:
    note = {"kind": "call", "text": "calls back", "come_back_on": "2026-03-05"}
    resident = acts.a_resident(api)
    assert api.as_(HEAD).post(f"/residents/{resident}/notes", note).status_code == 201
    recorded(api, HEAD, SUPERVISOR, "2026-03-04", "2026-03-10")
    for day, has in {3: [], 4: ["come_back"], 10: ["come_back"], 11: []}.items():
        api.clock.set(f"2026-03-{day:02}T12:00")
        assert todo(api, SUPERVISOR) == has, day
        assert todo(api, HEAD) == ["come_back"]


def test_overlapping_mutual_and_endless_absences_are_refused(api: Api) -> None:
    one = recorded(api, WORKER, COLLEAGUE, "2026-03-04", "2026-03-10")
    third = a_third_worker(api)
    before = everything(api)
    for first, last in (("2026-03-10", "2026-03-12"), ("2026-03-02", "2026-03-04")):
        answer = record(api, WORKER, third, first, last)
        assert refusal(answer) == (409, "absence_overlaps")
        assert answer.json()["absence_id"] == one["id"]
    assert refusal(record(api, COLLEAGUE, WORKER, "2026-03-10", "2026-03-12")) == (
        409, "mutual_deputies",
    )  # fmt: skip
    for first, last, code, field in (
        ("2026-03-11", "2027-03-11", "absence_too_long", "to"),
        ("2026-03-11", "2036-03-10", "absence_too_long", "to"),
        ("2027-03-02", "2027-03-03", "absence_too_far", "from"),
        ("2026-02-20", "2026-03-01", "date_too_early", "to"),
        ("2026-03-12", "2026-03-11", "ends_before_start", "to"),
    ):
        answer = record(api, WORKER, third, first, last)
        assert refusal(answer) == (422, code), (first, last)
        assert fields_of(answer) == [field]
    assert everything(api) == before
    recorded(api, COLLEAGUE, WORKER, "2026-03-11", "2026-03-12")
    recorded(api, WORKER, third, "2026-03-13", "2027-03-12")


def test_absences_are_listed_by_person_and_by_day(api: Api) -> None:
    first = recorded(api, WORKER, COLLEAGUE, "2026-03-04", "2026-03-06")["id"]
    second = recorded(api, COLLEAGUE, WORKER, "2026-03-09", "2026-03-10")["id"]
    third = recorded(api, WORKER, COLLEAGUE, "2026-03-16", "2026-03-17")["id"]

    def listed(by: str = SUPERVISOR, **asked: Any) -> list[str]:
        return [one["id"] for one in api.as_(by).items("/absences", limit=2, **asked)]

    assert listed() == [third, second, first]
    assert listed(worker=str(api.id_of(WORKER))) == [third, first]
    assert [listed(on=f"2026-03-{day:02}") for day in (3, 4, 6, 7, 9)] == [
        [], [first], [first], [], [second],
    ]  # fmt: skip
    assert listed(FAR_SUPERVISOR) == []
    assert api.as_(FAR_SUPERVISOR).get(f"/absences/{first}").status_code == 404
    assert api.as_(SUPERVISOR).get(f"/absences/{first}").json() == {
        "id": first, "worker_id": str(api.id_of(WORKER)), "from": "2026-03-04",
        "to": "2026-03-06", "ended_on": None, "deputy_id": str(api.id_of(COLLEAGUE)),
    }  # fmt: skip


def test_an_absence_is_corrected_by_who_has_seen_it(api: Api) -> None:
    acts.a_case(api)
    third = a_third_worker(api)
    path = f"/absences/{recorded(api, WORKER, COLLEAGUE, '2026-03-04', '2026-03-06')['id']}"
    recorded(api, WORKER, COLLEAGUE, "2026-03-12", "2026-03-13")
    supervisor = api.as_(SUPERVISOR)
    seen = etag(supervisor.get(path))
    body = {"to": "2026-03-10", "deputy_id": str(api.id_of(third))}
    assert supervisor.patch(path, body).status_code == 428
    before = everything(api)
    for wrong, code in (
        ({"to": "2026-03-12"}, (409, "absence_overlaps")),
        ({"from": "2026-03-07"}, (422, "ends_before_start")),
        ({"deputy_id": str(api.id_of(NEIGHBOUR))}, (422, "worker_of_other_centre")),
        ({"deputy_id": str(ABSENT)}, (422, "unknown_worker")),
    ):
        assert refusal(supervisor.patch(path, wrong, headers=seen)) == code
    assert everything(api) == before
    shown = supervisor.patch(path, body, headers=seen)
    assert (shown.status_code, shown.headers["etag"]) == (200, '"2"')
    assert supervisor.get(path).json()["to"] == "2026-03-10"
    assert refusal(supervisor.patch(path, body, headers=seen)) == (412, "stale")
    api.clock.set("2026-03-10T12:00")
    assert (todo(api, COLLEAGUE), todo(api, third)) == ([], ["survey"])
    api.clock.set("2026-03-11T12:00")
    late = supervisor.patch(path, {"to": "2026-03-11"}, headers=etag(supervisor.get(path)))
    assert refusal(late) == (409, "absence_over")


def test_who_comes_back_early_has_the_work_alone_again(api: Api) -> None:
    acts.a_case(api)
    path = f"/absences/{recorded(api, WORKER, COLLEAGUE, '2026-03-04', '2026-03-20')['id']}"
    supervisor = api.as_(SUPERVISOR)
    api.clock.set("2026-03-06T12:00")
    assert todo(api, COLLEAGUE) == ["survey"]
    for on, code in (("2026-03-02", "date_too_early"), ("2026-03-21", "absence_ends_before")):
        assert refusal(supervisor.post(f"{path}/end", {"on": on})) == (422, code)
    ended = supervisor.post(f"{path}/end", {"on": "2026-03-06"})
    assert (ended.status_code, ended.json()["ended_on"]) == (200, "2026-03-06")
    assert todo(api, COLLEAGUE) == ["survey"], "the last day away"
    api.clock.set("2026-03-07T12:00")
    assert todo(api, COLLEAGUE) == []
    assert refusal(supervisor.post(f"{path}/end", {"on": "2026-03-06"})) == (409, "absence_over")
    recorded(api, WORKER, COLLEAGUE, "2026-03-09", "2026-03-20")


def test_an_absence_that_was_called_off_never_was(api: Api) -> None:
    acts.a_case(api)
    path = f"/absences/{recorded(api, WORKER, COLLEAGUE, '2026-03-10', '2026-03-20')['id']}"
    assert api.as_(SUPERVISOR).post(f"{path}/end", {"on": "2026-03-02"}).status_code == 200
    api.clock.set("2026-03-10T12:00")
    assert todo(api, COLLEAGUE) == []
    assert api.as_(SUPERVISOR).items("/absences", on="2026-03-10") == []


def test_absences_are_the_supervisors_of_the_district(api: Api) -> None:
    id = UUID(recorded(api, WORKER, COLLEAGUE, "2026-03-04", "2026-03-06")["id"])
    never = (WORKER, "provider.alpha", ASSESSOR, "city", "auditor", "admin")
    asks = [
        Ask("GET", "/absences/{id}", id, None, never),
        Ask("PATCH", "/absences/{id}", id, {"to": "2026-03-07"}, never),
        Ask("POST", "/absences/{id}/end", id, {"on": "2026-03-04"}, never),
    ]
    check_nobody_and_wrong_roles(api, asks)
    before = everything(api)
    for ask in asks:
        hidden, absent = ask.by(api, FAR_SUPERVISOR), ask.by(api, FAR_SUPERVISOR, ABSENT)
        assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert everything(api) == before
