"""Field masks and time windows: the other half of the access policy.

The table of actions says how far a role reaches. A row here says in which states it does so
(``WINDOWS``) and which fields it then gets (``MASKS``). Workers and supervisors get everything of
what they reach; any other role gets only the fields listed here, so that a new field is masked
until somebody decides otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from casework.domain.access.policy import AS, CT, PR, SV, SYSTEM_ROLE, Actor, Role, W
from casework.domain.casefile.referral_events import ReferralDisposed, ReferralDrafted
from casework.domain.casefile.states import ReferralStatus
from casework.domain.clocks.calendar import PauseSource
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import PROVIDER, REFERRAL
from casework.domain.events import Event, EventSubject

GET_EVERYTHING: Final = frozenset({W, SV, SYSTEM_ROLE})


class Window(StrEnum):
    """From when until when a role reaches what stands in a certain state."""

    ASKED = "from `requested` until 30 days (`CASEWORK_PROVIDER_ACCESS_DAYS`) after the end"
    SENT = "from being sent for assessment until 30 days after the determination"


WINDOWS: Final[dict[tuple[str, Role], Window]] = {
    ("referral.read", PR): Window.ASKED,
    ("referral.answer", PR): Window.ASKED,
    ("deadline.read", PR): Window.ASKED,
    ("inbox.read", PR): Window.ASKED,
    ("inbox.answer", PR): Window.ASKED,
    ("case.read", AS): Window.SENT,
    ("assessment.write", AS): Window.SENT,
    ("deadline.read", AS): Window.SENT,
}


class MaskState(StrEnum):
    """A state of the thing itself in which more of it is covered."""

    CONSENT_WITHDRAWN = "the consent it rests on was withdrawn"
    ENDED_BY_SENDER = "the sender ended it"
    IN_ERROR = "it was entered in error"
    BY_ANOTHER = "somebody else did it"
    NOT_COMING = "its agency has not said that it comes, or comes no more"
    NOT_TO_BE_TOLD = "the contact is not to be told"


ENDED_BY_SENDER: Final = frozenset(
    {ReferralStatus.CANCELLED, ReferralStatus.WITHDRAWN, ReferralStatus.ENTERED_IN_ERROR}
)


def states_of_referral(status: str, *, consent_is_withdrawn: bool) -> list[MaskState]:
    """The states of a referral in which more is masked."""
    found = {
        MaskState.CONSENT_WITHDRAWN: consent_is_withdrawn,
        MaskState.ENDED_BY_SENDER: status in ENDED_BY_SENDER,
        MaskState.IN_ERROR: status == ReferralStatus.ENTERED_IN_ERROR,
    }
    return [state for state, is_so in found.items() if is_so]


# What an agency is shown of a judgement: the rules on a fact that was disclosed to it anyway.
FACT_IS_TOLD_BY: Final = {"age": "birth_date", "sex": "sex"}


@dataclass(frozen=True, slots=True)
class Mask:
    """The fields that are shown; of these, what is masked in certain states."""

    shows: frozenset[str]
    hides: Mapping[MaskState, frozenset[str]] = field(default_factory=dict)


def _shows(names: str, hides: Mapping[MaskState, str] | None = None) -> Mask:
    return Mask(
        frozenset(names.split()),
        {state: frozenset(of.split()) for state, of in (hides or {}).items()},
    )


_CLOCK: Final = (
    "id kind subject held_by started_at due_at status overdue met_at recorded_at acted_on"
    " cancelled_at breached_at"
    " target basis resident_id case_id case_number centre_code district_code provider_id field"
    " service_code priority extended_until deferred_until allowed_actions"
)
# Of the city's programme, which is about nobody's care.
_PROGRAMME_CLOCK: Final = (
    "id kind subject held_by body started_at due_at status overdue met_at recorded_at acted_on"
    " cancelled_at breached_at target basis priority district_code excused extended_until"
    " deferred_until last_review allowed_actions"
)
_STEP: Final = "tier is_repeated passed_over quiet due_at at raised_at to"
_WHY: Final = "start rule basis target left_out pauses extensions standard recounts due_at sentence"
_ITEM: Final = (
    "kind held_by case_id case_number centre_code field deadline_id subject resident provider"
    " due_at overdue working_days_late"
)

MASKS: Final[dict[tuple[str, Role], dict[str, Mask]]] = {
    ("referral.read", PR): {
        "referral": _shows(
            "id status priority resident_id case_id case_number planned_service_id service_code"
            " field centre_code offering_id message disclosed judged resident asked contact"
            " requested_on requested_at answered_on answered_at"
            " place_offered_at accepted_at expected_start_on expected_on started_on ended_at"
            " ended_on outcome reason note on_behalf hold_until held_with_case basis provider"
            " deadlines history allowed_actions",
            {
                MaskState.CONSENT_WITHDRAWN: "resident message judged asked",
                MaskState.ENDED_BY_SENDER: "note",
                MaskState.IN_ERROR: "reason",
            },
        ),
        "referral resident": _shows("id name birth_date sex address phone"),
        "referral basis": _shows("kind"),
        "referral row": _shows(
            "id status priority resident_id case_id case_number planned_service_id service_code"
            " field centre_code offering_id provider requested_at"
        ),
        "event": _shows("id event at recorded_at subject by data", {MaskState.BY_ANOTHER: "by.id"}),
        "event data": _shows(
            "status priority reason outcome on_behalf requested_on answered_on"
            " expected_start_on expected_on started_on"
            " ended_on until full_until reported_on delivered resumed_on by_itself with_case"
            " planned_service_id provider_id"
        ),
        "deadline": _shows(_CLOCK),
        "delivered": _shows("id month planned delivered unit reason note recorded_at recorded_by"),
        "visit": _shows(
            "referral_id way_in coming",
            {MaskState.CONSENT_WITHDRAWN: "way_in coming", MaskState.NOT_COMING: "way_in coming"},
        ),
    },
    ("deadline.read", PR): {
        "deadline": _shows(_CLOCK),
        "explanation": _shows(_WHY),
        "extension": _shows("until at"),
        "step": _shows(_STEP),
        "work item": _shows(_ITEM + " place_offered_at"),
    },
    ("inbox.read", PR): {
        "inbox item": _shows(
            "id status priority service_code field centre_code case_id case_number"
            " planned_service_id message"
            " resident asked contact requested_at expected_start_on expected_on hold_until wants"
            " deadline due_at overdue working_days_late allowed_actions"
        ),
    },
    ("deadline.read", AS): {
        "deadline": _shows(_CLOCK),
        "explanation": _shows(_WHY),
        "extension": _shows("until at"),
        "step": _shows(_STEP),
        "work item": _shows(_ITEM + " worker_id"),
    },
    ("deadline.read", CT): {
        "deadline": _shows(_PROGRAMME_CLOCK),
        "explanation": _shows(_WHY),
        "extension": _shows("until at cause"),
        "step": _shows(_STEP + " review"),
        "work item": _shows(
            "kind held_by body deadline_id subject due_at overdue working_days_late"
        ),
    },
    ("case.read", AS): {
        "resident": _shows(
            "id name birth_date sex centre_code district_code address phone lives_alone mobility"
            " ltc_grade disability insurance died_on registered_at contacts cases allowed_actions"
        ),
        "contact": _shows(
            "name relation phone may_be_told", {MaskState.NOT_TO_BE_TOLD: "name phone"}
        ),
        "found resident": _shows(
            "id name birth_date sex centre_code phone address died_on open_case"
        ),
        "consent": _shows(
            "id resident_id purpose given_by given_on recipients expires_on recorded_at"
            " withdrawn_at allowed_actions"
        ),
        "case": _shows(
            "id number resident_id status channel applied_on discharge_on urgent urgent_reason"
            " ex_officio_ground opened_at worker_id centre_code district_code dementia_medicine"
            " activities score route surveyed_at sent_for_assessment_at determination"
            " determined_at determined_on first_approved_on notified_on last_checked_on closed_at"
            " closed_reason"
            " taken_over_at former_number effective_on resident hold worker deadlines assessments"
            " allowed_actions"
        ),
        "case summary": _shows(
            "id number status urgent applied_on centre_code district_code worker resident contacts"
            " deadlines"
        ),
        "case row": _shows(
            "id number resident_id status channel applied_on discharge_on urgent opened_at"
            " worker_id centre_code district_code score route determination closed_at closed_reason"
            " resident"
        ),
        "planned service": _shows(
            "id service_code field status settled settlement settled_at allowed_actions content"
            " quantity unit per starts_on ends_on provider_id provider"
        ),
        "deadline": _shows(_CLOCK),
        "event": _shows("id event at recorded_at subject by data"),
        "event data": _shows(
            "status channel applied_on discharge_on urgent worker_id centre_code score route"
            " determination assessment_id reason until resumed_on by_itself why before kind"
            " effective_on plan_version on settlement checked_on next_check_on"
        ),
    },
}
# Of the clocks of what it reaches a role sees those for which the field is, or is not, the value.
CLOCKS: Final[dict[str, tuple[str, bool, str]]] = {
    PR: ("held_by", True, PROVIDER),
    AS: ("subject_type", False, REFERRAL),
}
# What happened, and is not told at all: by name, or on a timeline by what it happened to.
EVENTS_LEFT_OUT: Final[dict[tuple[str, Role], frozenset[type[Event]]]] = {
    ("referral.read", PR): frozenset({ReferralDrafted, ReferralDisposed}),
}
TIMELINE_LEAVES_OUT: Final[dict[str, tuple[EventSubject, ...]]] = {
    AS: (EventSubject.REFERRAL, EventSubject.DEADLINE)
}
# A hold of the whole case says why the resident is away: to a provider it is only a hold.
HIDES_WHY_A_CASE_IS_HELD: Final = frozenset({PR})


def sees_clock(actor: Actor, clock: Deadline) -> bool:
    """Whether the actor sees this clock of something within scope."""
    if actor.stands_as not in CLOCKS:
        return True
    name, is_it, value = CLOCKS[actor.stands_as]
    return (getattr(clock, name) == value) is is_it


def gets_everything(actor: Actor) -> bool:
    """Whether the actor gets every field of what they reach."""
    return actor.stands_as in GET_EVERYTHING


def searches_masked_contacts(actor: Actor) -> bool:
    """Whether the actor's search matches telephones of contacts who must not be informed."""
    if actor.stands_as in GET_EVERYTHING:
        return True
    mask = MASKS.get(("case.read", Role(actor.stands_as)), {}).get("contact")
    return mask is not None and "phone" not in mask.hides.get(MaskState.NOT_TO_BE_TOLD, ())


