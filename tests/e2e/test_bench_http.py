"""The benchmark over HTTP: its load generator, what it demands of answers, and what it prints."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from rich.console import Console

from casework import bootstrap
from casework.adapters.persistence.engine.ids import new_id
from casework.bench import database, throwaway
from casework.bench.asking import MIXED, MODES, Clients
from casework.bench.city import City
from casework.bench.http import bench_http
from casework.bench.http_report import WANTED, lines_of, speed_table, tables_of
from casework.bench.lives import Ways
from casework.bench.load import percentiles
from casework.bench.processes import BenchmarkFailed, Served, generated
from casework.bench.sides import Measurement, Progress, answered
from casework.settings import Settings
from tests import postgres
from tests.e2e.test_cli import Run, is_one_line, run  # noqa: F401 - a fixture

ASKED: Final[dict[str, Any]] = {"method": "GET", "path": "/ok", "token": "t"}


# Lets everybody sign in, and answers everything else with 500.
BROKEN: Final = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Broken(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        signs_in = self.path.endswith("/auth/token")
        body = b'{"access_token": "t"}' if signs_in else b"broken"
        self.send_response(200 if signs_in else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST
server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
print(f"ready http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
"""


class Answering(BaseHTTPRequestHandler):
    """Answers with the status of its path, on a connection that stays open."""

    protocol_version = "HTTP/1.1"
    seen: Final[list[tuple[str, int, str, bytes]]] = []

    def do_GET(self) -> None:
        """Note who asks for what, and answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.path, self.client_address[1], self.headers["Authorization"], body))
        status = {"/ok": 200, "/made": 201}.get(self.path, 500)
        self.send_response(status)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"said")

    do_POST = do_GET  # noqa: N815 - as the base class calls it

    def log_message(self, *_said: Any) -> None:
        """Say nothing."""


@contextmanager
def answering() -> Iterator[Served]:
    """A server in this process."""
    Answering.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Served(0, "127.0.0.1", server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def plan(server: Served, clients: list[Any], *, again: bool, seconds: float = 0.2) -> Any:
    """What the generator is told."""
    return {"host": server.host, "port": server.port, "seconds": seconds, "again": again,
            "clients": clients}  # fmt: skip


def test_each_client_keeps_its_connection_and_sends_until_the_time_is_over() -> None:
    with answering() as server:
        result = generated(plan(server, [[ASKED]] * 3, again=True))
        seen = list(Answering.seen)
    assert result["statuses"] == {"200": len(seen)}
    assert sum(result["sent"]) == result["requests"] == len(seen) > 3
    assert len({port for _, port, _, _ in seen}) == 3
    assert {who for _, _, who, _ in seen} == {"Bearer t"}
    assert 0.2 <= result["seconds"] < 10
    assert 0 < result["p50_ms"] <= result["p95_ms"] <= result["p99_ms"]


def test_a_list_that_is_not_sent_again_ends_the_run() -> None:
    posted = {"method": "POST", "path": "/made", "token": "t", "body": {"of": "가상"}, "key": "k"}
    with answering() as server:
        result = generated(plan(server, [[posted] * 2, [ASKED] * 900], again=False, seconds=60))
        bodies = [body.decode() for path, _, _, body in Answering.seen if path == "/made"]
    assert result["ran_out"]
    assert result["seconds"] < 30
    assert result["sent"][0] == 2
    assert [one.encode().decode("unicode-escape") for one in bodies] == ['{"of": "가상"}'] * 2


def test_an_answer_that_is_no_success_makes_a_run_fail() -> None:
    with answering() as server:
        good = generated(plan(server, [[ASKED]], again=True))
        bad = generated(plan(server, [[ASKED, {**ASKED, "path": "/broken"}]], again=True))
    assert answered("read", good) is good
    with pytest.raises(BenchmarkFailed, match=r"read: \d+ bad answers of \d+, first 500 said"):
        answered("read", bad)


def test_a_server_that_is_not_there_makes_a_run_fail() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = Served(0, "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(BenchmarkFailed, match=r"the load generator failed: .*refused"):
            generated(plan(nowhere, [[ASKED]], again=True))


def test_percentiles_are_of_what_was_measured() -> None:
    assert percentiles([number / 1000 for number in range(1, 101)]) == pytest.approx(
        {"p50_ms": 51, "p95_ms": 96, "p99_ms": 100}
    )
    assert set(percentiles([]).values()) == {0}


def opened(settings: Settings, now: Any) -> bootstrap.Application:
    """The product, with cheap passwords."""
    return bootstrap.build(settings, now=now or bootstrap.utc_now, cheap_passwords=True)


@pytest.fixture
def left(
    postgres_server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """Tells the databases and roles of this test's benchmarks that are still on the server."""
    made: list[UUID] = []

    def noted() -> UUID:
        made.append(new_id())
        return made[-1]

    def still_there() -> list[str]:
        assert made
        query = "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles"
        with psycopg.connect(postgres_server.home_url) as connection:
            names = [name for (name,) in connection.execute(query)]
        return [name for name in names if any(one.hex[-12:] in name for one in made)]

    monkeypatch.setattr(database, "new_id", noted)
    return still_there


def small(server: postgres.Server, mode: str, **other: Any) -> Measurement:
    """A measurement that takes seconds, and is of no use else."""
    usual: dict[str, Any] = {"clients": 4, "seconds": 0.5, "rounds": 1, "residents": 30}
    return Measurement(modes=[mode], database=server.home_url, **(usual | other))


