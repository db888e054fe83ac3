"""Key rotation under concurrent writes: nothing is lost, nothing stays under the old key."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from casework import operations
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import (
    blind_columns,
    columns_with_ciphertext,
    decrypt_row,
    vault_of,
)
from casework.adapters.persistence.rows.mapper import to_row
from casework.adapters.persistence.schema import migrations
from casework.adapters.persistence.schema.reencryption import (
    INDEXED,
    EncryptedRows,
    encrypted_tables,
)
from casework.adapters.vault import KeyVault
from casework.adapters.vault.ring import make_ring
from casework.bootstrap import Application
from casework.domain.errors import Conflict
from casework.domain.residents.resident import Resident
from casework.workflows.audit.encryption_keys import (
    RETENTION_AFTER_ROTATION,
    key_usage,
    retire,
    rotate,
)
from casework.workflows.ports.vault import Progress
from tests.adapters.looking import stored
from tests.adapters.persistence.schema.clearing import unsealed
from tests.api.acts import a_case, a_referral, a_resident
from tests.api.conftest import WORKER, Api
from tests.conftest import Store

MICROSECOND = timedelta(microseconds=1)
ON_POSTGRES = pytest.mark.parametrize("store", ["postgres"], indirect=True)


@pytest.fixture
def application(application: Application, store: Store, tmp_path: Path) -> Application:
    """An application with its own key ring, which migrates as the owner of its tables."""
    ring, master = tmp_path / "keyring.json", b"m" * 32
    make_ring(ring, master, application.now())
    application.vault = KeyVault(ring, master)
    application.engine.update_execution_options(vault=application.vault)
    application.settings = application.settings.model_copy(
        update={"migration_url": store.owner_url}
    )
    return application


@pytest.fixture
def lived_in(api: Api) -> Api:
    """A small world with values in most of the encrypted fields."""
    a_referral(api, message="가상 전언")
    a_case(api, urgent=True, urgent_reason="가상 사유")
    for n in range(3):
        a_resident(api, phone=f"010-0000-100{n}", address=f"가상로 {n}")
    return api


def everything(api: Api) -> dict[Any, dict[str, Any]]:
    """Every encrypted field of every row, decrypted."""
    found = {}
    with api.engine.connect() as connection:
        for table in encrypted_tables():
            for row in connection.execute(select(table)):
                clear = decrypt_row(table, dict(row._mapping), row.id, vault_of(connection))
                found[table.name, row.id] = {
                    one.name: clear[one.name] for one in columns_with_ciphertext(table)
                }
    return found


def under(api: Api) -> dict[str, int]:
    """How many values are encrypted under each key."""
    return dict(api.application.encrypted_rows().values_by_key())


def rotated(api: Api, kind: str = "data") -> list[Progress]:
    """Rotate to the end."""
    return list(rotate(api.application.vault, api.application.encrypted_rows(), kind, api.clock()))


def test_after_a_rotation_all_is_under_the_new_key_and_reads_as_before(lived_in: Api) -> None:
    before, old = everything(lived_in), lived_in.application.vault.current()
    assert under(lived_in)[old] > 10
    rotated(lived_in)
    new = lived_in.application.vault.current()
    assert new != old
    assert set(under(lived_in)) == {new, lived_in.application.vault.current("index")}
    assert everything(lived_in) == before


def test_a_rotation_that_broke_off_is_gone_on_with(
    lived_in: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.adapters.persistence.schema.reencryption.BATCH", 2)
    before, old = everything(lived_in), lived_in.application.vault.current()
    steps = rotate(
        lived_in.application.vault, lived_in.application.encrypted_rows(), "data", lived_in.clock()
    )
    next(step for step in steps if step.changed)
    del steps
    begun = lived_in.application.vault.current()
    assert under(lived_in)[old] > 0
    assert under(lived_in)[begun] > 0
    rotated(lived_in)
    assert lived_in.application.vault.current() == begun, "no third key was made"
    assert old not in under(lived_in)
    assert everything(lived_in) == before


def test_what_is_written_during_a_rotation_is_kept(lived_in: Api) -> None:
    """One row is changed after the batch has read it, another is inserted under the old key."""
    steps = rotate(
        lived_in.application.vault, lived_in.application.encrypted_rows(), "data", lived_in.clock()
    )
    late = a_resident(lived_in, phone="010-0000-2000")
    next(steps)
    last = a_resident(lived_in, phone="010-0000-3000")
    list(steps)
    assert stored(lived_in, Resident, late).phone == "010-0000-2000"
    assert stored(lived_in, Resident, last).phone == "010-0000-3000"
    current = {lived_in.application.vault.current(kind) for kind in ("data", "index")}
    assert set(under(lived_in)) == current


@ON_POSTGRES  # SQLite has one writer at a time
def test_a_row_that_somebody_holds_is_passed_over_and_done_next_time(lived_in: Api) -> None:
    id = a_resident(lived_in)
    old = lived_in.application.vault.current()
    new = lived_in.application.vault.renew("data", lived_in.clock())
    current = {new, lived_in.application.vault.current("index")}
    with lived_in.engine.begin() as holder:
        holder.execute(select(t.resident).where(t.resident.c.id == id).with_for_update())
        assert (
            sum(step.left for step in lived_in.application.encrypted_rows().reencrypt(current)) == 1
        )
        assert under(lived_in)[old] > 0
    assert sum(step.left for step in lived_in.application.encrypted_rows().reencrypt(current)) == 0
    assert old not in under(lived_in)


def test_while_the_indexes_get_a_new_key_everyone_is_found(lived_in: Api) -> None:
    a_resident(lived_in, phone="010-0000-4000", name="가상탐색")
    asker = lived_in.as_(WORKER)
    wanted = {"phone": "+82 10-0000-4000"}
    found = asker.post("/residents/search", wanted).json()["items"]
    assert [one["name"] for one in found] == ["가상탐색"]
    old = lived_in.application.vault.current("index")
    steps = rotate(
        lived_in.application.vault, lived_in.application.encrypted_rows(), "index", lived_in.clock()
    )
    lived_in.application.vault.renew("index", lived_in.clock())
    assert under(lived_in)[old] > 0
    assert asker.post("/residents/search", wanted).json()["items"] == found
    list(steps)
    assert old not in under(lived_in)
    assert asker.post("/residents/search", wanted).json()["items"] == found


@pytest.mark.parametrize(
    ("after", "state"),
    [(-MICROSECOND, "superseded lately"), (timedelta(), None), (MICROSECOND, None)],
)
def test_a_key_that_nothing_needs_goes_after_an_hour(
    lived_in: Api, after: timedelta, state: str | None
) -> None:
    old = lived_in.application.vault.current()
    rotated(lived_in)
    now = lived_in.clock() + RETENTION_AFTER_ROTATION + after
    found = retire(lived_in.application.vault, lived_in.application.encrypted_rows(), now)
    assert {one.key.id: one.stays for one in found}[old] == state
    assert (old in {one.id for one in lived_in.application.vault.listed()}) is (state is not None)
    assert everything(lived_in)


def test_a_key_under_which_something_stands_is_never_taken_off(lived_in: Api) -> None:
    old = lived_in.application.vault.current()
    lived_in.application.vault.renew("data", lived_in.clock())
    found = retire(
        lived_in.application.vault,
        lived_in.application.encrypted_rows(),
        lived_in.clock() + 2 * RETENTION_AFTER_ROTATION,
    )
    assert {one.key.id: one.stays for one in found}[old] == "in use"
    assert old in {one.id for one in lived_in.application.vault.listed()}


def test_what_is_counted_is_all_there_is(lived_in: Api) -> None:
    beyond_the_walls = EncryptedRows(lived_in.engine, lived_in.application.vault).values_by_key()
    assert lived_in.application.encrypted_rows().values_by_key() == beyond_the_walls


@ON_POSTGRES
@pytest.mark.parametrize(
    "wall",
    [
        ["DROP POLICY casework_see ON resident",
         "CREATE POLICY casework_see ON resident FOR SELECT USING (false)"],
        ["CREATE POLICY another ON resident AS RESTRICTIVE USING (false)"],
        ["DROP POLICY casework_see ON resident"],
        ["ALTER TABLE subscription ENABLE ROW LEVEL SECURITY"],
    ],
)  # fmt: skip
def test_no_key_goes_while_a_wall_may_hide_what_stands_under_it(
    lived_in: Api, wall: list[str]
) -> None:
    rotated(lived_in)
    keys = lived_in.application.vault.listed()
    with lived_in.engine.begin() as connection:
        for statement in wall:
            connection.execute(text(statement))
    with pytest.raises(Conflict, match=r"row-level security on (resident|subscription) is not"):
        retire(
            lived_in.application.vault,
            lived_in.application.encrypted_rows(),
            lived_in.clock() + 2 * RETENTION_AFTER_ROTATION,
        )
    assert lived_in.application.vault.listed() == keys


def test_the_newest_keys_always_stay(lived_in: Api) -> None:
    later = lived_in.clock() + 2 * RETENTION_AFTER_ROTATION
    found = key_usage(lived_in.application.vault, lived_in.application.encrypted_rows(), later)
    assert [one.stays for one in found] == ["current", "current"]


def test_every_index_has_its_recipe() -> None:
    assert set(INDEXED) == {
        f"{table.name}.{column.name}"
        for table in encrypted_tables()
        for column in blind_columns(table)
    }


# What was in plain text before


def in_clear(api: Api, resident: Resident) -> None:
    """The database at the revision from which on a field is encrypted."""
    row = to_row(resident) | {"name_birth_index": None}
    with api.engine.begin() as connection:
        connection.execute(insert(unsealed(t.resident)), [row])
        connection.execute(insert(t.configuration), [{"name": "clear_fields", "version": 1}])


def test_migrating_seals_what_stood_in_clear_and_only_then_is_current(lived_in: Api) -> None:
    known = stored(lived_in, Resident, a_resident(lived_in))
    before = everything(lived_in)
    known.id, known.phone, known.address = (
        lived_in.context(WORKER).new_id(),
        "010-0000-5000",
        "가상로",
    )
    in_clear(lived_in, known)
    assert not migrations.is_current(lived_in.engine)
    operations.migrate(lived_in.application)
    assert migrations.is_current(lived_in.engine)
    assert stored(lived_in, Resident, known.id) == known
    assert "" not in under(lived_in)
    found = lived_in.as_(WORKER).post("/residents/search", {"phone": "01000005000"}).json()["items"]
    assert [one["id"] for one in found] == [str(known.id)]
    assert {key: everything(lived_in)[key] for key in before} == before


def test_a_value_in_clear_is_neither_written_nor_read(lived_in: Api) -> None:
    id = a_resident(lived_in)
    with lived_in.engine.connect() as connection, pytest.raises(Exception, match="in clear"):
        connection.execute(update(t.resident).where(t.resident.c.id == id).values(phone="010"))
    with lived_in.engine.begin() as connection:
        connection.execute(text("UPDATE resident SET phone = '010-0000-9999'"))
        count = connection.scalar(select(func.count()).select_from(t.resident))
    assert under(lived_in)[""] == count
    assert lived_in.as_(WORKER).get(f"/residents/{id}").status_code == 500
