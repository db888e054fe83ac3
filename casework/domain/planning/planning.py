"""The care plan: drafting, submitting, deciding, telling; and settling without a referral."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.case_moves import check_possible, conflict, may_submit, refusal
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import (
    PlannedItem,
    PlannedService,
    PlanVersion,
    ServiceStatus,
    VersionStatus,
)
from casework.domain.clocks.standards import ClockKind
from casework.domain.directory.directory import Service
from casework.domain.errors import Invalid, require
from casework.domain.planning.events import (
    PlanDrafted,
    PlanNotified,
    PlanSubmitted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a worker writes down as the plan. An item whose id is None is a new service."""

    goals: list[str]
    items: list[tuple[UUID | None, PlannedItem]]
    heard_on: date
    heard_from: str


def put_draft(
    file: CaseFile, draft: Draft, catalogue: Mapping[str, Service], act: Act
) -> PlanVersion:
    """Write the draft; the next version where none is in draft."""
    check_possible(file, "draft", act)
    act.not_future(draft.heard_on, "heard.on")
    _check_items(file, draft.items, catalogue)
    _check_in_force(draft.items, catalogue, act)
    check_not_over(file, draft.items, act.today)
    known = {id for id, _ in draft.items}
    for service in file.services.values():
        if service.id not in known and service.status != ServiceStatus.DROPPED:
            refuse_if_in_use(file, service, act)
    items = [_planned(file, id, item, catalogue, act) for id, item in draft.items]
    version = file.version_in(VersionStatus.DRAFT) or _next_version(file, draft, act)
    version.goals, version.services = draft.goals, items
    version.heard_on, version.heard_from = draft.heard_on, draft.heard_from
    version.drafted_at, version.drafted_by = act.at, act.by.id
    dropped = _settle_membership(file, version, act)
    file.record(
        PlanDrafted(
            file.meta(file.case, act),
            plan_version=version.number,
            services=tuple(item.id for item in items),
            dropped=tuple(dropped) or None,
        )
    )
    return version


def _check_items(
    file: CaseFile, items: list[tuple[UUID | None, PlannedItem]], catalogue: Mapping[str, Service]
) -> None:
    """Each item is of the catalogue, and a known planned service stands once, as it was."""
    for n, (id, item) in enumerate(items):
        where = f"services.{n}"
        item.check(where)
        require(
            item.service_code in catalogue,
            "no such service",
            code="unknown_service",
            field=f"{where}.service_code",
        )
        if id is None:
            continue
        known = file.services.get(id)
        if known is None or known.status == ServiceStatus.DROPPED:
            raise Invalid(
                "no such planned service", code="unknown_planned_service", field=f"{where}.id"
            )
        require(
            known.service_code == item.service_code,
            "a planned service keeps its service",
            code="service_changed",
            field=f"{where}.service_code",
        )
    named = [id for id, _ in items if id is not None]
    require(
        len(set(named)) == len(named),
        "the same planned service twice",
        code="duplicate_service",
        field="services",
    )


def _check_in_force(
    items: list[tuple[UUID | None, PlannedItem]], catalogue: Mapping[str, Service], act: Act
) -> None:
    """A service is newly planned only while it is in force; what is planned already stays."""
    for n, (id, item) in enumerate(items):
        begins = max(act.today, item.starts_on)
        if id is None and not catalogue[item.service_code].is_in_force(begins):
            raise Invalid(
                f"this service is not in force on {begins}",
                code="service_not_in_force",
                field=f"services.{n}.service_code",
            )


def check_not_over(
    file: CaseFile, items: Iterable[tuple[UUID | None, PlannedItem]], on: date
) -> None:
    """No service is planned, or given another last day, that ends before the day (rule 9).

    One that stands in the version in force and stays as it is may be over by now.
    """
    for n, (id, item) in enumerate(items):
        known = file.services.get(id) if id is not None else None
        stays = known is not None and known.status == ServiceStatus.IN_FORCE
        require(
            item.ends_on >= on or (stays and known is not None and known.ends_on == item.ends_on),
            f"it ends before {on}",
            code="service_over",
            field=f"services.{n}.ends_on",
        )


