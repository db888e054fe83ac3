"""The composition root: the only module that imports every layer; it wires the application."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import random
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import Engine
from structlog import get_logger

from casework import audit_begin, key_ring, operations, stores, watching
from casework.adapters import reference
from casework.adapters.calendar import korean_calendar
from casework.adapters.http.rates import Rates
from casework.adapters.http.services import Services
from casework.adapters.identity import Argon2Passwords, JwtTokens
from casework.adapters.identity.links import KeyedLinks
from casework.adapters.identity.oidc import TAKES_S, OidcIssuer
from casework.adapters.logs import configure_logs
from casework.adapters.names import similarity
from casework.adapters.notifications.channels import Channels
from casework.adapters.notifications.mail import Mail
from casework.adapters.notifications.texts import added_to
from casework.adapters.notifications.webhook import Webhook, new_secret
from casework.adapters.outbound.exchange import Exchange
from casework.adapters.persistence.access.command_line_accounts import command_line_accounts
from casework.adapters.persistence.access.sign_in import sign_in_store
from casework.adapters.persistence.agencies.link_store import link_store
from casework.adapters.persistence.agencies.links import SqlLinks
from casework.adapters.persistence.audit.sealing import seal_with
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.engine.faults import fault
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.engine.timeouts import time_allowed
from casework.adapters.persistence.figures.measuring import response_rate_store
from casework.adapters.persistence.notices.notices import SqlNotices
from casework.adapters.persistence.schema.reencryption import EncryptedRows
from casework.adapters.persistence.supervision.configuration import (
    Cached,
    read_catalogue,
    read_clockwork,
)
from casework.adapters.persistence.supervision.sweeping import SqlSweepStore
from casework.adapters.sheets.digests import digest_of, keyed_digest
from casework.adapters.telemetry import traced
from casework.adapters.vault import KeyVault, RingError
from casework.adapters.vault.ring import make_ring
from casework.domain.access.policy import SYSTEM, Actor
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.clocks.late_entry import LateEntry
from casework.domain.directory.directory import Service
from casework.domain.notices.outbox import Message
from casework.settings import Settings, SettingsError
from casework.workflows.access.accounts import AccountTools, CommandLineAccounts
from casework.workflows.agencies.links import create_links, request_rosters
from casework.workflows.audit import exporting, sealing
from casework.workflows.context import Context
from casework.workflows.directory.matching import measure
from casework.workflows.directory.places import PlacesRound, update_places
from casework.workflows.duplicates.duplicates import find_all, queue_everyone, waiting
from casework.workflows.notices.relay import Relayed, apply_flood_limit, relay, send_one
from casework.workflows.ports.access import Authentication
from casework.workflows.ports.exchange import ImportTools
from casework.workflows.ports.links import Linking
from casework.workflows.ports.notices import Transport
from casework.workflows.ports.unit_of_work import RequestFacts
from casework.workflows.supervision.overdue import SweepResult, sweep_overdue

log = get_logger("casework")


def utc_now() -> datetime:
    """The current instant."""
    return datetime.now(UTC)


@dataclass
class Application:
    """The wired application over one database. ``now`` is the only clock."""

    settings: Settings
    engine: Engine
    passwords: Argon2Passwords
    tokens: JwtTokens
    vault: KeyVault
    now: Callable[[], datetime] = utc_now
    # Whether it serves the demo city, whose accounts anybody may use.
    is_demo: bool = False
    clockwork: Cached[Clockwork] = field(init=False)
    catalogue: Cached[dict[str, Service]] = field(init=False)
    built_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Cache what rarely changes for some seconds; give every connection the vault."""
        self.engine = self.engine.execution_options(vault=self.vault)
        late_entry = LateEntry(self.settings.late_entry_days, self.settings.late_entry_working_days)
        self.clockwork = Cached(lambda: read_clockwork(self.engine, korean_calendar, late_entry))
        self.catalogue = Cached(lambda: read_catalogue(self.engine))
        days = timedelta(days=self.settings.provider_access_days)
        begins = not self.settings.is_production
        seal_with(self.engine, lambda: self.settings.key("audit"), may_begin=begins)
        self.exporting = audit_begin.exporting_of(self.settings, self.engine)
        self.seals = self.exporting.store
        self.store = stores.open_store(self.settings, self.engine, self.vault)
        self.notices = SqlNotices(self.engine, SqlLinks)
        self.linking = self._linking(days)
        self.transport: Transport = Channels(
            Webhook(Exchange(private=not self.settings.is_production)),
            _mail(self.settings),
            self._added,
            None if self.settings.is_production else _say,
        )
        self.issuer = _issuer(self.settings)
        self.common = reference.common_passwords()
        self.built_at = self.now()

    def _linking(self, after_end: timedelta) -> Linking:
        """The dependencies of agencies that answer by link, without an account."""
        return Linking(
            keys=KeyedLinks(self.settings.key("token")),
            store=lambda facts: link_store(self.engine, facts),
            address=self.settings.address(),
            lasts=timedelta(days=self.settings.link_days),
            after_end=after_end,
            send=self._send_one,
        )

    def _send_one(self, message_id: UUID) -> None:
        send_one(self.notices, self.transport, message_id, clock=self.now, jitter=_jitter)

    def _added(self, message: Message) -> str:
        """What is added to a message as it is sent, and not stored: a link's address, a code."""
        link, code = message.payload.get("link_id"), message.payload.get("code_id")
        url = self.linking.url_of(UUID(link)) if link else None
        if url and (of := message.payload.get("month")):
            url = f"{url}/months/{of}"
        digits = self.linking.keys.code_of(UUID(code)) if code else None
        return added_to(message, self.settings.language, url, digits)

    def authentication(self, facts: RequestFacts) -> Authentication:
        """The dependencies of signing in."""
        return Authentication(
            passwords=self.passwords,
            tokens=self.tokens,
            new_id=new_id,
            store=lambda: sign_in_store(self.engine, facts),
            vault=self.vault,
            common=self.common,
            issuer=self.issuer,
            totp_is_required=self.settings.totp_is_required,
            is_local=self.settings.local_sign_in == "on",
        )

    def register(
        self, task: str, username: str | None = None, *, as_owner: bool = False
    ) -> AccountTools:
        """The dependencies of account administration; the audit names command and account."""
        facts = RequestFacts(task=task, asked_for=username)

        @contextmanager
        def owned() -> Iterator[CommandLineAccounts]:
            with operations.as_owner(self) as engine, command_line_accounts(engine, facts) as store:
                yield store

        return AccountTools(
            passwords=self.passwords,
            new_id=new_id,
            now=self.now,
            store=owned if as_owner else lambda: command_line_accounts(self.engine, facts),
            common=self.common,
        )

    def context(self, actor: Actor = SYSTEM, facts: RequestFacts | None = None) -> Context:
        """The session context of an actor, now; ``facts`` are what the audit says of the task."""
        return Context(
            actor=actor,
            now=self.now(),
            new_id=new_id,
            clockwork=self.clockwork(),
            catalogue=self.catalogue(),
            store=self.store.for_request(facts) if facts else self.store,
            similarity=similarity,
        )

    @traced("sweep", "found", "changed", "failed")
    def sweep(
        self,
        ctx: Context,
        as_of: datetime | None = None,
        dry_run: bool = False,
        slot: datetime | None = None,
    ) -> SweepResult | None:
        """Run the overdue sweep. In production it cannot be run as of a future instant."""
        if self.settings.is_production and as_of is not None and as_of > self.now():
            raise SettingsError("production is not swept as of the future")
        return sweep_overdue(
            ctx,
            SqlSweepStore(self.engine),
            as_of=as_of,
            dry_run=dry_run,
            slot=slot,
            limit_flood=lambda run_id: apply_flood_limit(ctx, self.notices, run_id),
            note_failure=_note_failure,
            clock=self.now,
        )

    def update_places(self, ctx: Context) -> PlacesRound:
        """Offer freed places to those who wait longest, and request updates of stale figures."""
        return update_places(ctx, _note_failure)

    @traced("relay", "addressed", "digests", "sent", "failed", "dead")
    def relay(self, ctx: Context) -> Relayed:
        """Send the notices that are due."""
        request_rosters(ctx, self.linking, self.notices)
        give = partial(create_links, ctx, self.linking)
        return relay(
            ctx, self.notices, self.transport, clock=self.now, jitter=_jitter, create_links=give
        )

    def queue_duplicate_checks(self, everyone: bool) -> int:
        """Returns how many residents are queued for the duplicate check; may queue everyone."""
        if everyone:
            for _ in queue_everyone(self.context()):
                pass
        return waiting(self.context())

    def find_duplicates(self) -> Iterator[tuple[int, int]]:
        """Run the queued duplicate checks, batch by batch."""
        yield from find_all(self.context())

    def measure_answers(self) -> int:
        """Recalculate every agency's recent response rates."""
        return measure(self.context(), response_rate_store(self.engine))

    def seal(self) -> sealing.AuditCheck:
        """Add the pending audit entries to the hash chain, unless it differs from its export."""
        return exporting.seal(self.exporting, self.now)

    def services(self) -> Services:
        """The dependencies of the HTTP adapters."""
        return Services(
            store=self.store,
            clockwork=self.clockwork,
            catalogue=self.catalogue,
            authentication=self.authentication,
            now=self.now,
            new_id=new_id,
            cursor_key=self.settings.key("cursor"),
            fault=fault,
            forget=self._forget,
            sweep=self.sweep,
            new_secret=new_secret,
            is_production=self.settings.is_production,
            demo_password=self._demo_password(),
            stores_rrn=self.settings.rrn,
            sweep_minutes=self.settings.sweep_minutes,
            seat_names_years=self.settings.seat_names_years,
            linking=self.linking,
            similarity=similarity,
            import_tools=self.import_tools(),
            rates=Rates(self.settings.requests_per_second),
            time_allowed=time_allowed,
        )

    def _demo_password(self) -> str | None:
        """The password that the front page shows; always None in production."""
        shows = self.is_demo and not self.settings.is_production
        return self.settings.demo_password if shows else None

    def import_tools(self) -> ImportTools:
        """The dependencies of file imports."""
        # Imported here, as the application is: most commands import no file.
        from casework.adapters.api.exchange.import_bodies import RowForms
        from casework.adapters.sheets.apart import SheetsApart

        return ImportTools(
            forms=RowForms(),
            sheets=SheetsApart(),
            is_transient=lambda error: fault(error) is not None,
            keyed=keyed_digest,
            digest=digest_of,
            new_salt=new_secret,
            note_failure=_note_failed_row,
        )

    def _forget(self) -> None:
        """Clear the caches of standards, calendars and catalogue after a change."""
        self.clockwork.forget()
        self.catalogue.forget()

    def app(self) -> FastAPI:
        """The HTTP application."""
        # Imported here: the routes take a third of the start-up of a command that serves nothing.
        from casework.adapters.api.app import create_app
        from casework.adapters.web import router as pages

        return create_app(
            self.services(),
            watching.probe(self),
            pages,
            threads=self.settings.threads,
            log_requests=self.settings.log_requests,
        )

    def encrypted_rows(self) -> EncryptedRows:
        """The rows with fields that are encrypted at rest."""
        return EncryptedRows(self.engine, self.vault)


