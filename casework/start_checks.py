"""What is refused before anything is served, ticked or sent."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine
from structlog import get_logger

from casework import audit_begin, key_ring
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.scope import database_roles
from casework.adapters.vault import KeyVault
from casework.settings import Settings, SettingsError

log = get_logger("casework")
_WHY_UNPROTECTED: Final = {
    "superuser": "a superuser",
    "bypassrls": "allowed to pass by it",
    "owner": "the owner of the tables",
}


def check(settings: Settings, engine: Engine, vault: KeyVault) -> None:
    """Refuse another key ring, another audit, a role without policies, in production demo data.

    Raises SettingsError.
    """
    key_ring.check(vault, engine)
    check_role(settings, engine)
    check_not_demo(settings, engine)
    audit_begin.check(settings, engine, vault)


def check_role(settings: Settings, engine: Engine) -> None:
    """Warn of a role for which row-level security does not hold; in production, refuse it."""
    found = database_roles.connected_role(engine)
    if found.why_unprotected is None:
        return
    if settings.is_production:
        raise SettingsError(
            f"{found.role} is {_WHY_UNPROTECTED[found.why_unprotected]}, for whom"
            " row-level security does not hold:"
            f" connect as {settings.role_prefix}_app or …_scheduler"
        )
    log.warning("row-level security does not hold", role=found.role, because=found.why_unprotected)


def check_not_demo(settings: Settings, engine: Engine) -> None:
    """Refuse in production a database with the demo's accounts, whose password is printed."""
    if settings.is_production and bulk.is_demo(engine):
        raise SettingsError(
            "the database holds the demo's invented accounts, whose password anybody knows:"
            " production begins with an empty database (`createdb`, then `casework migrate`)"
        )
