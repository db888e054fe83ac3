"""The Korean catalogue says the terms of the glossary, one for each concept."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from casework.locale.catalogues import read

ROOT = Path(__file__).resolve().parents[2]
KOREAN = ROOT / "casework" / "locale" / "ko" / "LC_MESSAGES" / "casework.po"
# Whose messages are named after a code of the glossary.
SECTIONS = (
    "page.status", "page.action", "page.reason", "page.outcome", "page.front.role", "letter.kind",
    "document.code", "document.field",
)  # fmt: skip
# The field has the name of a concept and is something else; or the agency's page says what is to
# be done instead of the state.
OTHERWISE = {
    "page.status.requested", "document.field.guidance", "document.field.message",
    "document.field.unit",
}  # fmt: skip
# The words of a move, of its state and of its fields share one stem.
STEMS = {
    "hold": "보류", "resume": "재개", "accept": "수락", "decline": "거절", "lapse": "무응답",
    "fail": "실패", "withdraw": "철회", "cancel": "취소", "complete": "완료",
}  # fmt: skip
MOVES = r"(?:page\.(?:action|status)|document\.(?:code|field))\.(?:on_)?{stem}(?:d|l?ed|s|n|_\w+)?"


def terms() -> dict[str, set[str]]:
    """The Korean terms of each code: in a list, or in a row of a table."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    found: dict[str, set[str]] = defaultdict(set)
    for code, korean in re.findall(r"`([\w-]+)` ([가-힣][가-힣0-9%·~\s]*)", text):
        found[code].add(" ".join(korean.split()))
    for word, korean in re.findall(r"^\| (.+?) \| (.*?[가-힣].*?) \|", text, flags=re.MULTILINE):
        codes, several = re.findall(r"`([\w-]+)`", word) or [word], korean.split(", ")
        each = several if len(several) == len(codes) else [korean] * len(codes)
        for code, term in zip(codes, each, strict=True):
            found[code].add(term)
    return found


@pytest.fixture(scope="module")
def messages() -> dict[str, str]:
    """The Korean messages by their keys."""
    found = read(KOREAN.read_text(encoding="utf-8"))
    return {key: message.texts[0] for key, message in found.items()}


def test_a_message_named_after_a_code_is_the_term_of_the_glossary(
    messages: dict[str, str],
) -> None:
    glossary, wrong = terms(), {}
    for key, text in messages.items():
        section, _, code = key.rpartition(".")
        if section not in SECTIONS or code not in glossary or key in OTHERWISE:
            continue
        if not any(term in text or text in term for term in glossary[code]):
            wrong[key] = text, glossary[code]
    assert wrong == {}


@pytest.mark.parametrize("stem", STEMS)
def test_what_comes_of_a_move_has_the_stem_of_its_term(stem: str, messages: dict[str, str]) -> None:
    named = re.compile(MOVES.format(stem=stem))
    said = {key: text for key, text in messages.items() if named.fullmatch(key)}
    assert said, "no message is of this move"
    assert {key: text for key, text in said.items() if STEMS[stem] not in text} == {}
    assert any(STEMS[stem] in term for term in terms()[stem]), "the glossary says otherwise"
