"""Who may do what: one table, default deny.

A role that has no row for an action is refused whatever the subject (403). A role that has one
reaches only the subjects in the named relation; outside it, a subject does not exist (404).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
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


class SystemRole(StrEnum):
    """What is no person's part: what the application does by itself."""

    SYSTEM = "system"


# The role in which something is done: that of an account, or the system's.
ActorRole = Role | SystemRole


class Relation(StrEnum):
    """How far a role reaches for an action."""

    CENTRE = "centre"
    DISTRICT = "district"
    CASES_SENT = "cases_sent"
    OWN_AGENCY = "own_agency"
    LED_AGENCY = "led_agency"
    CITY = "city"
    ALL = "all"


SYSTEM_ROLE: Final = SystemRole.SYSTEM
# An id that matches no row.
NOBODY: Final = UUID(int=0)
# How long an agency sees a referral after its end, where the installation decides nothing else.
PROVIDER_ACCESS: Final = timedelta(days=30)
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
    "account.secure": EVERYONE,
    "account.contact": EVERYONE,
    "account.second_factor": dict.fromkeys((W, SV, AS, CT, AU, AD), _A),
    "account.tokens": dict.fromkeys((W, SV, AS, PR, CT, AU, AD), _A),
    "account.manage": {AD: _A},
    "directory.read": EVERYONE,
    "capacity.write": {SV: _D, PR: _O, AD: _A},
    "offering.match": {W: _C, SV: _D},
    "coverage.read": {W: _C, SV: _D, CT: _CITY},
    "directory.entries": {SV: _D, PR: _O, CT: _A, AD: _A},
    "directory.write": {SV: _D, AD: _A},
    "directory.change": {SV: _D, PR: _O, AD: _A},
    "directory.designate": {SV: _D, CT: _A, AD: _A},
    "directory.open_work": {SV: _D, PR: _O, AD: _A},
    "directory.confirm": {SV: _D, CT: _A},
    "directory.publish": {CT: _A, AD: _A},
    "directory.step": {SV: _D, CT: _A, AD: _A},
    "catalogue.write": {AD: _A},
    "catalogue.confirm": {CT: _A},
    "body.read": {SV: _D, CT: _A, AD: _A, AU: _A},
    "body.write": {SV: _D, CT: _A, AD: _A},
    "case.read": {W: _C, SV: _D, AS: _S},
    "case.write": {W: _C, SV: _D},
    "note.read": {W: _C, SV: _D},
    "disclosure.read": {W: _C, SV: _D},
    "rrn.read": {W: _C, SV: _D},
    "assessment.write": {W: _C, SV: _D, AS: _S},
    "plan.decide": {SV: _D},
    "case.supervise": {SV: _D},
    "duplicate.review": {SV: _D},
    "referral.read": {W: _C, SV: _D, PR: _O},
    "referral.send": {W: _C, SV: _D},
    "referral.answer": {W: _C, SV: _D, PR: _O},
    "referral.correct": {SV: _D},
    "link.manage": {W: _C, SV: _D},
    "answering.manage": {SV: _D, AD: _A},
    "deadline.read": {W: _C, SV: _D, AS: _S, PR: _O, CT: _CITY},
    "overdue.read": {W: _C, SV: _D, CT: _CITY},
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
    "webhook.end": {PR: _O, SV: _D, AD: _A},
    "inbox.read": {PR: _O},
    "inbox.answer": {PR: _O},
    "inbox.figures": {PR: _O},
    "staff.manage": {PR: Relation.LED_AGENCY},
    "break_glass.open": {W: _A, SV: _A},
    "break_glass.read": {W: _C, SV: _D},
    "break_glass.review": {SV: _D},
    "access_request.read": {W: _C, SV: _D},
    "access_request.write": {W: _C, SV: _D},
    "resident.export": {W: _C, SV: _D},
    "import.read": {W: _C, SV: _D, AS: _S, AD: _A},
    "import.write": {W: _C, SV: _D, AS: _S, AD: _A},
    "import.directory": {SV: _D, AD: _A},
    "import.residents": {W: _C, SV: _D},
    "import.assessments": {AS: _S},
    "import.match": {W: _C, SV: _D},
    "export.write": {W: _C, SV: _D, AS: _S, PR: _O, CT: _CITY, AD: _A},
    "audit.read": {AU: _A},
    "audit.review": {AU: _A},
}
# What a resident who was opened out of scope may be looked at by, and who may open one.
OPENS: Final = frozenset({"case.read", "note.read", "referral.read", "deadline.read"})
OPENERS: Final = frozenset({W, SV})


# What a system's own account may be granted, each as far as what it belongs to.
GRANTABLE: Final = frozenset(
    {
        "case.read",
        "case.write",
        "note.read",
        "referral.read",
        "referral.send",
        "referral.answer",
        "deadline.read",
        "overdue.read",
        "figures.read",
        "unmet.read",
        "unmet.count",
    }
)
# Actions outside every token's scope: a token could create further tokens.
ACCOUNT_ADMINISTRATION: Final = frozenset(
    {
        "account.secure",
        "account.contact",
        "account.second_factor",
        "account.tokens",
        "account.manage",
        "staff.manage",
    }
)


@dataclass(frozen=True, slots=True)
class CredentialScope:
    """The actions a credential allows out of its account's; ``code`` is the refusal's code."""

    actions: frozenset[str]
    code: str