def test_a_server_that_answers_500_makes_it_fail_and_leaves_nothing(
    postgres_server: postgres.Server, left: Callable[[], list[str]]
) -> None:
    broken = small(postgres_server, "read", serve=(sys.executable, "-c", BROKEN))
    with pytest.raises(BenchmarkFailed, match=r"read of the product: .* first 500 broken"):
        bench_http(broken, opened, Progress())
    assert left() == []


# What is asked


def a_city(residents: int = 100) -> City:
    """A city as it was filled."""
    ways = Ways(resident=0x100, case=0x10A, referral=0x12E, free_services=(0x118, 0x119))
    return City(residents, -(-residents // 50), ways, tuple(UUID(int=n) for n in range(8)))


def asked_of(requests: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What requests that make a referral ask for: the service and the agency's offer."""
    return [
        (one["body"]["planned_service_id"], one["body"]["offering_id"])
        for one in requests
        if one["path"] == "/api/v1/referrals"
    ]


@pytest.mark.parametrize(("residents", "number"), [(10, 16), (50, 3), (100, 16), (1000, 16)])
def test_nothing_is_asked_for_twice(residents: int, number: int) -> None:
    clients = Clients(a_city(residents), number, turns=3)
    asked = asked_of(clients.recorded("create", "t")[1])
    while clients.left():
        sent = []
        for client in range(number):
            requests = clients.requests("create", client, "t")
            sent.append(len(requests))
            asked += asked_of(requests)
        clients.note_sent("create", sent)
    assert len(asked) == len(set(asked))
    assert len(asked) > 4 * residents


def test_what_was_sent_of_a_mixed_run_is_used_up_and_the_rest_is_not() -> None:
    clients = Clients(a_city(), 2)
    requests = clients.requests("mixed", 0, "t")
    sent = requests[:95]
    clients.note_sent("mixed", [95, 0])
    left = asked_of(clients.requests("create", 0, "t"))
    assert asked_of(sent) + left == asked_of(requests)


def test_of_ten_mixed_requests_seven_are_worklists_two_read_and_one_creates() -> None:
    assert (len(MIXED), MIXED.count("worklist"), MIXED.count("read")) == (10, 7, 2)
    requests = Clients(a_city(), 2).requests("mixed", 0, "t")
    kinds = [one["path"].rpartition("/")[2] for one in requests[:100]]
    assert (kinds.count("worklist?limit=50"), kinds.count("referrals")) == (70, 10)


# What it prints


def figure(mode: str, **facts: Any) -> dict[str, Any]:
    """The figures of a mode."""
    usual = {"requests_per_second": 100.0, "p50_ms": 9.5, "p95_ms": 20.0, "p99_ms": 30.0,
             "app_cpu_ms": 4.0, "db_cpu_ms": 2.0}  # fmt: skip
    return {"mode": mode, **usual, **facts}


def test_each_figure_stands_beside_what_is_asked_for() -> None:
    rows = speed_table([
        figure("create", statements=8, rate_to_raw=0.2, app_cpu_to_prototype=2.1),
        figure("read", statements=4), figure("search", statements=99),
        figure("mixed", requests_per_second_and_core=349.9),
    ])  # fmt: skip
    verdicts = {row["what"]: (row["holds"], row["meets_aim"]) for row in rows}
    assert verdicts == {
        "create a referral ÷ the raw transaction, rate": (True, False),
        "statements to create a referral": (True, False),
        "statements to read a referral": (True, True),
        "create ÷ the prototype, CPU of the application": (False, False),
        "mixed requests a second of a core (application and database)": (False, False),
    }
    assert len(WANTED) == 8


def test_the_figures_are_a_table_for_people() -> None:
    figures = [figure("create", statements=22, prototype=figure("", app_cpu_ms=None))]
    result = {
        "commit": None, "machine": {"cores": 2, "model": "a processor", "load_before": 0.5},
        "python": "3.11", "postgresql": "18", "raw_transaction_by": "pgbench", "residents": 1000,
        "clients": 16, "rounds": 3, "seconds": 4.0, "figures": figures,
        "speed": speed_table(figures),
    }  # fmt: skip
    console = Console(width=120)
    with console.capture() as printed:
        for part in (*lines_of(result), *tables_of(result)):
            console.print(part)
    said = printed.get()
    assert "1,000 residents, 16 clients, median of 3 rounds of 4 s, no bad answer" in said
    for words in ("create", "prototype", "9.50", "statements to create a referral", "misses"):
        assert words in said


# Refusals


@pytest.mark.parametrize(
    ("words", "database"),
    [
        ("needs PostgreSQL", "sqlite:///bench.sqlite"),
        ("'nonsense' is no address", "nonsense"),
        ("cannot be used as its administrator: connection", "postgresql://a@127.0.0.1:1/b"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(
    run: Run, words: str, database: str  # noqa: F811
) -> None:  # fmt: skip
    said = run("bench", "http", "--mode", "read", "--database", database)
    is_one_line(last_line(said), words)


def test_no_postgresql_at_all_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    def none() -> None:
        raise throwaway.PostgresNotFound

    monkeypatch.setattr(throwaway, "_wheel", lambda: None)
    monkeypatch.setattr(throwaway, "_installed", none)
    is_one_line(last_line(run("bench", "http")), "No PostgreSQL found")


def last_line(said: Any) -> Any:
    """What was said, without the progress before it."""
    return type(said)(said.code, said.out, said.err.splitlines()[-1] + "\n")


def test_every_mode_can_be_chosen(run: Run) -> None:  # noqa: F811
    said = run("bench", "http", "--help")
    for mode in (*MODES, "all"):
        assert mode in said.out
