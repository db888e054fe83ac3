"""Bodies and seats as the tests of the programme enter them."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Api

ORDINANCE = "가상 조례 제5조"


def entered(api: Api, by: str = "city", **facts: Any) -> dict[str, Any]:
    """A body that somebody entered."""
    body = {"kind": "section", "name_ko": "가상과", "area": "city"} | facts
    answer = api.as_(by).post("/bodies", body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def asked_seat(**facts: Any) -> dict[str, Any]:
    """A seat as it is asked for."""
    return {
        "name": "가상 위원", "agency": "가상 기관", "part": "member", "by": "appointed",
        "from": "2026-03-02",
    } | facts  # fmt: skip


def seated(api: Api, body: str, *seats: dict[str, Any], by: str = "city") -> dict[str, Any]:
    """The body, with these seats."""
    wanted = [asked_seat(**one) for one in seats or ({},)]
    answer = api.as_(by).post(f"/bodies/{body}/seats", {"seats": wanted})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def patched(api: Api, by: str, body: str, changes: Any, version: int = 1) -> Any:
    """The answer to a change of a body that was seen in a version."""
    return api.as_(by).patch(f"/bodies/{body}", changes, headers={"If-Match": f'"{version}"'})