def is_shown(actor: Actor, action: str, event: Event) -> bool:
    """Whether the actor sees this event of something within scope."""
    if actor.stands_as in GET_EVERYTHING:
        return True
    return type(event) not in EVENTS_LEFT_OUT.get((action, Role(actor.stands_as)), ())


def as_shown(clock: Deadline, actor: Actor) -> Deadline:
    """The clock, without the reason of a case hold where the actor may not see it."""
    if actor.stands_as not in HIDES_WHY_A_CASE_IS_HELD:
        return clock
    pauses = tuple(
        replace(one, reason="hold") if one.source == PauseSource.CASE else one
        for one in clock.pauses
    )
    return replace(clock, pauses=pauses)


def masked(
    body: dict[str, Any], actor: Actor, action: str, resource: str, states: Iterable[MaskState] = ()
) -> dict[str, Any]:
    """The body with masked fields emptied: a list is empty, all else is null.

    What the table does not name is masked.
    """
    if actor.stands_as in GET_EVERYTHING:
        return body
    mask = MASKS.get((action, Role(actor.stands_as)), {}).get(resource)
    if mask is None:
        return {name: _emptied(value) for name, value in body.items()}
    away = frozenset(name for state in states for name in mask.hides.get(state, ()))
    found = {
        name: value if name in mask.shows and name not in away else _emptied(value)
        for name, value in body.items()
    }
    for name in away:
        outer, _, inner = name.partition(".")
        if inner and isinstance(found.get(outer), dict):
            found[outer] = found[outer] | {inner: None}
    return found


