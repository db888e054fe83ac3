"""Pruning signs no deletion but its own: a log that was tampered with stays as it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ColumnElement, delete, select, update

from casework import operations
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.tables.audit import audit_seal
from casework.domain.audit.chain import retention_start
from casework.domain.errors import Conflict
from casework.workflows.audit import exporting, sealing
from tests.adapters.persistence.audit.test_begun_anew import KEY, by, rows_of, set_back
from tests.adapters.persistence.audit.test_sealing import old_entries, seals
from tests.api.conftest import DISTRICT, WORKER, Api
from tests.audit import free_hand, leave_as_it_was, seal


def change(api: Api, statement: Any) -> None:
    """As the owner, with the triggers away for the moment."""
    with api.engine.begin() as connection:
        free_hand(connection)
        connection.execute(statement)
        leave_as_it_was(connection)


def of_worker(*, old: bool, api: Api) -> ColumnElement[bool]:
    limit = retention_start(api.clock.now)
    entry = t.audit_entry.c
    return (entry.actor == WORKER) & (entry.at < limit if old else entry.at >= limit)


def prune(api: Api) -> int:
    return operations.prune_audit(api.application, retention_start(api.clock.now))


@pytest.mark.parametrize("old", [True, False], ids=["an old entry", "a young one"])
def test_what_was_taken_away_is_not_signed_by_pruning(api: Api, old: bool) -> None:
    old_entries(api)
    change(api, delete(t.audit_entry).where(of_worker(old=old, api=api)))
    before = seals(api, DISTRICT)
    with pytest.raises(Conflict, match=f"{DISTRICT} at \\d: entry_missing") as refused:
        prune(api)
    assert refused.value.code == "audit_broken"
    assert seals(api, DISTRICT) == before, "it stays, as evidence"
    assert sealing.verify(api.application.seals, KEY, api.clock.now).flaws


def test_entries_of_today_that_were_made_old_are_not_pruned(api: Api) -> None:
    old_entries(api)
    long_ago = retention_start(api.clock.now) - timedelta(days=1)
    backdated = update(t.audit_entry).where(of_worker(old=False, api=api)).values(at=long_ago)
    change(api, backdated)
    with pytest.raises(Conflict, match="entry_altered"):
        prune(api)


def test_an_entry_that_said_it_was_old_when_it_was_sealed_is_kept_until_its_seal_is(
    api: Api,
) -> None:
    """Before it is sealed its owner may write anything; when that was, the sealer says."""
    old_entries(api)
    now = api.clock.now
    api.clock.now = retention_start(now) - timedelta(days=1)
    api.as_(WORKER).get("/accounts")  # on SQLite it is sealed at once, as one of then
    api.clock.now = now
    seal(api.application)
    kept = [row.sealed_at for row in seals(api, DISTRICT)][-1]
    assert prune(api) == 2
    left = seals(api, DISTRICT)
    assert left[-1].sealed_at == kept
    assert all(row.sealed_at >= retention_start(now) for row in left[:1])


def test_a_log_that_was_set_back_is_not_pruned(api: Api, tmp_path: Path) -> None:
    of = by(api.application, tmp_path)
    given = {"audit_heads": f"file:{tmp_path}/heads"}
    api.application.settings = api.application.settings.model_copy(update=given)
    old_entries(api)
    before = rows_of(api)
    api.as_(WORKER).get("/accounts")
    seal(api.application)
    exporting.export(of, api.clock.now)
    set_back(api, before)
    assert sealing.verify(of.store, KEY, api.clock.now).flaws == [], "the control"
    with pytest.raises(Conflict, match="not_as_exported"):
        prune(api)


def test_after_pruning_heads_that_were_exported_before_are_gone_on_from(
    api: Api, tmp_path: Path
) -> None:
    of = by(api.application, tmp_path)
    old_entries(api)
    exporting.export(of, api.clock.now)
    assert prune(api) == 2
    seal(api.application)
    api.clock.forward(minutes=5)
    assert exporting.export(of, api.clock.now).kept_by
    with api.engine.connect() as connection:
        first = connection.scalar(select(audit_seal.c.seq).where(audit_seal.c.chain == DISTRICT))
    assert first == 3
    assert exporting.compare(of).flaws == []
