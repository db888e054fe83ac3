"""Settings for the identity provider and for second factors: what is valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casework.settings import Settings, SettingsError

PROVIDER = {"oidc_issuer": "https://login.example", "oidc_audience": "casework"}
PRODUCTION = {
    "mode": "production", "database_url": "sqlite:///x", "token_key": "t" * 32,
    "cursor_key": "c" * 32, "audit_key": "a" * 32, "master_key": "m" * 32,
    "key_ring": Path("/nowhere/ring"),
}  # fmt: skip


def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **given: Any) -> Settings:
    """Settings of a clean environment, checked."""
    monkeypatch.chdir(tmp_path)
    for name in ("CASEWORK_KEY_RING", "CASEWORK_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)
    found = Settings(**given)
    found.check()
    return found


def test_a_second_factor_is_demanded_in_production_and_where_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for given, demanded in (
        ({}, False), ({"require_totp": "staff"}, True), ({"require_totp": "none"}, False),
        (PRODUCTION, True), (PRODUCTION | {"require_totp": "staff"}, True),
    ):  # fmt: skip
        assert settings(monkeypatch, tmp_path, **given).totp_is_required is demanded, given


@pytest.mark.parametrize(
    ("given", "words"),
    [({"require_totp": "none"}, "production demands a second factor"),
     ({"cursor_key": "t" * 32}, "CASEWORK_TOKEN_KEY and CASEWORK_CURSOR_KEY are the same"),
     ({"audit_key": "c" * 32}, "CASEWORK_CURSOR_KEY and CASEWORK_AUDIT_KEY are the same"),
     ({"master_key": "a" * 32}, "are the same")],
)  # fmt: skip
def test_production_is_not_made_weaker_than_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        settings(monkeypatch, tmp_path, **(PRODUCTION | given))


@pytest.mark.parametrize(
    ("given", "words"),
    [({"local_sign_in": "off"}, "needs CASEWORK_OIDC_ISSUER"),
     ({"oidc_issuer": "https://login.example"}, "needs CASEWORK_OIDC_AUDIENCE"),
     (PROVIDER | {"oidc_issuer": "ftp://login.example"}, "are https"),
     (PROVIDER | {"oidc_jwks_url": "file:///etc/keys"}, "are https"),
     (PROVIDER | PRODUCTION | {"oidc_issuer": "http://login.example"}, "are https"),
     (PROVIDER | PRODUCTION | {"oidc_jwks_url": "http://login.example/keys"}, "are https"),
     (PROVIDER | {"oidc_algorithms": ""}, "are of RS256"),
     (PROVIDER | {"oidc_algorithms": "RS256,none"}, "are of RS256"),
     (PROVIDER | {"oidc_algorithms": "HS256"}, "are of RS256")],
)  # fmt: skip
def test_half_a_provider_or_one_that_proves_nothing_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        settings(monkeypatch, tmp_path, **given)


def test_a_provider_that_is_named_whole_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = settings(monkeypatch, tmp_path, **PROVIDER, **PRODUCTION, local_sign_in="off")
    assert found.oidc_algorithm_names == ("RS256", "ES256")
    local = {"oidc_issuer": "http://127.0.0.1:1", "oidc_algorithms": " ES384 , PS256"}
    found = settings(monkeypatch, tmp_path, **PROVIDER | local)
    assert found.oidc_algorithm_names == ("ES384", "PS256")
