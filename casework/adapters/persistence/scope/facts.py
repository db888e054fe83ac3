"""The facts of an actor that conditions compare rows with, and the forms they come in.

The application binds them as parameters (``facts_of``), or, in a statement that is built once and
sent often, by their names (``ScopeForm``); a row-level security policy reads them from the session
context of its transaction (``STATED``). A fact that an actor does not have is None here and NULL
there, and matches no row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import literal_column

from casework.domain.access.policy import Role, Scope
from casework.domain.clocks.standards import CITY_AREA

# How long after the determination an assessor sees what was sent to be assessed.
AFTER_DETERMINATION: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What conditions need to know of an actor: values, or SQL expressions."""

    account: Any = None
    centre: Any = None  # of a worker
    district: Any = None  # of a supervisor; the city's officers have the area of the whole city
    home: Any = None  # the district of a worker or an assessor, all of which neither sees
    sent: Any = None  # the district of an assessor
    agency: Any = None
    determined_since: Any = None
    ended_since: Any = None
    now: Any = None
    # Of a transaction alone: what it said of its actor's scope, and the residents whose whole file
    # it works on.
    reach: Any = None
    unit: Any = None
    # Read from the session context: what needs another table calls the owner's function for it.
    are_stated: bool = False


def facts_of(scope: Scope, now: datetime | None = None) -> Facts:
    """The facts of an actor at an instant; everybody has those of their role, and no others.

    Without an instant, a condition that has a window cannot be made.
    """
    actor = scope.actor
    match actor.stands_as:
        case Role.WORKER:
            return Facts(
                account=actor.id, now=now, centre=actor.centre_code, home=actor.district_code
            )
        case Role.SUPERVISOR:
            return Facts(account=actor.id, now=now, district=actor.district_code)
        case Role.ASSESSOR:
            return Facts(
                account=actor.id,
                now=now,
                sent=actor.district_code,
                home=actor.district_code,
                determined_since=now and now - AFTER_DETERMINATION,
            )
        case Role.PROVIDER:
            return Facts(
                account=actor.id,
                now=now,
                agency=actor.provider_id,
                ended_since=now and now - scope.after_end,
            )
        case Role.CITY:
            return Facts(account=actor.id, now=now, district=CITY_AREA)
    return Facts(account=actor.id, now=now)


def said(name: str, kind: str = "") -> Any:
    """A setting of the session context, NULL where it was not set.

    Within a SELECT of its own it is evaluated once per query, not once per row.
    """
    cast = f"::{kind}" if kind else ""
    return literal_column(f"(SELECT nullif(current_setting('casework.{name}', true), '')){cast}")


STATED: Final = Facts(
    account=said("account", "uuid"),
    centre=said("centre"),
    district=said("district"),
    home=said("home"),
    sent=said("sent"),
    agency=said("agency", "uuid"),
    determined_since=said("determined_since", "timestamptz"),
    ended_since=said("ended_since", "timestamptz"),
    now=said("now", "timestamptz"),
    reach=said("reach"),
    unit=said("unit", "uuid[]"),
    are_stated=True,
)
