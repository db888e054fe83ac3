"""Every list and search there is, asked as who asks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from casework.adapters.persistence import tables as t
from casework.bench.city import (
    City,
    agency_name,
    assessor_name,
    auditor_name,
    copy_of,
    supervisor_name,
)
from casework.bench.copying import birth_of, case_number_of, phone_of
from casework.bench.filling import PROVIDER, numbered_id
from casework.bench.lives import SERVICES, kind_of
from casework.bench.names import name_of, worker_name
from casework.domain.residents.names import initials_of

# Those of the first centre and its district.
WORKER, SUPERVISOR, ASSESSOR, AGENCY, AUDITOR = WHO = (
    worker_name(0), supervisor_name(), assessor_name(), agency_name(), auditor_name(),
)  # fmt: skip
# A resident of that worker.
LIFE: Final = 7
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Question:
    """A request, by whom, with a body where it is a POST; ``is_last`` asks for the last page."""

    name: str
    who: str
    path: str
    body: dict[str, Any] | None = None
    is_last: bool = False


def questions(city: City, month: str) -> Iterator[Question]:
    """What is asked of a filled city; ``month`` is that of the audit, YYYY-MM."""
    life = min(LIFE, city.residents)
    for who, whose in ((WORKER, "worker"), (SUPERVISOR, "supervisor")):
        yield from _lists(who, whose, life)
        yield from _searches(who, whose, life)
    yield from _of_a_resident(city, life)
    yield from _of_a_district()
    yield from _of_an_agency()
    yield from _of_an_assessor()
    yield from _of_the_audit(life, month)


def _paged(who: str, name: str, path: str) -> Iterator[Question]:
    yield Question(name, who, path)
    yield Question(f"{name}, last page", who, path, is_last=True)


def _lists(who: str, whose: str, life: int) -> Iterator[Question]:
    """What both workers and supervisors turn the pages of."""
    yield from _paged(who, f"{whose}: worklist", "/worklist")
    yield Question(f"{whose}: worklist, overdue", who, "/worklist?due=overdue")
    yield Question(f"{whose}: worklist, come back", who, "/worklist?kind=come_back")
    yield from _paged(who, f"{whose}: overdue", "/overdue")
    yield Question(f"{whose}: overdue, of a kind", who, "/overdue?kind=response")
    yield Question(f"{whose}: overdue, summary", who, "/overdue/summary")
    yield from _paged(who, f"{whose}: cases", "/cases")
    yield Question(f"{whose}: cases, closed", who, "/cases?status=closed")
    yield from _paged(who, f"{whose}: referrals", "/referrals")
    yield Question(f"{whose}: unmet needs", who, "/unmet-needs")
    yield Question(
        f"{whose}: matching", who, "/offerings/match",
        {"service_code": SERVICES[0], "resident_id": str(_id(t.resident, life))},
    )  # fmt: skip


def _searches(who: str, whose: str, life: int) -> Iterator[Question]:
    name, number = name_of(life), case_number_of(copy_of(life))
    for what, given in (
        ("part of a name", {"name": name[1:]}),
        ("a name", {"name": name}),
        ("two initial consonants", {"name": initials_of(name)[1:]}),
        ("initial consonants", {"name": initials_of(name)}),
        ("a name half typed", {"name": name[:2] + initials_of(name)[2:]}),
        ("birth date", {"birth_date": birth_of(life).isoformat()}),
        ("telephone", {"phone": phone_of(life)}),
        ("end of a telephone", {"phone": phone_of(life)[-4:]}),
        ("number of a case", {"case_number": number}),
    ):
        yield Question(f"{whose}: search by {what}", who, "/residents/search", given)


def _of_a_resident(city: City, life: int) -> Iterator[Question]:
    resident = f"/residents/{_id(t.resident, life)}"
    case = f"/cases/{numbered_id(city.ways.case, life)}"
    for name, path in (
        ("a resident", resident), ("history of a resident", f"{resident}/timeline"),
        ("notes of a resident", f"{resident}/notes"),
        ("disclosures of a resident", f"{resident}/disclosures"),
        ("a case", case), ("plan of a case", f"{case}/plan"), ("time of a case", f"{case}/time"),
    ):  # fmt: skip
        yield Question(name, WORKER, path)


def _of_a_district() -> Iterator[Question]:
    yield from _paged(SUPERVISOR, "duplicates", "/duplicates")
    for name, path in (
        ("cases that nobody has", "/cases?worker=none"),
        ("accounts", "/accounts"),
        ("offerings", f"/offerings?service={SERVICES[0]}"),
        ("agencies", "/providers"),
        ("entries of the directory", "/directory/entries"),
        ("overview of the directory", "/directory/overview"),
        ("open work of an agency", f"/providers/{numbered_id(PROVIDER, 0)}/open-work"),
        ("coverage", f"/coverage?service={SERVICES[0]}"),
        ("notices held back", "/notices/held"),
        ("meetings", "/conferences"),
        ("break-glass accesses", "/break-glass"),
        ("access requests", "/access-requests"),
        ("imports", "/imports"),
        ("unmatched rows", "/imports/unmatched"),
    ):
        yield Question(name, SUPERVISOR, path)


def _of_an_agency() -> Iterator[Question]:
    yield from _paged(AGENCY, "agency: inbox", "/inbox")
    yield from _paged(AGENCY, "agency: referrals", "/referrals")
    yield Question("agency: worklist", AGENCY, "/worklist")


def _of_an_assessor() -> Iterator[Question]:
    yield from _paged(ASSESSOR, "assessor: worklist", "/worklist")
    yield from _paged(ASSESSOR, "assessor: cases", "/cases")


def _of_the_audit(life: int, month: str) -> Iterator[Question]:
    yield Question("audit", AUDITOR, "/audit")
    yield Question("audit of a resident", AUDITOR, f"/audit?subject={_id(t.resident, life)}")
    yield Question("audit of an account", AUDITOR, f"/audit?actor={WORKER}")
    yield Question("audit of what was refused", AUDITOR, "/audit?outcome=refused")
    yield Question("audit of a rare act", AUDITOR, "/audit?action=break_glass.open")
    yield Question("whom an account saw", AUDITOR, f"/audit/affected?actor={WORKER}")
    yield Question("audit of a month", AUDITOR, f"/audit/summary?month={month}")


def _id(table: Any, life: int) -> Any:
    return numbered_id(kind_of(table, 0), life)