def _planned(
    file: CaseFile,
    id: UUID | None,
    item: PlannedItem,
    catalogue: Mapping[str, Service],
    act: Act,
) -> PlannedItem:
    """The item with the id of its planned service, which is made where it is new."""
    if id is None:
        entry = catalogue[item.service_code]
        service = PlannedService(
            id=act.new_id(),
            case_id=file.case.id,
            resident_id=file.case.resident_id,
            service_code=entry.code,
            field=entry.field,
            status=ServiceStatus.DRAFTED,
            ends_on=item.ends_on,
            created_at=act.at,
        )
        file.services[service.id] = service
        id = service.id
    elif file.services[id].status == ServiceStatus.DRAFTED:
        file.services[id].ends_on = item.ends_on
    return replace(item, id=id)


def _next_version(file: CaseFile, draft: Draft, act: Act) -> PlanVersion:
    version = PlanVersion(
        id=act.new_id(),
        case_id=file.case.id,
        status=VersionStatus.DRAFT,
        number=1 + max((v.number for v in file.versions), default=0),
        goals=draft.goals,
        services=[],
        heard_on=draft.heard_on,
        heard_from=draft.heard_from,
        drafted_at=act.at,
        drafted_by=act.by.id,
    )
    file.versions.append(version)
    return version


def _settle_membership(file: CaseFile, version: PlanVersion, act: Act) -> list[UUID]:
    """Drop services that only stood in a draft and no longer do; returns their ids."""
    kept = {item.id for item in version.services}
    dropped = []
    for service in file.services.values():
        if service.id in kept:
            file.update_link_clock(service, act)
        elif service.status == ServiceStatus.DRAFTED:
            drop(file, service, act)
            dropped.append(service.id)
    return dropped


def refuse_if_in_use(file: CaseFile, service: PlannedService, act: Act) -> None:
    """Refuse to drop a service with an open referral or an owed disposition."""
    if any(r.is_open or r.owes_disposition for r in file.referrals_of(service)):
        raise conflict(
            file,
            act,
            "a planned service with an open referral or an owed disposition cannot be dropped",
            code="service_in_use",
            planned_service_id=service.id,
        )


def drop(file: CaseFile, service: PlannedService, act: Act) -> None:
    """Take a service out of the plan, and cancel its ``link`` clock."""
    service.status = ServiceStatus.DROPPED
    file.update_link_clock(service, act)


def submit(file: CaseFile, act: Act) -> PlanVersion:
    """Freeze the draft for decision; its hash is what the decision is bound to."""
    version = file.version_in(VersionStatus.DRAFT)
    if version is None or not may_submit(file):
        raise refusal(file, "submit", act)
    check_not_over(file, ((item.id, item) for item in version.services), act.today)
    version.status, version.hash = VersionStatus.SUBMITTED, version.content_hash()
    version.submitted_at, version.submitted_by = act.at, act.by.id
    file.meet(ClockKind.PLAN, act)
    file.begin(ClockKind.DECISION, file.case, act)
    file.record(
        PlanSubmitted(file.meta(file.case, act), plan_version=version.number, hash=version.hash)
    )
    return version


def notify(file: CaseFile, on: date, to: str, act: Act) -> None:
    """The resident or applicant was notified of the plan in force: once, and then put right."""
    check_possible(file, "notified", act)
    approved_on = file.in_force.decided_on if file.in_force else None
    approved_on = approved_on or file.case.first_approved_on
    act.dated(on, approved_on, "on")
    if _was_told(file, approved_on):
        raise conflict(
            file,
            act,
            "the resident was notified of this plan before: correct that",
            code="already_notified",
        )
    file.case.notified_on, file.case.notified_to = on, to
    file.meet(ClockKind.NOTIFY_PLAN, act, on=on)
    file.record(PlanNotified(file.meta(file.case, act), on=on))


def _was_told(file: CaseFile, approved_on: date | None) -> bool:
    """Whether somebody was notified of the plan in force, and not of the one before."""
    told_on = file.case.notified_on
    if told_on is None or file.clock(ClockKind.NOTIFY_PLAN, file.case.id) is not None:
        return False
    return approved_on is None or told_on >= approved_on
