"""Registration numbers: optional, encrypted at rest, and shown by one operation only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from casework.adapters.persistence import tables as t
from casework.bootstrap import Application
from tests.api.conftest import (
    ASSESSOR,
    COLLEAGUE,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    PROVIDER,
    SUPERVISOR,
    WORKER,
    Api,
)

NUMBER, OTHER = "410305-2000001", "410305-2000002"
PERSON = {"name": "가상번호", "birth_date": "1941-03-05", "sex": "female", "centre_code": HERE}
PURPOSE = {"purpose": "benefit_application"}


@pytest.fixture
def application(application: Application, monkeypatch: pytest.MonkeyPatch) -> Application:
    """An application that stores registration numbers."""
    object.__setattr__(
        application, "settings", application.settings.model_copy(update={"rrn": True})
    )
    return application


def registered(api: Api, **facts: Any) -> str:
    """A resident with a number."""
    answer = api.as_(WORKER).post("/residents", PERSON | {"rrn": NUMBER} | facts)
    assert answer.status_code == 201, answer.text
    id: str = answer.json()["id"]
    return id


def reveal(api: Api, id: str, by: str = WORKER, **body: Any) -> Any:
    """Reveal a number."""
    return api.as_(by).post(f"/residents/{id}/rrn/reveal", body or PURPOSE)


def everything_stored(api: Api) -> str:
    """Every cell of every table, as text."""
    with api.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        return "\n".join(
            str(tuple(row))
            for table in tables
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
        )


def test_a_number_is_shown_by_its_own_operation_and_by_nothing_else(api: Api) -> None:
    id = registered(api)
    assert reveal(api, id).json() == {"rrn": NUMBER, "checksum": True}
    worker = api.as_(WORKER)
    for shown in (
        worker.get(f"/residents/{id}"),
        worker.post("/residents/search", {"name": PERSON["name"]}),
        worker.get(f"/residents/{id}/timeline"),
        worker.get("/worklist"),
    ):
        assert shown.status_code == 200
        assert "2000001" not in shown.text
        assert "rrn_index" not in shown.text


def test_nothing_that_is_stored_holds_it(api: Api) -> None:
    id = registered(api)
    api.as_(WORKER).post("/residents", PERSON | {"rrn": NUMBER}, headers={"Idempotency-Key": "k"})
    reveal(api, id)
    stored = everything_stored(api)
    assert id.replace("-", "") in stored.replace("-", "")
    assert "2000001" not in stored
    with api.engine.connect() as connection:
        sealed, index = connection.execute(select(t.resident.c.rrn, t.resident.c.rrn_index)).one()
    assert sealed.startswith("v1.")
    assert index is not None


def test_each_look_is_in_the_audit_and_on_the_timeline_with_its_purpose(api: Api) -> None:
    id = registered(api)
    reveal(api, id, SUPERVISOR, purpose="correction")
    with api.engine.connect() as connection:
        entry = connection.execute(
            select(t.audit_entry).where(t.audit_entry.c.action == "rrn.read")
        ).one()
    assert (entry.actor_id, entry.subjects, entry.outcome) == (api.id_of(SUPERVISOR), [id], "ok")
    newest = api.as_(WORKER).get(f"/residents/{id}/timeline").json()["items"][0]
    assert (newest["event"], newest["data"]) == ("NumberRevealed", {"purpose": "correction"})


def test_a_look_without_a_known_purpose_is_refused_and_nothing_is_shown(api: Api) -> None:
    id = registered(api)
    for body in ({}, {"purpose": "curiosity"}, {"purpose": None}):
        answer = api.as_(WORKER).post(f"/residents/{id}/rrn/reveal", body)
        assert answer.status_code == 422
        assert "2000001" not in answer.text


@pytest.mark.parametrize(
    ("who", "status"),
    [
        (WORKER, 200), (COLLEAGUE, 200), (SUPERVISOR, 200), (NEIGHBOUR, 404),
        (FAR_SUPERVISOR, 404), (ASSESSOR, 403), (PROVIDER, 403), ("city", 403), ("auditor", 403),
        ("admin", 403),
    ],
)  # fmt: skip
def test_who_may_see_it(api: Api, who: str, status: int) -> None:
    answer = reveal(api, registered(api), who)
    assert answer.status_code == status
    assert ("2000001" in answer.text) is (status == 200)


def test_a_wrong_number_is_refused_without_being_repeated(api: Api) -> None:
    for rrn, code in (
        ("410305-200000", "rrn_invalid"),
        ("410230-2000001", "rrn_invalid"),
        ("410306-2000001", "rrn_birth_date_mismatch"),
        ("410305-1000001", "rrn_sex_mismatch"),
    ):
        answer = api.as_(WORKER).post("/residents", PERSON | {"rrn": rrn})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert rrn[7:] not in answer.text
    found = api.as_(WORKER).post("/residents/search", {"name": PERSON["name"]})
    assert found.json()["items"] == []


def test_one_without_the_old_checksum_is_taken(api: Api) -> None:
    id = registered(api, rrn=OTHER)
    assert reveal(api, id).json() == {"rrn": OTHER, "checksum": False}


def test_the_same_number_is_a_likely_duplicate_within_scope(api: Api) -> None:
    first = registered(api)
    twin = PERSON | {"name": "가상다른이름", "rrn": NUMBER}
    refused = api.as_(WORKER).post("/residents", twin)
    assert (refused.status_code, refused.json()["code"]) == (409, "possible_duplicate")
    assert [one["id"] for one in refused.json()["candidates"]] == [first]
    assert "2000001" not in refused.text
    assert api.as_(WORKER).post("/residents", twin | {"rrn": OTHER}).status_code == 201
    assert api.as_(WORKER).post("/residents", twin | {"confirm_new": True}).status_code == 201


def test_a_number_can_be_added_changed_and_forgotten(api: Api) -> None:
    id = registered(api, rrn=None)
    assert reveal(api, id).json()["rrn"] is None
    for version, number in enumerate((NUMBER, OTHER, OTHER, None), start=1):
        etag = api.as_(WORKER).get(f"/residents/{id}").headers["ETag"]
        changed = api.as_(WORKER).patch(
            f"/residents/{id}", {"rrn": number}, headers={"If-Match": etag}
        )
        assert changed.status_code == 200, changed.text
        same = version == 3
        assert (changed.headers["ETag"] == etag) is same
        assert reveal(api, id).json()["rrn"] == number
    fields = [
        one["data"]["fields"]
        for one in api.as_(WORKER).get(f"/residents/{id}/timeline").json()["items"]
        if one["event"] == "ResidentChanged"
    ]
    assert fields == [["rrn"], ["rrn"], ["rrn"]]


def test_where_numbers_are_not_kept_none_is_taken_or_shown(api: Api) -> None:
    id = registered(api)
    etag = api.as_(WORKER).get(f"/residents/{id}").headers["ETag"]
    state = api.client.app.state  # type: ignore[attr-defined]
    state.services = replace(state.services, stores_rrn=False)
    for answer in (
        reveal(api, id),
        api.as_(WORKER).post("/residents", PERSON | {"name": "가상둘째", "rrn": NUMBER}),
        api.as_(WORKER).patch(f"/residents/{id}", {"rrn": OTHER}, headers={"If-Match": etag}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "rrn_not_collected")
        assert "200000" not in answer.text
    state.services = replace(state.services, stores_rrn=True)
    assert reveal(api, id).json()["rrn"] == NUMBER
