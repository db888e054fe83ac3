"""The command line: due dates, one-line errors, and the processes it starts."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from casework import __main__ as command_line
from casework.adapters.calendar import korean_calendar
from casework.cli.app import cli
from casework.cli.shared import CommandError
from casework.domain.clocks.calendar import SEOUL
from casework.domain.clocks.standards import ClockKind, Priority
from tests.conftest import Store
from tests.domain import counting
from tests.e2e.holidays_by_hand import FIRST, HOLIDAYS, LAST

ROOT = Path(__file__).resolve().parents[2]
RESIDENTS = 40
STARTS_WITHIN_S, ENDS_WITHIN_S = 120, 40
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in this process, with only the given settings, in a folder of its own.

    ``run("sweep", "--json", mode="production")`` sets ``CASEWORK_MODE``.
    """
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **settings: str) -> Said:
        for name in [name for name in os.environ if name.startswith("CASEWORK_")]:
            if name != "CASEWORK_TEST_SESSION_FOLDER":
                monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(f"CASEWORK_{name.upper()}", value)
        monkeypatch.setattr(sys, "argv", ["casework", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        printed = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 1, printed.out, printed.err)

    return run


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty, migrated database."""
    copy = shutil.copyfile(sqlite_template, tmp_path / "casework.sqlite")
    return f"sqlite:///{copy}"


# Counting

WORKING, HOURS, MONTHS = "working_days", "hours", "months"
# Routine, urgent, emergency, as the contract has them. What an emergency has no target of its own
# for takes the urgent one; a discharge is due on its very day.
TARGETS: dict[str, list[tuple[int, str]]] = {
    "survey": [(5, WORKING), (1, WORKING), (1, WORKING)],
    "assessment": [(10, WORKING), (2, WORKING), (2, WORKING)],
    "plan": [(5, WORKING), (2, WORKING), (2, WORKING)],
    "decision": [(5, WORKING), (1, WORKING), (1, WORKING)],
    "notify_plan": [(5, WORKING)] * 3,
    "discharge": [(0, "same day")] * 3,
    "link": [(3, WORKING), (1, WORKING), (1, WORKING)],
    "response": [(3, WORKING), (1, WORKING), (4, HOURS)],
    "waitlist": [(10, WORKING), (2, WORKING), (2, WORKING)],
    "start": [(10, WORKING), (2, WORKING), (24, HOURS)],
    "disposition": [(3, WORKING), (1, WORKING), (1, WORKING)],
    "signal": [(1, WORKING), (4, HOURS), (4, HOURS)],
    "first_check": [(3, MONTHS)] * 3,
    "check": [(6, MONTHS)] * 3,
    "acceptance": [(5, WORKING)] * 3,
    "minutes": [(10, WORKING)] * 3,
}
# Due on a day of their own, which no standard gives.
NAMED = ("task", "submission", "adjustment")
PRIORITIES = ("routine", "urgent", "emergency")
FROM, TO = date(2026, 1, 1), date(2027, 12, 31)
OPEN = {
    day: day.isoweekday() < 6 and day not in HOLIDAYS
    for day in (FIRST + n * DAY for n in range((LAST - FIRST).days + 1))
}


@cache
def counted(amount: int, unit: str) -> list[dict[str, str]]:
    """When a clock is due for each day of two years, by walking over the calendar from day to day.

    ``counting`` must walk over the table that was written by hand.
    """
    assert counting.OPEN is OPEN
    rows = []
    for n in range((TO - FROM).days + 1):
        start = FROM + n * DAY
        if unit == HOURS:
            at = datetime(start.year, start.month, start.day) + timedelta(hours=amount)  # noqa: DTZ001
            due_on, due_at = at.date(), at.isoformat()
        else:
            due_on = start if unit == "same day" else counting.last_day(
                start, amount, unit, frozenset()
            )  # fmt: skip
            due_at = f"{due_on}T23:59:59"
        rows.append({"from": f"{start}", "due_on": f"{due_on}", "due_at": f"{due_at}+09:00"})
    return rows


def test_the_table_written_by_hand_is_what_the_application_goes_by() -> None:
    calendar = korean_calendar()
    disagree = {day for day, is_open in OPEN.items() if calendar.is_working(day) != is_open}
    assert disagree == set()


@pytest.mark.parametrize("kind", TARGETS)
def test_every_due_date_of_two_years_equals_an_independent_count(
    run: Run, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(counting, "OPEN", OPEN)
    for priority, target in zip(PRIORITIES, TARGETS[kind], strict=True):
        said = run(
            "due", kind, "--from", f"{FROM}", "--to", f"{TO}", "--priority", priority, "--json"
        )
        assert said.code == 0, said.err
        assert json.loads(said.out) == counted(*target), (kind, priority)


def test_every_kind_and_priority_is_counted_here() -> None:
    assert {*TARGETS, *NAMED, "progress"} == {kind.value for kind in ClockKind}
    assert set(PRIORITIES) == {priority.value for priority in Priority}


@pytest.mark.parametrize("kind", NAMED)
def test_what_has_a_day_of_its_own_is_counted_by_no_standard(run: Run, kind: str) -> None:
    said = run("due", kind, "--from", f"{FROM}")
    assert said.code != 0
    assert f"no standard switches {kind} on" in said.err


def test_worked_cases_of_the_law_come_out_as_published(run: Run) -> None:
    for kind, start, due_on in (
        ("first_check", "2026-04-17", "2026-07-20"),
        ("check", "2026-08-31", "2027-03-02"),
        ("first_check", "2026-04-30", "2026-07-31"),
    ):
        (row,) = json.loads(run("due", kind, "--from", start, "--json").out)
        assert (row["from"], row["due_on"]) == (start, due_on)


def test_without_json_each_day_is_a_line(run: Run) -> None:
    said = run("due", "survey", "--from", "2026-03-03", "--to", "2026-03-05")
    assert said.out.splitlines() == [
        "2026-03-03  2026-03-10", "2026-03-04  2026-03-11", "2026-03-05  2026-03-12",
    ]  # fmt: skip


def test_a_district_with_its_own_standard_and_holiday_is_counted_by_them(
    run: Run, database: str
) -> None:
    assert run("migrate", database_url=database).code == 0
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
        connection.execute(
            "INSERT INTO standard (id, kind, target, basis, district_code) "
            "VALUES (?, 'survey', '2 working_days', 'its own', '26350')", ("a" * 32,),
        )  # fmt: skip
        connection.execute(
            "INSERT INTO holiday_override (id, day, closed, name, district_code) "
            "VALUES (?, '2026-03-04', 1, 'a festival', '26350')", ("b" * 32,),
        )  # fmt: skip
        connection.commit()
    due = ["due", "survey", "--from", "2026-03-03", "--json"]
    for options, due_on in (
        ([], "2026-03-10"), (["--district", "26110"], "2026-03-10"),
        (["--district", "26350"], "2026-03-06"),
    ):  # fmt: skip
        (row,) = json.loads(run(*due, *options, database_url=database).out)
        assert row["due_on"] == due_on, options


# Refusals

KEYS = {
    "token_key": "t" * 32,
    "cursor_key": "c" * 32,
    "audit_key": "a" * 32,
    "master_key": "m" * 32,
    "key_ring": os.environ["CASEWORK_KEY_RING"],
}


def begun(run: Run, folder: Path, url: str, owner_url: str) -> dict[str, str]:
    """The settings of a production on a migrated database, whose audit is begun."""
    ring = str(shutil.copyfile(KEYS["key_ring"], folder / "ring-of-production.json"))
    own = KEYS | {"mode": "production", "key_ring": ring, "migration_url": owner_url}
    sealer = url.replace("//casework_app:", "//casework_scheduler:", 1)
    said = run("audit", "begin", **own, database_url=sealer)
    assert said.code == 0, said.err
    return own | {"database_url": url}


NOWHERE = "postgresql://someone:secret@127.0.0.1:1/nowhere"


def is_one_line(said: Said, words: str) -> None:
    """Check that it was refused: exit code 2, and one line that says what is wrong."""
    assert said.code == 2, said
    assert said.out == ""
    assert re.fullmatch(r"casework: [^\n]+\n", said.err), said.err
    assert re.search(words, said.err), said.err


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("no standard switches progress on", "due progress --from 2026-01-01"),
        ("no kind 'laundry'; one of survey, ", "due laundry --from 2026-01-01"),
        ("no priority 'asap'", "due survey --from 2026-01-01 --priority asap"),
        ("'2026-02-30' is no date", "due survey --from 2026-02-30"),
        ("'soon' is no date", "due survey --from 2026-01-01 --to soon"),
        ("'--from'", "due survey"),
        ("--to lies before --from", "due survey --from 2026-01-02 --to 2026-01-01"),
        ("holidays are known from 2015 to 2045", "due survey --from 2014-12-31"),
        ("holidays are known", "due survey --from 2044-01-01 --to 2045-01-01"),
        ("holidays are known", "due check --from 9999-12-31"),
        ("no instant of RFC 3339 with its offset", "sweep overdue --as-of 2026-01-01T09:00:00"),
        ("no instant", "sweep overdue --as-of 2026-01-01"),
        ("no instant", "sweep overdue --as-of tomorrow"),
        ("no instant", "sweep overdue --as-of 0001-01-01T00:00:00+14:00"),
        ("there is no sweep 'laundry'", "sweep laundry"),
        ("'--port'", "demo --port 65536"),
        ("'--port'", "serve --port -1"),
        ("'--port'", "demo --port http"),
        ("'--residents'", "seed --residents -1"),
        ("No such command 'wash'", "wash"),
        ("No such option: --quickly", "sweep --quickly"),
        ("schema is not current", "serve"),
        ("schema is not current", "scheduler"),
        ("cannot be used: no such table", "sweep"),
        ("no list of numbers", "bench sweep --sizes many"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run: Run, words: str, arguments: str) -> None:
    is_one_line(run(*arguments.split()), words)


@pytest.mark.parametrize(
    ("words", "setting", "value"),
    [
        ("CASEWORK_SWEEP_MINUTES cannot be right", "sweep_minutes", "0"),
        ("CASEWORK_SWEEP_MINUTES cannot be right", "sweep_minutes", "often"),
        ("CASEWORK_THREADS cannot be right", "threads", "65"),
        ("CASEWORK_MODE cannot be right", "mode", "testing"),
        ("CASEWORK_TOKEN_KEY is shorter than 32", "token_key", "short"),
        ("CASEWORK_CURSOR_KEY is shorter than 32", "cursor_key", "short"),
        ("CASEWORK_MASTER_KEY is shorter than 32", "master_key", "short"),
        ("CASEWORK_REQUIRE_TOTP cannot be right", "require_totp", "everybody"),
        ("CASEWORK_LOCAL_SIGN_IN=off needs CASEWORK_OIDC_ISSUER", "local_sign_in", "off"),
        ("CASEWORK_REQUEST_LOG: No such file", "request_log", "/nowhere/requests.log"),
        ("needs CASEWORK_OIDC_AUDIENCE", "oidc_issuer", "https://login.example"),
        ("CASEWORK_DATABASE_URL is no PostgreSQL or SQLite", "database_url", "nonsense"),
        ("CASEWORK_DATABASE_URL is no PostgreSQL or SQLite", "database_url", "oracle://here"),
        ("CASEWORK_DATABASE_URL is no", "database_url", "postgresql+asyncpg://localhost/x"),
    ],
)
def test_a_bad_setting_is_named_in_one_line_and_its_value_is_not(
    run: Run, words: str, setting: str, value: str
) -> None:
    is_one_line(run("migrate", **{setting: value}), words)


@pytest.mark.parametrize("command", ["migrate", "seed", "sweep", "serve", "scheduler"])
def test_an_unreachable_database_is_one_line_without_its_password(run: Run, command: str) -> None:
    said = run(command, database_url=NOWHERE)
    is_one_line(said, "the database cannot be used: .*refused")
    assert "secret" not in said.err


@pytest.mark.parametrize("command", ["migrate", "serve", "scheduler"])
def test_a_database_of_a_newer_version_is_one_line_that_says_so(
    run: Run, database: str, command: str
) -> None:
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    said = run(command, database_url=database)
    is_one_line(said, "revision 9999, which this version does not know: a newer casework is needed")


def test_a_taken_port_is_one_line_and_nothing_was_begun(run: Run, database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        is_one_line(run("demo", "--port", port), f"cannot listen on 127.0.0.1 port {port}")
        is_one_line(run("serve", "--port", port, database_url=database), "cannot listen")
    assert not Path(".casework/demo/casework.sqlite").exists()


def test_a_database_is_migrated_seeded_once_and_swept_on_either_store(
    run: Run, store: Store
) -> None:
    assert (
        run("migrate", database_url=store.url, migration_url=store.owner_url).out
        == "the schema is current\n"
    )
    assert run("seed", "--residents", "16", database_url=store.url).code == 0
    is_one_line(run("seed", "--residents", "16", database_url=store.url), "not empty")
    sweep = ["sweep", "overdue", "--json"]
    assert json.loads(run(*sweep, database_url=store.url).out)["found"] == 0, "it is up to date"
    ahead = "2126-01-01T00:00:00+09:00"
    dry = json.loads(run(*sweep, "--dry-run", "--as-of", ahead, database_url=store.url).out)
    assert (dry["changed"], dry["as_of"], dry["dry_run"]) == (0, ahead, True)
    assert dry["found"] > 0


def test_a_seeding_that_breaks_off_leaves_nothing(
    run: Run, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("migrate", database_url=database).code == 0

    def broken(*_args: Any) -> Any:
        raise CommandError("someone pulled the plug")

    with monkeypatch.context() as patch:
        patch.setattr("casework.operations.bulk.batches", broken)
        assert run("seed", "--residents", "1", database_url=database).code == 2
    assert run("seed", "--residents", "1", database_url=database).code == 0


@pytest.mark.parametrize("command", ["migrate", "serve", "scheduler", "sweep", "seed"])
def test_production_refuses_to_start_without_its_database_and_keys(
    run: Run, database: str, command: str
) -> None:
    is_one_line(run(command, mode="production"), "production needs CASEWORK_DATABASE_URL")
    for key in KEYS:
        others = {name: value for name, value in KEYS.items() if name != key}
        said = run(command, mode="production", database_url=database, **others)
        is_one_line(said, f"production needs CASEWORK_{key.upper()}")
    assert not Path(".casework").exists(), "no key was made up"


NEEDED = ("database_url", "token_key", "cursor_key", "audit_key", "master_key", "key_ring")


@pytest.mark.parametrize("command", ["serve", "scheduler", "migrate"])
@pytest.mark.parametrize("given", [(), ("token_key", "key_ring"), NEEDED[1:], NEEDED[:1]])
def test_production_names_every_missing_setting_at_once(
    run: Run, database: str, command: str, given: tuple[str, ...]
) -> None:
    known = KEYS | {"database_url": database}
    for missing_is in ({}, dict.fromkeys(NEEDED, "")):
        settings = missing_is | {name: known[name] for name in given}
        said = run(command, mode="production", **settings)
        names = ", ".join(f"CASEWORK_{one.upper()}" for one in NEEDED if one not in given)
        is_one_line(said, f"production needs {names}\\n")
        assert "ttt" not in said.err


def test_keys_are_made_with_what_they_need_and_all_of_it_is_named(run: Run) -> None:
    said = run("keys", "make", mode="production")
    is_one_line(said, "needs CASEWORK_DATABASE_URL, CASEWORK_MASTER_KEY, CASEWORK_KEY_RING\\n")


def test_production_is_neither_a_demo_nor_seeded_nor_swept_as_of_the_future(
    run: Run, database: str, tmp_path: Path
) -> None:
    production = begun(run, tmp_path, database, database)
    assert run("migrate", **production).code == 0
    is_one_line(run("demo", **production), "demo is not for production")
    is_one_line(run("demo", mode="production"), "demo is not for production")
    is_one_line(run("seed", **production), "production is not seeded")
    ahead = (datetime.now(SEOUL) + timedelta(minutes=1)).isoformat()
    is_one_line(run("sweep", "--as-of", ahead, **production), "not swept as of the future")
    is_one_line(run("sweep", "--as-of", ahead, "--dry-run", **production), "not swept as of")
    before = (datetime.now(SEOUL) - timedelta(days=1)).isoformat()
    assert run("sweep", "--as-of", before, **production).code == 0


# Help, and JSON on stdout


def commands() -> list[list[str]]:
    """Every command, as it is typed."""
    found = typer.main.get_command(cli)
    names: dict[str, Any] = found.commands  # type: ignore[attr-defined]
    return [[]] + [
        words
        for name, command in names.items()
        for words in [[name], *([name, inner] for inner in getattr(command, "commands", ()))]
    ]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_explains_itself(run: Run, words: list[str]) -> None:
    said = run(*words, "--help")
    assert (said.code, said.err) == (0, "")
    assert "Usage: casework" in said.out
    assert "--help" in said.out


def test_the_commands_are_those_of_the_contract() -> None:
    assert {words[0] for words in commands() if words} == {
        "demo", "serve", "scheduler", "migrate", "seed", "sweep", "relay", "account", "due",
        "policy", "audit", "roles", "keys", "figures",
        "bench", "duplicates", "import", "backup", "check-backup", "restore", "retention",
        "sending",
    }  # fmt: skip


def test_without_a_command_they_are_listed(run: Run) -> None:
    said = run()
    assert said.code == 2
    assert "Usage: casework" in said.out
    assert said.err.count("\n") == 1


def documents(text: str) -> list[Any]:
    """The JSON documents in a text, of which nothing else may be part."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while text[at:].strip():
        document, length = decoder.raw_decode(text[at:].lstrip())
        at += len(text[at:]) - len(text[at:].lstrip()) + length
        found.append(document)
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        "due survey --from 2026-03-03 --to 2026-03-10 --json",
        "sweep overdue --json",
        "relay --once --json",
        "duplicates find --all --json",
        "sweep overdue --dry-run --as-of 2026-03-03T09:00:00+09:00 --json",
        "policy --json",
        "keys show --json",
        "keys rotate --json",
        "keys rotate --index --json",
        "keys retire --json",
    ],
)
def test_with_json_stdout_is_one_document(run: Run, database: str, arguments: str) -> None:
    assert run("migrate", database_url=database).code == 0
    said = run(*arguments.split(), database_url=database)
    assert said.code == 0, said.err
    assert len(documents(said.out)) == 1


