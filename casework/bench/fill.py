"""Filling a database that stays with an invented city of any size."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Engine, text

from casework.adapters.persistence.schema import migrations
from casework.adapters.persistence.scope import session_context
from casework.bench.city import Amounts, City, fill_large_city
from casework.bench.database import opened
from casework.bench.http_report import conditions
from casework.bench.indexes import without_indexes
from casework.bench.lives import Product
from casework.bench.sides import Progress
from casework.bench.standing import Filled, Open, Standing
from casework.settings import make_own_folder

COUNTED: Final = (
    "resident", "care_case", "planned_service", "referral", "deadline", "escalation", "event",
    "notice", "note", "audit_entry", "duplicate_suspicion", "account", "provider",
)  # fmt: skip
# As many as run or wait of what is offered, which the product counts as they come and go.
PLACES: Final = """
UPDATE offering SET held = found.held, available = capacity - found.held
FROM (SELECT offering_id, count(*) AS held FROM referral
      WHERE status IN ('accepted', 'in_progress', 'on_hold') GROUP BY offering_id) AS found
WHERE offering.id = found.offering_id
"""
Result = dict[str, Any]


def bench_fill(
    of: Amounts, at: Standing, open_product: Open, progress: Progress, *, again: bool = False
) -> Result:
    """Fill it; what was begun is dropped where it does not come to its end."""
    began, now = time.monotonic(), datetime.now(UTC)
    version, _ = at.databases.server()
    at.begin(again=again)
    make_own_folder(at.folder)
    try:
        progress.total(of.residents)
        city, rows, size = _filled(of, at, open_product, progress, now)
        filled = Filled(city, rows["referral"], rows["event"], now)
        at.note(filled.said())
    except BaseException:
        at.drop()
        raise
    return {
        "benchmark": "fill",
        **conditions(version),
        "database": at.name,
        "asked": asdict(of),
        "seconds": round(time.monotonic() - began, 1),
        "rows": rows,
        "bytes": size,
    }


def _filled(
    of: Amounts, at: Standing, open_product: Open, progress: Progress, now: datetime
) -> tuple[City, dict[str, int], int]:
    progress.doing("migrating")
    migrations.upgrade(at.databases.as_role("owner"), prefix=at.name)
    with _products(at, open_product) as open_at:
        product = open_at(now)
        owner = opened(at.databases.as_role("owner")).execution_options(vault=product.vault)
        try:
            # Nobody signs in with it: who measures gives the accounts another.
            digest = product.passwords.digest(secrets.token_hex(16))
            with without_indexes(owner, progress.doing):
                city = fill_large_city(owner, open_at, of, digest, now, _telling(of, progress))
                progress.doing("counting places")
                with owner.begin() as connection:
                    session_context.set_system_context(connection)
                    connection.execute(text(PLACES))
            return city, *_counted(owner)
        finally:
            owner.dispose()


def _telling(of: Amounts, progress: Progress) -> Any:
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        progress.doing(f"{done:,} of {of.residents:,} residents")
        for _ in range(done - told):
            progress.step()
        told = done

    return tell


@contextmanager
def _products(at: Standing, open_product: Open) -> Iterator[Any]:
    """Opens the product as of an instant; one for each instant, all closed at the end."""
    known: dict[datetime, Product] = {}

    def open_at(moment: datetime) -> Product:
        if moment not in known:
            known[moment] = open_product(at.settings(), lambda: moment)
        return known[moment]

    try:
        yield open_at
    finally:
        for one in known.values():
            one.engine.dispose()


def _counted(owner: Engine) -> tuple[dict[str, int], int]:
    """How many rows there are, and the bytes of the database."""
    with owner.connect() as connection:
        session_context.set_system_context(connection)
        rows = {
            name: int(connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0)
            for name in COUNTED
        }
        size = connection.scalar(text("SELECT pg_database_size(current_database())"))
    return rows, int(size or 0)


def lines_of(result: Result) -> Iterator[str]:
    """What was filled, as lines of text."""
    yield f"{result['database']}: filled in {result['seconds']:,} s, {result['bytes']:,} bytes"
    for name, number in result["rows"].items():
        yield f"{name} {number:,}"
