"""Database engines and the settings of every connection."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

from casework.adapters.persistence.engine.timeouts import watch
from casework.adapters.persistence.engine.types import to_json

POOL_SIZE = 8
POOL_WAIT_S = 1
LOCK_TIMEOUT_MS = 2_000
STATEMENT_TIMEOUT_MS = 4_000
IDLE_TIMEOUT_MS = 10_000
# SQLite has one writer at a time: the wait for it is limited like a statement.
WRITER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS


def open_engine(
    url: str,
    *,
    schema: str | None = None,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
    pool_size: int = POOL_SIZE,
) -> Engine:
    """An engine for a SQLite file or a PostgreSQL database; timeouts in milliseconds."""
    if make_url(url).get_backend_name() == "sqlite":
        engine = _sqlite(url)
    else:
        engine = _postgres(url, schema, statement_timeout_ms, pool_size)
    watch(engine, statement_timeout_ms / 1000)
    return engine


def _postgres(url: str, schema: str | None, statement_timeout_ms: int, pool_size: int) -> Engine:
    options = {
        "lock_timeout": LOCK_TIMEOUT_MS,
        "statement_timeout": statement_timeout_ms,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_MS,
    }
    settings = " ".join(f"-c {name}={value}" for name, value in options.items())
    if schema:
        settings += f" -c search_path={schema}"
    return create_engine(
        url,
        connect_args={"options": settings, "prepare_threshold": None},
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=False,
        hide_parameters=True,
        json_serializer=to_json,
        isolation_level="READ COMMITTED",
    )


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": WRITER_TIMEOUT_MS / 1000, "check_same_thread": False},
        hide_parameters=True,
        json_serializer=to_json,
        pool_timeout=POOL_WAIT_S,
    )

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
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine
