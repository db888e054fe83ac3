"""The whole benchmark over HTTP, small: every mode, beside its ceiling and its prototype."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Final

import pytest

from casework.bench import throwaway
from casework.bench.asking import MODES
from casework.bench.http import bench_http
from casework.bench.processes import BenchmarkFailed
from casework.bench.sides import Progress
from tests import postgres
from tests.e2e.test_bench_http import left, opened, small  # noqa: F401 - a fixture
from tests.e2e.test_cli import Run, documents, run  # noqa: F401 - a fixture

SMALL: Final = ("--residents", "30", "--clients", "4", "--seconds", "0.5", "--rounds", "1")


def test_every_mode_is_measured_without_a_bad_answer(
    run: Run, postgres_server: postgres.Server, left: Callable[[], list[str]]  # noqa: F811
) -> None:  # fmt: skip
    said = run("bench", "http", *SMALL, "--json", database_url=postgres_server.home_url)
    assert said.code == 0, said.err
    (result,) = documents(said.out)
    assert result["benchmark"] == "http"
    assert {"commit", "machine", "python", "postgresql", "libraries"} <= set(result)
    assert (result["residents"], result["clients"], result["rounds"]) == (30, 4, 1)
    figures = {one["mode"]: one for one in result["figures"]}
    assert tuple(figures) == MODES
    for figure in figures.values():
        assert figure["bad"] == 0
        assert figure["requests"] > 0
        assert 0 < figure["p50_ms"] <= figure["p95_ms"] <= figure["p99_ms"]
        assert figure["app_cpu_ms"] > 0
        assert figure["db_cpu_ms"] > 0
    assert all(figures[mode]["statements"] > 1 for mode in MODES if mode != "mixed")
    for mode in ("create", "read", "worklist"):
        assert figures[mode]["prototype"]["requests"] > 0
        assert figures[mode]["app_cpu_to_prototype"] > 0
    assert figures["create"]["raw"]["requests_per_second"] > 0
    assert figures["create"]["rate_to_raw"] > 0
    assert len(result["speed"]) == 8
    assert left() == []


def test_a_server_that_does_not_start_makes_it_fail(postgres_server: postgres.Server) -> None:
    broken = small(postgres_server, "read", serve=(sys.executable, "-c", "raise OSError('no')"))
    with pytest.raises(BenchmarkFailed, match="a server did not start: OSError: no"):
        bench_http(broken, opened, Progress())


def test_without_pgbench_threads_send_the_raw_transaction(
    postgres_server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throwaway, "client", lambda _name: None)
    result = bench_http(small(postgres_server, "create"), opened, Progress())
    assert result["raw_transaction_by"].startswith("threads of psycopg")
    (figure,) = result["figures"]
    assert figure["raw"]["requests_per_second"] > 0
    assert json.dumps(result)
