"""Password digests, including the one that attempts on unknown accounts are compared with."""

from __future__ import annotations

import pytest

from casework.adapters.identity import Argon2Passwords


@pytest.mark.parametrize("cheap", [True, False])
def test_what_a_stranger_is_compared_with_costs_what_a_password_costs(cheap: bool) -> None:
    passwords = Argon2Passwords(cheap=cheap)
    digest, nobody = passwords.digest("a long enough password"), passwords._nobody
    assert digest.split("$")[:4] == nobody.split("$")[:4], "kind, version and cost"
    assert [len(part) for part in digest.split("$")] == [len(part) for part in nobody.split("$")]
    assert Argon2Passwords(cheap=cheap)._nobody != nobody


def test_a_digest_matches_its_password_and_none_matches_nobody() -> None:
    passwords = Argon2Passwords(cheap=True)
    digest = passwords.digest("a long enough password")
    assert passwords.matches(digest, "a long enough password")
    assert not passwords.matches(digest, "another long password")
    assert not passwords.matches(None, "a long enough password")
    assert not passwords.matches("no digest", "a long enough password")
