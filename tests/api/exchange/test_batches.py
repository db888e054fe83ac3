"""Rows that are carried out together have the results, and leave the rows, of each by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, text

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import vault_of
from casework.adapters.persistence.rows.mapper import from_row
from casework.adapters.persistence.tables.exchange import import_file, import_row
from casework.bench.statements import statements
from casework.domain.exchange.importing import FileKind, ImportRow, Mode
from casework.domain.residents.resident import Resident
from casework.workflows.exchange import carrying_out, importing
from casework.workflows.exchange.importing import NewImport
from tests.api.acts import a_resident
from tests.api.conftest import FAR, FAR_SUPERVISOR, HERE, NEXT_DOOR, SUPERVISOR, WORKER, Api
from tests.proofs._world import LIFE
from tests.proofs.imports import FAULTS, HEADINGS, KNOWN, plant

pytestmark = pytest.mark.both_stores
ROWS, SEED = 160, 7
# Of names, birth dates and telephones that are like each other, within the file and beside it.
ALIKE: Final = (
    "901,김영숙,1941.5.6.,여,우1동,가상로 1,010-1111-2222,예,",
    "902,김영순,1941.5.6.,여,우1동,가상로 2,,예,",  # a name near that of the one before
    "903,김영숙,1941.6.5.,여,우1동,가상로 3,,예,",  # day and month exchanged
    "904,김 영 숙,1941.5.6.,여,우1동,가상로 4,,예,",  # the first again
    "905,이순자,1950.1.1.,남,우2동,가상로 5,010-1111-2222,,",  # the first one's telephone
    "906,박말자,1950.1.1.,,우1동,가상로 6,,,",  # refused, so that the next is none said twice
    "907,박말자,1950.1.1.,여,우1동,가상로 6,,,",
    f"908,가상먼곳,1933.3.3.,여,{FAR},가상로 7,,,",
    "909,가상이웃,1933.3.3.,여,우1동,가상로 8,010-3333-4444,,",
    "910,가상합쳐진,1934.4.4.,여,우1동,가상로 9,,,",
)
REFUSED_BY_THE_DATABASE: Final = "가상거절"
NO_SUCH_ROW: Final = {
    "sqlite": (
        "CREATE TRIGGER no_such_row BEFORE INSERT ON resident"
        f" WHEN NEW.name = '{REFUSED_BY_THE_DATABASE}'"
        " BEGIN SELECT RAISE(ABORT, 'no such row'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION no_such_row() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no such row'; END $$",
        "CREATE TRIGGER no_such_row BEFORE INSERT ON resident FOR EACH ROW"
        f" WHEN (NEW.name = '{REFUSED_BY_THE_DATABASE}') EXECUTE FUNCTION no_such_row()",
    ),
}


def the_file() -> bytes:
    """Every kind of fault, and rows that are like each other."""
    planted = plant(ROWS, 2 * len(FAULTS), SEED).text
    return "\r\n".join((planted, *ALIKE)).encode("cp949")


def settle(api: Api) -> None:
    """Those who are registered before, one of them merged with another, and one far away."""
    a_resident(api, SUPERVISOR, name=KNOWN[0], birth_date=KNOWN[1], centre_code=HERE)
    a_resident(api, FAR_SUPERVISOR, name="가상이웃", birth_date=date(1933, 3, 3), centre_code=FAR)
    a_resident(api, name="가상이윳", birth_date=date(1933, 3, 3), phone="010-3333-4444")
    survivor = a_resident(api, name="가상남은", birth_date=date(1934, 4, 4))
    merged = a_resident(api, name="가상합쳐진", birth_date=date(1934, 4, 4))
    body = {"duplicate_id": str(merged), "reason": "같은 사람", "keep": {"name": "survivor"}}
    answer = api.as_(SUPERVISOR).post(f"/residents/{survivor}/merge", body)
    assert answer.status_code == 201, answer.text


def begin_again(api: Api) -> None:
    """Delete everything that happened; the audit stays."""
    with api.engine.begin() as connection:
        for table in LIFE:
            connection.execute(delete(table))


def take_in(
    api: Api, content: bytes, *, dry_run: bool = False, mode: Mode = Mode.ROW_BY_ROW
) -> UUID:
    """Import the file as the district's supervisor."""
    ctx, tools = api.context(SUPERVISOR), api.application.import_tools()
    wanted = NewImport(kind=FileKind.RESIDENTS, mode=mode, dry_run=dry_run)
    id = importing.receive(ctx, tools, wanted, BytesIO(content))
    *_, file = importing.process_import(ctx, tools, id)
    assert file.has_ended
    return id


