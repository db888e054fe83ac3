"""Bodies of the city's programme: who meets, decides, owes, and answers for what.

A body never vanishes: it ends on a last day. Whoever maintains the bodies of a district reaches
those of that district; whoever maintains the city's reaches all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from casework.domain.access.policy import Actor, may, scope_of
from casework.domain.act import Act
from casework.domain.clocks.standards import CITY_AREA, CareField
from casework.domain.errors import Conflict, Forbidden, NotAllowedInState, require
from casework.domain.programme.kinds import BodyKind, Source
from casework.domain.programme.rules import Rule, RuleName, rule_of, with_rules
from casework.domain.residents.registration_numbers import names_one

READ: Final = "body.read"
WRITE: Final = "body.write"
# How far ahead a body, or a seat in it, may begin or end.
AHEAD: Final = timedelta(days=3 * 366)
# How many bodies may be one above the other.
LEVELS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A body: what it is, where, under which one, by which rules, and what it answers for."""

    id: UUID
    kind: BodyKind
    name_ko: str
    name_en: str | None = None
    # ``city``, or the code of a district.
    area: str
    parent_id: UUID | None = None
    # Of a partner that is an agency of the directory.
    provider_id: UUID | None = None
    # What was entered of its rules; the rest is the default of its kind.
    rules: dict[str, Any] = field(default_factory=dict)
    # How many teams it has, where that is public and their names are not.
    teams_stated: int | None = None
    source: Source = Source.ENTERED
    valid_from: date
    valid_to: date | None = None
    end_reason: str | None = None
    # Who took over what it owed.
    handed_to_id: UUID | None = None
    version: int = 1
    # The fields and the services that it answers for.
    fields: tuple[CareField, ...] = ()
    services: tuple[str, ...] = ()

    @property
    def is_of_city(self) -> bool:
        """Whether it is the city's own, and no district's."""
        return self.area == CITY_AREA

    def is_in_force(self, on: date) -> bool:
        """Whether it is there on a day; on its last day it is."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def rule(self, name: RuleName) -> Rule:
        """One of its rules."""
        return rule_of(self.kind, self.rules, name)

    @property
    def most_seats(self) -> int | None:
        """How many seats it has at most at a time; None where there is no limit."""
        most: int | None = self.rule(RuleName.SEATS).value["max"]
        return most


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a body is judged beside: others of its area, and the one above it."""

    # The councils of its area, whenever, without itself.
    councils: Sequence[Body] = ()
    # The body above it, and those above that one, the nearest first.
    above: Sequence[Body] = ()
    # What others of the area answer for, from a day on.
    answered: frozenset[str] = frozenset()


def new_body(facts: Mapping[str, Any], around: Around, act: Act) -> Body:
    """A new body of the actor's area, from today where no day is named."""
    check_area(act.by, facts["area"])
    rules = with_rules({}, facts.get("rules") or {})
    given = dict(facts) | {"rules": rules, "valid_from": facts.get("valid_from") or act.today}
    body = Body(id=act.new_id(), **given)
    check_not_too_far(body.valid_from, act, "valid_from")
    check_body(body, around)
    if body.parent_id is not None:
        _check_parent(body, around.above, act.today)
    _check_answers(answers_of(body), around)
    return body


def changed_body(body: Body, changes: Mapping[str, Any], around: Around, act: Act) -> Body:
    """The changed body; its kind and its area stay."""
    _check_lasts(body, "change", act.today)
    given = dict(changes)
    if "rules" in given:
        given["rules"] = with_rules(body.rules, given["rules"] or {})
    changed = replace(body, **given)
    check_body(changed, around)
    # One above it that has ended since is nothing that a change of the rest must put right.
    if changed.parent_id not in (None, body.parent_id):
        _check_parent(changed, around.above, act.today)
    _check_answers(answers_of(changed) - answers_of(body), around)
    return changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """On which day a body is there for the last time, why, and who takes what it owes."""

    on: date
    reason: str
    # How many tasks it owes or awaits.
    open_tasks: int
    hand_to: Body | None = None


def ended_body(body: Body, ending: Ending, around: Around, act: Act) -> Body:
    """The body with its last day: today, one that is to come, or one that was.

    Refused while it owes or awaits tasks (``tasks_open``, with their number), unless another body
    takes them. Until that day is over it can be set anew.
    """
    last_day, taker = ending.on, ending.hand_to
    _check_lasts(body, "end", act.today)
    require(
        last_day >= body.valid_from,
        f"it is there since {body.valid_from}",
        code="date_too_early",
        field="on",
    )
    check_not_too_far(last_day, act, "on")
    _check_words({"reason": ending.reason})
    if taker is not None:
        _check_takes_over(body, taker, last_day)
    elif ending.open_tasks:
        raise Conflict(
            f"{ending.open_tasks} tasks are open; say in hand_to who takes them",
            code="tasks_open",
            tasks=ending.open_tasks,
        )
    ended = replace(
        body,
        valid_to=last_day,
        end_reason=ending.reason,
        handed_to_id=None if taker is None else taker.id,
    )
    _check_only_council(ended, around.councils)
    if body.valid_to is not None and last_day > body.valid_to:
        _check_answers(answers_of(body), around)
    return ended


