"""Access tokens: a signature is checked once for each token, its time with each request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from casework.adapters.identity import LEEWAY_S, CheckedToken, CheckedTokens, JwtTokens
from casework.workflows.ports.access import Unauthenticated

WHO = UUID(int=7)
NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def tokens() -> JwtTokens:
    return JwtTokens(b"a key of thirty-two bytes or more")


def test_a_token_says_the_same_when_it_is_read_again(tokens: JwtTokens) -> None:
    token = tokens.issue(WHO, NOW)
    assert tokens.read(token, NOW) == (WHO, NOW)
    assert tokens.read(token, NOW + SECOND) == (WHO, NOW)
    assert len(tokens._checked) == 1


def test_a_token_that_was_read_before_ends_at_its_end(tokens: JwtTokens) -> None:
    token, end = tokens.issue(WHO, NOW), NOW + tokens.lifetime
    assert tokens.read(token, end - SECOND) == (WHO, NOW)
    for moment in (end, end + SECOND):
        with pytest.raises(Unauthenticated):
            tokens.read(token, moment)


def test_a_token_that_was_read_before_is_not_good_before_its_time(tokens: JwtTokens) -> None:
    token, earliest = tokens.issue(WHO, NOW), NOW - LEEWAY_S * SECOND
    assert tokens.read(token, NOW) == (WHO, NOW)
    assert tokens.read(token, earliest) == (WHO, NOW)
    with pytest.raises(Unauthenticated):
        tokens.read(token, earliest - SECOND)


def test_another_signature_under_a_token_that_was_read_is_refused(tokens: JwtTokens) -> None:
    token = tokens.issue(WHO, NOW)
    tokens.read(token, NOW)
    forged = JwtTokens(b"another key of thirty-two bytes!!").issue(WHO, NOW)
    unsigned = token.rpartition(".")[0] + "." + forged.rpartition(".")[2]
    for other in (forged, unsigned, token[:-2]):
        with pytest.raises(Unauthenticated):
            tokens.read(other, NOW)
    assert len(tokens._checked) == 1, "what was refused is not kept"


def test_of_tokens_that_were_read_so_many_are_kept() -> None:
    kept = CheckedTokens(at_most=2)
    token = CheckedToken(WHO, NOW, 0, 1)
    for digest in (b"first", b"second", b"third"):
        kept.remember(digest, token)
    assert [kept.get(one) for one in (b"first", b"second", b"third")] == [None, token, token]
