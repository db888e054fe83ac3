"""What two records say of one person: filled, chosen, told to agencies, and returned."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from casework.adapters.persistence import tables as t
from casework.domain.duplicates.merged_facts import FACTS, RRN, Record, take_facts
from casework.domain.errors import Invalid
from tests.api import acts
from tests.api.asking import everything, fields_of, refusal
from tests.api.conftest import FAR_SUPERVISOR, PASSWORD, SUPERVISOR, WORKER, Api
from tests.api.duplicates.test_merging import KEEPS, WHY, undo
from tests.api.signing import ask
from tests.factories.people import ResidentFactory

FULL: dict[str, Any] = {
    "phone": "010-2222-0002", "address": "가상로 2", "lives_alone": True, "mobility": "limited",
    "ltc_grade": "3", "insurance": "건강보험",
}  # fmt: skip


def facts_of(api: Api, resident: UUID) -> dict[str, Any]:
    """What a record says, without what a merge does to its place."""
    shown = api.as_(WORKER).get(f"/residents/{resident}").json()
    return {name: shown[name] for name in FACTS}


def subjects_of_the_last_entry(api: Api) -> list[str]:
    """Of whom the newest audit entry tells."""
    entry = t.audit_entry.c
    with api.engine.connect() as connection:
        query = select(entry.subjects).order_by(entry.id.desc()).limit(1)
        return list(connection.scalars(query).one())


@pytest.mark.both_stores
def test_a_merge_fills_blanks_and_an_undo_empties_them_again(api: Api) -> None:
    survivor = acts.a_resident(api, name="김 가상", phone=None)
    duplicate = acts.a_resident(api, name="김가상", **FULL)
    before, other = facts_of(api, survivor), facts_of(api, duplicate)
    body = {"duplicate_id": str(duplicate), "reason": WHY}
    answer = api.as_(SUPERVISOR).post(f"/residents/{survivor}/merge", body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["taken"] == sorted(FULL)
    assert facts_of(api, survivor) == before | FULL
    undo(api, UUID(answer.json()["id"]))
    assert (facts_of(api, survivor), facts_of(api, duplicate)) == (before, other)


@pytest.mark.both_stores
def test_a_death_that_stood_on_the_duplicate_is_known_of_the_survivor_until_an_undo(
    api: Api,
) -> None:
    same = {"name": "김가상", "phone": "010-1111-0001"}
    survivor, duplicate = acts.a_resident(api, **same), acts.a_resident(api, **same)
    died = api.as_(WORKER).post(f"/residents/{duplicate}/died", {"on": "2026-03-01"})
    assert died.status_code == 200, died.text
    body = {"duplicate_id": str(duplicate), "reason": WHY}
    made = api.as_(SUPERVISOR).post(f"/residents/{survivor}/merge", body)
    assert made.status_code == 201, made.text
    assert api.as_(WORKER).get(f"/residents/{survivor}").json()["died_on"] == "2026-03-01"
    undo(api, UUID(made.json()["id"]))
    assert api.as_(WORKER).get(f"/residents/{survivor}").json()["died_on"] is None
    assert api.as_(WORKER).get(f"/residents/{duplicate}").json()["died_on"] == "2026-03-01"


@pytest.mark.both_stores
def test_where_the_two_differ_the_supervisor_says_which_is_right(api: Api) -> None:
    survivor = acts.a_resident(api, name="김가상", phone="010-1111-0001", address="가상로 1")
    duplicate = acts.a_resident(
        api,
        name="김가산",
        phone="+82 10 1111 0001",
        address="가상로 2",
        birth_date=date(1942, 5, 6),
    )
    before, state = facts_of(api, survivor), everything(api)
    boss, path = api.as_(SUPERVISOR), f"/residents/{survivor}/merge"
    body: dict[str, Any] = {"duplicate_id": str(duplicate), "reason": WHY,
                            "keep": {"name": "survivor"}}  # fmt: skip
    answer = boss.post(path, body)
    assert refusal(answer) == (422, "merge_conflict")
    assert [one["field"] for one in answer.json()["errors"]] == [
        "keep.birth_date", "keep.address",
    ]  # fmt: skip
    assert answer.json()["fields"] == {
        "name": {"survivor": "김가상", "duplicate": "김가산"},
        "birth_date": {"survivor": before["birth_date"], "duplicate": "1942-05-06"},
        "address": {"survivor": "가상로 1", "duplicate": "가상로 2"},
    }
    assert subjects_of_the_last_entry(api) == sorted(map(str, (survivor, duplicate)))
    assert everything(api) == state
    body["keep"] |= {"birth_date": "duplicate", "address": "duplicate"}
    made = boss.post(path, body)
    assert made.status_code == 201, made.text
    right = {"birth_date": "1942-05-06", "address": "가상로 2"}
    assert facts_of(api, survivor) == before | right
    events = api.as_(WORKER).items(f"/residents/{survivor}/timeline")
    (changed,) = [one["data"] for one in events if one["event"] == "ResidentChanged"]
    assert changed["fields"] == ["address", "birth_date"]
    seen = api.as_(WORKER).get(f"/residents/{survivor}")
    since = {"address": "가상로 3"}
    headers = {"If-Match": seen.headers["etag"]}
    assert api.as_(WORKER).patch(f"/residents/{survivor}", since, headers=headers).is_success
    undo(api, UUID(made.json()["id"]))
    assert facts_of(api, survivor) == before | since, "what was written since stays"


def test_the_values_are_for_those_who_may_read_residents(api: Api) -> None:
    survivor = acts.a_resident(api, name="김가상")
    duplicate = acts.a_resident(api, name="김가산")
    made = api.as_(SUPERVISOR).post(
        "/me/tokens",
        {
            "name": "합치기",
            "expires_on": "2026-06-30",
            "scopes": ["case.supervise"],
            "password": PASSWORD,
        },
    )
    assert made.status_code == 201, made.text
    answer = ask(
        api, made.json()["secret"], "POST", f"/residents/{survivor}/merge",
        {"duplicate_id": str(duplicate), "reason": WHY},
    )  # fmt: skip
    assert refusal(answer) == (422, "merge_conflict")
    assert answer.json()["fields"] == {"name": {"survivor": None, "duplicate": None}}
    assert subjects_of_the_last_entry(api) == []
    stranger = api.as_(FAR_SUPERVISOR).post(
        f"/residents/{survivor}/merge", {"duplicate_id": str(duplicate), "reason": WHY}
    )
    assert refusal(stranger) == (404, "not_found")
    assert "fields" not in stranger.json()


def test_a_registration_number_is_named_and_not_shown() -> None:
    survivor, duplicate = (Record(resident=ResidentFactory(), rrn=rrn) for rrn in ("1", "2"))
    duplicate.resident.name = survivor.resident.name
    with pytest.raises(Invalid) as refused:
        take_facts(survivor, duplicate, {}, shows_values=True)
    assert refused.value.facts["fields"][RRN] == {"survivor": None, "duplicate": None}


def test_agencies_with_an_open_referral_are_told_what_changed_for_them(api: Api) -> None:
    life = acts.a_supported_case(api)
    referral = acts.a_referral(api, life)
    assert "name" in api.as_(WORKER).get(f"/referrals/{referral}").json()["disclosed"]
    survivor = acts.a_resident(api, name="새가상", phone="010-9999-0009")
    keep = KEEPS | {"phone": "duplicate"}
    body = {"duplicate_id": str(life.resident), "reason": WHY, "keep": keep}
    made = api.as_(SUPERVISOR).post(f"/residents/{survivor}/merge", body)
    assert made.status_code == 201, made.text
    with api.engine.connect() as connection:
        rows = connection.execute(
            select(t.notice).where(t.notice.c.kind == "resident_changed")
        ).all()
    assert [(one.subject_id, one.about, one.tell) for one in rows] == [
        (referral, "name", ["provider"])
    ]
    undo(api, UUID(made.json()["id"]))
    with api.engine.connect() as connection:
        query = select(t.notice.c.id).where(t.notice.c.kind == "resident_changed")
        assert len(connection.execute(query).all()) == 2


@pytest.mark.parametrize(
    ("born", "code"),
    [(date(2009, 12, 31), 201), (date(2010, 1, 1), 201), (date(2010, 1, 2), 422)],
)
def test_no_choice_makes_somebody_be_born_after_their_death(
    api: Api, born: date, code: int
) -> None:
    same: dict[str, Any] = {"name": "가상주민병", "phone": "010-0000-1111"}
    survivor = acts.a_resident(api, birth_date=born, **same)
    duplicate = acts.a_resident(api, birth_date=date(1930, 1, 1), **same)
    died = api.as_(WORKER).post(f"/residents/{duplicate}/died", {"on": "2010-01-01"})
    assert died.status_code == 200, died.text
    before = everything(api)
    answer = api.as_(SUPERVISOR).post(
        f"/residents/{survivor}/merge",
        {"duplicate_id": str(duplicate), "reason": "one", "keep": {"birth_date": "survivor"}},
    )
    assert answer.status_code == code, answer.text
    if code == 422:
        assert fields_of(answer) == ["keep.birth_date"]
        assert everything(api) == before


@pytest.mark.both_stores
@pytest.mark.parametrize(
    ("born", "code"),
    [(date(2026, 2, 28), 200), (date(2026, 3, 1), 200), (date(2026, 3, 2), 422)],
)
def test_no_undo_makes_somebody_be_born_after_a_death_that_was_recorded_since(
    api: Api, born: date, code: int
) -> None:
    same: dict[str, Any] = {"name": "가상주민병", "phone": "010-0000-1111"}
    survivor = acts.a_resident(api, birth_date=born, **same)
    duplicate = acts.a_resident(api, birth_date=date(1930, 1, 1), **same)
    worker, boss = api.as_(WORKER), api.as_(SUPERVISOR)
    keep = {"duplicate_id": str(duplicate), "reason": WHY, "keep": {"birth_date": "duplicate"}}
    made = boss.post(f"/residents/{survivor}/merge", keep)
    assert made.status_code == 201, made.text
    died = worker.post(f"/residents/{survivor}/died", {"on": "2026-03-01"})
    assert died.status_code == 200, died.text
    before, path = everything(api), f"/merges/{made.json()['id']}/undo"
    answer = boss.post(path, {"reason": WHY})
    assert answer.status_code == code, answer.text
    if code == 422:
        assert refusal(answer) == (422, "born_after_death")
        assert everything(api) == before
        # Once the death is taken back, or the birth date put right, nothing is in the way.
        assert boss.post(f"/residents/{survivor}/died/undo", {"reason": WHY}).is_success
        assert boss.post(path, {"reason": WHY}).status_code == 200
    assert facts_of(api, survivor)["birth_date"] == born.isoformat()