@dataclass(frozen=True, slots=True)
class Actor:
    """The actor: an account with its role and what it belongs to, read on each request."""

    id: UUID | None
    role: ActorRole
    name: str = ""
    username: str = ""
    centre_code: str | None = None
    district_code: str | None = None
    provider_id: UUID | None = None
    is_head: bool = False
    phone: str | None = None
    grants: frozenset[str] = frozenset()
    credential_scope: CredentialScope | None = None

    @property
    def answers_as_provider(self) -> bool:
        """Whether this actor answers for an agency."""
        return self.role == Role.PROVIDER or (
            self.role == Role.INTEGRATION and self.provider_id is not None
        )

    @property
    def stands_as(self) -> ActorRole:
        """The role whose rows and masks apply; for a system, that of what it belongs to."""
        if self.role != Role.INTEGRATION:
            return self.role
        if self.provider_id is not None:
            return Role.PROVIDER
        if self.centre_code is not None:
            return Role.WORKER
        return Role.SUPERVISOR if self.district_code is not None else self.role


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds of a scope; None where it is not bounded by that field."""

    district: str | None = None
    centre: str | None = None
    provider: UUID | None = None

    def hold_district(self, code: str | None) -> bool:
        """Whether a whole district lies within the bounds."""
        return self.district in (None, code)

    def hold_centre(self, code: str, district: str | None) -> bool:
        """Whether a centre, which lies in a district, lies within the bounds."""
        return self.hold_district(district) and self.centre in (None, code)


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of one actor for one action, which every load takes."""

    actor: Actor
    relation: Relation
    # How long after its end a referral stays visible to its agency.
    after_end: timedelta = PROVIDER_ACCESS
    # Whether what the actor has opened out of scope is seen too, by its id.
    opens: bool = False

    @property
    def bounds(self) -> Bounds:
        """The place or agency that bounds this scope; an unknown one matches nothing."""
        actor = self.actor
        match self.relation:
            case Relation.CENTRE:
                return Bounds(district=actor.district_code or "", centre=actor.centre_code or "")
            case Relation.DISTRICT:
                return Bounds(district=actor.district_code or "")
            case Relation.OWN_AGENCY | Relation.LED_AGENCY:
                return Bounds(provider=actor.provider_id or NOBODY)
        return Bounds()

    @property
    def is_unbounded(self) -> bool:
        """Whether the scope is the whole city."""
        return self.relation is Relation.ALL

    @property
    def counts_alone(self) -> bool:
        """Whether only counts are shown, with small ones suppressed."""
        return self.relation is Relation.CITY

    def is_as_wide_as(self, other: Scope) -> bool:
        """Whether two scopes of one actor are the same."""
        return self.relation is other.relation


def actor_role(name: str) -> ActorRole:
    """The role of that name. Raises ValueError for one that there is not."""
    return SYSTEM_ROLE if name == SYSTEM_ROLE else Role(name)


SYSTEM: Final = Actor(id=None, role=SYSTEM_ROLE, name="casework")
EVERYTHING: Final = Scope(SYSTEM, Relation.ALL)


def scope_of(actor: Actor, action: str) -> Scope:
    """The actor's scope for this action; refuses a role that has no row for it."""
    if actor.role == SYSTEM_ROLE:
        return EVERYTHING
    if actor.credential_scope is not None and action not in actor.credential_scope.actions:
        raise Forbidden("not with this sign-in or token", code=actor.credential_scope.code)
    relation = _relation(actor, action)
    if relation is None:
        raise Forbidden(f"{actor.role} may not do this")
    return Scope(actor, relation, opens=action in OPENS and actor.role in OPENERS)


def is_guest(actor: Actor, placed: Any) -> bool:
    """Whether something with a centre and a district lies outside a worker's or supervisor's own.

    An actor who sees it nevertheless opened it by break-glass, and may only read it.
    """
    if actor.role == Role.WORKER:
        return actor.centre_code is not None and bool(placed.centre_code != actor.centre_code)
    if actor.role == Role.SUPERVISOR:
        return actor.district_code is not None and bool(placed.district_code != actor.district_code)
    return False


def is_outside(scope: Scope, placed: Any) -> bool:
    """Whether something with a centre and a district lies outside the place of a scope."""
    return not scope.is_unbounded and is_guest(scope.actor, placed)


def may(actor: Actor, action: str) -> bool:
    """Whether the role has a row for this action at all."""
    if actor.role == SYSTEM_ROLE:
        return True
    let_through = actor.credential_scope is None or action in actor.credential_scope.actions
    return let_through and _relation(actor, action) is not None


def grantable(actor: Actor) -> frozenset[str]:
    """What an account of a system can be granted, by what it belongs to."""
    own = _belonging(actor)
    return frozenset(one for one in GRANTABLE if own in POLICY[one].values())


def scopes_of(actor: Actor) -> frozenset[str]:
    """What a token of this account can be made for."""
    return frozenset(one for one in POLICY if _relation(actor, one)) - ACCOUNT_ADMINISTRATION


def _relation(actor: Actor, action: str) -> Relation | None:
    """The policy's cell, or for a system's account what it was granted."""
    row, role = POLICY[action], Role(actor.role)
    if role == Role.INTEGRATION and action in actor.grants & GRANTABLE:
        own = _belonging(actor)
        return own if own in row.values() else None
    relation = row.get(role)
    return None if relation is Relation.LED_AGENCY and not actor.is_head else relation


def _belonging(actor: Actor) -> Relation | None:
    if actor.provider_id is not None:
        return Relation.OWN_AGENCY
    if actor.centre_code is not None:
        return Relation.CENTRE
    return Relation.DISTRICT if actor.district_code is not None else None
