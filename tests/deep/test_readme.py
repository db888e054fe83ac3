"""The first walk of the README is run as it is printed, against a demo of its own.

What it prints is compared with what the README shows: words as they are, dates and numbers as
such, and rows of the same kind however many there are.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from casework.bench import throwaway
from tests import postgres

ROOT = Path(__file__).resolve().parents[2]
RESIDENTS = 200  # from 128 on, every district has a request that nobody has answered
STARTS_WITHIN_S = 240
WALKS_WITHIN_S = 240
SHAPES = (
    (r"^\d+ (hour|working day|day|month)s? from .*: due .*\.$", "<why>"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+\+\d\d:\d\d", "<instant>"),
    (r"\d{4}-\d\d-\d\d", "<day>"),
    (r"\[.*\]", "<list>"),
    (r"(?<![\w-])(-?\d+(\.\d+)?|null)\b", "<number>"),
)


@dataclass(frozen=True)
class Stop:
    """One block of the walk, and the lines that the README shows below it."""

    script: str
    shown: list[str]


def the_walk() -> list[Stop]:
    """The blocks of the README's first walk, in order."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## A first walk\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)
    blocks = re.findall(
        r"^```bash\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", section, re.MULTILINE | re.DOTALL
    )
    return [Stop(script, shown.splitlines()) for script, shown in blocks]


def shape(lines: list[str]) -> list[str]:
    """The parts that are the same every day."""
    for pattern, name in SHAPES:
        lines = [re.sub(pattern, name, line) for line in lines]
    return [line for line, _same in groupby(lines)]


@pytest.fixture(scope="module")
def tools() -> None:
    """The tools the walk needs besides Python; if missing, fail in CI and skip elsewhere."""
    missing = [name for name in ("bash", "curl") if shutil.which(name) is None]
    if missing and "CI" not in os.environ:
        pytest.skip(f"the walk needs {' and '.join(missing)}")
    assert missing == []


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment without settings of its own, in which `casework` is this one."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CASEWORK_")}
    return clean | {
        "CASEWORK_DATA_DIR": str(tmp_path_factory.mktemp("walk")),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.fixture(scope="module")
def demo(tools: None, environment: dict[str, str]) -> Iterator[str]:
    """The address of a demo that runs as long as the tests of this module."""
    data = Path(environment["CASEWORK_DATA_DIR"])
    command = [sys.executable, "-m", "casework", "demo", "--port", "0", "--residents"]
    with (data / "out").open("w") as out, (data / "err").open("w") as err:
        process = subprocess.Popen(
            [*command, str(RESIDENTS), "--data-dir", str(data)],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip
    try:
        yield _address(process, data)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _address(process: subprocess.Popen[bytes], data: Path) -> str:
    """Its address, once it prints it."""
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        found = re.search(
            r"^address: (\S+)\n.*ready ", (data / "out").read_text(), re.MULTILINE | re.DOTALL
        )
        if found:
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"the demo did not start: {(data / 'err').read_text()}")


def test_the_first_walk_prints_what_the_readme_shows(
    demo: str, environment: dict[str, str]
) -> None:
    walk = the_walk()
    marker = "-- next block --"
    script = "set -euo pipefail\n" + f"echo '{marker}'\n".join(stop.script for stop in walk)
    done = subprocess.run(
        ["bash"], input=script, cwd=ROOT, env=environment | {"CASEWORK_API": demo},
        capture_output=True, text=True, timeout=WALKS_WITHIN_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    printed = [part.strip().splitlines() for part in done.stdout.split(marker)]
    for stop, lines in zip(walk, printed, strict=True):
        assert shape(lines) == shape(stop.shown), stop.script


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('look "ran.out" /cases | get id', "401 unauthenticated: Sign in first .*sign in again"),
        ("password=wrong; sign_in worker.2635051000", "^401 "),
        ('look "$(sign_in worker.2635051000)" /cases/no-id | get id', "^422 invalid: "),
        ("api=http://127.0.0.1:1; look ran.out /cases | get id", "^no answer: "),
    ],
)
def test_the_helpers_of_the_walk_say_what_was_refused(
    demo: str, environment: dict[str, str], call: str, said: str
) -> None:
    done = subprocess.run(
        ["bash"], input=f"set -o pipefail\n{the_walk()[0].script}\n{call}\n",
        cwd=ROOT, env=environment | {"CASEWORK_API": demo},
        capture_output=True, text=True, timeout=WALKS_WITHIN_S, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert re.search(said, done.stderr, re.MULTILINE), done.stderr
    assert "Traceback" not in done.stderr


def test_the_section_on_postgresql_works_on_an_empty_server(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CASEWORK_TEST_PG_URL", raising=False)  # a server that others use too
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(
        r"^## On PostgreSQL\n.*?^```bash\n(.*?)^```\n", readme, re.MULTILINE | re.DOTALL
    )
    *lines, last = block.replace("--residents 2000", "--residents 20").splitlines()
    assert last.startswith("python3 dev.py serve ")
    # `dev.py` makes an environment; here is one, whose commands it would run.
    called = 'sudo() { shift 2; "$@"; }\npython3() { shift; python -m "$@"; }\n'
    with postgres.running_server() as server:
        folder = parse_qs(urlsplit(server.home_url).query)["host"][0]
        script = "\n".join(lines).replace("@localhost/casework", f"@/casework?host={quote(folder)}")
        programs = Path(throwaway.binary("psql", Path(folder).parent)).parent
        done = subprocess.run(
            ["bash"], input=f"set -e\n{called}{script}\n", cwd=ROOT, check=False,
            env=environment | {
                "PATH": f"{programs}{os.pathsep}{environment['PATH']}",
                "PGHOST": folder, "PGUSER": "postgres", "CASEWORK_DATA_DIR": str(tmp_path),
            },
            capture_output=True, text=True, timeout=WALKS_WITHIN_S,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [
        "CREATE ROLE",
        "CREATE DATABASE",
        "the schema is current",
    ]
    assert done.stdout.splitlines()[-1] == "found 0, changed 0, failed 0"


def test_the_walk_shows_what_comes_of_each_block_but_the_first() -> None:
    walk = the_walk()
    assert len(walk) > 5
    assert [stop.script for stop in walk[1:] if not stop.shown] == []


@pytest.mark.parametrize(
    ("line", "same", "other"),
    [
        ("requested  2026-11-25T23:59:59+09:00", "requested  2027-01-04T23:59:59+09:00",
         "accepted  2026-11-25T23:59:59+09:00"),
        ("provider  0  null", "provider  3  1", "provider  3  soon"),
        ("3 working days from 2026-11-16: due 2026-11-19.",
         "1 working day from 2026-09-23, leaving out 24 to 27 September (Chuseok): due 2026-09-28.",
         "2026-09-28"),
    ],
)  # fmt: skip
def test_words_are_compared_and_dates_and_numbers_are_not(line: str, same: str, other: str) -> None:
    assert shape([line]) == shape([same])
    assert shape([line]) != shape([other])
