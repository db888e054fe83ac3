"""What an operator does to an installation: migrate, roles, seed, keys, pruning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from random import Random
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine
from structlog import get_logger

from casework import audit_begin, key_ring, start_checks
from casework.adapters import reference
from casework.adapters.identity import Argon2Passwords
from casework.adapters.persistence.audit.entry import write_audit
from casework.adapters.persistence.audit.sealing import seal_with
from casework.adapters.persistence.casefile.case_numbers import give_numbers
from casework.adapters.persistence.directory import places
from casework.adapters.persistence.engine.engine import open_engine
from casework.adapters.persistence.exchange.imports import actor_named, unfinished_imports
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.schema import migrations
from casework.adapters.persistence.schema.reencryption import EncryptedRows
from casework.adapters.persistence.scope import database_roles, row_level_security, session_context
from casework.adapters.persistence.unit_of_work.store import SqlStore
from casework.adapters.vault import KeyVault
from casework.demo.accounts import demo_accounts
from casework.demo.directory import agencies, designations
from casework.demo.ids import SeededIds
from casework.demo.programme import programme
from casework.demo.world import build_world
from casework.domain.access.accounts import Account
from casework.domain.access.grant_log import GrantAct, GrantEntry, entry_of
from casework.domain.access.policy import EVERYTHING, SYSTEM, Actor
from casework.domain.act import Act
from casework.domain.casefile.case import Case
from casework.domain.clocks.calendar import day_in_seoul, midnight
from casework.domain.clocks.deadlines import Clockwork
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.exchange.importing import FileKind
from casework.settings import Settings, SettingsError
from casework.workflows.audit import exporting
from casework.workflows.audit.exporting import Exported
from casework.workflows.context import Context
from casework.workflows.exchange import importing
from casework.workflows.ports.exchange import ImportTools
from casework.workflows.ports.paging import Paging, Row
from casework.workflows.ports.unit_of_work import RequestFacts

log = get_logger("casework")
ROLE_PARTS: Final = database_roles.ALL_PARTS
SEED_BATCH: Final = 100
PAGE: Final = 1000


class Installation(Protocol):
    """The part of the wired application that operator commands use."""

    @property
    def settings(self) -> Settings:
        """Its settings."""
        ...

    @property
    def engine(self) -> Engine:
        """Its database engine."""
        ...

    @property
    def vault(self) -> KeyVault:
        """The vault with its keys."""
        ...

    @property
    def passwords(self) -> Argon2Passwords:
        """How passwords are digested."""
        ...

    @property
    def store(self) -> SqlStore:
        """Its transactions."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """The only clock."""
        ...

    @property
    def built_at(self) -> datetime:
        """When it was wired."""
        ...

    @property
    def clockwork(self) -> Callable[[], Clockwork]:
        """Its standards and calendars."""
        ...

    def context(self, actor: Actor = SYSTEM) -> Context:
        """The session context of an actor, now."""
        ...

    def import_tools(self) -> ImportTools:
        """The dependencies of file imports."""
        ...


@contextmanager
def opened_as_owner(settings: Settings) -> Iterator[Engine]:
    """The database as the owner of its schema."""
    engine = open_engine(settings.owner_url(), schema=settings.db_schema)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def as_owner(of: Installation) -> Iterator[Engine]:
    """The database as the role that may delete old records; no role that serves requests may."""
    if not of.settings.migration_url:
        yield of.engine
        return
    with opened_as_owner(of.settings) as engine:
        owner = engine.execution_options(vault=of.vault)
        begins = not of.settings.is_production
        seal_with(owner, lambda: of.settings.key("audit"), may_begin=begins)
        yield owner


# Schema and roles


def migrate(of: Installation) -> None:
    """Bring the schema to the newest revision, load the shipped facts, and encrypt every field.

    Runs as the owner of the tables. Raises UnknownRevision where the schema is a newer one.
    """
    settings = of.settings
    url, schema = settings.owner_url(), settings.db_schema
    migrations.upgrade(url, schema=schema, prefix=settings.role_prefix)
    with opened_as_owner(settings) as owner:
        key_ring.check(of.vault, owner)
        bulk.load_facts(
            owner, reference.districts(), reference.centres(), reference.services(), SHIPPED
        )
        if not migrations.is_current(owner):
            EncryptedRows(owner, of.vault).encrypt_plaintext()


def is_current(of: Installation) -> bool:
    """Whether the schema is at its newest revision; raises UnknownRevision where it is newer."""
    migrations.check_known(of.engine)
    return migrations.is_current(of.engine)


def make_roles(
    settings: Settings, passwords: Mapping[str, str], *, dry_run: bool
) -> dict[str, Any]:
    """Make the roles of PostgreSQL and grant them their rights; what was made, and the statements.

    With ``dry_run`` nothing is done: the statements are for an operator to read, or to run.
    """
    with opened_as_owner(settings) as engine:
        found = database_roles.make(engine, settings.role_prefix, passwords, dry_run=dry_run)
    return {"roles": dict(found.names), "made": found.made, "statements": found.statements}


def grant_roles(settings: Settings) -> dict[str, Any]:
    """Grant the existing roles their rights again, and install the policies that are missing."""
    with opened_as_owner(settings) as engine:
        return {"walled": row_level_security.install_policies(engine, settings.role_prefix)}


# Keys


def make_key_ring(settings: Settings) -> None:
    """Make a key ring, unless there is one. Raises SettingsError where another is expected."""
    with opened_as_owner(settings) as engine:
        key_ring.make(settings, engine)


def check_keys(of: Installation) -> None:
    """Refuse a key ring that does not open what is stored. Raises SettingsError."""
    key_ring.check(of.vault, of.engine)


def check_start(of: Installation) -> None:
    """Refuse to work on what is not this installation's, or not production's.

    Raises SettingsError.
    """
    start_checks.check(of.settings, of.engine, of.vault)


# Audit


def begin_audit(of: Installation, because: str | None) -> Exported:
    """Begin the audit, once, or let it go on ``because`` of something. Raises SettingsError."""
    start_checks.check_role(of.settings, of.engine)
    exporting = audit_begin.exporting_of(of.settings, of.engine)
    with as_owner(of) as owner:
        earlier = audit_begin.signs_of_an_earlier(exporting, owner, of.vault)
    return audit_begin.begin(exporting, of.engine, of.vault, earlier, because, of.now())


def prune_audit(of: Installation, before: datetime) -> int:
    """Delete access records from before an instant, and record it in each chain; how many.

    Raises Conflict where the log is not as it was sealed and exported.
    """
    now, years = of.now(), of.settings.audit_years

    def note(connection: Connection, chain: str, seq: int) -> None:
        facts = RequestFacts(task="casework audit prune", asked_for=f"{chain} up to {seq}")
        write_audit(connection, SYSTEM, "audit.prune", now, facts, ())

    with as_owner(of) as owner:
        chains = audit_begin.exporting_of(of.settings, owner)
        return exporting.prune(chains, before, now, years, note)


def prunable_audit(of: Installation, before: datetime) -> int:
    """How many access records ``prune_audit`` would delete. Raises Conflict as it does."""
    with as_owner(of) as owner:
        chains = audit_begin.exporting_of(of.settings, owner)
        return exporting.prunable(chains, before, of.now(), of.settings.audit_years)


def affected(
    of: Installation, account: str, since: datetime | None, until: datetime | None
) -> Iterator[Row]:
    """Every resident that an account's audit entries of a period are about; itself recorded."""
    facts = RequestFacts(task="casework audit affected", asked_for=account)
    now, paging = of.now(), Paging(limit=PAGE)
    with of.store.for_request(facts).reading(EVERYTHING, "audit.read", now) as reading:
        while True:
            page = reading.audit.affected(account, since, until or now, paging)
            yield from page.rows
            if page.last_key is None:
                break
            paging = Paging(limit=PAGE, after=page.last_key)


