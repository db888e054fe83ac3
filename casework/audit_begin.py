"""The audit of an installation is begun once: where that is known outside of its database."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Engine, func, select
from structlog import get_logger

from casework import relay_control
from casework.adapters.archives import AddressError, archives_of
from casework.adapters.outbound.exchange import Exchange
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.audit.chain_store import SqlAuditChainStore
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.audit.sealing import begin_chains
from casework.adapters.vault import KeyVault
from casework.domain.access.policy import SYSTEM
from casework.domain.audit.chain import Flaw
from casework.domain.clocks.calendar import SEOUL
from casework.domain.notices.pausing import PauseReason
from casework.settings import Settings, SettingsError
from casework.workflows.audit import exporting, sealing
from casework.workflows.audit.exporting import Exported, Exporting
from casework.workflows.ports.unit_of_work import RequestFacts

log = get_logger("casework")
# A collector takes or gives a few thousand bytes.
TAKES_S: Final = 5.0


def exporting_of(settings: Settings, engine: Engine) -> Exporting:
    """The chains of a database and the places that the settings name. Raises SettingsError."""
    try:
        archives = archives_of(
            settings.audit_heads or "",
            Exchange(private=True, total_s=TAKES_S),
            secure=settings.is_production,
        )
    except AddressError as error:
        raise SettingsError(f"CASEWORK_AUDIT_HEADS: {error}") from None
    return Exporting(
        store=SqlAuditChainStore(engine.connect),
        archives=archives,
        key=lambda: settings.key("audit"),
    )


def check(settings: Settings, engine: Engine, vault: KeyVault) -> None:
    """Refuse a log that was emptied, set back or never begun. Raises SettingsError.

    Outside production a log is begun by whoever writes to it first.
    """
    of = exporting_of(settings, engine)
    compared = exporting.compare(of)
    for address in compared.silent:
        log.warning("exported heads cannot be read", address=address)
    for flaw in compared.too_long:
        log.warning("exported heads not compared", address=flaw.what, because=flaw.why)
    _check_guards(settings, [flaw for flaw in compared.flaws if flaw.why == "guards_altered"])
    compared.flaws = [flaw for flaw in compared.flaws if flaw.why != "guards_altered"]
    if compared.flaws and compared.exported_at:
        raise SettingsError(
            f"the audit is not as it was exported on {_day(compared.exported_at)}"
            f" (chain {', '.join(flaw.chain for flaw in compared.flaws)}): it was emptied or set"
            " back; see `casework audit verify`, and `casework audit begin --because …` where"
            " a backup was put back on purpose"
        )
    if settings.is_production and not of.store.heads():
        if vault.audit_begun:
            raise SettingsError(
                f"the audit was begun on {_day(vault.audit_begun)}, as the key ring says, and"
                " this database has none: it was emptied, or it is another one"
            )
        raise SettingsError("the audit is not begun yet: run `casework audit begin`")


def _check_guards(settings: Settings, altered: list[Flaw]) -> None:
    """Production refuses what was put around the audit, which may lose entries or hide them."""
    named = ", ".join(str(flaw.what) for flaw in altered)
    if altered and settings.is_production:
        raise SettingsError(
            f"around the tables of the audit something is not as it was shipped ({named}): see"
            " `guards_altered` of `casework audit verify` in docs/operations/running.md"
        )
    if altered:
        log.warning("the audit's guards are not as shipped", names=named)


def begin(
    of: Exporting,
    engine: Engine,
    vault: KeyVault,
    earlier: list[str],
    because: str | None,
    now: datetime,
) -> Exported:
    """Begin the audit, once; or, ``because`` of something, let it go on from what is there.

    Leaves an entry, a mark on the key ring and a line at each place for heads. Raises
    SettingsError where something tells of an earlier audit and nothing was given why, or where
    the log that is there was tampered with: it stays as it is, as evidence.
    """
    if earlier and not because:
        raise SettingsError(
            f"there was an audit before: {'; '.join(earlier)}. Where a backup was put back on"
            " purpose, say so with --because"
        )
    # Where nothing was sealed for a while, entries have waited for long: no flaw of theirs.
    flaws = sealing.verify(of.store, of.key(), None).flaws + sealing.check_guards(of.store)
    if flaws:
        named = sealing.said(flaws)
        raise SettingsError(f"the log that is there was tampered with ({named}): it stays as it is")
    vault.note_audit_begun(now)  # first: a log that is begun is never unknown to the ring
    facts = RequestFacts(task="casework audit begin", asked_for=because)
    with engine.begin() as connection:
        begin_chains(connection)
        if because:  # a backup was put back: what waits in it may have been sent since
            relay_control.pause(connection, PauseReason.AUDIT_GOES_ON, now)
        write_audit(connection, SYSTEM, "audit.begin", now, facts, ())
    sealing.seal(of.store, lambda: now)
    return exporting.go_on_from_here(of, because, now)


def signs_of_an_earlier(of: Exporting, owner: Engine, vault: KeyVault) -> list[str]:
    """What tells that there was an audit: the key ring, an export, the chains, the grant log.

    The ``owner`` of the tables reads the grant log, which the sealer may not.
    """
    found = []
    if vault.audit_begun:
        found.append(f"the key ring says that it was begun on {_day(vault.audit_begun)}")
    newest = exporting.newest(of)
    if newest.last is not None:
        found.append(f"heads were exported on {_day(newest.last.exported_at)}")
    found += [f"{address} cannot be asked" for address in newest.silent]
    found += [f"{flaw.what} gives more than can be read" for flaw in newest.too_long]
    if of.store.heads():
        found.append("the database has chains")
    with owner.connect() as connection:
        if connection.scalar(select(func.count()).select_from(t.account_grant_log)):
            found.append("the log of rights has entries")
    return found


def _day(at: datetime) -> str:
    return at.astimezone(SEOUL).date().isoformat()