def everything(api: Api, id: UUID, since: int) -> dict[str, Any]:
    """All that an import leaves, people by their names: rows, results, events, audit, queue."""
    with api.engine.connect() as connection:
        vault = vault_of(connection)
        people: list[Resident] = [
            from_row(Resident, row, vault) for row in connection.execute(select(t.resident))
        ]
        names = {one.id: f"{one.name} {one.birth_date}" for one in people}
        rows = [
            from_row(ImportRow, row, vault)
            for row in connection.execute(select(import_row).order_by(import_row.c.number))
        ]
        events = connection.execute(select(t.event)).all()
        entry = t.audit_entry.c
        audit = connection.execute(select(t.audit_entry).order_by(entry.at, entry.id)).all()
        file = connection.execute(select(import_file).where(import_file.c.id == id)).one()
        checks = connection.scalars(select(t.duplicate_check.c.resident_id)).all()
        derived = connection.execute(select(t.resident)).all()
    left_out = {"id", "import_id", "key", "subject_id", "resident_id"}
    return {
        "people": sorted(
            str({name: getattr(one, name) for name in Resident.__dataclass_fields__ if name != "id"}
                | {"merged_into_id": names.get(one.merged_into_id or one.id)})
            for one in people
        ),
        "derived": sorted(
            (row.name_key, row.name_initials, row.phone_digits or "", row.phone_ending or "",
             row.name_birth_index)
            for row in derived
        ),
        "results": [
            {name: value for name in ImportRow.__dataclass_fields__ if name not in left_out
             and (value := getattr(row, name)) is not None}
            | {"subject": names.get(row.subject_id), "resident": names.get(row.resident_id)}
            for row in rows
        ],
        "events": sorted(
            (one.name, one.subject_type, names.get(one.subject_id, ""), str(one.at), str(one.by_id),
             one.by_role, str(one.data))
            for one in events
            if not one.name.startswith("ResidentsMerged")  # by those who were there before
        ),
        "audit": [
            (one.action, one.task, one.outcome, one.code, one.actor,
             sorted(names.get(UUID(id), "nobody who is there") for id in one.subjects))
            for one in audit[since:]
        ],
        "queue": sorted(names[one] for one in checks),
        "file": {name: value for name, value in file._mapping.items()
                 if name not in ("id", "salt", "digest", "position")},
    }  # fmt: skip


def entries(api: Api) -> int:
    """How many entries the audit has."""
    with api.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(t.audit_entry)) or 0


