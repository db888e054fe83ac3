"""Who may do what: one table, default deny.

A role that has no row for an action is refused whatever the subject (403). A role that has one
reaches only the subjects in the named relation; outside it, a subject does not exist (404).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from casework.domain.errors import Forbidden


class Role(StrEnum):
    """The parts people play; a person's account has exactly one."""

    WORKER = "worker"
    SUPERVISOR = "supervisor"
    ASSESSOR = "assessor"
    PROVIDER = "provider"
    CITY = "city"
    AUDITOR = "auditor"
    ADMIN = "admin"
    INTEGRATION = "integration"


class Relation(StrEnum):
    """How far a role reaches for an action."""

    CENTRE = "centre"
    DISTRICT = "district"
    CASES_SENT = "cases_sent"
    OWN_AGENCY = "own_agency"
    CITY = "city"
    ALL = "all"


SYSTEM_ROLE: Final = "system"
_C, _D, _S, _O, _A = (
    Relation.CENTRE,
    Relation.DISTRICT,
    Relation.CASES_SENT,
    Relation.OWN_AGENCY,
    Relation.ALL,
)
W, SV, AS, PR, CT, AU, AD = (
    Role.WORKER,
    Role.SUPERVISOR,
    Role.ASSESSOR,
    Role.PROVIDER,
    Role.CITY,
    Role.AUDITOR,
    Role.ADMIN,
)
_CITY: Final = Relation.CITY
EVERYONE: Final = dict.fromkeys(Role, _A)

POLICY: Final[dict[str, dict[Role, Relation]]] = {
    "account.self": EVERYONE,
    "directory.read": EVERYONE,
    "case.read": {W: _C, SV: _D, AS: _S},
    "case.write": {W: _C, SV: _D},
    "note.read": {W: _C, SV: _D},
    "assessment.write": {W: _C, SV: _D, AS: _S},
    "plan.decide": {SV: _D},
    "case.supervise": {SV: _D},
    "referral.read": {W: _C, SV: _D, PR: _O},
    "referral.send": {W: _C, SV: _D},
    "referral.answer": {W: _C, SV: _D, PR: _O},
    "referral.correct": {SV: _D},
    "deadline.read": {W: _C, SV: _D, AS: _S, PR: _O},
    "overdue.read": {W: _C, SV: _D},
    "overdue.review": {SV: _D},
    "account.list": {W: _C, SV: _D, PR: _O, AD: _A},
    "figures.read": {W: _C, SV: _D, PR: _O, CT: _CITY},
    "figures.open": {SV: _D},
    "figures.close": {SV: _D},
    "unmet.read": {W: _C, SV: _D},
    "unmet.count": {W: _C, SV: _D, CT: _CITY},
    "standard.read": {SV: _D, AD: _A},
    "standard.write": {SV: _D, AD: _A},
    "job.read": {SV: _D, AD: _A},
    "job.run": {SV: _D, AD: _A},
    "notice.release": {SV: _D, AD: _A},
    "outbox.manage": {AD: _A},
    "webhook.manage": {PR: _O, AD: _A},
    "break_glass.open": {W: _A, SV: _A},
    "break_glass.read": {W: _C, SV: _D},
    "break_glass.review": {SV: _D},
}
# What a resident who was opened out of scope may be looked at by, and who may open one.
OPENS: Final = frozenset({"case.read", "note.read", "referral.read", "deadline.read"})
OPENERS: Final = frozenset({W, SV})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: an account with its role and what it belongs to, read afresh on each request."""

    id: UUID | None
    role: str
    name: str = ""
    username: str = ""
    centre_code: str | None = None
    district_code: str | None = None
    provider_id: UUID | None = None
    is_head: bool = False

    @property
    def answers_as_provider(self) -> bool:
        """Whether this one speaks for an agency itself."""
        return self.role == Role.PROVIDER


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one actor sees for one action: what every load is given."""

    actor: Actor
    relation: Relation
    # Whether what the actor has opened out of scope is seen too, by its id.
    opens: bool = False


SYSTEM: Final = Actor(id=None, role=SYSTEM_ROLE, name="casework")
EVERYTHING: Final = Reach(SYSTEM, Relation.ALL)


def reach(actor: Actor, action: str) -> Reach:
    """How far the actor sees for this action; refuses a role that has no row for it."""
    if actor.role == SYSTEM_ROLE:
        return EVERYTHING
    relation = POLICY[action].get(Role(actor.role))
    if relation is None:
        raise Forbidden(f"{actor.role} may not do this")
    return Reach(actor, relation, opens=action in OPENS and actor.role in OPENERS)


def is_guest(actor: Actor, placed: Any) -> bool:
    """Whether something with a centre and a district lies outside a worker's or supervisor's own.

    Who sees it all the same has opened it with a reason, and may do nothing with it.
    """
    if actor.role == Role.WORKER:
        return actor.centre_code is not None and bool(placed.centre_code != actor.centre_code)
    if actor.role == Role.SUPERVISOR:
        return actor.district_code is not None and bool(placed.district_code != actor.district_code)
    return False


def may(actor: Actor, action: str) -> bool:
    """Whether the role has a row for this action at all."""
    return actor.role == SYSTEM_ROLE or Role(actor.role) in POLICY[action]