def without_masked(
    body: dict[str, Any], actor: Actor, action: str, resource: str
) -> dict[str, Any]:
    """The body without masked fields, for bodies without fixed fields."""
    if actor.stands_as in GET_EVERYTHING:
        return body
    mask = MASKS.get((action, Role(actor.stands_as)), {}).get(resource)
    return {} if mask is None else {k: v for k, v in body.items() if k in mask.shows}


def judged_as_shown(
    judged: dict[str, Any] | None, disclosed: Iterable[str], actor: Actor
) -> dict[str, Any] | None:
    """What was judged of the resident, as far as the fact of each rule was disclosed.

    The verdict over all of them tells of the others, and goes with them.
    """
    if judged is None or actor.stands_as in GET_EVERYTHING:
        return judged
    told = frozenset(disclosed)
    rules = [one for one in judged["rules"] if FACT_IS_TOLD_BY.get(one["fact"]) in told]
    return judged | {"rules": rules, "verdict": None}


def _emptied(value: Any) -> Any:
    return [] if isinstance(value, list) else None


def table() -> Iterator[tuple[str, str, str, str]]:
    """Windows and masks as rows: action and role, of what, in which state, and what is shown."""
    for (action, role), window in WINDOWS.items():
        yield f"{action}: {role}", "everything", window, "as below"
    for who, (name, is_it, value) in CLOCKS.items():
        is_or_not = "is" if is_it else "is not"
        yield f"deadline.read: {who}", "clocks", "", f"those whose {name} {is_or_not} {value}"
    for (action, role), masks in MASKS.items():
        for resource, mask in masks.items():
            yield f"{action}: {role}", resource, "always", ", ".join(sorted(mask.shows))
            for state, names in mask.hides.items():
                said = ", ".join(sorted(names))
                yield f"{action}: {role}", resource, f"when {state}", f"not {said}"
    for (action, role), events in EVENTS_LEFT_OUT.items():
        said = ", ".join(sorted(event.__name__ for event in events))
        yield f"{action}: {role}", "history", "always", f"not {said}"
    for who, kinds in TIMELINE_LEAVES_OUT.items():
        yield f"case.read: {who}", "timeline", "always", f"nothing of a {' or '.join(kinds)}"
    for role in sorted(HIDES_WHY_A_CASE_IS_HELD):
        yield f"deadline.read: {role}", "pauses", "always", "not why the whole case is held"
