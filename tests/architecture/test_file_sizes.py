"""Files stay short: one of more than 400 lines is listed here, with its reason."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LINES: Final = 400
# Of the product and its migrations.
LONG: Final = {
    "casework/adapters/api/shared/fields.py": "a vocabulary: each field's name once, a line or two",
    "migrations/versions/0001_first_schema.py": "the first schema; a function for each subject",
}
# Of the tests: all tests of one subject.
LONG_TESTS: Final = {
    "tests/adapters/persistence/casefile/test_case_files.py": "what a save writes and never writes",
    "tests/adapters/persistence/notices/test_notices.py": "who is told what, from act to mailbox",
    "tests/adapters/persistence/scope/test_row_level_security.py": "every role at every table",
    "tests/adapters/persistence/supervision/test_sweep.py": "the sweep, step by step",
    "tests/api/access/test_signing_in.py": "every way in, and every refusal of it",
    "tests/api/cases/test_intake.py": "from the registration to the determination",
    "tests/api/directory/test_editing.py": "who changes what of the directory",
    "tests/api/directory/test_matching.py": "the order of a match and its reasons",
    "tests/api/directory/test_places.py": "a place: taken, freed, offered, stated",
    "tests/api/duplicates/test_duplicates.py": "who may be registered already",
    "tests/api/duplicates/test_merging.py": "a merge and its way back, row by row",
    "tests/api/exchange/test_imports.py": "every kind of file, and every result of a row",
    "tests/api/figures/test_figures.py": "every figure, counted by hand",
    "tests/api/planning/test_conferences.py": "a meeting from its members to its minutes",
    "tests/api/planning/test_plans.py": "a plan from draft to decision",
    "tests/api/referring/test_referrals.py": "a referral's whole life, for each role",
    "tests/api/shared/test_guard.py": "what is refused before any operation begins",
    "tests/api/shared/test_hygiene.py": "headers, limits and time, of every answer",
    "tests/deep/test_lost_database.py": "a database that is gone, slow or silent",
    "tests/api/supervision/test_holidays.py": "declared holidays and the clocks they move",
    "tests/api/supervision/test_standards.py": "standards, and the clocks they move",
    "tests/api/supervision/test_supervision.py": "what is overdue and what is decided about it",
    "tests/architecture/test_messages.py": "where every message is looked for",
    "tests/domain/casefile/test_referral_moves.py": "the table of moves, written a second time",
    "tests/domain/casefile/test_settlement.py": "each fact that settles a service or does not",
    "tests/domain/clocks/test_clocks.py": "which clocks each act moves",
    "tests/domain/clocks/test_deadlines.py": "the boundaries of every clock",
    "tests/domain/planning/test_plans.py": "versions and the services that live across them",
    "tests/e2e/test_cli.py": "every command",
    "tests/proofs/_operations.py": "a line for each operation",
    "tests/proofs/_subjects.py": "one of everything that an operation is about",
    "tests/proofs/matrix.py": "routes, methods, roles and relations, counted a second time",
    "tests/proofs/tampering.py": "each way of changing the audit by hand",
    "tests/web/test_links.py": "what opens nothing, cause by cause",
}


def long_files(*folders: str) -> set[str]:
    """The files of some folders that are longer than that."""
    return {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if len(path.read_text("utf-8").splitlines()) > LINES
    }


def test_a_long_file_of_the_product_has_its_reason() -> None:
    assert long_files("casework", "migrations") == set(LONG)


def test_a_long_file_of_the_tests_has_its_reason() -> None:
    assert long_files("tests") == set(LONG_TESTS)