@pytest.mark.parametrize("name", ["sweep", "worklist"])
def test_a_benchmark_prints_its_figures_and_their_ratio_as_one_document(
    run: Run, name: str
) -> None:
    said = run(*f"bench {name} --sizes 40,80 --due 20 --rounds 3 --json".split())
    (figures,) = documents(said.out)
    assert [one["open_referrals"] for one in figures["figures"]] == [40, 80]
    assert figures["ratio_of_sizes"] > 0


def test_the_duplicates_of_a_seeded_city_are_found_once(run: Run, database: str) -> None:
    assert run("migrate", database_url=database).code == 0
    assert run("seed", "--residents", "30", database_url=database).code == 0
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection, connection:
        twice = "SELECT name, birth_date FROM resident ORDER BY id LIMIT 1"
        connection.execute(
            f"UPDATE resident SET (name, birth_date) = ({twice}) "
            "WHERE id = (SELECT max(id) FROM resident)"
        )
    assert run("duplicates", "find", database_url=database).out == "looked at 0, new pairs: 0\n"
    found = json.loads(run("duplicates", "find", "--all", "--json", database_url=database).out)
    assert found["looked_at"] == 30
    assert found["found"] >= 1
    again = json.loads(run("duplicates", "find", "--all", "--json", database_url=database).out)
    assert again == {"looked_at": 30, "found": 0}


