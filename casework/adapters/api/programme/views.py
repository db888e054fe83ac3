"""Bodies and seats as the reader is shown them."""

from __future__ import annotations

from datetime import date
from typing import Any

from casework.adapters.http.call import Call
from casework.adapters.http.responses import WithETag
from casework.domain.programme.bodies import Body, actions_on, is_shown_whole
from casework.domain.programme.rules import Rule, RuleName, rules_of
from casework.domain.programme.seats import Seat
from casework.locale import text
from casework.workflows.ports.programme import BodyView


def body(call: Call, view: BodyView, on: date | None = None) -> WithETag:
    """A body with its seats, as of a day; today where none is named."""
    one, actor, today = view.body, call.ctx.actor, call.ctx.act.today
    on, is_whole = on or today, is_shown_whole(one, actor)
    shown = {
        "id": one.id,
        "kind": one.kind,
        "name": one.name_ko,
        "name_en": one.name_en,
        "area": one.area,
        "parent_id": one.parent_id,
        "provider_id": one.provider_id,
        "fields": list(one.fields),
        "services": list(one.services),
        "rules": _rules(one, call.language) if is_whole else None,
        "teams_stated": one.teams_stated,
        "source": one.source,
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "end_reason": one.end_reason,
        "handed_to_id": one.handed_to_id,
        "in_force": one.is_in_force(on),
        "version": one.version,
        "seats": [
            _seat(it, today, on, call.services.seat_names_years, is_whole=is_whole)
            for it in view.seats
        ],
        "allowed_actions": actions_on(one, actor, today),
    }
    return WithETag(shown, one.version)


def _seat(one: Seat, today: date, on: date, years: int, *, is_whole: bool) -> dict[str, Any]:
    shows = one.shows_name(today, years)
    return {
        "id": one.id,
        "name": one.name if shows else None,
        "is_masked": not shows,
        "agency": one.agency,
        "part": one.part,
        "by": one.seated_by,
        "from": one.begins_on,
        "to": one.ends_on,
        "in_force": one.is_in_force(on),
        "ends_soon": one.ends_soon(on),
        "account_id": one.account_id if is_whole and shows else None,
        "source": one.source,
    }


def _rules(one: Body, language: str) -> dict[str, Any]:
    rules = rules_of(one.kind, one.rules)
    return {str(name): _rule(name, it, language) for name, it in rules.items()}


def _rule(name: RuleName, rule: Rule, language: str) -> dict[str, Any]:
    value = dict(rule.value) if name is RuleName.SEATS else {"value": rule.value}
    basis = rule.basis or text(f"sentence.rule.{rule.standing}", language)
    return value | {"standing": rule.standing, "basis": basis}
