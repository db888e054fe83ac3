"""Database engines and the settings of every connection."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from casework.adapters.persistence.engine.prepared import keep_prepared
from casework.adapters.persistence.engine.reaching import (
    CONNECT_TIMEOUT_S,
    guard_file,
    limit_postgres,
)
from casework.adapters.persistence.engine.timeouts import time_left, watch
from casework.adapters.persistence.engine.types import to_json

POOL_SIZE = 8
POOL_WAIT_S = 1
LOCK_TIMEOUT_MS = 2_000
STATEMENT_TIMEOUT_MS = 4_000
IDLE_TIMEOUT_MS = 10_000
# SQLite has one writer at a time, and waits for it in many short sleeps, which a busy machine
# stretches: so less than a statement may take.
WRITER_TIMEOUT_MS = 3_500


def open_engine(
    url: str,
    *,
    schema: str | None = None,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
    pool_size: int = POOL_SIZE,
    prepares: bool = False,
) -> Engine:
    """An engine for a SQLite file or a PostgreSQL database; timeouts in milliseconds.

    One that ``prepares`` statements alters no table.
    """
    if make_url(url).get_backend_name() == "sqlite":
        engine = _sqlite(url)
    else:
        engine = _postgres(url, schema, statement_timeout_ms, pool_size, prepares=prepares)
    watch(engine, statement_timeout_ms / 1000)
    return engine


def _postgres(
    url: str, schema: str | None, statement_timeout_ms: int, pool_size: int, *, prepares: bool
) -> Engine:
    options = {
        "lock_timeout": LOCK_TIMEOUT_MS,
        "statement_timeout": statement_timeout_ms,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_MS,
        # So that instants come as they are kept here, whatever is set for the server or a role.
        "TimeZone": "UTC",
    }
    settings = " ".join(f"-c {name}={value}" for name, value in options.items())
    # Said in any case: by itself a schema of the role's own name, and temporary tables, come first.
    settings += f" -c search_path={schema or 'public'},pg_temp"
    engine = create_engine(
        url,
        connect_args=_limited(url, {"options": settings, "prepare_threshold": None}),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=False,
        hide_parameters=True,
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        isolation_level="READ COMMITTED",
    )
    limit_postgres(engine, statement_timeout_ms / 1000, partial(_set_up, prepares=prepares))
    return engine


def _set_up(connection: psycopg.Connection[Any], *, prepares: bool) -> None:
    if connection.info.parameter_status("TimeZone") != "UTC":  # PGTZ outweighs the options
        connection.execute("SET TimeZone = 'UTC'")
        connection.commit()
    if prepares:
        keep_prepared(connection)


def _limited(url: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """With a limit for connecting, where the URL sets none."""
    if "connect_timeout" in make_url(url).query:
        return arguments
    return arguments | {"connect_timeout": CONNECT_TIMEOUT_S}


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": WRITER_TIMEOUT_MS / 1000, "check_same_thread": False},
        hide_parameters=True,
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        pool_timeout=POOL_WAIT_S,
    )

    guard_file(engine)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "foreign_keys=ON",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"busy_timeout={WRITER_TIMEOUT_MS}",
            "cache_size=-65536",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # Take the write lock at once: a transaction that reads first and then finds it held
        # could only fail. A transaction declared read-only need not wait for it.
        only_reads = connection.get_execution_options().get("only_reads", False)
        _limit_wait(connection)
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine


def _limit_wait(connection: Connection) -> None:
    """Wait for the writer only as long as the request has left."""
    left = time_left()
    usual = left is None or left * 1000 >= WRITER_TIMEOUT_MS
    if usual and not connection.info.get("is_lowered"):
        return
    wait = WRITER_TIMEOUT_MS if left is None or usual else max(1, int(left * 1000))
    connection.exec_driver_sql(f"PRAGMA busy_timeout={wait}")
    connection.info["is_lowered"] = not usual
