"""docs/security.md has a verdict for each requirement, and every test it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "security.md"
VERDICTS: Final = ("met", "met by the operator", "not met", "n.a.")
# How many requirements of levels 1 and 2 each section has, and which numbers are of level 3.
SECTIONS: Final = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1,
    "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5,
    "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2,
    "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11,
    "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1,
    "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5,
    "14.1": 2, "14.2": 4, "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5,
    "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}  # fmt: skip
# In every section those of level 3 stand behind the others, so a count says which there are.
REQUIRED: Final = [
    f"{section}.{n}" for section, last in SECTIONS.items() for n in range(1, last + 1)
]
ROW: Final = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
TEST: Final = re.compile(r"([\w/]+\.py)::(\w+)")


def rows() -> list[tuple[str, ...]]:
    """Id, words, verdict and what shows it."""
    return [tuple(found) for found in ROW.findall(PAGE.read_text("utf-8"))]


@cache
def functions(name: str) -> set[str]:
    """The tests of a file."""
    tree = ast.parse((ROOT / "tests" / name).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_requirement_stands_there_once_and_in_order() -> None:
    assert [row[0] for row in rows()] == REQUIRED
    assert len(REQUIRED) == 253


def test_each_verdict_is_one_of_four_and_is_counted() -> None:
    given = [row[2] for row in rows()]
    assert set(given) == set(VERDICTS)
    counted = re.search(
        r"Of (\d+), (\d+) apply: (\d+) are met, (\d+) by the operator, (\d+) are not\.",
        PAGE.read_text("utf-8"),
    )
    assert counted
    of = {verdict: given.count(verdict) for verdict in VERDICTS}
    told = [int(number) for number in counted.groups()]
    assert told == [
        len(given), len(given) - of["n.a."], of["met"], of["met by the operator"], of["not met"],
    ]  # fmt: skip


def test_what_is_met_is_shown_by_a_test_or_by_review() -> None:
    for id, _, verdict, shown in rows():
        if verdict == "met":
            assert TEST.search(shown) or "review:" in shown, id
        assert shown.strip(), id


def test_every_test_that_is_named_is_there() -> None:
    missing = [
        f"{id}: {file}::{name}"
        for id, _, _, shown in rows()
        for file, name in TEST.findall(shown)
        if not (ROOT / "tests" / file).exists() or name not in functions(file)
    ]
    assert not missing, "\n".join(missing)


def test_every_file_that_is_named_is_there() -> None:
    text = PAGE.read_text("utf-8")
    tests = re.findall(r"[\w/]*/test_\w+\.py", text)
    named = {f"tests/{one.removeprefix('tests/')}" for one in tests}
    named |= set(re.findall(r"`((?:casework|tests)/[\w/.]+)`", text))
    assert len(named) > 50
    assert [one for one in sorted(named) if not (ROOT / one).exists()] == []


def test_every_section_that_is_named_is_there() -> None:
    text = PAGE.read_text("utf-8")
    headings = set(re.findall(r"^## (.+)$", text, re.MULTILINE))
    named = set(re.findall(r'(?:above|below), "([^"]+)"', text))
    assert named
    assert named <= headings, named - headings
