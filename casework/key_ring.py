"""The key ring of an installation: made once, and only ever the one that its database expects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Engine

from casework.adapters.persistence.schema import key_checks
from casework.adapters.persistence.schema.reencryption import EncryptedRows
from casework.adapters.vault import KeyVault
from casework.adapters.vault.ring import make_ring
from casework.settings import Settings, SettingsError
from casework.workflows.ports.vault import KeyCheck


def make(settings: Settings, engine: Engine) -> None:
    """Make a key ring, unless there is one, or the database expects another.

    Raises SettingsError.
    """
    path = settings.ring()
    if not path.exists() and (expected := key_checks.stored_checks(engine)):
        raise SettingsError(
            f"no key ring is made at {path}: the database has one, with {_named(expected)};"
            " put that ring there"
        )
    make_ring(path, settings.key("master"), datetime.now(UTC))


def unopened(vault: KeyVault, engine: Engine) -> list[KeyCheck]:
    """The keys that the database expects and that are not on the ring, or not the same."""
    return [one for one in key_checks.stored_checks(engine) if not vault.opens(one)]


def check(vault: KeyVault, engine: Engine) -> None:
    """Refuse a ring that does not open what is stored; store what this one is known by.

    Raises SettingsError, which names the ring that is expected.
    """
    expected, own = key_checks.stored_checks(engine), vault.checks()
    closed = unopened(vault, engine) if expected else _keys_of_values(vault, engine, own)
    if closed:
        raise SettingsError(
            f"the key ring {vault.path} does not open what is stored: the database expects the"
            f" ring with {_named(expected or closed)}, and this one has {_named(own)}"
        )
    known = {one.id for one in expected}
    key_checks.add_checks(engine, [one for one in own if one.id not in known])


def _keys_of_values(vault: KeyVault, engine: Engine, own: list[KeyCheck]) -> list[KeyCheck]:
    """Other keys that values are stored under, where nothing tells which ring is expected."""
    rows = EncryptedRows(engine.execution_options(vault=vault), vault)
    known = {"", *(one.id for one in own)}  # a value that is still to be encrypted has no key
    return [
        KeyCheck(id, "in use", "")
        for id in sorted(rows.values_by_key(only_readable=True))
        if id not in known
    ]


def _named(checks: Iterable[KeyCheck]) -> str:
    """Keys by id and kind, as ``keys show`` lists them."""
    return ", ".join(f"{one.id} ({one.kind})" for one in checks)
