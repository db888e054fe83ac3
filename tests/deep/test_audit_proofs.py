"""Longer runs of the proofs of the audit: `python3 dev.py proof tampering`, `… proof appends`."""

from __future__ import annotations

from pathlib import Path

from casework.adapters.persistence.engine.engine import open_engine
from tests.conftest import Store
from tests.proofs import appends, rewriting, tampering


def test_random_hands_on_the_audit_are_found_where_they_were(store: Store) -> None:
    engine = tampering.sealed_log(store.owner_url, entries=120, seed=7)
    result = tampering.tamper(engine, edits=150, seed=7)
    engine.dispose()
    assert tampering.is_proven(result), result
    assert len(result["kinds"]) > 15, "few were left out"


def test_no_log_that_its_owner_rewrote_is_signed_where_a_head_was_exported(
    store: Store, tmp_path: Path
) -> None:
    written = rewriting.write(store.owner_url, entries=40, seed=7, folder=tmp_path)
    result = rewriting.rewrite(written, times=60, seed=7)
    written.engine.dispose()
    assert rewriting.is_proven(result), result
    assert len(result["kinds"]) > 8, "few were left out"


def test_many_who_write_seal_and_check_at_once_raise_no_false_alarm(store: Store) -> None:
    engine = open_engine(store.owner_url, pool_size=appends.WRITERS + appends.SEALERS + 1)
    result = appends.append(engine, entries=400, seed=7)
    engine.dispose()
    assert appends.is_proven(result), result
    if store.name == "postgres":
        assert result["sealed_after_a_younger_one"] > 0, "nobody was overtaken: nothing was tried"
