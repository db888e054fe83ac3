"""The README and the pages of docs agree with this repository."""

import re
import unicodedata
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

import pytest

from casework.cli import policy as policy_command
from casework.domain.access.grant_log import GrantAct
from casework.domain.access.policy import POLICY, Relation, Role
from casework.domain.agencies import rosters
from casework.domain.audit import chain
from casework.domain.casefile import case, referral_moves, states
from casework.domain.casefile.plan import ServiceStatus, VersionStatus
from casework.domain.cases import intake
from casework.domain.clocks.calendar import Unit
from casework.domain.clocks.standards import CareField, ClockKind, Priority
from casework.domain.directory.coverage import CoverageGap
from casework.domain.directory.designations import DesignationCode
from casework.domain.directory.directory import INCOME_TIERS, EntryState, ProviderKind
from casework.domain.directory.eligibility import FACTS, Comparison, RuleResult
from casework.domain.directory.entries import STEPS
from casework.domain.directory.matching import Factor, GivenAt
from casework.domain.directory.overview import Availability
from casework.domain.duplicates.likeness import LikenessReason
from casework.domain.duplicates.suspicions import SuspicionState
from casework.domain.exchange.exporting import ExportOf, ExportPurpose
from casework.domain.exchange.importing import Dismissal, FileKind, ImportState, Mode, Outcome
from casework.domain.figures.figures import UNMET_REASONS, Figure
from casework.domain.privacy import access_requests, masks
from casework.domain.programme.kinds import BodyKind, SeatedBy, SeatPart, Source
from casework.domain.programme.rules import Decides, Quorum, Standing
from casework.domain.residents import resident
from casework.domain.residents.households import KINDS
from casework.domain.supervision import reviewing
from casework.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
ENUMS: tuple[type[StrEnum], ...] = (
    case.CaseStatus, Comparison, DesignationCode, Dismissal, EntryState, ExportOf, ExportPurpose,
    Factor, Figure, FileKind, GivenAt, GrantAct, CoverageGap, ImportState, ClockKind,
    states.ReferralStatus, Mode, Outcome, Priority, ProviderKind, Relation, Role, ServiceStatus,
    Availability, Unit, SuspicionState, VersionStatus, BodyKind, SeatPart, SeatedBy, Source, Quorum,
    Decides, Standing,
)  # fmt: skip
LISTS = {
    "access request": access_requests.REQUESTED_BY + access_requests.ANSWERS,
    "activity": intake.ACTIVITIES,
    "cause": reviewing.CAUSES,
    "channel": case.CHANNELS,
    "closing reason": case.CLOSING_REASONS,
    "consent": resident.PURPOSES,
    "determination": case.DETERMINATIONS,
    "delivered": rosters.EXCEPTIONS,
    "disposition": referral_moves.DISPOSITIONS,
    "entry": tuple(STEPS),
    "field": tuple(CareField),
    "fact": FACTS,
    "income tier": INCOME_TIERS,
    "flaw": chain.FLAWS,
    "ground": case.EX_OFFICIO_GROUNDS,
    "handed over": access_requests.HANDED_OVER,
    "identity": access_requests.IDENTITY_BY,
    "household": KINDS,
    "likeness": tuple(LikenessReason),
    "merge": ("merged", "undone"),
    "mobility": resident.MOBILITIES,
    "move": tuple(referral_moves.MOVES),
    "outcome": referral_moves.OUTCOMES,
    "review": reviewing.ACTIONS,
    "route": (*sorted(case.ASSESSMENT_ROUTES), "guidance"),
    "signal": case.SIGNALS,
    "unmet reason": UNMET_REASONS,
    **{f"reason to {move}": reasons for move, reasons in referral_moves.REASONS.items()},
    "verdict of a rule": tuple(RuleResult),
    **{enum.__name__: tuple(enum) for enum in ENUMS},
}
# What begins like this inside backticks is a file or folder of the repository.
IN_REPOSITORY = re.compile(
    r"`((?:casework|docs|migrations|tests)/[\w./-]*|[\w-]+\.(?:py|toml|md))`"
)
MEASURED = {"Sweep and worklist", "Sweeps at once", "Counting", "Mutation"}


@cache
def text_of(name: str) -> str:
    """A page of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def prose_of(name: str) -> str:
    """A page without its code blocks, which hold no links or headings."""
    return re.sub(r"^( *)```.*?^\1```$", "", text_of(name), flags=re.MULTILINE | re.DOTALL)


def links_of(name: str) -> list[str]:
    """The targets of a page's links that lead to this repository."""
    found = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose_of(name))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors_of(name: str) -> set[str]:
    """The anchors that the headings of a page have."""
    headings = re.findall(r"^#+ (.+)$", prose_of(name), re.MULTILINE)
    return {anchor(heading) for heading in headings}


def anchor(heading: str) -> str:
    """As forges make it: lower case, no punctuation, hyphens for blanks."""
    kept = [c for c in heading.lower() if c in " -_" or unicodedata.category(c)[0] in "LN"]
    return "".join(kept).replace(" ", "-")


