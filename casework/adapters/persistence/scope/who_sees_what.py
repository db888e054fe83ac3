"""The scope registry: who sees which rows, by database table and relation of the actor.

Two filters are built from it. The application adds the condition of the actor's relation to what it
reads, lists, counts and exports (``seen`` and what follows it). On PostgreSQL, row-level security
admits what any of the conditions does (``row_policies.py``): it depends on the facts of the
actor, not on the action, so that it holds where the application's own filter fails. Where the two
cannot be the same, the entry says so, and why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, Final, ParamSpec, TypeVar, cast

from sqlalchemy import ColumnElement, and_, bindparam, false, or_, true

from casework.adapters.persistence.scope import row_conditions as c
from casework.adapters.persistence.scope.facts import Facts, facts_of
from casework.adapters.persistence.scope.row_conditions import Condition
from casework.adapters.persistence.scope.whose_rows import Difference, Rows, Rule
from casework.domain.access.policy import SYSTEM_ROLE, Relation, Scope
from casework.domain.clocks.standards import AREA, ASSESSOR, PROVIDER, SUPERVISOR, WORKER

CENTRE, DISTRICT, CASES_SENT, OWN_AGENCY, LED_AGENCY, CITY, ALL = (
    Relation.CENTRE,
    Relation.DISTRICT,
    Relation.CASES_SENT,
    Relation.OWN_AGENCY,
    Relation.LED_AGENCY,
    Relation.CITY,
    Relation.ALL,
)


_EVERYTHING: Final[tuple[Condition, ...]] = (c.everything,)
_PLACED: Final[Rule] = {CENTRE: (c.in_centre,), DISTRICT: (c.in_district,), ALL: _EVERYTHING}
_COUNTED: Final[Rule] = _PLACED | {CITY: _EVERYTHING}
_OF_DISTRICT: Final[Rule] = {DISTRICT: (c.in_district,), ALL: _EVERYTHING}
_OWN: Final[Rule] = dict.fromkeys(Relation, (c.own_account,))
_IN_UNIT: Final = Difference(
    c.in_unit,
    "An act on a whole file, such as an agency's answer or a move out of sight, states for its"
    " transaction whose file that is: the application has loaded it through what it sees.",
)
_OF_RESIDENT: Final = Rows(parent=("resident", "resident_id"))
_OF_CASE: Final = Rows(parent=("care_case", "case_id"))
_COUNTED_OF_CASE: Final = Rows(parent=("care_case", "case_id"), count={CITY: _EVERYTHING})
_OF_CLOCK: Final = Rows(
    parent=("deadline", "deadline_id"), is_for_staff=False, count={CITY: _EVERYTHING}
)
# Numbers of cases: an agency's are there while it counts, which the session context says.
_NUMBERS: Final = Rows(
    see=_PLACED | {OWN_AGENCY: (c.own_numbers_counted,)},
    count=_COUNTED | {OWN_AGENCY: (c.own_numbers,)},
)
_BESIDE: Final = "An agency is shown it beside its own requests, and never for itself."
# Of the programme: an area's own are maintained there. Of the city's everybody is shown who they
# are; its bodies answer for what agencies everywhere give.
_OF_AREA: Final = Rows(
    see={DISTRICT: (c.in_area,), ALL: _EVERYTHING},
    lists={
        "shown": {
            DISTRICT: (c.in_area, c.of_the_city),
            OWN_AGENCY: (c.of_the_city,),
            ALL: _EVERYTHING,
        },
    },
    wider=(
        Difference(c.without_place, "The city maintains and reads all of them; it has no place."),
        Difference(c.of_the_city, "Who answers for an entry is shown with it.", writes=False),
    ),
)
_FROM_FILES: Final = "What matched nobody is worked off, and found again, in its district."

REGISTRY: Final[dict[str, Rows]] = {
    "resident": Rows(
        see=_PLACED | {CASES_SENT: (c.of_a_resident_sent,)},
        is_opened=True,
        worked_on=_IN_UNIT,
        wider=(Difference(c.of_a_requested_resident, _BESIDE),),
    ),
    "care_case": Rows(
        see=_PLACED | {CASES_SENT: (c.was_sent,)},
        count=_COUNTED,
        is_opened=True,
        worked_on=_IN_UNIT,
        wider=(Difference(c.case_of_a_request, _BESIDE),),
    ),
    "referral": Rows(
        see=_PLACED | {CASES_SENT: (c.of_a_case_sent,), OWN_AGENCY: (c.was_requested,)},
        # Its own, however long they have ended: the transaction of a figure states no window.
        count=_COUNTED | {OWN_AGENCY: (c.of_agency,)},
        # Shown to a supervisor beside an agency or a service that is about to end.
        lists={"open_work": {DISTRICT: (c.in_district,)}},
        is_opened=True,
        worked_on=_IN_UNIT,
    ),
    "deadline": Rows(
        see=_PLACED
        | {
            CASES_SENT: (c.clock_of_a_case_sent,),
            OWN_AGENCY: (c.clock_of_a_request,),
            # Of the programme, what the whole city owes: no other row is of that area.
            CITY: (c.in_district,),
        },
        count=_COUNTED | {OWN_AGENCY: (c.own_clock,)},
        is_opened=True,
        narrower={
            OWN_AGENCY: Difference(
                c.held_by_agency,
                "Answering meets and plans clocks of the same request that others hold.",
            )
        },
        worked_on=_IN_UNIT,
    ),
    "figure_entry": _NUMBERS,
    "figure_total": _NUMBERS,
    # Published cells of the city. Whoever closes a month writes those of the district.
    "city_total": Rows(count={CITY: _EVERYTHING}),
    "city_sum": Rows(count={CITY: _EVERYTHING}),
    "closed_total": Rows(see={DISTRICT: (c.in_district,)}, count={CITY: _EVERYTHING}),
    "closed_sum": Rows(see={DISTRICT: (c.in_district,)}, count={CITY: _EVERYTHING}),
    "contact": _OF_RESIDENT,
    "consent": Rows(
        parent=("resident", "resident_id"),
        wider=(
            Difference(c.consent_of_a_request, "An agency's request rests on it.", writes=False),
        ),
    ),
    "note": Rows(
        parent=("resident", "resident_id"), hidden_from=frozenset({CASES_SENT, OWN_AGENCY, CITY})
    ),
    "access_request": _OF_RESIDENT,
    "delivered": _OF_RESIDENT,
    "way_in": _OF_RESIDENT,
    "assessment": _OF_CASE,
    "care_check": _OF_CASE,
    "correction": _OF_CASE,
    "signal": _OF_CASE,
    "plan_version": _COUNTED_OF_CASE,
    "planned_service": _COUNTED_OF_CASE,
    "escalation": _OF_CLOCK,
    "review": _OF_CLOCK,
    "agenda_item": Rows(
        parent=("care_case", "case_id"),
        wider=(Difference(c.on_an_agenda, "A meeting is shown with all of its agenda."),),
    ),
    "conference": Rows(
        see={DISTRICT: (c.in_district,), ALL: _EVERYTHING},
        count={CITY: _EVERYTHING},
        wider=(
            Difference(c.at_home, "A worker is shown a meeting beside the plan that it decided."),
            Difference(c.meeting_on_a_case, "As are those of another district who see the case."),
        ),
    ),
    "event": Rows(
        parent=("resident", "resident_id"),
        narrower={
            CASES_SENT: Difference(
                c.of_a_case_of_those_sent,
                "A resident's earlier cases are not what was sent; the database goes by resident.",
            )
        },
        wider=(
            Difference(c.of_nobody, "Events of no resident are shown with what they are about."),
            Difference(c.about_a_request, "An agency is shown the history of its own requests."),
        ),
    ),
    # Also under the relation of break-glass access to any resident, everybody sees their own.
    "break_glass": Rows(
        see={
            CENTRE: (c.own_account,),
            DISTRICT: (c.own_account, c.in_district),
            ALL: (c.own_account, c.in_district),
        }
    ),
    "import_file": Rows(
        see=_OWN,
        wider=(Difference(c.in_district, _FROM_FILES), Difference(c.at_home, _FROM_FILES)),
    ),
    "import_row": Rows(
        see=_OWN,
        lists={
            "queue": {CENTRE: (c.at_home_in_centre,), DISTRICT: (c.in_district,)},
            "known": {
                relation: (*rule, c.in_district, c.at_home) for relation, rule in _OWN.items()
            },
        },
        wider=(Difference(c.in_district, _FROM_FILES), Difference(c.at_home, _FROM_FILES)),
    ),
    **dict.fromkeys(("body", "body_answers", "seat"), _OF_AREA),
    # For the following the database admits every row: it is no resident's data, or is
    # reached through the tables above. The roles' grants say who may do what with the table.
    "account": Rows(
        see=_PLACED | {OWN_AGENCY: (c.of_agency,), LED_AGENCY: (c.its_people,)},
    ),
    "absence": Rows(see=_PLACED),
    "centre": Rows(
        see={
            CENTRE: (c.is_centre,),
            DISTRICT: (c.in_district,),
            CITY: _EVERYTHING,
            ALL: _EVERYTHING,
        }
    ),
    "provider": Rows(see=_OF_DISTRICT | {OWN_AGENCY: (c.is_agency,)}),
    "standard": Rows(see=_OF_DISTRICT | {DISTRICT: (c.of_no_district, c.in_district)}),
    "duplicate_suspicion": Rows(
        see=_OF_DISTRICT | {CENTRE: (c.touches_home,), DISTRICT: (c.touches_district,)}
    ),
    "closed_month": Rows(
        see=_OF_DISTRICT | {CENTRE: (c.at_home,), OWN_AGENCY: _EVERYTHING, CITY: _EVERYTHING}
    ),
    "run_notices": Rows(see=_OF_DISTRICT),
    "subscription": Rows(
        see={
            OWN_AGENCY: (c.of_agency,),
            DISTRICT: (c.of_an_agency_of_the_district,),
            ALL: _EVERYTHING,
        }
    ),
}
# Who is to do something about a clock: of what an actor sees, their worklist shows what these hold.
HOLDERS: Final[dict[Relation, str]] = {
    CENTRE: WORKER,
    DISTRICT: SUPERVISOR,
    CASES_SENT: ASSESSOR,
    OWN_AGENCY: PROVIDER,
    CITY: AREA,
}
# Who sees what is of the programme, as far as their area: what is of no centre, case or agency.
_SEE_PROGRAMME: Final = frozenset({DISTRICT, CITY, ALL})

_FACTS: Final = tuple(one.name for one in fields(Facts) if one.name != "are_stated")
P = ParamSpec("P")
Built = TypeVar("Built")
_KEPT: Final[list[Callable[[], None]]] = []


@dataclass(frozen=True, slots=True)
class ScopeForm:
    """What the text of a condition depends on, so that a statement is built once for each form."""

    relation: Relation
    is_system: bool
    opens: bool
    known: frozenset[str]

    @property
    def facts(self) -> Facts:
        """The facts that an actor of this form has, as parameters by name."""
        named: dict[str, Any] = {name: bindparam(f"actor_{name}") for name in self.known}
        return Facts(**named)


def form_of(scope: Scope, now: datetime | None = None) -> tuple[ScopeForm, dict[str, Any]]:
    """The form of a scope at an instant, and the parameters of a statement built for it."""
    facts = facts_of(scope, now)
    known = {name: value for name in _FACTS if (value := getattr(facts, name)) is not None}
    is_system = scope.actor.role == SYSTEM_ROLE
    form = ScopeForm(scope.relation, is_system, scope.opens, frozenset(known))
    return form, {f"actor_{name}": value for name, value in known.items()}


def once_for_each_form(build: Callable[P, Built]) -> Callable[P, Built]:
    """A function that builds a statement, whose arguments are forms and other things that are few.

    ``forget_built`` drops what all of them built.
    """
    kept = cache(build)
    _KEPT.append(kept.cache_clear)
    return cast("Callable[P, Built]", kept)


def forget_built() -> None:
    """Build every statement anew, as where a condition was exchanged."""
    for clear in _KEPT:
        clear()


# A scope, or the form of several, whose facts are parameters.
Asking = Scope | ScopeForm


def seen(table: Any, scope: Asking, now: datetime | None = None) -> ColumnElement[bool]:
    """Which rows of a table, or of an alias of it, the actor sees; ``now`` where windows count."""
    rows = _rows(table)
    return _condition(table, rows.see, scope, now, rows.narrower.get(scope.relation))


def seen_or_opened(table: Any, scope: Asking, now: datetime | None = None) -> ColumnElement[bool]:
    """What is read by its id: also under break-glass access to its resident, until now."""
    usual = seen(table, scope, now)
    if not (scope.opens and _rows(table).is_opened):
        return usual
    return or_(usual, c.opened(table, _facts(scope, now)))


def counted(table: Any, scope: Scope) -> ColumnElement[bool]:
    """Which rows count in the actor's figures."""
    return _condition(table, _rows(table).count, scope)


