"""The ceiling: the transaction that a request amounts to, sent by pgbench."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from casework.bench import throwaway
from casework.bench.processes import BenchmarkFailed
from casework.bench.written import Place, Statement

TPS: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
SENT: Final = re.compile(r"actually processed: ([0-9]+)")
FAILED: Final = re.compile(r"number of failed transactions: ([0-9]+)")
# A run has its own ids, and so has each of its clients.
RUN_BITS, CLIENT_BITS = 56, 40


def program() -> str:
    """The path of pgbench. Raises BenchmarkFailed where there is none."""
    found = throwaway.client("pgbench")
    if found is None:
        raise BenchmarkFailed("pgbench was not found: it comes with PostgreSQL")
    return found


def script(statements: Sequence[Statement], residents: int) -> str:
    """The statements as one transaction of pgbench, for any of so many lives."""
    lines = [
        "\\set n :n + 1",
        f"\\set id (:run << {RUN_BITS}) + (:client_id << {CLIENT_BITS}) + :n",
        f"\\set k random(1, {residents})",
        "BEGIN;",
    ]
    lines += [f"{one.rendered(_place)};" for one in statements]
    return "\n".join([*lines, "COMMIT;", ""])


def _place(place: Place) -> str:
    if place.is_new:
        digits = f"lpad(to_hex(CAST(:id AS int8)), 16, '0') || 'b0000000000000{place.which:02x}'"
    else:
        number = "lpad(to_hex(CAST(:k AS int8)), 8, '0')"
        digits = f"'0190' || {number} || '7000800000000000{place.which:04x}'"
    id = f"CAST({digits} AS uuid)"
    return id if place.type == "uuid" else f"CAST({id} AS {place.type})"


def allow_again(engine: Engine, tables: Sequence[str]) -> None:
    """Replace the unique indexes of these tables by plain ones: each life is written to often.

    What keys and foreign keys cost stays, and an index is maintained either way.
    """
    query = text(
        "SELECT c.relname, i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), o.conname "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
        "LEFT JOIN pg_constraint o ON o.conindid = i.indexrelid AND o.contype = 'u' "
        "WHERE i.indisunique AND NOT i.indisprimary AND c.relname = ANY(:tables)"
    )
    with engine.begin() as connection:
        for table, index, definition, constraint in connection.execute(
            query, {"tables": list(tables)}
        ).all():
            dropped = (
                f'ALTER TABLE "{table}" DROP CONSTRAINT "{constraint}"'
                if constraint
                else f"DROP INDEX {index}"
            )
            connection.exec_driver_sql(dropped)
            connection.exec_driver_sql(definition.replace("CREATE UNIQUE", "CREATE", 1))


def run(url: URL, path: Path, clients: int, seconds: float, number: int) -> dict[str, Any]:
    """One run of a script: transactions, and transactions a second."""
    address = {"host": url.query.get("host", url.host), "port": url.port, "user": url.username,
               "dbname": url.database, "password": url.password}  # fmt: skip
    given = " ".join(f"{name}='{value}'" for name, value in address.items() if value)
    ended = subprocess.run(  # noqa: S603 - a program of PostgreSQL
        [
            program(), "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=1",
            f"--time={max(1, round(seconds))}", f"--file={path}", "-D", "n=0", "-D",
            f"run={number}", given,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    speed, sent = TPS.search(ended.stdout), SENT.search(ended.stdout)
    failed = FAILED.search(ended.stdout)
    if ended.returncode or not speed or not sent or (failed and failed[1] != "0"):
        lines = ended.stderr.strip().splitlines() or ["it said nothing"]
        raise BenchmarkFailed(f"pgbench failed: {lines[0]}")
    return {"transactions": int(sent[1]), "transactions_per_second": float(speed[1])}


def version() -> str:
    """What pgbench says of itself."""
    said = subprocess.run([program(), "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    return said.stdout.strip()
