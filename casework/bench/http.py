"""The product over HTTP, beside the raw transaction and a bare prototype of the same endpoint.

The product is served by one process on PostgreSQL, as a role for which row-level security holds,
to users who signed in; the load comes from a third process. What is compared takes turns within a
mode, and a figure is the median of its rounds.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from casework.adapters.persistence.schema import migrations
from casework.bench import raw
from casework.bench.asking import USING_UP, Clients
from casework.bench.city import City, fill_city
from casework.bench.database import Databases, databases, opened
from casework.bench.http_report import conditions, speed_table
from casework.bench.lives import Product
from casework.bench.processes import Served, serving
from casework.bench.raw import Ceiling
from casework.bench.recording import Recorded, record
from casework.bench.sides import (
    WARM_UPS,
    Bench,
    Measurement,
    Progress,
    measured,
    sides_of,
)
from casework.bench.signing_in import Tokens
from casework.bench.standing import Open, settings_of
from casework.settings import Settings

PASSWORD: Final = "bench-care-at-home-2026"  # noqa: S105 - of invented people, for minutes
PROTOTYPED: Final = ("create", "read", "worklist")
SERVE: Final = (sys.executable, "-m", "casework", "serve", "--port", "0")
Result = dict[str, Any]


def bench_http(of: Measurement, open_product: Open, progress: Progress) -> Result:
    """The figures of each mode. Raises BenchmarkFailed where an answer was bad."""
    with ExitStack() as stack:
        made = stack.enter_context(databases(of.database))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = settings_of(made, folder)
        version, postmaster = made.server()
        found = conditions(version)
        progress.total(sum(2 + of.rounds * len(sides_of(mode)) for mode in of.modes))
        progress.doing(f"filling {of.residents:,} residents")
        city = _fill(of, made, settings, open_product, progress)
        using_up = [mode for mode in of.modes if mode in USING_UP]
        clients = Clients(city, of.clients, turns=len(using_up) * (WARM_UPS + of.rounds))
        progress.doing("recording what a request sends")
        recorded = record(made, open_product(settings, None), clients, PASSWORD)
        bench = Bench(
            of=of, clients=clients, postmaster=postmaster, progress=progress,
            statements=recorded.statements,
            product=stack.enter_context(_served(of, settings, folder)),
            bare_key=(key := secrets.token_hex(32)),
            bare=stack.enter_context(_bare(made, recorded, key, folder)),
            ceiling=_ceiling(of, made, recorded, folder), tokens=Tokens(PASSWORD),
        )  # fmt: skip
        figures = [measured(bench, mode) for mode in of.modes]
    return {
        "benchmark": "http",
        **found,
        "residents": of.residents,
        "clients": of.clients,
        "seconds": of.seconds,
        "rounds": of.rounds,
        "raw_transaction_by": bench.ceiling.name,
        "figures": figures,
        "speed": speed_table(figures),
    }


def _environment(settings: Settings) -> dict[str, str]:
    """The same settings for another process."""
    names = ("database_url", "migration_url", "role_prefix", "data_dir", "key_ring", "rate_limit",
             "require_totp", "request_log")  # fmt: skip
    return {f"CASEWORK_{name.upper()}": str(getattr(settings, name)) for name in names}


def _fill(
    of: Measurement, made: Databases, settings: Settings, open_product: Open, progress: Progress
) -> City:
    """Fill the product's database, and copy it."""
    migrations.upgrade(made.as_role("owner"), prefix=made.name)
    products: list[Product] = []

    def open_at(at: Any) -> Product:
        products.append(open_product(settings, lambda: at))
        return products[-1]

    product = open_at(datetime.now(UTC))
    owner = opened(made.as_role("owner")).execution_options(vault=product.vault)
    try:
        city = fill_city(
            owner, open_at, of.residents, product.passwords.digest(PASSWORD),
            lambda done: progress.doing(f"filling {done:,} of {of.residents:,} residents"),
        )  # fmt: skip
    finally:
        for engine in (owner, *(one.engine for one in products)):
            engine.dispose()
    made.make_copy()
    return city


@contextmanager
def _served(of: Measurement, settings: Settings, folder: Path) -> Iterator[Served]:
    with serving(of.serve, _environment(settings), folder / "product.log") as found:
        yield found


@contextmanager
def _bare(made: Databases, recorded: Recorded, key: str, folder: Path) -> Iterator[Served]:
    """The prototype, on the copy."""
    engine = made.engine(made.copy)
    raw.allow_again(engine, sorted(recorded.tables))
    engine.dispose()
    plan = folder / "prototype.json"
    url = made.as_admin(made.copy).render_as_string(hide_password=False)
    plan.write_text(json.dumps({"url": url, "key": key, **recorded.for_prototype()}))
    command = (sys.executable, "-m", "casework.bench.prototype", str(plan))
    with serving(command, {}, folder / "prototype.log") as found:
        yield found


def _ceiling(of: Measurement, made: Databases, recorded: Recorded, folder: Path) -> Ceiling:
    """What sends the transaction that a referral made amounts to, on the copy."""
    writes = recorded.writes["create"]
    return raw.ceiling(made.as_admin(made.copy), writes, of.residents, of.clients, folder)