# Files


def uploader(of: Installation, username: str | None) -> Actor:
    """The account that imports a file at the command line, or the system. Raises SettingsError."""
    if username is None:
        return SYSTEM
    actor = actor_named(of.engine, username)
    if actor is None:
        raise SettingsError(f"there is no active account {username!r}")
    return actor


def process_imports(of: Installation, seconds: float = 20.0) -> int:
    """Continue the unfinished imports, each as the account that sent it; how many there were.

    An import whose account may no longer do what its file says is stopped.
    """
    left = unfinished_imports(of.engine)
    for import_id, kind, actor in left:
        try:
            _process_import(of, import_id, kind, actor, seconds)
        except Exception as error:  # one failure does not stop the others
            log.error("import postponed", error=type(error).__name__)
    return len(left)


def _process_import(
    of: Installation, import_id: UUID, kind: FileKind, actor: Actor | None, seconds: float
) -> None:
    ctx = of.context(actor or SYSTEM)
    if actor is None or not importing.may_go_on(ctx, kind):
        importing.stop(of.context(), import_id)
        return
    for _ in importing.process_import(ctx, of.import_tools(), import_id, seconds=seconds):
        pass


# The demo city


def is_empty(of: Installation) -> bool:
    """Whether there is no account yet."""
    return bulk.is_empty(of.engine)