def section(name: str, heading: str) -> str:
    """A section of a page, up to the next heading of its level."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text_of(name), re.MULTILINE | re.DOTALL)
    assert found, f"{name} has no section {heading!r}"
    return found[1]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in links_of(name):
        path, _, fragment = target.partition("#")
        page = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert page.exists(), target
        if fragment:
            assert fragment in anchors_of(str(page.relative_to(ROOT))), target


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_a_page_names_is_there(name: str) -> None:
    missing = [path for path in IN_REPOSITORY.findall(text_of(name)) if not _is_there(path)]
    assert missing == []


def _is_there(path: str) -> bool:
    """In the repository, or, named without its folder, somewhere in the package."""
    return (ROOT / path).exists() or ("/" not in path and any((ROOT / "casework").rglob(path)))


def test_every_page_is_found_from_the_readme() -> None:
    found, waiting = set(), ["README.md"]
    while waiting:
        name = waiting.pop()
        found.add(name)
        for target in links_of(name):
            page = ((ROOT / name).parent / target.partition("#")[0]).resolve()
            linked = str(page.relative_to(ROOT))
            if linked in NAMES and linked not in found:
                waiting.append(linked)
    assert set(NAMES) - found == set()


def test_the_map_shows_every_room_of_the_package() -> None:
    rooms = section("README.md", "The map of the packages")
    adapters = [
        one for one in (ROOT / "casework/adapters").iterdir() if (one / "__init__.py").exists()
    ]
    for folder in [*adapters, ROOT / "casework/domain", ROOT / "casework/workflows"]:
        assert f"`{folder.relative_to(ROOT)}/`" in rooms


def test_the_page_of_the_policy_is_what_the_application_goes_by(
    capsys: pytest.CaptureFixture[str],
) -> None:
    policy_command.policy()
    printed = capsys.readouterr().out.splitlines()
    rows = [line for line in printed if line[:1] == "|"]
    assert len(rows) == 2 + len(POLICY) + 2 + len(list(masks.table()))
    assert [line for line in text_of("docs/policy.md").splitlines() if line[:1] == "|"] == rows


def test_the_settings_are_listed_with_their_defaults() -> None:
    rows = re.findall(
        r"^\| `(CASEWORK_\w+)` \| (.+?) \|", section("README.md", "Settings"), re.MULTILINE
    )
    expected = {}
    for name, field in Settings.model_fields.items():
        variable = field.validation_alias or f"CASEWORK_{name.upper()}"
        shown = "–" if field.default is None else f"`{field.default}`"
        expected[str(variable)] = "made" if name.endswith("_key") else shown
    assert dict(rows) == expected


@pytest.mark.parametrize("kind", LISTS)
def test_the_glossary_has_every_word_that_is_a_code(kind: str) -> None:
    glossary = text_of("docs/glossary.md")
    assert [word for word in LISTS[kind] if f"`{word}`" not in glossary] == []


def test_the_decisions_are_numbered_and_listed() -> None:
    index = text_of("docs/decisions/README.md")
    for number, page in enumerate(DECISIONS, start=1):
        title = text_of(str(page.relative_to(ROOT))).splitlines()[0].removeprefix("# ")
        assert page.name.startswith(f"{number:04}-")
        assert f"{number}. [{title.removeprefix(f'{number}. ')}]({page.name})" in index
        assert title.startswith(f"{number}. ")


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_says_why_what_else_and_what_holds_it(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Context", "Decision", "Alternatives", "Consequences", "Enforced by"]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_day_and_says_what_it_supersedes(page: Path) -> None:
    (found,) = re.findall(
        r"^# .+\n\n- Status: (.+)\n- Date: (.+)\n- Supersedes: (.+)\n\n## Context$",
        page.read_text(encoding="utf-8"), re.MULTILINE,
    )  # fmt: skip
    status, day, superseded = found
    assert re.fullmatch(r"accepted|superseded by \[ADR \d+\]\(.+\)", status)
    assert date.fromisoformat(day) >= date(2026, 11, 22)
    assert re.fullmatch(r"nothing|\[ADR \d+\]\(.+\)(, \[ADR \d+\]\(.+\))*", superseded)


def test_each_version_of_the_changelog_has_its_day_newest_first() -> None:
    versions = re.findall(r"^## (\S+) – (.+)$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert len(versions) == len(re.findall(r"^## ", text_of("CHANGELOG.md"), re.MULTILINE))
    days = [day for _version, day in versions]
    assert [day for day in days[1:] if "unreleased" in day] == []
    released = [date.fromisoformat(day) for day in days if "unreleased" not in day]
    assert released == sorted(released, reverse=True)
    assert re.fullmatch(r"unreleased, since \d{4}-\d\d-\d\d|\d{4}-\d\d-\d\d", days[0])


def test_what_was_not_measured_is_said_so_in_one_place_only() -> None:
    assert set(re.findall(r"^## (.+)$", text_of("docs/quality.md"), re.MULTILINE)) >= MEASURED
    assert [name for name in NAMES if "not yet measured" in text_of(name)] in (
        [], ["docs/quality.md"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "expected"),
    [("What is not here yet", "what-is-not-here-yet"), ("If-Match, and more", "if-match-and-more")],
)
def test_an_anchor_is_made_as_forges_make_it(heading: str, expected: str) -> None:
    assert anchor(heading) == expected
