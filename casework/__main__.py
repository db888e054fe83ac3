"""The command line: demo, serve, scheduler, migrate, roles, seed, sweep, account, audit, keys,
duplicates, due, import, policy, bench.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
import uvicorn
from apscheduler.schedulers.base import BaseScheduler
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from casework import bench as benchmarks
from casework import bootstrap
from casework.adapters.calendar import korean_calendar
from casework.adapters.cli.accounts import add_account_commands
from casework.adapters.cli.imports import add_import_command
from casework.adapters.persistence.supervision import configuration
from casework.adapters.scheduler import (
    add_importer,
    add_measuring,
    add_relay,
    add_sealer,
    make_relay,
    make_scheduler,
)
from casework.audit_commands import audit_commands
from casework.domain.access.accounts import NewAccount
from casework.domain.access.policy import POLICY, Role
from casework.domain.clocks.calendar import KNOWN_YEARS, midnight
from casework.domain.clocks.standards import ClockKind, ClockSubject, Priority
from casework.domain.errors import Refusal
from casework.domain.privacy import masks
from casework.settings import Settings, SettingsError
from casework.workflows.access import accounts
from casework.workflows.audit import encryption_keys as keeping

cli = typer.Typer(
    name="casework",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Integrated community care: cases, referrals and the clocks that forget nothing.",
)
bench = typer.Typer(no_args_is_help=True, help="Measure it, on a database of its own.")
cli.add_typer(bench, name="bench")
account = typer.Typer(no_args_is_help=True, help="Who may sign in.")
cli.add_typer(account, name="account")
duplicates = typer.Typer(no_args_is_help=True, help="Who may be one person.")
cli.add_typer(duplicates, name="duplicates")
# A round of the scheduler looks at so many hundred residents; who is left waits for the next.
DUPLICATE_BATCHES = 10
keys = typer.Typer(no_args_is_help=True, help="The keys that seal fields, and their ring.")
cli.add_typer(keys, name="keys")
notes = Console(stderr=True)
_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")]
Username = Annotated[str, typer.Argument(help="What one signs in with.")]
Residents = Annotated[int, typer.Option(min=0, max=1_000_000, help="Invented residents.")]
Seed = Annotated[int, typer.Option(help="The same seed on the same day, the same world.")]


class CommandError(Exception):
    """What was asked cannot be done; the message is the one line that is printed."""


@contextmanager
def _application(settings: Settings | None = None) -> Iterator[bootstrap.Application]:
    """The wired application for one command."""
    application = bootstrap.build(settings or Settings())
    try:
        yield application
    finally:
        application.engine.dispose()


@contextmanager
def _ready_application() -> Iterator[bootstrap.Application]:
    with _application() as application:
        if not application.is_current():
            raise CommandError("the schema is not current: run `casework migrate`")
        application.check_row_level_security()
        yield application


@cli.command()
def demo(
    port: Port = 8000,
    data_dir: Annotated[Path | None, typer.Option(help="Where the data is kept.")] = None,
    residents: Residents = 2000,
    seed: Seed = 1,
) -> None:
    """Seed an invented city on SQLite, serve it, and tick the scheduler in the same process.

    A second start keeps the data. Ctrl-C ends it.
    """
    settings = Settings()
    if settings.is_production:
        raise CommandError("demo is not for production")
    with _bind("127.0.0.1", port) as listener:
        own = {
            "database_url": None,
            "data_dir": data_dir or settings.data_dir / "demo",
            "public_url": settings.public_url or f"http://127.0.0.1:{listener.getsockname()[1]}",
        }
        _run_demo(settings.model_copy(update=own), listener, residents, seed)


def _run_demo(settings: Settings, listener: socket.socket, residents: int, seed: int) -> None:
    with _application(settings) as application:
        notes.print("migrating …")
        application.migrate()
        if application.is_empty():
            _seed(application, residents, seed)
        _announce(application)
        _serve(application, listener, tick=True)


def _seed(application: bootstrap.Application, residents: int, seed: int) -> None:
    application.check_seedable()
    with Progress(*_COLUMNS, console=notes) as progress:
        task = progress.add_task("residents", total=residents)
        for done in application.seed(residents, seed):
            progress.update(task, completed=done)


def _announce(application: bootstrap.Application) -> None:
    """The accounts of the demo, and their one password."""
    typer.echo("accounts: worker.<centre code>, worker2.<centre code>, supervisor.<district code>,")
    typer.echo("          assessor.<district code>, provider.<slug>, city, auditor, admin")
    typer.echo("          for example worker.2635051000, supervisor.26350")
    typer.echo(f"password: {application.settings.demo_password}")


class _Server(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, sockets: Any = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets=sockets)
        if self.servers:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            typer.echo(f"address: http://{host}:{port}/api/v1")
            typer.echo(f"ready http://{host}:{port}")
            sys.stdout.flush()


def _bind(host: str, port: int) -> socket.socket:
    """A place to listen at, taken before anything that takes long; it refuses callers so far."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(f"cannot listen on {host} port {port}: {error.strerror}") from None
    return listener


