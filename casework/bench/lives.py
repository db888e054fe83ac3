"""A life as the product itself writes it: lived by its use cases, and read back as rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar
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
from casework.bench.names import name_of, worker_name
from casework.domain.access.policy import Actor, Role
from casework.domain.casefile.plan import PlannedItem
from casework.domain.cases import intake as survey
from casework.domain.directory.directory import Offering
from casework.domain.planning import planning as plan
from casework.domain.referring.details import Details
from casework.workflows.cases import intake
from casework.workflows.context import Context
from casework.workflows.planning import planning
from casework.workflows.ports.access import Passwords
from casework.workflows.ports.vault import Vault
from casework.workflows.referring import referring
from casework.workflows.residents import residents

SERVICES: Final = (
    "CARE-MEALS", "CARE-HOUSEWORK", "CARE-ESCORT", "CARE-SAFETY", "CARE-AIOT", "CARE-ACTIVIST",
    "CARE-ELDER", "CARE-DISCHARGE",
)  # fmt: skip
# A plan has at least so many of them, those that were not asked for to be asked for yet.
PLANNED: Final = 3
# Who wrote what is not part of a life, and what is claimed or waits is of the one request; what
# figures count is noted by triggers.
NOT_OF_A_LIFE: Final = (
    "account", "idempotency", "audit_", "message", "addressee", "configuration", "duplicate_",
    "figure_",
)  # fmt: skip
# What became of what was asked for: of the first service, the second and so on.
COURSES: Final[tuple[tuple[str, ...], ...]] = (
    (), ("accept", "start"), ("decline",), ("accept", "start", "complete"), ("accept",),
)  # fmt: skip
ANSWERS: Final = {
    "accept": (timedelta(days=1), Details()),
    "decline": (timedelta(days=1), Details(reason="at_capacity")),
    "start": (timedelta(days=3), Details()),
    "complete": (timedelta(days=17), Details(outcome="ended_as_planned")),
}
COMES_BACK: Final = timedelta(days=7)
SORTED: Final = tuple(t.metadata.sorted_tables)
NUMBERS: Final = {table.name: number for number, table in enumerate(SORTED, start=1)}
Key = TypeVar("Key")


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

    def context(self, actor: Actor = ...) -> Context:
        """The session context of an actor."""
        ...

    def sweep(self, ctx: Context) -> Any:
        """Run the overdue sweep."""
        ...

    def relay(self, ctx: Context) -> Any:
        """Send the notices that are due."""
        ...

    def app(self) -> Any:
        """The HTTP application."""
        ...


OpenAt = Callable[[datetime], Product]


@dataclass(frozen=True, slots=True)
class Story:
    """What happens in a life: since when, how many services are asked for, and written notes.

    What was asked for was answered as ``COURSES`` says, or nobody answered yet.
    """

    age: timedelta
    referrals: int = 1
    notes: int = 0
    is_answered: bool = False


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

    @property
    def ways(self) -> Ways:
        """The kinds of the ids that requests name."""
        asked = {row["planned_service_id"] for row in self.rows.get(t.referral, ())}
        free = {
            row["service_code"]: self.kinds[UUID(row["id"])]
            for row in self.rows[t.planned_service]
            if row["id"] not in asked
        }
        return Ways(
            kind_of(t.resident, 0), kind_of(t.care_case, 0), kind_of(t.referral, 0),
            tuple(free[code] for code in SERVICES if code in free),
        )  # fmt: skip


def live(
    open_at: OpenAt, now: datetime, story: Story, offerings: Sequence[Offering], which: int = 0
) -> UUID:
    """One life by the use cases of the product; returns whose.

    ``offerings`` are those of one agency; ``which`` tells one life from the others.
    """
    began = now - story.age
    worker = open_at(began).context(_worker())
    resident, case = _planned(worker, open_at(began), story, which)
    of = {one.service_code: one for one in offerings}
    services = _services(worker, case)
    for which, code in enumerate(SERVICES[: story.referrals]):
        asked = referring.ReferCommand(
            planned_service_id=services[code], offering_id=of[code].id,
            priority="routine", basis_kind="article_14_2",
        )  # fmt: skip
        referral = referring.refer(worker, asked)
        for action in COURSES[which % len(COURSES)] if story.is_answered else ():
            after, details = ANSWERS[action]
            agency = Actor(id=new_id(), role=Role.PROVIDER, provider_id=of[code].provider_id)
            ctx = open_at(min(began + after, now)).context(agency)
            referring.move_referral(ctx, referral, action, details)
    for which in range(story.notes):
        promised = worker.act.today + COMES_BACK if which == 0 else None
        residents.write_note(
            worker, resident, kind="call", with_whom=None, text="asked how they are",
            come_back_on=promised,
        )  # fmt: skip
    return resident


def _worker() -> Actor:
    centre = reference.centres()[0]
    return Actor(
        id=numbered_id(WORKER, 0), role=Role.WORKER, username=worker_name(0),
        centre_code=centre.code, district_code=centre.district_code,
    )  # fmt: skip


def _planned(worker: Context, product: Product, story: Story, which: int) -> tuple[UUID, UUID]:
    """A resident, and a case with an approved plan of all services."""
    centre = reference.centres()[0]
    supervisor = Actor(id=new_id(), role=Role.SUPERVISOR, district_code=centre.district_code)
    facts = {
        "name": name_of(which), "birth_date": date(1931 + which % 40, 1 + which % 12, 6),
        "sex": "female", "centre_code": centre.code, "phone": f"010-0000-{which:04}",
        "address": "가상로 1",
    }  # fmt: skip
    resident = residents.register_resident(worker, facts, [], confirm_new=True).id
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
    planning.put_draft(worker, case, _draft(today, max(PLANNED, story.referrals)))
    submitted = planning.submit_plan(worker, case)
    command = planning.DecisionCommand(
        version=submitted.version, hash=submitted.hash, approve=True,
        without_meeting_reason="no meeting this week",
    )  # fmt: skip
    planning.decide_plan(product.context(supervisor), case, command)
    return resident, case


def _draft(today: date, services: int) -> plan.Draft:
    items = [
        PlannedItem(
            id=new_id(), service_code=code, content="help", quantity=Decimal(3), unit="meal",
            per="week", starts_on=today, ends_on=today + timedelta(days=300),
        )
        for code in SERVICES[:services]
    ]  # fmt: skip
    return plan.Draft(
        goals=["stay at home"], items=[(None, item) for item in items], heard_on=today,
        heard_from="the resident",
    )  # fmt: skip


def _services(worker: Context, case: UUID) -> dict[str, UUID]:
    """The planned services of a case, by their codes."""
    with worker.reading("case.read") as reading:
        return {one.service_code: one.id for one in reading.cases.get(case).file.services.values()}


# Reading back


def kind_of(table: Table, which: int) -> int:
    """The number of the ids of the rows of a table in a life, the first of which is 0."""
    return (NUMBERS[table.name] << 8) + which


def tables_of_lives(*, with_audit: bool = False) -> list[Table]:
    """The tables that a life may have rows in, parents before children."""
    of = [one for one in SORTED if not one.name.startswith(NOT_OF_A_LIFE)]
    return [*of, t.audit_entry] if with_audit else of


def read_back(
    owner: Engine, vault: Vault, whose: Mapping[Key, UUID], *, with_audit: bool = False
) -> dict[Key, Life]:
    """The lives of some residents as they are stored, decrypted.

    Their rows are all that name them, or a row of theirs that was found before.
    """
    with owner.connect() as connection:
        session_context.set_system_context(connection)
        everything = {
            table: list(connection.scalars(text(f'SELECT to_jsonb(x) FROM "{table.name}" x')))
            for table in tables_of_lives(with_audit=with_audit)
        }
    return {key: _life(everything, vault, resident) for key, resident in whose.items()}


def _life(
    everything: Mapping[Table, list[dict[str, Any]]], vault: Vault, resident: UUID
) -> Life:  # fmt: skip
    kinds: dict[UUID, int] = {resident: kind_of(t.resident, 0)}
    given: Counter[str] = Counter({t.resident.name: 1})
    rows: dict[Table, list[dict[str, Any]]] = {}
    for table, found in everything.items():
        for row in found:
            if kinds.keys() & _named(table, row):
                if "id" in row and UUID(row["id"]) not in kinds:
                    kinds[UUID(row["id"])] = kind_of(table, given[table.name])
                    given[table.name] += 1
                rows.setdefault(table, []).append(_in_clear(table, dict(row), vault))
    return Life(rows, kinds)


def _named(table: Table, row: Mapping[str, Any]) -> set[UUID]:
    """The ids in a row; of an entry of the audit, those of whom it is about."""
    if table is t.audit_entry:
        return {UUID(one) for one in row["subjects"]}
    names = (column.name for column in table.c if isinstance(column.type, Uuid))
    return {UUID(row[name]) for name in names if row[name]}


def _in_clear(table: Table, row: dict[str, Any], vault: Vault) -> dict[str, Any]:
    for column in columns_with_ciphertext(table):
        row[column.name] = decrypted(table, column.name, row[column.name], UUID(row["id"]), vault)
    return row