def check_seedable(of: Installation) -> None:
    """Refuse to seed production, or a database that holds something. Raises SettingsError."""
    if of.settings.is_production:
        raise SettingsError("production is not seeded with invented people")
    if not is_empty(of):
        raise SettingsError("the database is not empty")


def seed(of: Installation, residents: int, seed: int) -> Iterator[int]:
    """Fill an empty database with the demo city; yields the residents done so far.

    One transaction: the next start could not tell a partial city from a complete one.
    """
    check_seedable(of)
    now = of.now()
    rng = Random(seed)  # noqa: S311 - demo data, reproducible from the seed
    today = midnight(day_in_seoul(now))
    ids = SeededIds(rng, today)
    districts, centres = reference.districts(), reference.centres()
    providers, offerings = agencies(centres, reference.services(), districts, ids, today, rng)
    digest = of.passwords.digest(of.settings.demo_password)
    accounts = demo_accounts(districts, centres, providers, digest, ids, today)
    lives = build_world(
        seed=seed,
        now=now,
        residents=residents,
        centres=centres,
        services=reference.services(),
        offerings=offerings,
        accounts=accounts,
        clockwork=of.clockwork(),
    )
    with of.engine.begin() as connection:
        session_context.set_system_context(connection)
        bulk.insert_all(connection, [*providers, *offerings, *accounts])
        bulk.insert_all(connection, designations(providers, ids, today))
        bulk.insert_all(connection, [_first_entry(one, ids()) for one in accounts])
        bulk.insert_all(connection, programme(districts, accounts, _entering(of, seed, today)))
        done = 0
        for batch in bulk.batches(lives, SEED_BATCH):
            things = [thing for life in batch for thing in life]
            give_numbers(connection, (thing for thing in things if isinstance(thing, Case)))
            bulk.insert_all(connection, things)
            done += len(batch)
            yield done
        places.recount(connection)


def _entering(of: Installation, seed: int, at: datetime) -> Act:
    """The act of entering the bodies, whose ids leave those of all else as they are."""
    rng = Random(f"programme/{seed}")  # noqa: S311 - demo data, reproducible from the seed
    return Act(by=SYSTEM, at=at, new_id=SeededIds(rng, at), clockwork=of.clockwork())


def _first_entry(account: Account, id: UUID) -> GrantEntry:
    """The first entry of a demo account's grant log."""
    return entry_of(account, GrantAct.CREATED, SYSTEM, account.created_at, id)
