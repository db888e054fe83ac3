"""The commands over the audit: begin, verify, seal, export-head, prune, affected."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from casework import operations
from casework.bootstrap import Application
from casework.cli.shared import CommandError, Json, notes, opened_current, opened_ready
from casework.domain.audit.chain import ChainHead
from casework.domain.audit.exported import ExportedHeads, line_of, newest_of
from casework.domain.clocks.calendar import SEOUL
from casework.workflows.audit import exporting, sealing

app = typer.Typer(no_args_is_help=True, help="Who saw what: check it, seal it, keep it.")


@app.command("verify")
def verify(
    head: Annotated[
        Path | None, typer.Option(help="An exported head that the chains must still have.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check every chain; exit 1 and the first broken entry where something was changed.

    Compared with what was exported last, and with --head. Without either it cannot be seen whether
    the whole log was begun anew or set back: in production that is exit 3.
    """
    with opened_current() as application:
        operations.check_keys(application)
        exported = _exported(head, application.settings.key("audit")) if head else []
        found = exporting.newest(application.exporting)
        last = found.last
        verdict = _with_progress(application, [*exported, *(last.all_heads if last else ())])
        verdict.flaws += found.too_long
        verdict.flaws += sealing.check_guards(application.seals)
        verdict.flaws += sealing.check_indexes(application.seals)
        is_production = application.settings.is_production
        if is_production or application.vault.audit_begun:
            verdict.flaws += sealing.missing(application.seals)
    is_compared = bool(head or last)
    _say_verdict(verdict, last, found.silent, as_json, is_compared=is_compared)
    if verdict.flaws:
        raise typer.Exit(1)
    if is_production and not is_compared:
        raise typer.Exit(3)


@app.command("begin")
def begin(
    because: Annotated[
        str | None, typer.Option(help="Why the audit goes on from what is there now.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Begin the audit of a new installation, once; production does not start without.

    After a backup was put back, --because says so: the entry, and the places where heads are
    kept, keep the reason.
    """
    with opened_current() as application:
        done = operations.begin_audit(application, because)
    if as_json:
        typer.echo(json.dumps({"begun": True, "kept_by": done.kept_by, "silent": done.silent}))
    else:
        typer.echo("the audit is begun")
        typer.echo("".join(f"heads are kept by {one}\n" for one in done.kept_by), nl=False)
    for address in done.silent:
        notes.print(f"heads are not kept by {address}")
    if done.silent:
        raise typer.Exit(1)


@app.command("seal")
def seal(as_json: Json = False) -> None:
    """Seal the entries that wait for it; the scheduler does so every few seconds."""
    with opened_ready() as application:
        done = application.seal()
    left = [flaw.chain for flaw in done.flaws]
    if as_json:
        typer.echo(json.dumps({"sealed": done.entries, "left_alone": left}))
    else:
        typer.echo(f"sealed {done.entries}")
    if left:
        why = ", ".join(f"{flaw.what or flaw.chain} ({flaw.why})" for flaw in done.flaws)
        notes.print(f"not sealed: {why}")
        raise typer.Exit(1)


@app.command("export-head")
def export_head(as_json: Json = False) -> None:
    """Print how far each chain goes: kept elsewhere, it shows that a database went back."""
    with opened_ready() as application:
        heads = tuple(one for _, one in sorted(application.seals.heads().items()))
        exported = ExportedHeads(exported_at=application.now(), heads=heads)
        line = line_of(exported, application.settings.key("audit"))
    if as_json:
        typer.echo(line)
        return
    for one in heads:
        typer.echo(f"{one.chain}  {one.count}  {one.last_hash}  {one.mac}")


@app.command("prune")
def prune(
    before: Annotated[str, typer.Option(help="A day, YYYY-MM-DD, two years back or more.")],
    as_json: Json = False,
) -> None:
    """Delete audit entries from before a day; refused for those that must be retained by law."""
    moment = _instant(before)
    with opened_ready() as application:
        gone = operations.prune_audit(application, moment)
    typer.echo(json.dumps({"pruned": gone}) if as_json else f"pruned {gone}")


@app.command("affected")
def affected(
    account: Annotated[str, typer.Argument(help="A user name, or the id of an account.")],
    from_: Annotated[str | None, typer.Option("--from", help="A day or an instant.")] = None,
    to: Annotated[str | None, typer.Option(help="Before this day or instant.")] = None,
    as_json: Json = False,
) -> None:
    """Everybody an account saw or changed: resident, how often, first, last, by what."""
    since, until = (_instant(one) if one else None for one in (from_, to))
    with opened_ready() as application:
        rows = list(operations.affected(application, account, since, until))
    if as_json:
        typer.echo(json.dumps([_told(row) for row in rows]))
        return
    for row in rows:
        typer.echo("  ".join(str(one) for one in _told(row).values()))


def _told(row: Any) -> dict[str, Any]:
    """A row with its instants in Seoul time."""
    return {
        str(name): value.astimezone(SEOUL).isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _instant(text: str) -> datetime:
    """A day's midnight in Seoul, or an instant of RFC 3339."""
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=SEOUL)
    except (ValueError, OverflowError):
        raise CommandError(f"{text!r} is neither a day nor an instant") from None


def _exported(path: Path, key: bytes) -> tuple[ChainHead, ...]:
    """The newest heads of a file of lines. Raises CommandError where it has none of this key."""
    try:
        found = newest_of(path.read_text().splitlines(), key)
    except (OSError, UnicodeError):
        found = None
    if found is None:
        raise CommandError(f"{path} is no exported head that was signed under this audit key")
    return found.all_heads


def _with_progress(application: Application, exported: Iterable[ChainHead]) -> sealing.AuditCheck:
    columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notes, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("entries", total=sealing.size(application.seals))
        return sealing.verify(
            application.seals,
            application.settings.key("audit"),
            application.now(),
            exported=exported,
            progress=lambda n: progress.advance(task, n),
        )


def _say_verdict(
    verdict: sealing.AuditCheck,
    last: ExportedHeads | None,
    silent: list[str],
    as_json: bool,
    *,
    is_compared: bool,
) -> None:
    exported_at = last.exported_at.astimezone(SEOUL).isoformat() if last else None
    said: dict[str, Any] = {
        "ok": not verdict.flaws,
        "entries": verdict.entries,
        "chains": verdict.chains,
        "waiting": verdict.waiting,
        "first_broken": asdict(verdict.flaws[0]) if verdict.flaws else None,
        "broken": [asdict(flaw) for flaw in verdict.flaws],
        "is_compared": is_compared,
        "exported_at": exported_at,
        "silent": silent,
    }
    if as_json:
        typer.echo(json.dumps(said, default=str))
        return
    for flaw in verdict.flaws:
        place = f" at {flaw.seq}" if flaw.seq is not None else ""
        entry = f", entry {flaw.entry_id}" if flaw.entry_id else ""
        entry += f", {flaw.what}" if flaw.what else ""
        typer.echo(f"broken: chain {flaw.chain}{place}{entry}: {flaw.why}")
    if not verdict.flaws:
        typer.echo(f"{verdict.entries} entries in {verdict.chains} chains are as they were sealed")
    if verdict.waiting:
        typer.echo(f"{verdict.waiting} wait for their seal")
    for address in silent:
        typer.echo(f"{address} did not answer")
    if exported_at:
        typer.echo(f"compared with the heads that were exported at {exported_at}")
    elif not is_compared:
        typer.echo(
            "compared with no exported head: whether the whole log was begun anew or set back"
            " cannot be seen"
        )
