"""The session context: tells the database who the actor is, for row-level security.

Set once per transaction, on PostgreSQL only. Row-level security follows the actor's role, not the
action's access policy: it must hold where the application's own filter fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, Select, Text, bindparam, func, text, true

from casework.adapters.persistence.scope.facts import facts_of
from casework.domain.access.policy import SYSTEM_ROLE, Role, Scope

SETTINGS: Final = (
    "reach",
    "account",
    "centre",
    "district",
    "home",
    "sent",
    "agency",
    "determined_since",
    "ended_since",
    "now",
    "unit",
)
_SET_CONTEXT: Final = text(
    "SELECT " + ", ".join(f"set_config('casework.{name}', :{name}, true)" for name in SETTINGS)
)
_SETTERS: Final = tuple(
    func.set_config(f"casework.{name}", bindparam(name, type_=Text), true()).label(f"set_{name}")
    for name in SETTINGS
)
_GET_CONTEXT: Final = text(
    "SELECT "
    + ", ".join(
        f"coalesce(current_setting('casework.{name}', true), '') AS {name}" for name in SETTINGS
    )
)
# Of a connection: what it was told last, and in which transaction, since it ends with that.
_SET: Final = "session context"
_ALLOW: Final = text("SELECT set_config('casework.unit', :unit, true)")
# Actions that an actor without a place does on the whole city: a recount goes through every clock.
WHOLE: Final = frozenset({"standard.write"})
# Figures count an agency's own referrals however long ago they ended.
COUNTING: Final = frozenset({"figures.read", "inbox.figures"})
# By these the city lists clocks of its own area, and counts nobody's.
LISTING: Final = frozenset({"deadline.read", "overdue.read"})
EVER: Final = "-infinity"
# Roles whose rows their facts name; for all others the scope decides.
PLACED: Final = frozenset({Role.WORKER, Role.SUPERVISOR, Role.ASSESSOR, Role.PROVIDER})


def set_session_context(connection: Connection, scope: Scope, action: str, now: datetime) -> None:
    """Tell the database who the actor is, for this transaction; what it knows is not said again."""
    if connection.dialect.name != "postgresql":
        return
    settings = dict.fromkeys(SETTINGS, "") | session_settings(scope, action, now)
    if connection.info.get(_SET) != (connection.get_transaction(), settings):
        connection.execute(_SET_CONTEXT, settings)
        connection.info[_SET] = (connection.get_transaction(), settings)


def set_and_read(
    connection: Connection,
    scope: Scope,
    action: str,
    now: datetime,
    query: Select[Any],
    parameters: dict[str, Any],
) -> Row[Any] | None:
    """The one row of a query; on PostgreSQL it tells the database who the actor is as well.

    The query is one that is built once, and its parameters have names that no setting has.
    """
    if connection.dialect.name != "postgresql":
        return connection.execute(query, parameters).first()
    settings = dict.fromkeys(SETTINGS, "") | session_settings(scope, action, now)
    row = connection.execute(_with_setters(query), settings | parameters).first()
    if row is not None:
        connection.info[_SET] = (connection.get_transaction(), settings)
    return row


@cache
def _with_setters(query: Select[Any]) -> Select[Any]:
    return query.add_columns(*_SETTERS)


def forget_context(connection: Connection) -> None:
    """What was set last is no longer what is set: it is said again when it is asked for."""
    connection.info.pop(_SET, None)


def set_system_context(connection: Connection) -> None:
    """Tell the database that the actor is the system itself."""
    forget_context(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(_SET_CONTEXT, dict.fromkeys(SETTINGS, "") | {"reach": "all"})


@contextmanager
def as_system(connection: Connection) -> Iterator[None]:
    """Read as the system itself for a moment, and then go on as the actor."""
    if connection.dialect.name != "postgresql":
        yield
        return
    said = dict(connection.execute(_GET_CONTEXT).one()._mapping)
    set_system_context(connection)
    yield
    connection.execute(_SET_CONTEXT, said)


def allow_residents(connection: Connection, resident_ids: Iterable[UUID]) -> None:
    """Let this transaction work on the whole file of residents, wherever that file goes.

    For an actor who has access to it: an agency whose answer concerns the whole case, a move that
    takes the case out of the mover's scope, a break-glass access to a resident.
    """
    forget_context(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(_ALLOW, {"unit": "{" + ",".join(map(str, resident_ids)) + "}"})


def session_settings(scope: Scope, action: str, now: datetime) -> dict[str, Any]:
    """The settings for an actor: the facts that the registry's conditions compare with."""
    role = scope.actor.stands_as
    if role == SYSTEM_ROLE:
        return {"reach": "all"}
    facts = facts_of(scope, now)
    values = {name: getattr(facts, name) for name in SETTINGS if name not in ("reach", "unit")}
    said = {name: _as_text(value) for name, value in values.items() if value is not None}
    if role == Role.PROVIDER and action in COUNTING:
        said["ended_since"] = EVER
    return said | {"reach": "own" if role in PLACED else _without_place(scope, action)}


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _without_place(scope: Scope, action: str) -> str:
    if scope.counts_alone and action not in LISTING:
        return "city"
    return "all" if scope.is_unbounded and action in WHOLE else "none"