def test_a_sweep_says_what_it_found_and_its_failures_go_to_the_log(run: Run, database: str) -> None:
    assert run("migrate", database_url=database).code == 0
    assert run("seed", "--residents", "30", database_url=database).code == 0
    ahead = (datetime.now(SEOUL) + timedelta(days=21)).isoformat()
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
        broken = connection.execute(
            "UPDATE referral SET status = 'completed' WHERE lapse_at IS NOT NULL"
        ).rowcount
        connection.commit()
    assert broken > 0
    sweep = ["sweep", "overdue", "--as-of", ahead, "--json"]
    (dry,) = documents(run(*sweep, "--dry-run", database_url=database).out)
    said = run(*sweep, database_url=database)
    (result,) = documents(said.out)
    assert set(result) == {"run_id", "as_of", "dry_run", "found", "changed", "failed", "held"}
    assert result["found"] == dry["found"] == result["changed"] + result["failed"]
    assert 0 < result["failed"] <= broken
    logged = documents(said.err)
    assert [line["error"] for line in logged] == ["NotAllowedInState"] * result["failed"]
    plain = run("sweep", "overdue", "--as-of", ahead, database_url=database)
    assert plain.out == f"found {result['failed']}, changed 0, failed {result['failed']}\n"


def test_a_relay_tells_what_was_raised_and_says_how_much(run: Run, database: str) -> None:
    assert run("migrate", database_url=database).code == 0
    assert run("seed", "--residents", "30", database_url=database).code == 0
    assert run("relay", "--once", database_url=database).code == 0  # this morning's, if it is one
    nothing = run("relay", "--once", database_url=database)
    assert nothing.out == "addressed 0, digests 0, sent 0, failed 0, dead 0, is_paused False\n"
    ahead = (datetime.now(SEOUL) + timedelta(days=21)).isoformat()
    (swept,) = documents(run("sweep", "--as-of", ahead, "--json", database_url=database).out)
    (told,) = documents(run("relay", "--once", "--json", database_url=database).out)
    assert 0 < told["addressed"] <= 2 * swept["changed"]
    assert (told["failed"], told["dead"], told["errors"]) == (0, 0, {})
    assert run("relay", "--once", database_url=database).out == nothing.out


