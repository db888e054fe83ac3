"""A life as the product itself writes it: lived by its use cases, and read back as rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Engine, Table, Uuid, text

from casework.adapters import reference
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.encrypted_columns import (
    columns_with_ciphertext,
    decrypted,
)
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.scope import session_context
from casework.bench.filling import WORKER, numbered_id
from casework.domain.access.policy import Actor, Role
from casework.domain.casefile.plan import PlannedItem
from casework.domain.cases import intake as survey
from casework.domain.directory.directory import Offering
from casework.domain.planning import planning as plan
from casework.workflows.cases import intake
from casework.workflows.context import Context
from casework.workflows.planning import planning
from casework.workflows.ports.access import Passwords
from casework.workflows.ports.vault import Vault
from casework.workflows.referring import referring
from casework.workflows.residents import residents

SERVICES: Final = ("CARE-MEALS", "CARE-HOUSEWORK", "CARE-ESCORT")
LIFE_KIND: Final = 0x100
# Who wrote what is not part of a life, and what is claimed or waits is of the one request; what
# figures count is noted by triggers.
NOT_OF_A_LIFE: Final = (
    "account", "idempotency", "audit_", "message", "addressee", "configuration", "figure_",
)  # fmt: skip


class Product(Protocol):
    """The part of the wired application that a city is made with."""

    @property
    def engine(self) -> Engine:
        """Its database as the role that serves."""
        ...

    @property
    def vault(self) -> Vault:
        """The vault with its keys."""
        ...

    @property
    def passwords(self) -> Passwords:
        """How passwords are digested."""
        ...

    def context(self, actor: Actor) -> Context:
        """The session context of an actor."""
        ...

    def app(self) -> Any:
        """The HTTP application."""
        ...


OpenAt = Callable[[datetime], Product]


@dataclass(frozen=True, slots=True)
class Ways:
    """The kinds of the ids of a life, the same in lives of either sort."""

    resident: int
    case: int
    referral: int
    free_services: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """A life as it was written: its rows by table, and the number of each of its ids."""

    rows: dict[Table, list[dict[str, Any]]]
    kinds: dict[UUID, int]
    ways: Ways


def live(owner: Engine, product: Product, offering: Offering, name: str) -> Life:
    """One life by the use cases of the product, read back as rows."""
    centre = reference.centres()[0]
    place: dict[str, Any] = {"district_code": centre.district_code}
    worker = product.context(
        Actor(
            id=numbered_id(WORKER, 0), role=Role.WORKER, centre_code=centre.code, **place
        )
    )  # fmt: skip
    supervisor = product.context(Actor(id=new_id(), role=Role.SUPERVISOR, **place))
    facts = {
        "name": name, "birth_date": date(1941, 5, 6), "sex": "female",
        "centre_code": centre.code, "phone": f"010-0000-{ord(name[0]) % 10_000}",
        "address": "가상로 1",
    }  # fmt: skip
    resident = residents.register_resident(worker, facts, [], confirm_new=True).id
    case = _planned(worker, supervisor, resident)
    services = _planned_services(owner, case)
    asked = referring.ReferCommand(
        planned_service_id=services[SERVICES[0]], offering_id=offering.id,
        priority="routine", basis_kind="article_14_2",
    )  # fmt: skip
    referral = referring.refer(worker, asked)
    kinds, rows = _read_back(owner, product.vault, resident)
    free = tuple(kinds[services[code]] for code in SERVICES[1:])
    return Life(rows, kinds, Ways(kinds[resident], kinds[case], kinds[referral], free))


def _planned(worker: Context, supervisor: Context, resident: UUID) -> UUID:
    """A case with an approved plan of all services."""
    today = worker.act.today
    case = intake.open_case(worker, resident, {"channel": "self", "applied_on": today}, None)
    activities = dict.fromkeys(survey.ACTIVITIES, 1)
    intake.record_pre_survey(
        worker, case, dementia_medicine=False, activities=activities, guidance=None
    )
    finding = survey.Finding(
        assessed_on=today, received_on=today, assessor="an assessor",
        determination="community_care", needs=[],
    )  # fmt: skip
    intake.record_assessment(worker, case, finding)
    items = [
        PlannedItem(
            id=new_id(), service_code=code, content="help", quantity=Decimal(3), unit="meal",
            per="week", starts_on=today, ends_on=today + timedelta(days=300),
        )
        for code in SERVICES
    ]  # fmt: skip
    draft = plan.Draft(
        goals=["stay at home"], items=[(None, item) for item in items], heard_on=today,
        heard_from="the resident",
    )  # fmt: skip
    planning.put_draft(worker, case, draft)
    submitted = planning.submit_plan(worker, case)
    command = planning.DecisionCommand(
        version=submitted.version, hash=submitted.hash, approve=True,
        without_meeting_reason="no meeting this week",
    )  # fmt: skip
    planning.decide_plan(supervisor, case, command)
    return case


def _planned_services(owner: Engine, case: UUID) -> dict[str, UUID]:
    query = text("SELECT service_code, id FROM planned_service WHERE case_id = :case")
    with owner.connect() as connection:
        session_context.set_system_context(connection)
        return {row.service_code: row.id for row in connection.execute(query, {"case": case})}


def tables_of_lives() -> list[Table]:
    """The tables that a life may have rows in, parents before children."""
    return [one for one in t.metadata.sorted_tables if not one.name.startswith(NOT_OF_A_LIFE)]


def _read_back(
    owner: Engine, vault: Vault, resident: UUID
) -> tuple[dict[UUID, int], dict[Table, list[dict[str, Any]]]]:
    """The rows of a life, decrypted: all that name it, or a row of it that was found before."""
    kinds = {resident: LIFE_KIND}
    rows: dict[Table, list[dict[str, Any]]] = {}
    with owner.connect() as connection:
        session_context.set_system_context(connection)
        everything = {
            table: list(connection.scalars(text(f'SELECT to_jsonb(x) FROM "{table.name}" x')))
            for table in tables_of_lives()
        }
    for table, found in everything.items():
        names = [column.name for column in table.c if isinstance(column.type, Uuid)]
        for row in found:
            if kinds.keys() & {UUID(row[name]) for name in names if row[name]}:
                if "id" in names:
                    kinds.setdefault(UUID(row["id"]), LIFE_KIND + len(kinds))
                rows.setdefault(table, []).append(_in_clear(table, row, vault))
    return kinds, rows


def _in_clear(table: Table, row: dict[str, Any], vault: Vault) -> dict[str, Any]:
    for column in columns_with_ciphertext(table):
        row[column.name] = decrypted(table, column.name, row[column.name], UUID(row["id"]), vault)
    return row
