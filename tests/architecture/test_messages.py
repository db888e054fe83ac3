"""Every text that a person reads is in both catalogues, and each of them is used.

A key stands in the code or in a template as a whole (``"page.save"``), or as a family: an f-string
or a prefix (``f"page.status.{status}"``, ``"page.reason."``), whose members are listed here.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields
from enum import Enum
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Final, get_args

import pytest
from jinja2 import Environment, nodes

import casework.domain
from casework.adapters.api.exchange import export_views, import_views
from casework.adapters.api.planning.bodies import PlannedServiceInput
from casework.adapters.api.privacy.printed_answer import INSIDE
from casework.adapters.api.shared.clock_sentence import HOLIDAYS, holiday_name
from casework.adapters.calendar import korean_calendar
from casework.adapters.web.forms import ACTIONS
from casework.adapters.web.guest import DONE
from casework.domain.access.policy import POLICY, Role
from casework.domain.agencies.rosters import EXCEPTIONS, MonthlyDelivery
from casework.domain.casefile import case, plan, referral, referral_moves, states
from casework.domain.casefile.correction import CorrectedSubject, Correction
from casework.domain.cases import intake
from casework.domain.clocks.calendar import KNOWN_YEARS, Unit
from casework.domain.clocks.standards import STATUTORY_BASIS, CareField, Priority
from casework.domain.directory import directory
from casework.domain.directory.eligibility import FACTS, Comparison, RuleResult
from casework.domain.directory.matching import GivenAt
from casework.domain.exchange.exporting import ExportOf
from casework.domain.exchange.import_columns import LEVEL
from casework.domain.exchange.importing import Outcome
from casework.domain.notices.notices import NoticeKind
from casework.domain.notices.outbox import SIGN_IN_FAILED
from casework.domain.planning.warnings import WarningCode
from casework.domain.privacy import access_requests
from casework.domain.privacy.access_requests import AccessRequest
from casework.domain.programme.rules import Standing
from casework.domain.residents import households, resident
from casework.domain.residents.homes import WayIn
from casework.domain.residents.households import HouseholdMember
from casework.domain.residents.resident import SEXES, Consent, Contact, Note, Resident
from casework.locale import LANGUAGES, text
from casework.locale.catalogues import Message, read

PACKAGE: Final = Path(casework.__file__).parent
KEY: Final = re.compile(r"(problem|page|letter|document|file|sentence|word)\.[a-z0-9_.]+")
HANGUL: Final = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
# Codes of refusals that are chosen from a table or put together, by the file that does so; a file
# that only passes a code on has none of its own.
CHOSEN: Final[dict[str, set[str]]] = {
    "domain/access/policy.py": {
        "password_change_required", "token_scope", "totp_enrolment_required",
    },
    "domain/casefile/case_moves.py": set(),
    "domain/planning/conferences.py": {
        "date_too_early", "plan_not_submitted", "unknown_case",
    },
    "domain/planning/settling.py": {"already_settled", "disposition_owed", "referral_open"},
    "domain/privacy/break_glass.py": {"note_required", "reason_required"},
    "domain/supervision/reviewing.py": {"offering_required", "until_required", "worker_required"},
    "workflows/exchange/import_kinds.py": {
        "id_of_another", "no_open_case", "nobody_found", "several_found",
    },
    "workflows/exchange/unmatched.py": set(),
    "adapters/api/agencies/inbox_routes.py": set(),
    "adapters/sheets/apart.py": set(),  # what the worker refused, by its own codes
    "adapters/persistence/casefile/casefiles.py": {"open_case_exists", "open_referral_exists"},
    "adapters/persistence/directory/editing.py": {
        "offering_exists", "service_exists", "slug_taken", "unknown_district", "unknown_service",
    },
    "adapters/persistence/directory/directory.py": {
        "unknown_centre", "unknown_district", "unknown_service",
    },
    "adapters/persistence/programme/bodies.py": {
        "answered_elsewhere", "body_exists", "seat_taken",
    },
    "adapters/persistence/directory/overview.py": {"unknown_district", "unknown_service"},
}  # fmt: skip
# Codes with which an import ends or rejects a cell, without raising a refusal.
OF_FILES: Final = {"required", "rows_refused"}
PRINTED: Final = (
    AccessRequest, Resident, Contact, HouseholdMember, WayIn, Consent, case.Case, case.Assessment,
    case.Check, plan.PlanVersion, plan.PlannedService, plan.PlannedItem, referral.Referral,
    MonthlyDelivery, case.Signal, Note, Correction,
)  # fmt: skip
# Names within a record of the printed answer, and the columns of who looked.
PRINTED_WITHIN: Final = {
    "on", "verdict", "rules", "fact", "comparison", "values", "value", "basis", "certainty",
    "field", "level", "person", "rrn", "at", "role", "office", "action", "outcome",
    "taken_back_at",
}  # fmt: skip
# Korean in Python files that is no message: by the file or folder, with the reason.
KOREAN: Final = {
    "adapters/api/shared/samples.py": "examples of the document: invented people, places, services",
    "demo": "the invented city: names of its people, agencies, streets, and what they write",
    "bench": "names of the invented rows that are measured",
    "domain/duplicates/likeness.py": "the first and last syllable, for taking names apart",
    "domain/exchange/import_cells.py": "how the cells of a sheet write a day, yes and no",
    "domain/exchange/import_columns.py": "headings and words by which a sheet is recognised",
    "domain/residents/resident.py": "recipients that a consent names in Korean",
}
# What a few routes show as the first lines of a file.
EXAMPLES: Final = {"성명,전화번호,기한종류,…", "기관코드,기관명,…", "행,결과,항목,코드,사유"}


@cache
def catalogue(language: str) -> dict[str, Message]:
    """The messages of a language by their keys."""
    path = PACKAGE / "locale" / language / "LC_MESSAGES" / "casework.po"
    return {key: one for key, one in read(path.read_text("utf-8")).items() if key}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package but that of the texts, by its path."""
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text("utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "locale" not in path.relative_to(PACKAGE).parts
    }