# What it starts


@dataclass
class Started:
    """A command that runs as a process of its own, and the folder of its data."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def out(self) -> str:
        """Its stdout so far."""
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        """Its stderr so far."""
        return (self.folder / "err").read_text()

    def wait_for(self, what: Callable[[], Any]) -> Any:
        """Wait until a condition holds; returns its value."""
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until and self.process.poll() is None:
            if found := what():
                return found
            time.sleep(0.05)
        pytest.fail(f"it did not come to that: {self.out}{self.err}")

    def end(self) -> int:
        """Terminate it; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=ENDS_WITHIN_S)


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[Started]:
    """A command as a process, which ends with the block."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CASEWORK_")}
    folder.mkdir(exist_ok=True)
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "casework", *arguments],
            cwd=ROOT, env=clean | {"CASEWORK_DATA_DIR": str(folder)},
            stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip
    try:
        yield Started(process, folder)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_the_scheduler_ticks_at_once_and_ends_when_told(
    tmp_path: Path, sqlite_template: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copyfile(sqlite_template, folder / "casework.sqlite")
    with started(folder, "scheduler") as ticking, closing(
        sqlite3.connect(folder / "casework.sqlite", timeout=10)
    ) as connection:  # fmt: skip
        ticks = "SELECT slot FROM job_run WHERE ended_at IS NOT NULL"
        ((slot,),) = ticking.wait_for(lambda: connection.execute(ticks).fetchall())
        assert datetime.fromisoformat(slot).minute % 5 == 0
        assert ticking.end() == 0
        assert "response rates not measured" not in ticking.err
        assert "Traceback" not in ticking.err


def test_a_refusal_is_one_line_from_a_process_too(tmp_path: Path) -> None:
    with started(tmp_path / "data", "due", "laundry", "--from", "2026-01-01") as refused:
        assert refused.process.wait(timeout=STARTS_WITHIN_S) == 2
    assert refused.out == ""
    assert refused.err.startswith("casework: no kind 'laundry'")
    assert refused.err.count("\n") == 1
