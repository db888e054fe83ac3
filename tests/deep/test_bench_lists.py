"""What the benchmarks of sweep and lists compare within one run."""

from __future__ import annotations

from tests import postgres
from tests.e2e.test_bench_http import last_line
from tests.e2e.test_cli import Run, documents, is_one_line, run  # noqa: F401 - a fixture


def test_sweeps_of_several_dues_are_compared_and_pages_are_turned_meanwhile(run: Run) -> None:  # noqa: F811
    said = run(
        *["bench", "sweep", "--sizes", "3000", "--dues", "200,2000", "--rounds", "3", "--json"]
    )
    assert said.code == 0, said.err
    (result,) = documents(said.out)
    assert [one["newly_due"] for one in result["figures"]] == [200, 2000]
    assert result["ratio_of_dues"] > 1
    assert all(0 < one["longest_transaction_ms"] <= one["sweep_ms"] for one in result["figures"])
    assert result["pages_beside_sweep"] > 0
    assert result["beside_to_without"] > 0


def test_a_worklist_is_compared_on_both_stores(
    run: Run, postgres_server: postgres.Server  # noqa: F811
) -> None:  # fmt: skip
    command = [
        "bench",
        "worklist",
        "--sizes",
        "300",
        "--due",
        "20",
        "--rounds",
        "3",
        "--both-stores",
        "--json",
    ]
    said = run(*command, database_url=postgres_server.home_url)
    assert said.code == 0, said.err
    (result,) = documents(said.out)
    assert [one["store"] for one in result["figures"]] == ["sqlite", "postgresql"]
    assert result["sqlite_to_postgresql"] > 0
    is_one_line(last_line(run(*command)), "both stores are compared with a PostgreSQL")


def test_the_last_page_of_a_list_is_measured_beside_the_first(run: Run) -> None:  # noqa: F811
    said = run(*["bench", "worklist", "--sizes", "300", "--due", "120", "--rounds", "3", "--json"])
    (result,) = documents(said.out)
    (figure,) = result["figures"]
    assert figure["worklist_last_to_first"] > 0
    assert figure["overdue_last_to_first"] > 0