def actions_on(body: Body, actor: Actor, today: date) -> list[str]:
    """What the actor may do to a body: nothing more once its last day is over."""
    if not may(actor, WRITE) or not _is_within(actor, body.area) or _is_over(body, today):
        return []
    return ["add_seats", "change", "end"]


def is_shown_whole(body: Body, actor: Actor) -> bool:
    """Whether the actor is shown its rules and accounts: of other areas only names and seats."""
    return scope_of(actor, READ).bounds.hold_district(body.area)


def check_body(body: Body, around: Around) -> None:
    """No second council, an agency only of a partner, and nobody's number in its words."""
    _check_words({"name_ko": body.name_ko, "name_en": body.name_en})
    _check_words({f"rules.{name}.basis": said["basis"] for name, said in body.rules.items()})
    require(
        body.provider_id is None or body.kind is BodyKind.PARTNER,
        "only a partner is an agency",
        code="not_a_partner",
        field="provider_id",
    )
    _check_only_council(body, around.councils)


def _check_only_council(body: Body, others: Iterable[Body]) -> None:
    """Act 20: an area has one council, though another may follow it."""
    if body.kind is not BodyKind.COUNCIL:
        return
    for other in others:
        if _overlap(body, other):
            raise Conflict("the area has a council at that time", code="body_exists")


def _overlap(one: Body, other: Body) -> bool:
    first, second = sorted((one, other), key=lambda body: body.valid_from)
    return first.valid_to is None or first.valid_to >= second.valid_from


def _check_parent(body: Body, above: Sequence[Body], today: date) -> None:
    is_there = bool(above) and above[0].id == body.parent_id
    # Above so many it is not looked further up, where the body itself might be.
    is_clear = len(above) < LEVELS and body.id not in {one.id for one in above}
    require(
        is_there and above[0].area == body.area and is_clear,
        "no body of the same area that it can be under",
        code="parent_invalid",
        field="parent_id",
    )
    require(
        not _is_over(above[0], today), "that body has ended", code="body_not_in_force",
        field="parent_id",
    )  # fmt: skip


def answers_of(body: Body) -> set[str]:
    """The fields and services that a body answers for."""
    return {*map(str, body.fields), *body.services}


def _check_answers(answers: set[str], around: Around) -> None:
    """One body of an area answers for a field, and one for a service: else nobody knows which."""
    twice = sorted(around.answered & answers)
    if twice:
        raise Conflict(
            f"another body of the area answers for {', '.join(twice)}", code="answered_elsewhere"
        )


def _check_takes_over(body: Body, taker: Body, last_day: date) -> None:
    """Who takes over is another body, of the same area or the city's, that goes on."""
    require(
        taker.area in (body.area, CITY_AREA) and taker.id != body.id,
        "another body of the same area, or one of the city",
        code="wrong_area",
        field="hand_to",
    )
    require(
        taker.is_in_force(last_day) and taker.is_in_force(last_day + timedelta(days=1)),
        "it is not there after that day",
        code="body_not_in_force",
        field="hand_to",
    )


def check_area(actor: Actor, area: str) -> None:
    """Refuse to enter a body of another district than one's own, or of the city."""
    if not _is_within(actor, area):
        raise Forbidden("only bodies of one's own district", code="district_out_of_scope")


def _is_within(actor: Actor, area: str) -> bool:
    return scope_of(actor, WRITE).bounds.hold_district(area)


def _is_over(body: Body, today: date) -> bool:
    return body.valid_to is not None and body.valid_to < today


def _check_lasts(body: Body, action: str, today: date) -> None:
    if _is_over(body, today):
        raise NotAllowedInState(action, "ended", [])


def check_not_too_far(day: date, act: Act, field: str) -> None:
    """Refuse a day that is more than three years ahead."""
    require(
        day <= act.today + AHEAD, "more than three years ahead", code="date_too_far", field=field
    )


def _check_words(words: Mapping[str, str | None]) -> None:
    for name, said in words.items():
        check_no_number(said, name)


def check_no_number(said: str | None, field: str) -> None:
    """Refuse words with what looks like a registration number: nothing here is about a resident."""
    require(
        said is None or not names_one(said),
        "a registration number has no place here",
        code="personal_data",
        field=field,
    )
