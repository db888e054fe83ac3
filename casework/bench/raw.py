"""The ceiling: the transaction that a request amounts to, sent by pgbench or as it does."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from random import Random
from typing import Any, Final

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from casework.bench import throwaway
from casework.bench.processes import BenchmarkFailed
from casework.bench.written import Place, Statement, for_driver, parameters

TPS: Final = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
SENT: Final = re.compile(r"actually processed: ([0-9]+)")
FAILED: Final = re.compile(r"number of failed transactions: ([0-9]+)")
# A run has its own ids, and so has each of its clients.
RUN_BITS, CLIENT_BITS = 56, 40


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What sends the raw transaction: its name, and a run of so many seconds, by its number."""

    name: str
    run: Callable[[float, int], dict[str, Any]]


def ceiling(
    url: URL, statements: Sequence[Statement], residents: int, clients: int, folder: Path
) -> Ceiling:
    """Pgbench where it is installed, else threads of this process."""
    program = throwaway.client("pgbench")
    if program is None:
        writes = for_driver(statements)
        name = f"threads of psycopg {metadata.version('psycopg')}, as there is no pgbench"
        return Ceiling(name, lambda seconds, _: _threads(url, writes, residents, clients, seconds))
    path = folder / "raw.sql"
    path.write_text(script(statements, residents), encoding="utf-8")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    command = [
        program, "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=1",
        f"--file={path}", "--define=n=0",
    ]  # fmt: skip
    return Ceiling(said.stdout.strip(), lambda seconds, run: _pgbench(url, command, seconds, run))


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


def _pgbench(url: URL, command: list[str], seconds: float, number: int) -> dict[str, Any]:
    own = [f"--time={max(1, round(seconds))}", f"--define=run={number}", conninfo(url)]
    ended = subprocess.run([*command, *own], capture_output=True, text=True, check=False)  # noqa: S603
    speed, sent = TPS.search(ended.stdout), SENT.search(ended.stdout)
    failed = FAILED.search(ended.stdout)
    if ended.returncode or not speed or not sent or (failed and failed[1] != "0"):
        lines = ended.stderr.strip().splitlines() or ["it said nothing"]
        raise BenchmarkFailed(f"pgbench failed: {lines[0]}")
    return {"transactions": int(sent[1]), "transactions_per_second": float(speed[1])}


def _threads(
    url: URL, writes: dict[str, Any], residents: int, clients: int, seconds: float
) -> dict[str, Any]:
    """The same by prepared statements of psycopg, a thread and a connection for each client."""
    ends_at = time.perf_counter() + seconds

    def send(client: int) -> int:
        rng, sent = Random(client), 0  # noqa: S311 - which life, no secret
        with psycopg.connect(conninfo(url)) as connection:
            while time.perf_counter() < ends_at:
                of = parameters(writes, rng.randint(1, residents))
                for statement in writes["statements"]:
                    connection.execute(statement, of, prepare=True)
                connection.commit()
                sent += 1
        return sent

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        sent = sum(pool.map(send, range(clients)))
    return {
        "transactions": sent,
        "transactions_per_second": sent / (time.perf_counter() - began),
    }


def conninfo(url: URL) -> str:
    """The address of a database for PostgreSQL's own library."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
