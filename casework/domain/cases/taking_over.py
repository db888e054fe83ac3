"""Taking over cases that ran before the system came in, at their true days and in their state.

What a file says of a case is written down as it was: application, approved plan, checks. The clocks
that run now count from those days; what they would have raised in the past is passed over, and
nobody is told. Who took it over and when stands beside the days of the acts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from casework.domain.act import Act
from casework.domain.casefile.case import (
    Case,
    CaseStatus,
    Channel,
    Check,
    Determination,
    ExOfficioGround,
)
from casework.domain.casefile.case_moves import conflict
from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.events import CaseTakenOver
from casework.domain.casefile.plan import (
    PlanDecision,
    PlannedItem,
    PlannedService,
    PlanVersion,
    ServiceStatus,
    VersionStatus,
)
from casework.domain.cases.checks import next_target
from casework.domain.cases.intake import CareApplication, check_application, check_consent
from casework.domain.clocks.calendar import KNOWN_YEARS, ONE_DAY
from casework.domain.clocks.standards import STATUTORY_BASIS, ClockKind
from casework.domain.directory.directory import Service
from casework.domain.errors import Invalid, require
from casework.domain.planning.events import PlannedServiceTakenOver
from casework.domain.referring.taking_over import (
    RunningReferral,
    check_referral,
    take_over_referral,
)
from casework.domain.residents.death import check_lives
from casework.domain.residents.resident import Resident

# Before this day the calendar knows no holidays, so that no clock could be counted.
FIRST_DAY: Final = date(KNOWN_YEARS.start, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCase:
    """What the files of before say of a case whose plan is approved.

    What is None has not happened: a resident who was not told is still to be told.
    """

    application: CareApplication
    approved_on: date
    surveyed_on: date | None = None
    determined_on: date | None = None
    determination: Determination | None = None
    goals: list[str] = field(default_factory=list)
    heard_on: date | None = None
    heard_from: str = ""
    notified_on: date | None = None
    notified_to: str | None = None
    first_checked_on: date | None = None
    last_checked_on: date | None = None
    next_check_on: date | None = None
    findings: str = ""
    former_number: str | None = None

    @property
    def checks(self) -> list[date]:
        """The days of the checks that are known, each once, in order."""
        known = (self.first_checked_on, self.last_checked_on)
        return sorted({day for day in known if day is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningService:
    """What the approved plan says of one service, and how its referral stands, if there is one."""

    service_code: str
    content: str
    quantity: Decimal
    unit: str
    per: str
    starts_on: date
    ends_on: date
    referral: RunningReferral | None = None

    def is_of(self, item: PlannedItem) -> bool:
        """Whether a planned item says the same: this service, from that day, by that agency."""
        agency = self.referral.offering.provider_id if self.referral else None
        return self._is_like(item) and (self.starts_on, agency) == (
            item.starts_on,
            item.provider_id,
        )

    def is_at_once_with(self, item: PlannedItem) -> bool:
        """Whether a planned item is of the same service and shares a day with it."""
        return (
            self._is_like(item)
            and self.starts_on <= item.ends_on
            and item.starts_on <= self.ends_on
        )

    def _is_like(self, item: PlannedItem) -> bool:
        """Whether a planned item is of the same service.

        Two lines of a service at the same time are told apart by what they say of its content.
        """
        words = {self.content.strip(), item.content.strip()} - {""}
        return self.service_code == item.service_code and len(words) <= 1


def take_over(
    resident: Resident, running: RunningCase, act: Act, worker_id: UUID | None
) -> CaseFile:
    """Take a case over, whose plan is approved; without a worker it waits for one as arrived."""
    check_lives(resident.died_on, confirmed=False)
    check_running(resident, running, act)
    check_consent(resident, running.application, act)
    case = _case(resident, running, act, worker_id)
    file = CaseFile(case=case, versions=[_version(case, running, act)])
    file.added.extend(_checks(file, running, act))
    _begin_clocks(file, running, act)
    file.record(
        CaseTakenOver(
            file.meta(case, act),
            channel=case.channel,
            applied_on=case.applied_on,
            determined_on=case.determined_on,
            decided_on=running.approved_on,
            notified_on=case.notified_on,
            checked_on=case.last_checked_on,
            urgent=case.urgent,
            worker_id=worker_id,
            centre_code=case.centre_code,
            status=case.status,
        )
    )
    return file


def check_running(resident: Resident, running: RunningCase, act: Act) -> None:
    """Refuse what cannot be right of a case, in whichever of its rows it stands.

    Each day lies not ahead, and not before what it follows; the first check not on that day.
    """
    check_application(resident, running.application, act)
    before = FIRST_DAY
    for name, day in _in_order(running):
        act.not_future(day, name)
        if day is not None:
            act.not_before(day, before, name)
            before = day
    act.not_future(running.notified_on, "notified_on")
    act.not_before(running.notified_on, running.approved_on, "notified_on")
    act.not_future(running.heard_on, "heard_on")
    first = running.approved_on + ONE_DAY
    act.not_before(running.first_checked_on, first, "first_checked_on")
    act.not_before(running.last_checked_on, first, "last_checked_on")
    require(
        running.next_check_on is None or running.checks,
        "the day of a next check follows a check",
        code="date_too_early",
        field="next_check_on",
    )


def _in_order(running: RunningCase) -> Iterator[tuple[str, date | None]]:
    yield "applied_on", running.application.applied_on
    for name in (
        "surveyed_on", "determined_on", "approved_on", "first_checked_on", "last_checked_on",
    ):  # fmt: skip
        yield name, getattr(running, name)


def _case(resident: Resident, running: RunningCase, act: Act, worker_id: UUID | None) -> Case:
    asked = running.application
    ground = asked.ex_officio_ground
    return Case(
        id=act.new_id(),
        resident_id=resident.id,
        centre_code=resident.centre_code,
        district_code=resident.district_code,
        status=CaseStatus.SUPPORTED,
        channel=Channel(asked.channel),
        applied_on=asked.applied_on,
        opened_at=act.at,
        opened_by=act.by.id,
        worker_id=worker_id,
        urgent=asked.urgent,
        urgent_reason=asked.urgent_reason,
        ex_officio_ground=ExOfficioGround(ground) if ground else None,
        consent_id=asked.consent.id if asked.consent else None,
        surveyed_at=act.instant_of(running.surveyed_on) if running.surveyed_on else None,
        determination=running.determination,
        determined_at=act.instant_of(running.determined_on) if running.determined_on else None,
        determined_on=running.determined_on,
        first_approved_on=running.approved_on,
        notified_on=running.notified_on,
        notified_to=running.notified_to,
        last_checked_on=max(running.checks, default=None),
        taken_over_at=act.at,
        former_number=running.former_number,
        arrived_at=act.at if worker_id is None else None,
    )


def _version(case: Case, running: RunningCase, act: Act) -> PlanVersion:
    """The plan as it was approved elsewhere; its services come with it or in further rows."""
    version = PlanVersion(
        id=act.new_id(),
        case_id=case.id,
        number=1,
        status=VersionStatus.APPROVED,
        goals=running.goals,
        services=[],
        heard_on=running.heard_on or running.application.applied_on,
        heard_from=running.heard_from,
        drafted_at=act.at,
        drafted_by=None,
        decision=PlanDecision.APPROVE,
        decided_at=act.at,
        decided_on=running.approved_on,
        decided_by=None,
    )
    version.hash = version.content_hash()
    return version


def _checks(file: CaseFile, running: RunningCase, act: Act) -> list[Check]:
    last = max(running.checks, default=None)
    return [
        Check(
            id=act.new_id(),
            case_id=file.case.id,
            resident_id=file.case.resident_id,
            checked_on=on,
            findings=running.findings if on == last else "",
            goals=[],
            next_check_on=running.next_check_on if on == last else None,
            recorded_at=act.at,
            recorded_by=act.by.id,
        )
        for on in running.checks
    ]


def _begin_clocks(file: CaseFile, running: RunningCase, act: Act) -> None:
    """The statutory clock from the approval or the last check; telling, where nobody was told."""
    case, approved = file.case, act.instant_of(running.approved_on)
    if running.checks:
        last = running.checks[-1]
        target = next_target(file, last, running.next_check_on, act)
        since = act.instant_of(last)
        file.begin(ClockKind.CHECK, case, act, since=since, target=target, basis=STATUTORY_BASIS)
    else:
        file.begin(ClockKind.FIRST_CHECK, case, act, since=approved)
    if running.notified_on is None:
        file.begin(ClockKind.NOTIFY_PLAN, case, act, since=approved)


# Services, with the case or later


def take_over_service(
    file: CaseFile, taken: RunningService, catalogue: Mapping[str, Service], act: Act
) -> PlannedService:
    """Add a service to the plan that was taken over, until the plan is changed here."""
    version = taken_version(file, act)
    item, entry = _checked(file, version, taken, catalogue, act)
    service = PlannedService(
        id=item.id,
        case_id=file.case.id,
        resident_id=file.case.resident_id,
        service_code=entry.code,
        field=entry.field,
        status=ServiceStatus.IN_FORCE,
        ends_on=item.ends_on,
        created_at=act.at,
    )
    file.services[service.id] = service
    version.services = [*version.services, item]
    version.hash = version.content_hash()
    file.record(
        PlannedServiceTakenOver(
            file.meta(service, act),
            service_code=entry.code,
            starts_on=item.starts_on,
            ends_on=item.ends_on,
        )
    )
    if taken.referral is not None:
        take_over_referral(file, service, taken.referral, act)
    # Nobody is asked since the approval, or since the request was called off.
    unasked = taken.referral.since if taken.referral else file.case.first_approved_on
    file.update_link_clock(service, act, since=act.instant_of(unasked))
    for clock in file.running():
        file.pass_over(clock, act.at)
    return service


def taken_version(file: CaseFile, act: Act) -> PlanVersion:
    """The plan that was taken over; refuses one that was changed here since."""
    (version, *later) = sorted(file.versions, key=lambda one: one.number)
    if later or not file.case.is_open:
        raise conflict(
            file,
            act,
            "the plan goes on here; plan the service in its next version",
            code="plan_goes_on",
        )
    return version


def _checked(
    file: CaseFile,
    version: PlanVersion,
    taken: RunningService,
    catalogue: Mapping[str, Service],
    act: Act,
) -> tuple[PlannedItem, Service]:
    entry = catalogue.get(taken.service_code)
    if entry is None:
        raise Invalid("no such service", code="unknown_service", field="service_code")
    asked = taken.referral
    item = PlannedItem(
        id=act.new_id(),
        service_code=taken.service_code,
        content=taken.content,
        quantity=taken.quantity,
        unit=taken.unit,
        per=taken.per,
        starts_on=taken.starts_on,
        ends_on=taken.ends_on,
        provider_id=asked.offering.provider_id if asked else None,
    )
    require(
        item.ends_on >= item.starts_on,
        "ends before it starts",
        code="ends_before_start",
        field="ends_on",
    )
    require(
        version.decided_on is None or item.ends_on >= version.decided_on,
        f"it ends before {version.decided_on}",
        code="service_over",
        field="ends_on",
    )
    if asked is not None:
        check_referral(file, item, asked, act)
    return item, entry
