"""What may be read at a replica says until when it knows what happened."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import SUPERVISOR, WORKER, Api

HEADER = "Data-As-Of"
BEGUN = "2026-03-02T10:00:00+09:00"


def test_figures_say_it_in_the_header_and_in_the_body(api: Api) -> None:
    answer = api.as_(SUPERVISOR).get("/figures")
    assert answer.headers[HEADER] == BEGUN
    assert answer.json()["as_of"] == BEGUN


@pytest.mark.parametrize("path", ["/figures/months", "/unmet-needs", "/unmet-needs/summary"])
def test_what_is_counted_and_listed_says_it(api: Api, path: str) -> None:
    assert api.as_(SUPERVISOR).get(path).headers[HEADER] == BEGUN


def test_an_export_says_it(api: Api) -> None:
    body = {"what": "cases", "purpose": "reporting"}
    assert api.as_(WORKER).post("/exports", body).headers[HEADER] == BEGUN


@pytest.mark.parametrize("path", ["/worklist", "/cases", "/referrals", "/me"])
def test_what_somebody_acts_on_is_always_of_now_and_says_nothing(api: Api, path: str) -> None:
    assert HEADER not in api.as_(WORKER).get(path).headers


def test_a_refusal_says_nothing(api: Api) -> None:
    answer = api.as_(SUPERVISOR).get("/figures", params={"district": "00000"})
    assert answer.status_code == 404
    assert HEADER not in answer.headers


def test_the_document_names_the_header_where_it_is(api: Api) -> None:
    document: dict[str, Any] = api.client.get("/api/v1/openapi.json").json()
    named = {
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if HEADER in operation["responses"].get("200", {}).get("headers", {})
    }
    assert len(named) == 9
    assert {"get /api/v1/figures", "post /api/v1/exports"} <= named
    assert "x-may-be-stale" not in str(document)
