"""What the city works out of several figures of one answer leaves four values of each count."""

from __future__ import annotations

from typing import Any, Final

import pytest

from casework.adapters.persistence.figures import figures, keeping
from casework.domain.figures import same_events
from casework.domain.figures.figures import Figure
from casework.workflows.planning import planning
from tests.api import acts
from tests.api.conftest import DISTRICT, PROVIDER, SUPERVISOR, Api

MARCH: Final = {"from": "2026-03-01", "to": "2026-03-31", "district": DISTRICT}
TIMES: Final = ("median_working_days", "p90_working_days")


def told(api: Api, **params: str) -> dict[str, Any]:
    return dict(api.as_("city").get("/figures", params=MARCH | params).json())


def as_drawn(monkeypatch: pytest.MonkeyPatch, **drawn: int) -> None:
    """Let the cells of a figure have this draw, else 0: one that some key gives."""
    for module in (figures, keeping):
        monkeypatch.setattr(module, "drawn", lambda _, name: drawn.get(name.split("|")[0], 0))


def every_time(answer: dict[str, Any]) -> list[Any]:
    rows = [*answer["clocks"], *answer["holders"]]
    rows += [row for one in answer.get("groups", ()) for row in (*one["clocks"], *one["holders"])]
    return [row[name] for row in rows for name in TIMES]


def test_how_long_clocks_took_is_not_told_beside_how_many_were_late(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve on time within a day and a percentile of none leave one or two late of a five."""
    as_drawn(monkeypatch, on_time=3, late=4)
    api.clock.set("2026-03-03T10:00")
    last = acts.a_case(api)
    for _ in range(12):
        acts.surveyed(api, acts.a_case(api))
    api.clock.set("2026-03-20T10:00")
    acts.surveyed(api, last)
    api.clock.set("2026-04-01T10:00")
    assert api.as_(SUPERVISOR).post("/figures/months/2026-03/close").status_code == 201
    of_month = api.as_("city").get("/figures/months/2026-03", params={"district": DISTRICT}).json()
    everywhere = {name: value for name, value in MARCH.items() if name != "district"}
    by_month = api.as_("city").get("/figures", params=everywhere | {"by": "month"}).json()
    for answer in (told(api), of_month, by_month):
        (survey,) = [one for one in answer["clocks"] if one["kind"] == "survey"]
        assert (survey["on_time"], survey["late"], survey["on_time_share"]) == (15, 5, 0.75)
        assert set(every_time(answer)) == {None}
    own = api.as_(SUPERVISOR).get("/figures", params=MARCH).json()
    assert set(every_time(own)) > {None}, "the district sees how long its clocks took"


def test_a_decision_is_told_as_a_plan_and_not_as_a_clock_too(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven plans: six decided in time and one late, beside under five approved and returned."""
    as_drawn(monkeypatch, on_time=4, late=4, plans_approved=1, plans_returned=2)
    api.clock.set("2026-03-03T10:00")
    plans = [acts.a_submitted_plan(api) for _ in range(7)]
    for n, (case, named) in enumerate(plans):
        if n == 6:
            api.clock.set("2026-03-20T10:00")
        why: dict[str, Any] = {"without_meeting_reason": "none this week"} | (
            {} if n < 4 else {"reason": "goals"}
        )
        command = planning.DecisionCommand(**named, approve=n < 4, **why)
        planning.decide_plan(api.context(SUPERVISOR), case, command)
    api.clock.set("2026-04-01T10:00")
    answer = told(api)
    assert answer["plans"] == {"submitted": None, "approved": None, "returned": None}
    assert "decision" not in {one["kind"] for one in answer["clocks"]}
    own = api.as_(SUPERVISOR).get("/figures", params=MARCH).json()
    assert own["plans"] == {"submitted": 7, "approved": 4, "returned": 3}
    assert "decision" in {one["kind"] for one in own["clocks"]}


def test_a_referral_is_told_as_sent_and_its_answer_as_a_clock(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_drawn(monkeypatch, on_time=4, referrals=4)
    api.clock.set("2026-03-03T10:00")
    acts.make_room(api)
    for n in range(7):
        acts.moved(api, acts.a_referral(api), "accept" if n < 4 else "waitlist", PROVIDER)
    api.clock.set("2026-04-01T10:00")
    answer = told(api)
    assert answer["referrals"] == [{"field": "care", "status": None, "count": 10}]
    assert {one["kind"] for one in answer["clocks"] if one["on_time"]} >= {"response"}
    assert not any(one["on_time"] or one["late"] for one in answer["clocks"]
                   if one["kind"] == "link")  # fmt: skip
    assert answer["causes"] == []


def rises(api: Api, many: int) -> int:
    """How often what runs with agencies rose, while so many were asked one after the other."""
    found, before = 0, 0
    for n in range(many):
        api.clock.set(f"2026-03-{3 + n:02}T10:00")
        asked = acts.a_referral(api)
        now = running(api)
        found += now > before
        acts.moved(api, asked, "accept", PROVIDER)
        before = running(api)
    return found


def running(api: Api) -> int:
    """How many requests wait for an answer, as the city is told."""
    return sum(one["running"] or 0 for one in told(api)["clocks"] if one["kind"] == "response")


@pytest.mark.parametrize("is_told", [False, True], ids=["not told", "the control"])
def test_what_goes_up_and_down_does_not_show_each_referral(
    api: Api, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    """Four rises in a month of which a published 0 leaves four at the most are four referrals."""
    as_drawn(monkeypatch, running=4)
    if is_told:
        pairs = same_events.SAME_EVENTS
        others = [one for one in pairs if Figure.RUNNING not in one.hidden.figures]
        monkeypatch.setattr(same_events, "SAME_EVENTS", others)
    acts.make_room(api)
    assert rises(api, 4) == (4 if is_told else 0)
    assert told(api)["referrals"] == [], "published as 0"
    assert any(one["running"] for one in told(api)["clocks"]) == is_told
