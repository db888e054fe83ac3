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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from casework.adapters.persistence.schema import migrations
from casework.bench import prototype, raw
from casework.bench.asking import Clients
from casework.bench.city import City, fill_city
from casework.bench.database import Databases, databases, opened
from casework.bench.filling import WORKER, numbered_id
from casework.bench.http_report import conditions, speed_table
from casework.bench.lives import Product
from casework.bench.processes import BenchmarkFailed, Served, cpu_of, generated, serving
from casework.bench.recording import Recorded, record
from casework.bench.signing_in import Tokens
from casework.settings import Settings

PASSWORD: Final = "bench-care-at-home-2026"  # noqa: S105 - of invented people, for minutes
PROTOTYPED: Final = ("create", "read", "worklist")
WARM_S: Final = 1.0
SERVE: Final = (sys.executable, "-m", "casework", "serve", "--port", "0")
Open = Callable[[Settings, Any], Product]
Result = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What is measured, how long and of what size; ``database`` is an administrator's address."""

    modes: Sequence[str]
    clients: int = 16
    seconds: float = 4.0
    rounds: int = 3
    residents: int = 1000
    database: str | None = None
    serve: Sequence[str] = SERVE


@dataclass(slots=True)
class Progress:
    """Who is told how far it is; nobody, unless said otherwise."""

    doing: Callable[[str], None] = lambda _what: None
    total: Callable[[int], None] = lambda _steps: None
    step: Callable[[], None] = lambda: None


@dataclass(slots=True, kw_only=True)
class _Bench:
    """What stands ready to be measured."""

    of: Measurement
    city: City
    clients: Clients
    tokens: Tokens
    product: Served
    bare: Served
    bare_key: str
    script: Path
    made: Databases
    postmaster: int | None
    progress: Progress
    runs: int = field(default=0)


def bench_http(of: Measurement, open_product: Open, progress: Progress) -> Result:
    """The figures of each mode. Raises BenchmarkFailed where an answer was bad."""
    raw.program()
    with ExitStack() as stack:
        made = stack.enter_context(databases(of.database))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = _settings(made, folder)
        version, postmaster = made.server()
        found = conditions(version)
        progress.total(sum(2 + of.rounds * len(_sides(mode)) for mode in of.modes))
        progress.doing(f"filling {of.residents:,} residents")
        city = _fill(of, made, settings, open_product, progress)
        clients = Clients(city, of.clients)
        progress.doing("recording what a request sends")
        recorded = record(made, open_product(settings, None), clients, PASSWORD)
        bench = _Bench(
            of=of, city=city, clients=clients, made=made, postmaster=postmaster, progress=progress,
            product=stack.enter_context(_served(of, settings, folder)),
            bare_key=(key := secrets.token_hex(32)),
            bare=stack.enter_context(_bare(made, recorded, key, folder)),
            script=_script(recorded, city, folder), tokens=Tokens(PASSWORD),
        )  # fmt: skip
        figures = [_mode(bench, mode, recorded) for mode in of.modes]
    return {
        "benchmark": "http",
        **found,
        "residents": of.residents,
        "clients": of.clients,
        "seconds": of.seconds,
        "rounds": of.rounds,
        "raw_transaction_by": raw.version(),
        "figures": figures,
        "speed": speed_table(figures),
    }


def _settings(made: Databases, folder: Path) -> Settings:
    """Settings of this installation alone, whatever the environment says."""
    return Settings(
        mode="development",
        database_url=made.as_role("app"),
        migration_url=made.as_role("owner"),
        role_prefix=made.name,
        CASEWORK_SCHEMA=None,
        data_dir=folder / "data",
        key_ring=folder / "keyring.json",
        token_key=None,
        cursor_key=None,
        master_key=None,
        audit_key=None,
        audit_heads=None,
        require_totp="none",
        rate_limit=0,
        request_log=folder / "requests.log",
    )


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

    digest = open_product(settings, None)
    products.append(digest)
    owner = opened(made.as_role("owner")).execution_options(vault=digest.vault)
    try:
        return fill_city(
            owner, open_at, of.residents, digest.passwords.digest(PASSWORD),
            lambda done: progress.doing(f"filling {done:,} of {of.residents:,} residents"),
        )  # fmt: skip
    finally:
        for engine in (owner, *(one.engine for one in products)):
            engine.dispose()
        made.make_copy()


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


def _script(recorded: Recorded, city: City, folder: Path) -> Path:
    path = folder / "create.sql"
    path.write_text(raw.script(recorded.writes["create"], city.residents), "utf-8")
    return path


# Measuring


def _sides(mode: str) -> tuple[str, ...]:
    """What a mode is measured on."""
    sides = ("product", "prototype") if mode in PROTOTYPED else ("product",)
    return (*sides, "raw") if mode == "create" else sides


