"""The vault: a value decrypts only in its own place, and no index works without its key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from casework.adapters.vault import KeyVault, RingError
from casework.adapters.vault.ring import DATA, INDEX, change_ring, make_ring
from casework.workflows.ports.vault import Place

MASTER = b"m" * 32
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HERE = Place("resident", "phone", uuid4())
PHONE = "051-000-1234"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A new key ring."""
    ring = tmp_path / "keyring.json"
    make_ring(ring, MASTER, NOW)
    return ring


@pytest.fixture
def vault(path: Path) -> KeyVault:
    """A vault over it."""
    return KeyVault(path, MASTER)


def test_a_sealed_value_opens_in_its_place_and_names_its_key(vault: KeyVault) -> None:
    sealed = vault.encrypt(PHONE, HERE)
    assert vault.decrypt(sealed, HERE) == PHONE
    assert PHONE not in sealed
    assert sealed.startswith(f"v1.{vault.current()}.")


def test_a_value_is_sealed_otherwise_each_time(vault: KeyVault) -> None:
    assert vault.encrypt(PHONE, HERE) != vault.encrypt(PHONE, HERE)


@pytest.mark.parametrize(
    "elsewhere",
    [HERE._replace(row=uuid4()), HERE._replace(column="address"), HERE._replace(table="contact")],
)
def test_a_value_that_was_moved_does_not_open(vault: KeyVault, elsewhere: Place) -> None:
    sealed = vault.encrypt(PHONE, HERE)
    with pytest.raises(ValueError, match="changed or moved"):
        vault.decrypt(sealed, elsewhere)


def test_a_value_of_which_any_character_was_changed_does_not_open(vault: KeyVault) -> None:
    sealed = vault.encrypt(PHONE, HERE)
    # The last Base64 character before the padding has unused bits.
    for at in range(len(sealed.rstrip("=")) - 1):
        changed = "A" if sealed[at] != "A" else "B"
        with pytest.raises(ValueError, match=r"sealed value|no key"):
            vault.decrypt(sealed[:at] + changed + sealed[at + 1 :], HERE)


@pytest.mark.parametrize("clear", ["", PHONE, "v1", "v1.", "v1.abc", "v1.abc."])
def test_what_was_never_sealed_does_not_open(vault: KeyVault, clear: str) -> None:
    with pytest.raises(ValueError, match="no sealed value"):
        vault.decrypt(clear, HERE)


def test_equal_values_have_one_index_and_each_purpose_has_its_own(vault: KeyVault) -> None:
    assert vault.blind("phone", PHONE) == vault.blind("phone", PHONE)
    assert vault.blind("phone", PHONE) != vault.blind("phone", PHONE + "5")
    assert vault.blind("phone", PHONE) != vault.blind("rrn", PHONE)


def test_a_new_key_is_noticed_by_a_vault_that_is_open(vault: KeyVault, path: Path) -> None:
    before = vault.encrypt(PHONE, HERE)
    change_ring(path, MASTER, lambda ring: ring.with_new(DATA, NOW))
    after = vault.encrypt(PHONE, HERE)
    assert before.split(".")[1] != after.split(".")[1]
    assert vault.decrypt(before, HERE) == vault.decrypt(after, HERE) == PHONE


def test_what_another_sealed_under_a_new_key_opens_at_once(vault: KeyVault, path: Path) -> None:
    change_ring(path, MASTER, lambda ring: ring.with_new(DATA, NOW))
    assert vault.decrypt(KeyVault(path, MASTER).encrypt(PHONE, HERE), HERE) == PHONE


def test_while_indexes_get_a_new_key_both_are_searched(vault: KeyVault, path: Path) -> None:
    before = vault.blind("phone", PHONE)
    change_ring(path, MASTER, lambda ring: ring.with_new(INDEX, NOW))
    assert vault.blinds("phone", PHONE) == [before, vault.blind("phone", PHONE)]
    assert vault.blind("phone", PHONE) != before


def test_what_was_sealed_under_a_key_that_is_gone_does_not_open(
    vault: KeyVault, path: Path
) -> None:
    sealed, old = vault.encrypt(PHONE, HERE), vault.current()
    change_ring(path, MASTER, lambda ring: ring.with_new(DATA, NOW).without({old}))
    with pytest.raises(ValueError, match=f"no key {old}"):
        KeyVault(path, MASTER).decrypt(sealed, HERE)


def test_without_its_ring_nothing_is_sealed(vault: KeyVault, path: Path) -> None:
    sealed = vault.encrypt(PHONE, HERE)
    path.unlink()
    with pytest.raises(RingError, match="cannot be read"):
        vault.encrypt(PHONE, HERE)
    assert vault.decrypt(sealed, HERE) == PHONE


def test_a_ring_opens_under_its_master_key_only(path: Path) -> None:
    with pytest.raises(RingError, match="does not open"):
        KeyVault(path, b"n" * 32)


def test_the_ring_holds_no_key_in_clear_and_is_nobody_elses_to_read(path: Path) -> None:
    assert path.stat().st_mode & 0o077 == 0
    assert {frozenset(one) for one in json.loads(path.read_text())["keys"]} == {
        frozenset({"id", "kind", "made_at", "wrapped"})
    }


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2, "keys": []}', '{"format": 1}'])
def test_a_file_that_is_no_ring_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keyring.json"
    path.write_text(text)
    with pytest.raises(RingError, match="no key ring"):
        KeyVault(path, MASTER)


def test_a_ring_without_a_key_of_each_kind_is_refused(vault: KeyVault, path: Path) -> None:
    change_ring(path, MASTER, lambda ring: ring.without({vault.current(INDEX)}))
    with pytest.raises(RingError, match="lacks a key"):
        vault.check()


def test_making_a_ring_where_there_is_one_leaves_it(vault: KeyVault, path: Path) -> None:
    sealed = vault.encrypt(PHONE, HERE)
    make_ring(path, MASTER, NOW)
    assert KeyVault(path, MASTER).decrypt(sealed, HERE) == PHONE
