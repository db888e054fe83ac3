"""Bodies: what they go by, what they are under, what they answer for, and how they end."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from casework.domain.access.policy import Actor, Role
from casework.domain.act import Act
from casework.domain.clocks.standards import CareField
from casework.domain.errors import Conflict, Forbidden, Invalid, NotAllowedInState
from casework.domain.programme.bodies import (
    Around,
    Body,
    Ending,
    actions_on,
    changed_body,
    ended_body,
    new_body,
)
from casework.domain.programme.kinds import BodyKind
from casework.domain.programme.rules import Decides, Quorum, RuleName, Standing, rules_of
from tests.domain.helpers import refused
from tests.factories.town import Town

TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)
CITY = Actor(id=UUID(int=1), role=Role.CITY)
SUPERVISOR = Actor(id=UUID(int=2), role=Role.SUPERVISOR, district_code="26350")
ALONE = Around()


def act(by: Actor = CITY) -> Act:
    return Town(TODAY.isoformat()).act(by)


def body(**facts: Any) -> Body:
    known: dict[str, Any] = {
        "id": uuid4(), "kind": BodyKind.SECTION, "name_ko": "가상과", "area": "city",
        "valid_from": TODAY,
    }  # fmt: skip
    return Body(**known | facts)


def asked(**facts: Any) -> dict[str, Any]:
    return {"kind": BodyKind.COUNCIL, "name_ko": "가상 협의체", "area": "city"} | facts


def ending(on: date = TODAY, **facts: Any) -> Ending:
    known: dict[str, Any] = {"on": on, "reason": "조직 개편", "open_tasks": 0}
    return Ending(**known | facts)


def test_a_council_goes_by_rule_5_until_its_ordinance_is_entered() -> None:
    said = {name: (it.value, it.standing) for name, it in rules_of(BodyKind.COUNCIL, {}).items()}
    ssb, none = Standing.SSB_RULE_5, Standing.NONE_ENTERED
    assert said == {
        "seats": ({"min": 10, "max": 40}, ssb),
        "quorum": (Quorum.MAJORITY, ssb),
        "decides": (Decides.MAJORITY_PRESENT, ssb),
        "notice_days": (5, ssb),
        "term_years": (2, ssb),
        "deputies": (False, none),
        "merged": (False, none),
    }


@pytest.mark.parametrize("kind", [one for one in BodyKind if one is not BodyKind.COUNCIL])
def test_any_other_body_has_no_quorum_decides_by_consensus_and_needs_no_notice(
    kind: BodyKind,
) -> None:
    rules = rules_of(kind, {})
    assert {it.standing for it in rules.values()} == {Standing.NONE_ENTERED}
    assert rules[RuleName.QUORUM].value == "none"
    assert rules[RuleName.DECIDES].value == "consensus"
    assert rules[RuleName.NOTICE_DAYS].value == 0
    assert (rules[RuleName.TERM_YEARS].value, body(kind=kind).most_seats) == (None, None)


def test_a_rule_that_is_entered_stands_with_its_basis_until_it_is_taken_back() -> None:
    entered = {"quorum": {"value": 11, "basis": "조례 제5조"}}
    council = new_body(asked(rules=entered), ALONE, act())
    rule = council.rule(RuleName.QUORUM)
    assert (rule.value, rule.standing, rule.basis) == (11, Standing.ENTERED, "조례 제5조")
    assert council.rule(RuleName.SEATS).standing is Standing.SSB_RULE_5
    both = {"notice_days": {"value": 7, "basis": "조례 제6조"}}
    more = changed_body(council, {"rules": both}, ALONE, act())
    assert set(more.rules) == {"quorum", "notice_days"}
    less = changed_body(more, {"rules": {"quorum": None}}, ALONE, act())
    assert less.rule(RuleName.QUORUM).value is Quorum.MAJORITY


def test_a_quorum_over_the_seats_is_a_definition_like_another() -> None:
    many = {"quorum": {"value": 999, "basis": "조례"}}
    assert new_body(asked(rules=many), ALONE, act()).rule(RuleName.QUORUM).value == 999


def test_the_least_number_of_seats_is_not_over_the_most() -> None:
    for least, most in ((10, 10), (None, 3), (3, None)):
        rule = {"seats": {"value": {"min": least, "max": most}, "basis": "조례"}}
        assert new_body(asked(rules=rule), ALONE, act()).most_seats == most
    with refused(Invalid, "seats_range"):
        rule = {"seats": {"value": {"min": 11, "max": 10}, "basis": "조례"}}
        new_body(asked(rules=rule), ALONE, act())


def test_an_area_has_one_council_at_a_time_and_another_may_follow() -> None:
    old = body(kind=BodyKind.COUNCIL, valid_from=TODAY - 365 * DAY, valid_to=TODAY + 20 * DAY)
    for first, is_free in ((19, False), (20, False), (21, True)):
        wanted = asked(valid_from=TODAY + first * DAY)
        if is_free:
            assert new_body(wanted, Around(councils=[old]), act()).valid_from > old.valid_to  # type: ignore[operator]
        else:
            with refused(Conflict, "body_exists"):
                new_body(wanted, Around(councils=[old]), act())
    before = body(kind=BodyKind.COUNCIL, valid_from=TODAY + 5 * DAY)
    with refused(Conflict, "body_exists"):
        new_body(asked(), Around(councils=[before]), act())
    assert new_body(asked(kind=BodyKind.FORUM), Around(councils=[old]), act())


def test_a_supervisor_enters_bodies_of_the_own_district_alone() -> None:
    own = new_body(asked(area="26350"), ALONE, act(SUPERVISOR))
    assert (own.area, own.valid_from) == ("26350", TODAY)
    for area in ("city", "26110"):
        with refused(Forbidden, "district_out_of_scope"):
            new_body(asked(area=area), ALONE, act(SUPERVISOR))


def test_a_body_is_under_one_of_its_area_that_is_there_and_not_below_it() -> None:
    top, other = body(), body(area="26350")
    low = body(parent_id=top.id)
    ended = body(valid_from=TODAY - 9 * DAY, valid_to=TODAY - DAY)
    made = new_body(asked(parent_id=top.id), Around(above=[top]), act())
    assert made.parent_id == top.id
    for parent, above, code in (
        (other, [other], "parent_invalid"),
        (low, [], "parent_invalid"),
        (ended, [ended], "body_not_in_force"),
    ):
        with refused(Invalid, code):
            new_body(asked(parent_id=parent.id), Around(above=above), act())
    with refused(Invalid, "parent_invalid"):
        changed_body(top, {"parent_id": low.id}, Around(above=[low, top]), act())
    with refused(Invalid, "parent_invalid"):
        changed_body(top, {"parent_id": top.id}, Around(above=[top]), act())


def test_one_body_of_an_area_answers_for_a_field_or_a_service() -> None:
    taken = Around(answered=frozenset({"care", "CARE-DISABILITY"}))
    for facts in ({"fields": (CareField.CARE,)}, {"services": ("CARE-DISABILITY",)}):
        with refused(Conflict, "answered_elsewhere"):
            new_body(asked(kind=BodyKind.SECTION, **facts), taken, act())
        with refused(Conflict, "answered_elsewhere"):
            changed_body(body(), facts, taken, act())
    free = {"fields": (CareField.MEDICAL,), "services": ("CARE-MEALS",)}
    assert new_body(asked(kind=BodyKind.SECTION, **free), taken, act()).services == ("CARE-MEALS",)
    # What it answers for already is not asked again, though another follows it.
    own = body(fields=(CareField.CARE,), valid_to=TODAY + DAY)
    assert changed_body(own, {"name_ko": "다른 이름"}, taken, act()).name_ko == "다른 이름"


def test_only_a_partner_is_an_agency() -> None:
    agency = {"provider_id": uuid4()}
    assert new_body(asked(kind=BodyKind.PARTNER, **agency), ALONE, act()).provider_id
    with refused(Invalid, "not_a_partner"):
        new_body(asked(kind=BodyKind.UNIT, **agency), ALONE, act())


def test_no_registration_number_is_in_any_word_of_a_body() -> None:
    number = "담당 900101-1234567 님"
    for facts in ({"name_ko": number}, {"name_en": number},
                  {"rules": {"quorum": {"value": 1, "basis": number}}}):  # fmt: skip
        with refused(Invalid, "personal_data"):
            new_body(asked(**facts), ALONE, act())
    with refused(Invalid, "personal_data"):
        ended_body(body(), ending(reason=number), ALONE, act())
    for fine in ("문서 2026-1234567", "051-000-1234", "1234567890123456"):
        assert new_body(asked(name_ko=fine), ALONE, act()).name_ko == fine


def test_a_body_is_there_on_its_last_day_and_not_on_the_day_after() -> None:
    ended = ended_body(body(valid_from=TODAY - DAY), ending(TODAY), ALONE, act())
    there = [ended.is_in_force(TODAY + n * DAY) for n in (-2, -1, 0, 1)]
    assert there == [False, True, True, False]
    assert ended.end_reason == "조직 개편"


def test_a_body_with_open_tasks_ends_only_where_another_takes_them() -> None:
    for open_tasks in (1, 7):
        with refused(Conflict, "tasks_open", tasks=open_tasks):
            ended_body(body(), ending(open_tasks=open_tasks), ALONE, act())
    taker = body()
    ended = ended_body(body(), ending(open_tasks=7, hand_to=taker), ALONE, act())
    assert ended.handed_to_id == taker.id
    assert ended_body(body(), ending(), ALONE, act()).handed_to_id is None


def test_who_takes_over_is_another_body_of_the_area_or_the_city_that_goes_on() -> None:
    own = body(area="26350")
    assert ended_body(own, ending(hand_to=body()), ALONE, act()).handed_to_id
    assert ended_body(own, ending(hand_to=body(area="26350")), ALONE, act()).handed_to_id
    for taker, code in (
        (body(area="26110"), "wrong_area"),
        (own, "wrong_area"),
        (body(valid_to=TODAY), "body_not_in_force"),
        (body(valid_from=TODAY + DAY), "body_not_in_force"),
    ):
        with refused(Invalid, code):
            ended_body(own, ending(hand_to=taker), ALONE, act())
    assert ended_body(own, ending(hand_to=body(valid_to=TODAY + DAY)), ALONE, act())


def test_an_end_that_is_to_come_can_be_set_anew_and_one_that_is_over_not() -> None:
    soon = body(valid_from=TODAY - 9 * DAY, valid_to=TODAY)
    assert ended_body(soon, ending(TODAY + 5 * DAY), ALONE, act()).valid_to == TODAY + 5 * DAY
    over = replace(soon, valid_to=TODAY - DAY)
    with refused(NotAllowedInState, "not_allowed_in_state"):
        ended_body(over, ending(), ALONE, act())
    with refused(NotAllowedInState, "not_allowed_in_state"):
        changed_body(over, {"name_ko": "x"}, ALONE, act())
    assert actions_on(soon, CITY, TODAY) == ["add_seats", "change", "end"]
    assert actions_on(over, CITY, TODAY) == []


def test_a_later_end_does_not_reach_into_the_time_of_who_follows() -> None:
    old = body(kind=BodyKind.COUNCIL, valid_from=TODAY - 9 * DAY, valid_to=TODAY)
    new = body(kind=BodyKind.COUNCIL, valid_from=TODAY + 3 * DAY)
    assert ended_body(old, ending(TODAY + 2 * DAY), Around(councils=[new]), act())
    with refused(Conflict, "body_exists"):
        ended_body(old, ending(TODAY + 3 * DAY), Around(councils=[new]), act())
    own = body(fields=(CareField.CARE,), valid_to=TODAY)
    followed = Around(answered=frozenset({"care"}))
    assert ended_body(own, ending(TODAY), followed, act())
    with refused(Conflict, "answered_elsewhere"):
        ended_body(own, ending(TODAY + DAY), followed, act())


def test_no_day_lies_before_the_beginning_or_more_than_three_years_ahead() -> None:
    with refused(Invalid, "date_too_early"):
        ended_body(body(), ending(TODAY - DAY), ALONE, act())
    last = TODAY + timedelta(days=3 * 366)
    assert new_body(asked(valid_from=last), ALONE, act())
    with refused(Invalid, "date_too_far"):
        new_body(asked(valid_from=last + DAY), ALONE, act())
    assert ended_body(body(), ending(last), ALONE, act())
    with refused(Invalid, "date_too_far"):
        ended_body(body(), ending(last + DAY), ALONE, act())


def test_who_may_act_is_who_maintains_the_area() -> None:
    own, citys = body(area="26350"), body()
    assert actions_on(own, SUPERVISOR, TODAY) == ["add_seats", "change", "end"]
    assert actions_on(citys, SUPERVISOR, TODAY) == []
    assert actions_on(citys, Actor(id=UUID(int=3), role=Role.AUDITOR), TODAY) == []


def test_what_is_under_a_body_that_ended_is_changed_all_the_same() -> None:
    gone = body(valid_from=date(2026, 1, 1), valid_to=TODAY - DAY)
    low = body(parent_id=gone.id, valid_from=date(2026, 1, 1))
    around = Around(above=[gone])
    assert changed_body(low, {"name_ko": "새 이름"}, around, act()).name_ko == "새 이름"
    assert changed_body(low, {"parent_id": gone.id}, around, act()).parent_id == gone.id
    assert changed_body(low, {"parent_id": None}, ALONE, act()).parent_id is None
    with refused(Invalid, "body_not_in_force"):
        changed_body(body(), {"parent_id": gone.id}, around, act())


@pytest.mark.parametrize(("above", "is_refused"), [(9, False), (10, True)])
def test_ten_bodies_at_most_are_one_above_the_other(above: int, is_refused: bool) -> None:
    line = [body() for _ in range(above)]
    wanted = {"parent_id": line[0].id}
    if not is_refused:
        assert changed_body(body(), wanted, Around(above=line), act()).parent_id == line[0].id
        return
    with refused(Invalid, "parent_invalid"):
        changed_body(body(), wanted, Around(above=line), act())
