"""Measuring the sides of a benchmark: the product, the prototype, and the raw transaction."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from casework.bench import prototype
from casework.bench.asking import USING_UP, Clients
from casework.bench.filling import WORKER, numbered_id
from casework.bench.processes import BenchmarkFailed, Served, cpu_of, generated
from casework.bench.raw import Ceiling
from casework.bench.signing_in import Tokens

PROTOTYPED: Final = ("create", "read", "worklist")
# A server that begins compiles its statements: all clients at once would wait too long for it. Then
# each of its connections has each statement planned some times, before it keeps a plan.
FIRST_S, FIRST = 1.0, 2
WARM_S: Final = 5.0
WARM_UPS: Final = 2
SERVE: Final = (sys.executable, "-m", "casework", "serve", "--port", "0")
KEPT: Final = ("seconds", "requests", "requests_per_second", "p50_ms", "p95_ms", "p99_ms", "sent")
Result = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What is measured, how long and of what size; ``database`` is an administrator's address."""

    modes: Sequence[str]
    clients: int = 16
    seconds: float = 6.0
    rounds: int = 3
    residents: int = 2000
    database: str | None = None
    serve: Sequence[str] = SERVE


@dataclass(slots=True)
class Progress:
    """Who is told how far it is; nobody, unless said otherwise."""

    doing: Callable[[str], None] = lambda _what: None
    total: Callable[[int], None] = lambda _steps: None
    step: Callable[[], None] = lambda: None


@dataclass(slots=True, kw_only=True)
class Bench:
    """What stands ready to be measured."""

    of: Measurement
    clients: Clients
    tokens: Tokens
    product: Served
    bare: Served
    bare_key: str
    ceiling: Ceiling
    postmaster: int | None
    statements: Mapping[str, int]
    progress: Progress
    runs: int = field(default=0)


def sides_of(mode: str) -> tuple[str, ...]:
    """What a mode is measured on."""
    sides = ("product", "prototype") if mode in PROTOTYPED else ("product",)
    return (*sides, "raw") if mode == "create" else sides


def measured(bench: Bench, mode: str) -> Result:
    """The figures of one mode: ``WARM_UPS``, then rounds in which the sides take turns."""
    of, rounds = bench.of, bench.of.rounds
    measure = {"product": _product, "prototype": _prototype}
    for side in ("product", "prototype"):
        bench.progress.doing(f"{mode}: warm-up")
        if side in sides_of(mode):
            measure[side](bench, mode, min(FIRST_S, of.seconds), FIRST)
            measure[side](bench, mode, min(WARM_S, of.seconds), of.clients)
        bench.progress.step()
    taken: dict[str, list[Result]] = {side: [] for side in sides_of(mode)}
    for number in range(rounds):
        for side in taken:
            bench.progress.doing(f"{mode}: round {number + 1} of {rounds}, {side}")
            if side == "raw":
                taken[side].append(_raw(bench))
            else:
                taken[side].append(measure[side](bench, mode, of.seconds, of.clients))
            bench.progress.step()
    figure = {"mode": mode, **_median(taken.pop("product"))}
    if mode in bench.statements:
        figure["statements"] = bench.statements[mode]
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


def _product(bench: Bench, mode: str, seconds: float, number: int) -> Result:
    clients = bench.clients
    if mode in USING_UP and not clients.left():
        raise BenchmarkFailed("nothing is left to be asked for: take more --residents")
    requests = [
        clients.requests(mode, one, bench.tokens.of(bench.product, clients.username(one, mode)))
        for one in range(min(number, clients.number))
    ]
    again = mode not in USING_UP
    result = _load(bench, bench.product, f"{mode} of the product", requests, seconds, again)
    sent = result.pop("sent")
    if mode in USING_UP:
        clients.note_sent(mode, sent)
    return result


def _prototype(bench: Bench, mode: str, seconds: float, number: int) -> Result:
    clients = bench.clients
    tokens = [
        prototype.token_of(numbered_id(WORKER, clients.worker(one)), bench.bare_key)
        for one in range(min(number, clients.number))
    ]
    requests = [clients.repeated(mode, one, token) for one, token in enumerate(tokens)]
    result = _load(bench, bench.bare, f"{mode} of the prototype", requests, seconds, again=True)
    del result["sent"]
    return result


def _raw(bench: Bench) -> Result:
    bench.runs += 1
    before = _cpu(bench.postmaster)
    result = bench.ceiling.run(bench.of.seconds, bench.runs)
    spent = _spent(before, _cpu(bench.postmaster), result["transactions"])
    return {"requests_per_second": result["transactions_per_second"], "db_cpu_ms": spent}


def _load(
    bench: Bench, server: Served, what: str, requests: list[Any], seconds: float, again: bool
) -> Result:
    """What the generator measured, with processor time a request. Every answer must be a 2xx."""
    plan = {"host": server.host, "port": server.port, "seconds": seconds, "again": again,
            "clients": requests}  # fmt: skip
    before = _cpu(server.pid), _cpu(bench.postmaster)
    result = answered(what, generated(plan))
    after = _cpu(server.pid), _cpu(bench.postmaster)
    app, database = (
        _spent(one, other, result["requests"]) for one, other in zip(before, after, strict=True)
    )
    kept = {name: result[name] for name in KEPT}
    return kept | {"bad": 0, "app_cpu_ms": app, "db_cpu_ms": database}


def answered(what: str, result: Result) -> Result:
    """The result, every answer of which is a 2xx. Raises BenchmarkFailed where one is not."""
    bad = sum(count for status, count in result["statuses"].items() if not "200" <= status < "300")
    if bad or not result["requests"]:
        said = f"{bad} bad answers of {result['requests']}, first {result['first_bad']}"
        raise BenchmarkFailed(f"{what}: {said}")
    return result


def _cpu(pid: int | None) -> float | None:
    return None if pid is None else cpu_of(pid)


def _spent(before: float | None, after: float | None, requests: int) -> float | None:
    """Milliseconds a request; None where they cannot be read."""
    if before is None or after is None or not requests:
        return None
    return (after - before) / requests