def _end(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM, once what had begun is done."""
    sys.exit(0)


def _serve(application: bootstrap.Application, listener: socket.socket, *, tick: bool) -> None:
    signal.signal(signal.SIGTERM, _end)
    scheduler = (
        make_scheduler(
            lambda slot: _tick(application, slot),
            application.settings.sweep_minutes,
            background=True,
            now=application.now,
        )
        if tick
        else None
    )
    config = uvicorn.Config(
        application.app(),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=20,
        server_header=False,
    )
    server = _Server(config)
    if scheduler is not None:
        add_relay(scheduler, lambda: _relay(application))
        add_sealer(scheduler, lambda: _seal(application))
        add_importer(scheduler, lambda: _import(application))
        add_measuring(scheduler, lambda: _measure(application), application.now)
        scheduler.start()
    try:
        server.run(sockets=[listener])
    finally:
        if scheduler is not None:
            scheduler.shutdown()


def _tick(application: bootstrap.Application, slot: datetime) -> None:
    """One tick of the scheduler; a failure is said and the next tick comes all the same."""
    try:
        application.sweep(application.context(), slot=slot)
    except Exception as error:  # the next tick finds what this one left
        bootstrap.log.error("tick failed", error=type(error).__name__)


def _relay(application: bootstrap.Application) -> None:
    """One round of the relay; a failure is said and the next round comes all the same."""
    try:
        application.update_places(application.context())
    except Exception as error:  # whoever was not offered a place still waits for it
        bootstrap.log.error("places not tended", error=type(error).__name__)
    try:
        application.relay(application.context())
    except Exception as error:  # the next round finds what this one left
        bootstrap.log.error("relay failed", error=type(error).__name__)
    try:
        for _ in islice(application.find_duplicates(), DUPLICATE_BATCHES):
            pass
    except Exception as error:  # who was not looked at still waits
        bootstrap.log.error("duplicates not found", error=type(error).__name__)


def _seal(application: bootstrap.Application) -> None:
    """One round of the sealer; what is wrong is said and the next round comes all the same."""
    try:
        for flaw in application.seal().flaws:
            bootstrap.log.error("audit head altered", chain=flaw.chain)
    except Exception as error:  # the next round finds what this one left
        bootstrap.log.error("sealing failed", error=type(error).__name__)


def _import(application: bootstrap.Application) -> None:
    """One round over the files that were sent in; a failure is said and the next comes anyway."""
    try:
        application.work_imports()
    except Exception as error:  # the next round goes on behind the last batch
        bootstrap.log.error("importing failed", error=type(error).__name__)


def _measure(application: bootstrap.Application) -> None:
    """Measure the agencies' answers; a failure is said, and the figures stay as they were."""
    try:
        application.measure_answers()
    except Exception as error:  # the next round counts everything anew
        bootstrap.log.error("answers not measured", error=type(error).__name__)


@cli.command()
def serve(
    port: Port = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the API on the configured database; the scheduler is a process of its own."""
    with _ready_application() as application, _bind(host, port) as listener:
        _serve(application, listener, tick=False)


@cli.command()
def scheduler() -> None:
    """Tick: wake the overdue sweep every few minutes, until stopped."""
    with _ready_application() as application:
        ticker = make_scheduler(
            lambda slot: _tick(application, slot),
            application.settings.sweep_minutes,
            background=False,
            now=application.now,
        )

        add_relay(ticker, lambda: _relay(application))
        add_sealer(ticker, lambda: _seal(application))
        add_importer(ticker, lambda: _import(application))
        add_measuring(ticker, lambda: _measure(application), application.now)
        _run_until_stopped(ticker, "ticking")


def _run_until_stopped(ticker: BaseScheduler, doing: str) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        ticker.shutdown(wait=False)

    signal.signal(signal.SIGTERM, stop)
    notes.print(doing)
    try:
        ticker.start()
    except KeyboardInterrupt:
        notes.print("stopped")


@cli.command()
def migrate() -> None:
    """Bring the database to the present schema and load the shipped facts."""
    with _application() as application:
        application.migrate()
    typer.echo("the schema is current")


@cli.command()
def roles(
    prefix: Annotated[str | None, typer.Option(help="What their names begin with.")] = None,
    passwords_from_env: Annotated[
        bool, typer.Option("--passwords-from-env", help="CASEWORK_ROLE_PASSWORD_APP and so on.")
    ] = False,
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="Say what would be done; do nothing.")
    ] = False,
    grant: Annotated[
        bool, typer.Option("--grant", help="Only give rights and put up policies anew.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the roles of PostgreSQL: owner, app, scheduler, figures; as often as one likes.

    Run it as one who may make roles, before or after the first migration.
    """
    settings = Settings()
    if prefix is not None:
        settings = Settings.model_validate(settings.model_dump() | {"role_prefix": prefix})
    if grant:
        done = bootstrap.grant_roles(settings)
        typer.echo(json.dumps(done) if as_json else f"walled {len(done['walled'])} tables")
        return
    passwords = _role_passwords() if passwords_from_env else {}
    done = bootstrap.make_roles(settings, passwords, dry_run=print_sql)
    if as_json:
        typer.echo(json.dumps(done))
    elif print_sql:
        typer.echo("".join(f"{statement};\n" for statement in done["statements"]), nl=False)
    else:
        for name in done["roles"].values():
            typer.echo(f"{'made' if name in done['made'] else 'there'}  {name}")


def _role_passwords() -> dict[str, str]:
    """The passwords that the environment gives; a role without one keeps what it has."""
    variables = {part: f"CASEWORK_ROLE_PASSWORD_{part.upper()}" for part in bootstrap.ROLE_PARTS}
    return {part: os.environ[name] for part, name in variables.items() if os.environ.get(name)}


@cli.command()
def seed(residents: Residents = 2000, seed: Seed = 1) -> None:
    """Fill an empty, migrated database with an invented city; never in production."""
    with _application() as application:
        _seed(application, residents, seed)
        _announce(application)


@cli.command()
def sweep(
    job: Annotated[str, typer.Argument(help="The only one: overdue.")] = "overdue",
    as_of: Annotated[
        str | None, typer.Option(help="RFC 3339 with offset; now if left out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Raise every step that is due and not yet raised, lapse and resume referrals."""
    if job != "overdue":
        raise CommandError(f"there is no sweep {job!r}; the only one is overdue")
    moment = _instant(as_of)
    with _application() as application:
        application.check_row_level_security()
        result = application.sweep(application.context(), moment, dry_run)
    if result is None:
        raise CommandError("another sweep took this slot")
    shown = {
        "run_id": result.run_id,
        "as_of": result.as_of.isoformat(),
        "dry_run": result.dry_run,
        "found": result.found,
        "changed": result.changed,
        "failed": result.failed,
        "held": result.held,
    }
    if as_json:
        typer.echo(json.dumps(shown, default=str))
    else:
        typer.echo(f"found {result.found}, changed {result.changed}, failed {result.failed}")


@cli.command()
def relay(
    once: Annotated[bool, typer.Option("--once", help="One round, then end.")] = False,
    as_json: Json = False,
) -> None:
    """Tell people: gather digests, send mails and webhooks, try again what failed."""
    with _ready_application() as application:
        if not once:
            ticker = make_relay(lambda: _relay(application))
            _run_until_stopped(ticker, "relaying")
            return
        done = asdict(application.relay(application.context()))
    if as_json:
        typer.echo(json.dumps(done))
    else:
        typer.echo(", ".join(f"{name} {count}" for name, count in done.items() if name != "errors"))


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None and found.astimezone(UTC):
            return found
    except (ValueError, OverflowError):
        pass
    raise CommandError(f"{text!r} is no instant of RFC 3339 with its offset")


@cli.command()
def due(
    kind: Annotated[str, typer.Argument(help="survey, response, first_check, …")],
    from_: Annotated[str, typer.Option("--from", help="The day it starts, YYYY-MM-DD.")],
    to: Annotated[str | None, typer.Option(help="Up to this day, inclusive.")] = None,
    priority: Annotated[str, typer.Option(help="routine, urgent or emergency.")] = "routine",
    district: Annotated[str | None, typer.Option(help="A district's own standards.")] = None,
    as_json: Json = False,
) -> None:
    """When a clock is due that starts on a day, for one day or each day of a range."""
    known = [one.value for one in ClockKind]
    if kind not in known:
        raise CommandError(f"no kind {kind!r}; one of {', '.join(known)}")
    if priority not in [one.value for one in Priority]:
        raise CommandError(f"no priority {priority!r}; one of routine, urgent, emergency")
    first = _day(from_)
    last = _day(to) if to else first
    if last < first:
        raise CommandError("--to lies before --from")
    if first.year < KNOWN_YEARS[0] or last.year >= KNOWN_YEARS[-1]:
        raise CommandError(
            f"the holidays are known from {KNOWN_YEARS[0]} to {KNOWN_YEARS[-1]} only"
        )
    rows = _due_rows(ClockKind(kind), first, last, priority, district)
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        for row in rows:
            typer.echo(f"{row['from']}  {row['due_on']}")


def _due_rows(
    kind: ClockKind, first: date, last: date, priority: str, district: str | None
) -> list[dict[str, str]]:
    settings = Settings()
    clockwork = bootstrap.shipped_clockwork()
    if settings.database_url:
        with _application(settings) as application:
            clockwork = configuration.read_clockwork(application.engine, korean_calendar)
    about = ClockSubject.for_counting(district_code=district or "", priority=Priority(priority))
    rows = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        due_at = clockwork.due_of(kind, about, midnight(day))
        if due_at is None:
            raise CommandError(f"no standard switches {kind.value} on")
        rows.append(
            {
                "from": day.isoformat(),
                "due_on": due_at.date().isoformat(),
                "due_at": due_at.isoformat(),
            }
        )
    return rows


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no date (YYYY-MM-DD)") from None


@cli.command()
def policy(
    as_json: Json = False,
    fields: Annotated[bool, typer.Option("--fields", help="Only which fields, and when.")] = False,
) -> None:
    """Print who may do what, when, and which fields they get: what the application goes by."""
    if fields:
        _policy_of_fields(as_json)
        return
    if as_json:
        typer.echo(json.dumps(POLICY))
        return
    typer.echo("| action | " + " | ".join(Role) + " |")
    typer.echo("|---" * (len(Role) + 1) + "|")
    for action, row in POLICY.items():
        cells = (row[role].value if role in row else "–" for role in Role)
        typer.echo(f"| {action} | " + " | ".join(cells) + " |")
    typer.echo("")
    _policy_of_fields(as_json)


def _policy_of_fields(as_json: bool) -> None:
    """Windows and masks; whoever is not named gets everything of what they reach."""
    names = ("who", "of", "state", "gets")
    if as_json:
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in masks.table()]))
        return
    for row in (names, ("---",) * len(names), *masks.table()):
        typer.echo(f"| {' | '.join(row)} |")


@keys.command("make")
def keys_make() -> None:
    """Make the key ring where CASEWORK_KEY_RING says, wrapped by CASEWORK_MASTER_KEY."""
    settings = Settings()
    if settings.ring().exists():
        raise CommandError("there is a key ring already")
    bootstrap.make_key_ring(settings)
    typer.echo("made: keep a copy apart from the database and from the master key")


@keys.command("show")
def keys_show(as_json: Json = False) -> None:
    """List the keys, and how many values stand under each."""
    with _ready_application() as application:
        _print_keys(
            keeping.key_usage(application.vault, application.encrypted_rows(), application.now()),
            as_json,
        )


@keys.command("rotate")
def keys_rotate(
    index: Annotated[bool, typer.Option("--index", help="The key of the blind indexes.")] = False,
    as_json: Json = False,
) -> None:
    """Make a new key and seal everything anew while others work; killed, it goes on next time."""
    with _ready_application() as application:
        changed = left = 0
        rows = application.encrypted_rows()
        kind = "index" if index else "data"
        with Progress(*_COLUMNS, console=notes) as bar:
            task = bar.add_task("rows", total=rows.total())
            for step in keeping.rotate(application.vault, rows, kind, application.now()):
                changed += step.changed
                bar.update(task, advance=step.seen)
        left = sum(one.values for one in _superseded(application))
        key = application.vault.current(kind)
    if as_json:
        typer.echo(json.dumps({"key": key, "changed": changed, "left": left}))
    else:
        typer.echo(f"key {key}: {changed} rows sealed anew, {left} values left under others")
    if left:
        raise typer.Exit(1)


def _superseded(application: bootstrap.Application) -> list[keeping.KeyUsage]:
    found = keeping.key_usage(application.vault, application.encrypted_rows(), application.now())
    return [one for one in found if one.key.superseded_at is not None]


@keys.command("retire")
def keys_retire(as_json: Json = False) -> None:
    """Take the keys off the ring that nothing stands under, an hour after they were superseded."""
    with _ready_application() as application:
        _print_keys(
            keeping.retire(application.vault, application.encrypted_rows(), application.now()),
            as_json,
        )


def _print_keys(found: list[keeping.KeyUsage], as_json: bool) -> None:
    shown = [
        {
            "id": one.key.id,
            "kind": one.key.kind,
            "made_at": one.key.made_at.isoformat(),
            "values": one.values,
            "state": one.stays or "unused",
        }
        for one in found
    ]
    if as_json:
        typer.echo(json.dumps(shown))
    else:
        for row in shown:
            typer.echo("  ".join(str(value) for value in row.values()))


def _register(
    application: bootstrap.Application, what: str, username: str | None = None
) -> accounts.AccountTools:
    return application.register(
        f"casework account {what}", username, as_owner=what == "prune-history"
    )


def _password() -> str:
    """The first line of what is piped in, or what is typed twice; never an argument."""
    try:
        if sys.stdin.isatty():
            found: str = typer.prompt(
                "Password", hide_input=True, confirmation_prompt="Once more", err=True
            )
        else:
            found = sys.stdin.readline().rstrip("\r\n")
        found.encode()
    except UnicodeError:
        raise CommandError("the password is not text in UTF-8") from None
    if not found:
        raise CommandError("no password was given: pipe it in, or type it at the prompt")
    return found


@account.command("add")
def account_add(
    username: Username,
    role: Annotated[str, typer.Option(help=", ".join(Role))],
    name: Annotated[str, typer.Option(help="The person, or the system.")],
    centre: Annotated[str | None, typer.Option(help="Of a worker or a system: its code.")] = None,
    district: Annotated[
        str | None, typer.Option(help="Of a supervisor, an assessor or a system.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Of a provider: the agency's slug.")] = None,
    head: Annotated[
        bool, typer.Option("--head", help="Heads the district, or leads the agency.")
    ] = False,
    email: Annotated[str | None, typer.Option(help="Where notices go by mail.")] = None,
) -> None:
    """Add an account. Its first password is read from a pipe, or typed twice."""
    asked = NewAccount(
        username=username, role=role, name=name, centre=centre, district=district,
        provider=provider, is_head=head, email=email,
    )  # fmt: skip
    asked.check()
    with _ready_application() as application:
        accounts.add_account(_register(application, "add", username), asked, _password())
    typer.echo(f"added {username}")


@account.command("list")
def account_list(as_json: Json = False) -> None:
    """List the accounts, those that are disabled too."""
    with _ready_application() as application:
        rows = accounts.list_accounts(_register(application, "list"))
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for row in rows:
        belongs = row["centre"] or row["district"] or row["provider"] or ""
        marks = ["head"] * row["head"] + ["disabled"] * (not row["active"])
        typer.echo("  ".join([row["username"], row["role"], belongs, row["name"], *marks]))


@account.command("disable")
def account_disable(username: Username) -> None:
    """Let an account in no longer, from its next request on. What it did stays its own."""
    with _ready_application() as application:
        cases = accounts.let_in(_register(application, "disable", username), username, active=False)
    typer.echo(f"disabled {username}")
    if cases:
        notes.print(f"{username} still carries {cases} open cases: hand them over")


@account.command("enable")
def account_enable(username: Username) -> None:
    """Let a disabled account in again, with the password it had."""
    with _ready_application() as application:
        accounts.let_in(_register(application, "enable", username), username, active=True)
    typer.echo(f"enabled {username}")


@account.command("email")
def account_email(
    username: Username,
    address: Annotated[str | None, typer.Argument(help="None is kept if left out.")] = None,
) -> None:
    """Say where the notices of an account go by mail."""
    with _ready_application() as application:
        accounts.set_email(_register(application, "email", username), username, address)
    typer.echo(f"notices of {username} go to {address or 'no address'}")


@account.command("password")
def account_password(username: Username) -> None:
    """Set a new password, read from a pipe or typed twice; ends what is signed in, and a lock."""
    with _ready_application() as application:
        accounts.set_password(_register(application, "password", username), username, _password())
    typer.echo(f"set the password of {username}")


@duplicates.command("find")
def duplicates_find(
    everyone: Annotated[
        bool, typer.Option("--all", help="Everybody, and not only who is new or changed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fill the supervisors' queue with the pairs that may be one person.

    Broken off, it goes on where it was when it is started again without --all.
    """
    with _ready_application() as application:
        looked, found = _find_duplicates(application, everyone)
    told = {"looked_at": looked, "found": found}
    typer.echo(json.dumps(told) if as_json else f"looked at {looked}, new pairs: {found}")


def _find_duplicates(application: bootstrap.Application, everyone: bool) -> tuple[int, int]:
    looked = found = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=notes) as progress:
        task = progress.add_task("residents", total=application.queue_duplicate_checks(everyone))
        for done, pairs in application.find_duplicates():
            looked, found = looked + done, found + pairs
            progress.update(task, completed=looked)
    return looked, found


@contextmanager
def _keeping(what: str, username: str | None) -> Iterator[accounts.AccountTools]:
    """The register of one account command."""
    with _ready_application() as application:
        yield _register(application, what, username)


add_account_commands(account, _keeping, _instant)


@bench.command("sweep")
def bench_sweep(
    sizes: Annotated[str, typer.Option(help="Open referrals, comma-separated.")] = "20000,200000",
    due: Annotated[int, typer.Option(min=1, help="Newly due in each run.")] = 1000,
    rounds: Annotated[int, typer.Option(min=3, help="Runs at each size.")] = 5,
    as_json: Json = False,
) -> None:
    """Time the sweep at several sizes with the same newly due, beside one plain statement."""
    _bench(benchmarks.bench_sweep, sizes, due, rounds, as_json)


@bench.command("worklist")
def bench_worklist(
    sizes: Annotated[str, typer.Option(help="Open referrals, comma-separated.")] = "20000,200000",
    due: Annotated[int, typer.Option(min=1, help="Newly due at each size.")] = 1000,
    rounds: Annotated[int, typer.Option(min=3, help="Pages at each size.")] = 50,
    as_json: Json = False,
) -> None:
    """Time a worklist page at several sizes."""
    _bench(benchmarks.bench_worklist, sizes, due, rounds, as_json)


def _bench(measure: Any, sizes: str, due: int, rounds: int, as_json: bool) -> None:
    try:
        counted = [int(size) for size in sizes.split(",")]
    except ValueError:
        raise CommandError(f"{sizes!r} is no list of numbers") from None
    settings = Settings()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=notes
    ) as progress:
        task = progress.add_task("preparing", total=None)
        result = measure(
            settings.database_url and settings.url(),
            counted,
            due,
            rounds,
            lambda what: progress.update(task, description=what),
        )
    if as_json:
        typer.echo(json.dumps(result))
    else:
        for line in benchmarks.lines_of(result):
            typer.echo(line)


add_import_command(cli, _ready_application, CommandError)
cli.add_typer(audit_commands(_ready_application, CommandError), name="audit")


def main() -> NoReturn:
    """Run the command line. What is wrong is said in one line, with exit code 2."""
    try:
        code = cli(standalone_mode=False)
    except (CommandError, SettingsError, Refusal) as error:
        _fail(str(error))
    except ValidationError as error:
        _fail(
            f"CASEWORK_{str(error.errors()[0]['loc'][0]).upper()} cannot be right: "
            f"{error.errors()[0]['msg']}"
        )
    except SQLAlchemyError as error:
        # The first line alone: what follows may quote the row.
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        _fail(f"the database cannot be used: {reason}")
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        if not hasattr(error, "format_message"):
            # Its message may quote a row: the log has its type and the places it came through.
            bootstrap.log.error("command failed", error=type(error).__name__, exc_info=error)
            _fail(f"failed: {type(error).__name__}; the log says where")
        _fail(error.format_message() or "name a command")
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> NoReturn:
    typer.echo(f"casework: {message}".replace("\n", " "), err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