def both_ways(
    api: Api, monkeypatch: pytest.MonkeyPatch, go: Callable[[], UUID]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is left by rows together, and by each by itself."""
    found = []
    for kinds in (carrying_out.TOGETHER, frozenset()):
        monkeypatch.setattr(carrying_out, "TOGETHER", kinds)
        begin_again(api)
        settle(api)
        since = entries(api)
        found.append(everything(api, go(), since))
    return found[0], found[1]


WAYS: Final[dict[str, dict[str, Any]]] = {
    "row by row": {},
    "a trial": {"dry_run": True},
    "all or nothing": {"mode": Mode.ALL_OR_NOTHING},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("batch", [500, 20])
def test_rows_together_have_the_results_of_each_by_itself(
    api: Api, monkeypatch: pytest.MonkeyPatch, way: str, batch: int
) -> None:
    monkeypatch.setattr(importing, "step", _in_batches(batch))
    together, alone = both_ways(api, monkeypatch, lambda: take_in(api, the_file(), **WAYS[way]))
    for name, value in alone.items():
        assert together[name] == value, name
    outcomes = {row["outcome"] for row in alone["results"]}
    assert outcomes == {"accepted", "refused", "duplicate"}
    codes = {one["code"] for row in alone["results"] for one in row["errors"]}
    assert {code for *_, code in (fault.says for fault in FAULTS)} <= codes


def _in_batches(rows: int) -> Callable[..., Any]:
    step = importing.step
    return lambda ctx, tools, id: step(ctx, tools, id, rows)


def test_who_is_alike_in_a_batch_is_named_in_the_audit_as_one_by_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "\r\n".join((HEADINGS, *ALIKE)).encode("cp949")
    together, alone = both_ways(api, monkeypatch, lambda: take_in(api, content))
    assert together["audit"] == alone["audit"]
    assert together["audit"][-1][-1].count("가상남은 1934-04-04") == 1  # for whom was merged
    assert [row["outcome"] for row in together["results"]] == [
        "accepted", "accepted", "accepted", "duplicate", "accepted", "refused", "accepted",
        "refused", "accepted", "duplicate",
    ]  # fmt: skip


def test_a_row_that_the_database_refuses_is_told_from_the_others(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with api.engine.begin() as connection:
        for statement in NO_SUCH_ROW[connection.dialect.name]:
            connection.execute(text(statement))
    bad = f"911,{REFUSED_BY_THE_DATABASE},1935.5.5.,여,우1동,가상로 1,,,"
    content = "\r\n".join((HEADINGS, *ALIKE[:5], bad, *ALIKE[5:])).encode("cp949")
    together, alone = both_ways(api, monkeypatch, lambda: take_in(api, content))
    assert together == alone
    (row,) = [row for row in together["results"] if row["line"] == 7]
    assert (row["outcome"], row["errors"][0]["code"]) == ("refused", "internal_error")
    assert [row["outcome"] for row in together["results"]].count("accepted") == 6


def test_what_a_batch_does_not_gather_is_carried_out_one_by_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any) -> list[Any]:
        return []

    content = "\r\n".join((HEADINGS, *ALIKE)).encode("cp949")
    settle(api)
    monkeypatch.setattr(carrying_out, "_expected", unknown)
    noted: list[str] = []
    tools = replace(
        api.application.import_tools(),
        note_failure=lambda _line, error: noted.append(type(error).__name__),
    )
    monkeypatch.setattr(api.application, "import_tools", lambda: tools)
    id = take_in(api, content)
    assert noted == ["NotGathered"]
    assert len(list(importing.all_results(api.context(SUPERVISOR), id, "accepted"))) == 6


def test_a_batch_costs_the_same_statements_however_many_rows_it_has(api: Api) -> None:
    costs = []
    for rows in (40, 400):
        begin_again(api)
        a_resident(api, SUPERVISOR, name=KNOWN[0], birth_date=KNOWN[1], centre_code=HERE)
        content = plant(rows, len(FAULTS), SEED).text.encode("cp949")
        with statements(api.application.engine) as sent:
            take_in(api, content)
        costs.append(len(sent))
    assert costs[0] == costs[1] < 60


def test_a_worker_takes_in_only_their_centre_in_a_batch_too(api: Api) -> None:
    ctx, tools = api.context(WORKER), api.application.import_tools()
    content = (
        "성명,생년월일,성별,읍면동\n"
        f"가상하나,1941.5.6.,여,{HERE}\n가상둘,1941.5.7.,여,{NEXT_DOOR}\n가상셋,1941.5.8.,여,없는곳\n"
    )
    id = importing.receive(
        ctx, tools, NewImport(kind=FileKind.RESIDENTS), BytesIO(content.encode())
    )
    *_, file = importing.process_import(ctx, tools, id)
    assert (file.accepted, file.refused) == (1, 2)
    told = [row.errors[0]["code"] for row in importing.all_results(ctx, id, "refused")]
    assert told == ["centre_out_of_scope", "unknown_centre"]