@cache
def codes() -> set[str]:
    """Every code of a refusal."""
    found = set().union(OF_FILES, *CHOSEN.values())
    for path, tree in modules().items():
        if not path.startswith("demo/"):
            found.update(_codes_in(tree))
    return found - {"refused"}  # of the class from which all refusals derive


def _codes_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = (one for one in _codes_given(node) if _is_constant(one))
            yield from (code for one in given for code in _constants(one))
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                    yield from _constants(line.value)


def _codes_given(call: ast.Call) -> list[ast.expr]:
    return [one.value for one in call.keywords if one.arg == "code"]


def _constants(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _docstrings(tree: ast.Module) -> set[int]:
    """What is a text for readers of the code: the constants that are docstrings, by identity."""
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def family(node: ast.JoinedStr) -> str:
    """An f-string with a star for each part that is filled in."""
    return "".join(str(one.value) if isinstance(one, ast.Constant) else "*" for one in node.values)


@cache
def used() -> set[str]:
    """The keys and families that code and templates name."""
    found: set[str] = set()
    for tree in modules().values():
        parts = {
            id(one) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for one in n.values
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                found.add(family(node))
            elif isinstance(node, ast.Constant) and id(node) not in parts:
                found.add(str(node.value))
    for path in (PACKAGE / "adapters/web/templates").iterdir():
        tree_of = Environment(autoescape=True).parse(path.read_text("utf-8"))
        found.update(str(one.value) for one in tree_of.find_all(nodes.Const))
    starred = {f"{one}*" if one.endswith(".") else one for one in found}
    keys = {one for one in starred if KEY.fullmatch(one.replace("*", "x"))}
    return {one for one in keys if not one.endswith(".html")}


@cache
def families() -> dict[str, set[str]]:
    """What each family is of, as the product's own lists have it."""
    printed = modules()["adapters/api/privacy/printed_answer.py"]
    sections = {
        str(node.args[0].value)
        for node in ast.walk(printed)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("self._section", "self._title")
        and isinstance(node.args[0], ast.Constant)
    }
    moves = ("decline", "hold", "fail")
    return {
        "problem.*.title": codes(),
        "page.action.*": set(ACTIONS),
        "page.done.*": set(DONE),
        "page.field.*": {one.name for of in ACTIONS.values() for one in of} | {"available"},
        "page.nav.*": {"requests", "places", "month"},
        "page.outcome.*": set(referral_moves.OUTCOMES),
        "page.per.*": pers(),
        "page.problem.*": {"code_wrong", "too_many_codes"},
        "page.reason.*": {
            *EXCEPTIONS,
            *(one for of in moves for one in referral_moves.REASONS[of]),
        },
        "page.sex.*": set(SEXES),
        "page.signal.*": set(case.SIGNALS),
        "page.status.*": {*states.ReferralStatus} - {"draft"},
        "letter.kind.*": {*NoticeKind, SIGN_IN_FAILED},
        "letter.about.*": {"account", "break_glass", "case", "deadline", "offering"},
        "document.section.*": sections,
        "document.field.*": _printed_fields() | PRINTED_WITHIN | set(intake.ACTIVITIES),
        "document.minutes.decision.*": {"approve", "return", "none"},
        "file.column.*.*": {
            f"{ExportOf.WORKLIST if of == ExportOf.OVERDUE else of}.{name}"
            for of, names in export_views.COLUMNS.items()
            for name in names
        },
        "file.outcome.*": set(Outcome),
        "file.report.*": set(import_views.REPORT),
        "sentence.clock.pause.*": {"hold", *referral_moves.REASONS["hold"]},
        "sentence.clock.period.*": {*Unit} - {"on_date"},
        "sentence.match.eligible.*": set(RuleResult),
        "sentence.match.given_at.*": {*GivenAt, "unknown"},
        "sentence.rule.*": {*Standing} - {"entered"},
        "sentence.warning.*": set(WarningCode),
        "sentence.warning.per.*": {*pers(), "year"},
        "sentence.warning.rule.*": {*Comparison} - {Comparison.KNOWN},
        "word.holiday.*": set(HOLIDAYS),
        "word.month.*": {str(month) for month in range(1, 13)},
        "word.priority.*": set(Priority),
    }


# Of any code and of any name: what has no words is shown as it is.
OPEN: Final = "document.code.*"


def _printed_fields() -> set[str]:
    names = {one.name for of in PRINTED for one in fields(of)}
    return {
        name
        for name in names - INSIDE - {"id"}
        if not name.endswith(("_id", "_by", "_ids")) or name in ("requested_by", "given_by")
    }


def pers() -> set[str]:
    """By what a planned service is counted."""
    return set(get_args(PlannedServiceInput.model_fields["per"].annotation))


def codes_printed() -> set[str]:
    """The codes that the records of the printed answer hold."""
    return {
        *Role, *case.CaseStatus, *plan.ServiceStatus, *plan.VersionStatus,
        *states.ReferralStatus,
        *case.CHANNELS, *case.DETERMINATIONS, *case.CLOSING_REASONS, *case.EX_OFFICIO_GROUNDS,
        *case.SIGNALS, *case.ASSESSMENT_ROUTES, "guidance", *resident.PURPOSES, *SEXES,
        *resident.MOBILITIES, *households.KINDS, *EXCEPTIONS, *access_requests.REQUESTED_BY,
        *access_requests.ANSWERS, *access_requests.HANDED_OVER, *access_requests.IDENTITY_BY,
        *CareField, *directory.INCOME_TIERS, *FACTS, *RuleResult, *Comparison, *Priority,
        *referral_moves.DISPOSITIONS, *referral_moves.OUTCOMES, *pers(), *LEVEL.values(),
        *(reason for of in referral_moves.REASONS.values() for reason in of), *CorrectedSubject,
    }  # fmt: skip


def members(of: str) -> set[str]:
    """The keys of a family."""
    begins, _, ends = of.partition(".*")
    return {f"{begins}.{one}{ends.replace('.*', '')}" for one in families()[of]}


def vocabulary() -> set[str]:
    """Every word of the domain that is a code: what its enumerations and constants hold."""
    found: set[str] = set()
    for info in pkgutil.walk_packages(casework.domain.__path__, "casework.domain."):
        for name, value in vars(importlib.import_module(info.name)).items():
            if isinstance(value, type) and issubclass(value, Enum):
                found.update(str(one.value) for one in value)
            elif name.isupper():
                found.update(_words(value))
    return found


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _words([*value, *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _words(one)


def expected() -> set[str]:
    """Every key that code and templates use, except those of the open family."""
    named = {one for one in used() if "*" not in one}
    return named.union(*map(members, families()))


def is_open(key: str) -> bool:
    """Whether a key is of the family of any code."""
    return key.startswith(OPEN.removesuffix("*"))


def test_every_family_that_is_named_is_listed() -> None:
    assert {one for one in used() if "*" in one} == {*families(), OPEN}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_missing(language: str) -> None:
    assert sorted(expected() - set(catalogue(language))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_unused(language: str) -> None:
    unused = set(catalogue(language)) - expected()
    assert sorted(one for one in unused if not is_open(one)) == []


def test_no_resident_reads_a_bare_code() -> None:
    missing = {one for one in codes_printed() if f"{OPEN[:-1]}{one}" not in catalogue("ko")}
    assert sorted(missing) == []


def test_words_of_the_printed_answer_are_of_codes_that_there_are() -> None:
    units = {"hour", "meal"}  # of services, from the directory
    known = vocabulary() | set(POLICY) | codes_printed() | units | {"ok", "call"}
    found = {key.removeprefix(OPEN[:-1]) for key in catalogue("en") if is_open(key)}
    assert sorted(found - known) == []
    assert set(catalogue("ko")) == set(catalogue("en"))


def test_a_file_that_chooses_the_code_of_a_refusal_says_here_which_it_can_be() -> None:
    refusals = {"Conflict", "Forbidden", "Invalid", "NotFound", "Problem", "require"}
    choosing = {
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in refusals
        for given in _codes_given(node)
        if not _is_constant(given)
    }
    assert choosing - {"domain/errors.py"} == set(CHOSEN)


def _is_constant(given: ast.expr) -> bool:
    if isinstance(given, ast.IfExp):
        return _is_constant(given.body) and _is_constant(given.orelse)
    return isinstance(given, ast.Constant)


# Placeholders


def placeholders(of: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in Formatter().parse(of) if name is not None}


def test_both_languages_have_the_same_placeholders_and_plain_ones() -> None:
    for key, korean in catalogue("ko").items():
        names = {frozenset(placeholders(one)) for one in korean.texts}
        names |= {frozenset(placeholders(one)) for one in catalogue("en")[key].texts}
        assert len(names) == 1, key
        assert all(name.isidentifier() for name in next(iter(names))), key


def test_who_takes_a_message_fills_in_all_of_it_and_nothing_else() -> None:
    wrong = [
        (path, key)
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("text", "plural")
        for key in _keys_of(node.args[0])
        if not _fits(node, placeholders(catalogue("en")[key].texts[0]))
    ]
    assert wrong == []


def _keys_of(given: ast.expr) -> list[str]:
    """The keys that a call can use; of a family, each member."""
    if isinstance(given, ast.JoinedStr):
        return sorted(members(family(given))) if family(given) in families() else []
    return [one for one in _constants(given) if one in catalogue("en")]


def _fits(call: ast.Call, names: set[str]) -> bool:
    given = {one.arg for one in call.keywords}
    if ast.unparse(call.func) == "plural":
        given.add("count")
    return given - {None} <= names if None in given else given == names


# What the messages say


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_says_something_in_as_many_forms_as_its_language_has(language: str) -> None:
    forms = {"ko": 1, "en": 2}[language]
    for key, message in catalogue(language).items():
        assert len(message.texts) == (forms if message.plural else 1), key
        assert message.plural in (None, key)
        assert all(one.strip() for one in message.texts), key


def test_titles_of_problems_are_in_their_language() -> None:
    for key in members("problem.*.title"):
        assert text(key, "en").isascii(), key
        assert HANGUL.search(text(key, "ko")), key


def test_every_holiday_of_the_calendar_has_an_english_name() -> None:
    calendar = korean_calendar()
    closed = [name for year in KNOWN_YEARS for name in calendar.holidays_in(year).values()]
    names = {one for name in closed for one in name.split("; ")}
    assert sorted(one for one in names if HANGUL.search(holiday_name(one, "en"))) == []
    assert all(holiday_name(one, "ko") == one for one in names)


def test_the_law_that_no_standard_passes_is_named_as_the_domain_names_it() -> None:
    assert STATUTORY_BASIS in text("sentence.standard.statutory", "en")


# No texts outside the catalogues


def test_no_korean_text_stands_in_the_code() -> None:
    found = []
    for path, tree in modules().items():
        if any(path == one or path.startswith(f"{one}/") for one in KOREAN):
            continue
        docstrings = _docstrings(tree)
        found += [
            (path, node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and id(node) not in docstrings
            and HANGUL.search(str(node.value))
            and not (path.startswith("adapters/api/") and node.value in EXAMPLES)
        ]  # fmt: skip
    assert found == []


def test_no_korean_text_stands_in_a_template() -> None:
    folder = PACKAGE / "adapters" / "web" / "templates"
    assert [one.name for one in folder.iterdir() if HANGUL.search(one.read_text("utf-8"))] == []


@pytest.mark.parametrize("place", sorted(KOREAN))
def test_where_korean_is_data_there_is_some(place: str) -> None:
    path = PACKAGE / place
    files = [path] if path.is_file() else sorted(path.glob("*.py"))
    assert any(HANGUL.search(one.read_text("utf-8")) for one in files)