def _note_failed_row(line: int, error: Exception) -> None:
    log.error("a row failed", line=line, error=type(error).__name__)


def build(
    settings: Settings, *, now: Callable[[], datetime] = utc_now, cheap_passwords: bool = False
) -> Application:
    """Wire the application. Raises SettingsError where a setting that the mode needs is missing."""
    settings.check()
    configure_logs(settings.request_log)
    engine = open_engine(settings.url(), **settings.engine_options())
    return Application(
        settings=settings,
        engine=engine,
        vault=open_vault(settings, engine),
        now=now,
        passwords=Argon2Passwords(cheap=cheap_passwords),
        tokens=JwtTokens(settings.key("token")),
    )


def open_vault(settings: Settings, engine: Engine | None = None) -> KeyVault:
    """The vault that encrypts fields.

    Outside production a missing key ring is created, unless the database has one.
    """
    path, master = settings.ring(), settings.key("master")
    try:
        if not settings.is_production and not path.exists():
            _make_ring(settings, engine)
        return KeyVault(path, master)
    except RingError as error:
        raise SettingsError(f"{error}: see CASEWORK_KEY_RING and CASEWORK_MASTER_KEY") from None


def _make_ring(settings: Settings, engine: Engine | None) -> None:
    """Create a ring: beside a database only where that has none."""
    if engine is None:
        make_ring(settings.ring(), settings.key("master"), utc_now())
    else:
        key_ring.make(settings, engine)


def _issuer(settings: Settings) -> OidcIssuer | None:
    if settings.oidc_issuer is None or settings.oidc_audience is None:
        return None
    return OidcIssuer(
        settings.oidc_issuer,
        settings.oidc_audience,
        settings.oidc_algorithm_names,
        settings.oidc_jwks_url,
        exchange=Exchange(private=True, total_s=TAKES_S),
    )


def _mail(settings: Settings) -> Mail | None:
    if settings.smtp_host is None:
        return None
    password = settings.smtp_password
    return Mail(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_sender,
        user=settings.smtp_user,
        password=password.get_secret_value() if password else None,
        starttls=settings.smtp_starttls,
        language=settings.language,
    )


def _say(text: str) -> None:
    """Print what would have been mailed; never in production."""
    sys.stderr.write(f"── {text}")
    sys.stderr.flush()


def _jitter() -> float:
    return random()  # noqa: S311 - it only spreads retries


def _note_failure(referral_id: UUID, error: Exception) -> None:
    log.error(
        "a referral could not be moved", referral_id=str(referral_id), error=type(error).__name__
    )
