"""Who may do what to whom, computed independently from the policy's table and the planted facts.

Nothing here uses the application's own decision; where the two disagree, one of them is wrong.
"""

from __future__ import annotations

from typing import Any, Final

from casework.domain.access.policy import POLICY, Actor, Relation, Role
from tests.api.conftest import DISTRICT, WORKER
from tests.proofs._subjects import Subject

# Records of a resident with the same visibility as the resident.
OF_A_RESIDENT: Final = frozenset(
    {
        "resident", "case", "consent", "note", "signal", "planned_service", "referral", "deadline",
        "household", "access_request", "suspicion", "merge", "link", "check",
    }
)  # fmt: skip
# Records visible to the actor who made them only, whatever the row of the table says.
OF_ITS_MAKER: Final = frozenset({"opening", "own_token", "import"})
OF_AN_AGENCY: Final = frozenset({"referral", "deadline"})
OF_A_DISTRICT: Final = frozenset({"conference", "standard", "absence"})
# Bodies of the programme, and what belongs to them.
OF_AN_AREA: Final = frozenset({"body", "seat"})
OF_NOBODY: Final = frozenset({"job", "month", "service", "centre", "district"})
# The agencies of the district where the supervisor of these questions is.
AGENCIES_HERE: Final = frozenset({"alpha", "beta"})
# Records of an agency, which its district maintains too.
OF_THE_DIRECTORY: Final = frozenset({"provider", "offering", "designation"})


def relation_of(action: str, role: str) -> Relation | None:
    """The scope of a role by the table, or None where it has no row."""
    cell: Any = POLICY[action].get(Role(role))
    relation: Relation | None = getattr(cell, "relation", cell)
    return relation


def is_reached(relation: Relation, kind: str, it: Subject, actor: Actor, agency: str) -> bool:
    """Whether somebody with this relation is to find the subject's thing of this kind."""
    if kind == "own_token":
        return kind in it.ids and actor.username == WORKER
    if kind == "opening":  # its opener's, and to be reviewed in the resident's district
        is_reviewers = actor.role == Role.SUPERVISOR and it.district == actor.district_code
        return is_reviewers or (it.opened_by != "" and it.opened_by == actor.username)
    if kind == "import":  # the actor who uploaded it, and nobody else
        return it.imported_by == actor.username
    if kind == "unmatched":  # the centre that it names, and its district
        is_there = it.centre == actor.centre_code
        is_in = it.district == actor.district_code
        return {Relation.CENTRE: is_there, Relation.DISTRICT: is_in}.get(relation, False)
    if relation is Relation.ALL or kind in OF_NOBODY:
        return True
    if kind == "webhook":
        if relation is Relation.DISTRICT:  # of an agency there; the city's own is of none
            return actor.district_code == DISTRICT and it.agency in AGENCIES_HERE
        return relation is Relation.OWN_AGENCY and it.agency == agency
    if kind == "staff":
        return relation is Relation.LED_AGENCY and it.agency == agency
    if kind in OF_THE_DIRECTORY:
        if relation is Relation.OWN_AGENCY:
            return it.agency == agency
        return relation is Relation.DISTRICT and it.district == actor.district_code
    if kind in OF_A_DISTRICT | OF_AN_AREA:
        return relation is Relation.DISTRICT and it.district == actor.district_code
    if kind not in OF_A_RESIDENT:
        return False
    match relation:
        case Relation.CENTRE:
            return it.centre == actor.centre_code
        case Relation.DISTRICT:
            return it.district == actor.district_code
        case Relation.CASES_SENT:
            was_sent = it.sent and not it.determined_long_ago
            # Of the clocks an assessor sees the assessor's; those planted here are the agency's.
            return it.district == actor.district_code and was_sent and kind != "deadline"
        case Relation.OWN_AGENCY:
            is_open = it.requested and not it.referral_ended
            return kind in OF_AN_AGENCY and it.agency == agency and is_open
    return False


def is_anyhow_reached(relation: Relation, it: Subject, actor: Actor, agency: str) -> bool:
    """Whether anything of the subject may stand in a list that this relation opens."""
    if relation in (Relation.ALL, Relation.CITY):
        return False  # what everybody or the city reads is about nobody
    if it.opened_by == actor.username:
        return True  # its opener finds it among the openings
    return any(is_reached(relation, kind, it, actor, agency) for kind in OF_A_RESIDENT)