def _mode(bench: _Bench, mode: str, recorded: Recorded) -> Result:
    """The figures of one mode: a warm-up, then rounds in which the sides take turns."""
    of, rounds = bench.of, bench.of.rounds
    measure = {"product": _product, "prototype": _prototype}
    for side in ("product", "prototype"):
        bench.progress.doing(f"{mode}: warm-up")
        if side in _sides(mode):
            measure[side](bench, mode, min(WARM_S, of.seconds))
        bench.progress.step()
    taken: dict[str, list[Result]] = {side: [] for side in _sides(mode)}
    for number in range(rounds):
        for side in taken:
            bench.progress.doing(f"{mode}: round {number + 1} of {rounds}, {side}")
            if side == "raw":
                taken[side].append(_raw(bench))
            else:
                taken[side].append(measure[side](bench, mode, of.seconds))
            bench.progress.step()
    figure = {"mode": mode, **_median(taken.pop("product"))}
    if mode in recorded.statements:
        figure["statements"] = recorded.statements[mode]
    for side, all in taken.items():
        figure[side] = _median(all)
    return figure | _ratios(figure)


def _ratios(figure: Mapping[str, Any]) -> Result:
    """A mode beside its ceiling and its prototype, by rate and by processor time."""
    found: Result = {}
    if figure["app_cpu_ms"] is not None and figure["db_cpu_ms"] is not None:
        both = figure["app_cpu_ms"] + figure["db_cpu_ms"]
        found["requests_per_second_and_core"] = round(1000 / both, 1) if both else None
    if bare := figure.get("prototype"):
        for cpu in ("app_cpu_ms", "db_cpu_ms"):
            if figure[cpu] is not None and bare[cpu]:
                found[f"{cpu.removesuffix('_ms')}_to_prototype"] = round(figure[cpu] / bare[cpu], 2)
    if ceiling := figure.get("raw"):
        rate = ceiling["requests_per_second"]
        found["rate_to_raw"] = round(figure["requests_per_second"] / rate, 3)
    return found


def _median(rounds: Sequence[Result]) -> Result:
    """The median of each figure."""
    return {
        name: None
        if any(one[name] is None for one in rounds)
        else round(median(one[name] for one in rounds), 3)
        for name in rounds[0]
    }


def _product(bench: _Bench, mode: str, seconds: float) -> Result:
    clients = bench.clients
    if mode in ("create", "mixed") and not clients.left():
        raise BenchmarkFailed("nothing is left to be asked for: take more --residents")
    requests = [
        clients.requests(mode, one, bench.tokens.of(bench.product, clients.username(one, mode)))
        for one in range(clients.number)
    ]
    again = mode not in ("create", "mixed")
    result = _load(bench, bench.product, f"{mode} of the product", requests, seconds, again)
    clients.note_sent(mode, result.pop("sent"))
    return result


def _prototype(bench: _Bench, mode: str, seconds: float) -> Result:
    clients = bench.clients
    tokens = [
        prototype.token_of(numbered_id(WORKER, clients.worker(one)), bench.bare_key)
        for one in range(clients.number)
    ]
    requests = [clients.requests(mode, one, token) for one, token in enumerate(tokens)]
    result = _load(bench, bench.bare, f"{mode} of the prototype", requests, seconds, again=True)
    del result["sent"]
    return result


def _raw(bench: _Bench) -> Result:
    bench.runs += 1
    url, before = bench.made.as_admin(bench.made.copy), _cpu(bench.postmaster)
    result = raw.run(url, bench.script, bench.of.clients, bench.of.seconds, bench.runs)
    spent = _spent(before, _cpu(bench.postmaster), result["transactions"])
    return {"requests_per_second": result["transactions_per_second"], "db_cpu_ms": spent}


def _load(
    bench: _Bench, server: Served, what: str, requests: list[Any], seconds: float, again: bool
) -> Result:
    """What the generator measured, with processor time a request. Every answer must be a 2xx."""
    plan = {"host": server.host, "port": server.port, "seconds": seconds, "again": again,
            "clients": requests}  # fmt: skip
    before = _cpu(server.pid), _cpu(bench.postmaster)
    result = generated(plan)
    after = _cpu(server.pid), _cpu(bench.postmaster)
    bad = sum(count for status, count in result["statuses"].items() if not "200" <= status < "300")
    if bad or not result["requests"]:
        raise BenchmarkFailed(
            f"{what}: {bad} bad answers of {result['requests']}, first {result['first_bad']}"
        )
    app, database = (
        _spent(one, other, result["requests"]) for one, other in zip(before, after, strict=True)
    )
    names = ("requests", "requests_per_second", "p50_ms", "p95_ms", "p99_ms", "sent")
    kept = {name: result[name] for name in names}
    return kept | {"bad": bad, "app_cpu_ms": app, "db_cpu_ms": database}


def _cpu(pid: int | None) -> float | None:
    return None if pid is None else cpu_of(pid)


def _spent(before: float | None, after: float | None, requests: int) -> float | None:
    """Milliseconds a request; None where they cannot be read."""
    if before is None or after is None or not requests:
        return None
    return (after - before) / requests
