"""The command line: every command, assembled."""

from __future__ import annotations

import typer

from casework.cli import (
    account_rights,
    audit,
    backups,
    bench,
    bench_figures,
    bench_http,
    bench_size,
    clocks,
    database,
    duplicates,
    figures,
    imports,
    keys,
    policy,
    retention,
    sending,
    serving,
)

cli = typer.Typer(
    name="casework",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Integrated community care: cases, referrals and the clocks that forget nothing.",
)
for commands in (serving, database, backups, clocks, policy, imports):
    cli.add_typer(commands.app)
bench.app.command("http")(bench_http.bench_http)
bench.app.command("figures")(bench_figures.bench_figures)
bench.app.command("fill")(bench_size.bench_fill)
bench.app.command("size")(bench_size.bench_size)
for name, group in (
    ("bench", bench.app),
    ("account", account_rights.app),
    ("duplicates", duplicates.app),
    ("figures", figures.app),
    ("keys", keys.app),
    ("audit", audit.app),
    ("sending", sending.app),
    ("retention", retention.app),
):
    cli.add_typer(group, name=name)