def listed(table: Any, name: str, scope: Asking) -> ColumnElement[bool]:
    """Which rows of a table one of its further lists shows the actor."""
    return _condition(table, _rows(table).lists[name], scope)


def has_list(table: Any, name: str, scope: Scope) -> bool:
    """Whether one of the further lists of a table is there for the actor at all."""
    return scope.relation in _rows(table).lists[name]


def narrowed(table: Any, scope: Asking, now: datetime | None = None) -> ColumnElement[bool]:
    """Which children of something that the actor sees are shown to them."""
    rows = _rows(table)
    shown = {scope.relation: _EVERYTHING} if shows(table, scope) else {}
    return _condition(table, shown, scope, now, rows.narrower.get(scope.relation))


def shows(table: Any, scope: Asking) -> bool:
    """Whether children of that kind are shown to the actor at all."""
    return scope.relation not in _rows(table).hidden_from


def holder(scope: Asking) -> str:
    """Whose clocks an actor acts on: ``worker``, ``supervisor``, ``assessor`` or ``provider``."""
    return HOLDERS[scope.relation]


def sees_programme(scope: Asking) -> bool:
    """Whether clocks of the city's programme are among those that an actor sees."""
    return scope.relation in _SEE_PROGRAMME


def is_told_numbers(scope: Scope) -> bool:
    """Whether no case is seen, and the owner's functions count: the directory of all is edited."""
    return scope.is_unbounded


def sees_a_part(scope: Asking) -> bool:
    """Whether of a case file only the actor's own part is seen."""
    return scope.relation is OWN_AGENCY


def _rows(table: Any) -> Rows:
    return REGISTRY[getattr(table, "element", table).name]


def _facts(scope: Asking, now: datetime | None) -> Facts:
    return scope.facts if isinstance(scope, ScopeForm) else facts_of(scope, now)


def _condition(
    table: Any,
    rule: Rule,
    scope: Asking,
    now: datetime | None = None,
    also: Difference | None = None,
) -> ColumnElement[bool]:
    is_system = scope.is_system if isinstance(scope, ScopeForm) else scope.actor.role == SYSTEM_ROLE
    if is_system:
        return true()
    by = _facts(scope, now)
    found: ColumnElement[bool] = false()
    for one in rule.get(scope.relation, ()):
        found = or_(found, one(table, by))
    return found if also is None else and_(found, also.condition(table, by))
