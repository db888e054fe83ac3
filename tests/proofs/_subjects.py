"""A world with one resident in each relation to an actor, and one in each state of a case.

Every text and number that a resident brings is planted: it is in ``canaries`` of the subject and
nowhere else, so that finding it in an answer tells whose it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select, update

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.ids import new_id
from casework.adapters.persistence.rows import bulk
from casework.adapters.persistence.tables.access import account_token
from casework.adapters.persistence.tables.audit import access_request
from casework.adapters.persistence.tables.directory import designation
from casework.adapters.persistence.tables.duplicates import duplicate_suspicion as pairs
from casework.adapters.persistence.tables.exchange import import_row
from casework.domain.casefile.plan import PlannedItem
from casework.domain.cases.checks import Findings
from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.standards import ClockKind, Standard
from casework.domain.directory.designations import Designation
from casework.domain.duplicates.merged_facts import FACTS, MergeSide
from casework.domain.exchange.importing import FileKind
from casework.domain.figures.figures import Month
from casework.domain.notices.notices import NoticeKind
from casework.domain.notices.outbox import Message, MessageState, Subscription
from casework.domain.planning import planning as plan
from casework.domain.programme.kinds import BodyKind, SeatedBy, SeatPart
from casework.workflows.agencies import links
from casework.workflows.cases import absences, caseload, running
from casework.workflows.duplicates import merging
from casework.workflows.exchange import importing
from casework.workflows.figures import figures
from casework.workflows.planning import conferences, planning
from casework.workflows.privacy import access_requests, break_glass
from casework.workflows.programme import bodies
from casework.workflows.referring import referring
from casework.workflows.residents import deaths, households, residents
from tests.api import acts
from tests.api.conftest import (
    DISTRICT,
    FAR,
    FAR_SUPERVISOR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    OTHER_DISTRICT,
    STRANGER,
    SUPERVISOR,
    WORKER,
    Api,
    seoul,
)

NOW: Final = "2026-03-12T10:00"
A_WINDOW: Final = timedelta(days=30)
A_MINUTE: Final = timedelta(minutes=1)
RECENTLY: Final = timedelta(days=14)
ABSENT: Final = UUID("01900000-0000-7000-8000-000000000000")
SERVICE: Final = "CARE-MEALS"
MEMBERS: Final = [{"name": "김위원", "agency": "a centre"}]
INTEGRATION: Final = "integration.here"
CLOSED_MONTH: Final = "2026-01"


@dataclass
class Subject:
    """One resident with a case and what hangs on it; an id of each kind."""

    name: str
    centre: str
    district: str
    agency: str
    ids: dict[str, Any] = field(default_factory=dict)
    canaries: list[str] = field(default_factory=list)
    # What decides its visibility, apart from its location.
    requested: bool = False
    referral_ended: bool = False
    sent: bool = False
    determined_long_ago: bool = False
    opened_by: str = ""
    imported_by: str = ""
    plan: dict[str, Any] = field(default_factory=dict)


@dataclass
class Planted:
    """All subjects of a matrix."""

    api: Api
    relations: dict[str, Subject]
    stages: dict[str, Subject]


def plant(api: Api) -> Planted:
    """Fill a small world in chronological order."""
    now = seoul(NOW)
    made: dict[str, Subject] = {}
    for name, ago in (
        ("ended", A_WINDOW + A_MINUTE),
        ("just ended", A_WINDOW - A_MINUTE),
    ):
        api.clock.now = now - ago
        made[name] = _ended(api, name)
        made[name].referral_ended = made[name].determined_long_ago = ago > A_WINDOW
    api.clock.now = now - RECENTLY
    for name, place in PLACES.items():
        made[name] = _life(api, name, *place)
    made["not sent"] = _not_sent(api, "not sent")
    api.clock.now = now
    stages = {name: build(api, name) for name, build in STAGES.items()}
    stages["own"] = made["own"]
    for supervisor in (SUPERVISOR, FAR_SUPERVISOR):
        figures.close_month(api.context(supervisor), Month.parse(CLOSED_MONTH))
    for subject in [*made.values(), *stages.values()]:
        _belongings(api, subject, made["own"])
        _answers_by_link(api, subject)
    for subject in made.values():
        _neighbourhood(api, subject)
        _checked(api, subject)
    for subject in stages.values():
        subject.ids.setdefault("check", made["own"].ids["check"])
        subject.imported_by = made["own"].imported_by
        for kind in NEIGHBOURLY:
            subject.ids.setdefault(kind, made["own"].ids[kind])
    stages["opened"] = _opened(api, "opened")
    made["own"].ids["own_token"] = _own_token(api, WORKER)
    _add_integration(api)
    api.clock.now = now
    return Planted(api, made, stages)


PLACES: Final = {
    "own": (WORKER, SUPERVISOR, "alpha"),
    "same district": (NEIGHBOUR, SUPERVISOR, "beta"),
    "other district": (STRANGER, FAR_SUPERVISOR, "gamma"),
    "other agency": (WORKER, SUPERVISOR, "beta"),
}
WHERE: Final = {
    WORKER: (HERE, DISTRICT), NEIGHBOUR: (NEXT_DOOR, DISTRICT), STRANGER: (FAR, OTHER_DISTRICT),
}  # fmt: skip
# Names unlike enough that no two are taken for duplicates.
WORDS: Final = (
    "갈매", "나루", "도담", "라온", "미르", "보람", "새벽", "아람", "자운", "차돌",
    "큰솔", "탐라", "푸름", "한결", "겨울", "너울", "두레", "로운", "모란",
)  # fmt: skip
_SEQUENCE: Final[dict[str, int]] = {}


def _designation(api: Api, provider_id: UUID) -> UUID:
    """What an agency was designated as, once."""
    id = UUID(int=provider_id.int ^ 1)
    with api.engine.begin() as connection:
        if connection.scalar(select(designation.c.id).where(designation.c.id == id)) is None:
            made = Designation(
                id=id, provider_id=provider_id, code="home_visit_15", designated_by="the city",
                valid_from=date(2026, 1, 1), valid_to=None,
            )  # fmt: skip
            bulk.insert_all(connection, [made])
    return id


def _subject(api: Api, name: str, worker: str, agency: str) -> Subject:
    """A registered resident, with a contact, a consent and a note."""
    number = _SEQUENCE.setdefault(name, len(_SEQUENCE) + 1)
    it = Subject(name, *WHERE[worker], agency)
    it.ids["provider"] = api.providers[agency].id
    it.ids["offering"] = api.offerings[agency, SERVICE].id
    it.ids["designation"] = _designation(api, it.ids["provider"])
    ctx = api.context(worker)
    own = {
        "name": f"카나리{WORDS[number % len(WORDS)]}{number:02d}",
        "address": f"카나리로 {number:02d}길 가상동 7701",
        "phone": f"010-77{number:02d}-55{number:02d}",
    }  # fmt: skip
    close = residents.NewContact(
        name=f"카나리보호자{number:02d}", relation="daughter",
        phone=f"010-88{number:02d}-66{number:02d}", may_be_told=True,
    )  # fmt: skip
    said = f"카나리메모 {number:02d} 가상 기록"
    facts = own | {"birth_date": date(1920 + number, 1 + number % 12, 3), "sex": "female"}
    facts |= {"centre_code": it.centre}
    it.ids["resident"] = residents.register_resident(ctx, facts, [close], confirm_new=True).id
    it.ids["consent"] = residents.record_consent(
        api.context(worker), it.ids["resident"], purpose="provider_sharing", given_by=close.name,
        given_on=ctx.act.today, recipients=[], expires_on=None,
    )  # fmt: skip
    it.ids["note"] = residents.write_note(
        api.context(worker), it.ids["resident"], kind="call", with_whom=close.name, text=said,
        come_back_on=ctx.act.today,
    )  # fmt: skip
    it.canaries = [*own.values(), close.name, close.phone, said]
    return it


def _planned(
    api: Api, it: Subject, worker: str, supervisor: str, until: str = "approved"
) -> Subject:
    """A case as far as the plan goes: applied, surveyed, assessed, drafted, submitted, approved."""
    it.ids["case"] = acts.a_case(api, worker, it.ids["resident"])
    if until == "applied":
        return it
    acts.surveyed(api, it.ids["case"], worker)
    it.sent = True
    if until == "surveyed":
        return it
    acts.assessed(api, it.ids["case"], worker)
    if until == "assessed":
        return it
    planning.put_draft(api.context(worker), it.ids["case"], a_draft(api, worker))
    if until == "drafted":
        return it
    submitted = planning.submit_plan(api.context(worker), it.ids["case"])
    it.plan = {"version": submitted.version, "hash": submitted.hash}
    if until == "submitted":
        return it
    command = planning.DecisionCommand(
        **it.plan, approve=True, without_meeting_reason="no meeting this week"
    )
    planning.decide_plan(api.context(supervisor), it.ids["case"], command)
    it.ids["planned_service"] = acts._service_of(api, it.ids["case"])
    return it


def a_draft(api: Api, worker: str) -> plan.Draft:
    """A plan of one service."""
    today = api.context(worker).act.today
    item = PlannedItem(
        id=new_id(), service_code=SERVICE, content="lunch", quantity=Decimal(3), unit="meal",
        per="week", starts_on=today, ends_on=today.replace(year=today.year + 1),
    )  # fmt: skip
    return plan.Draft(
        goals=["stay at home"], items=[(None, item)], heard_on=today, heard_from="the resident"
    )


def _referred(api: Api, it: Subject, worker: str, *, send: bool = True) -> Subject:
    said = f"카나리부탁 {it.name} 가상 전언"
    command = referring.ReferCommand(
        planned_service_id=it.ids["planned_service"], priority="routine", send=send,
        offering_id=api.offerings[it.agency, SERVICE].id, basis_kind="article_14_2", message=said,
    )  # fmt: skip
    it.ids["referral"] = referring.refer(api.context(worker), command)
    it.canaries.append(said)
    it.requested = send
    if send:
        it.ids["deadline"] = acts.clock(api, "response", it.ids["referral"])
    return it


def _life(api: Api, name: str, worker: str, supervisor: str, agency: str) -> Subject:
    """A supported case with a request that nobody has answered, and a signal."""
    it = _planned(api, _subject(api, name, worker, agency), worker, supervisor)
    it.ids["signal"] = running.raise_signal(
        api.context(worker), it.ids["case"], "fall", f"카나리징후 {name} 가상"
    ).id
    it.canaries.append(f"카나리징후 {name} 가상")
    return _referred(api, it, worker)


def _ended(api: Api, name: str) -> Subject:
    """One whose service came to its end at this instant, as did the determination."""
    it = _life(api, name, WORKER, SUPERVISOR, "alpha")
    today = api.context(WORKER).act.today
    for action, details in (
        ("accept", {}),
        ("start", {"started_on": today}),
        ("complete", {"outcome": "ended_as_planned", "ended_on": today}),
    ):
        acts.moved(api, it.ids["referral"], action, "provider.alpha", **details)
    return it


def _not_sent(api: Api, name: str) -> Subject:
    """A case nobody was asked to assess, and a request that was never sent."""
    it = _planned(api, _subject(api, name, WORKER, "alpha"), WORKER, SUPERVISOR)
    it = _referred(api, it, WORKER, send=False)
    with api.engine.begin() as connection:  # as a case whose route needs no assessment
        connection.execute(
            update(t.care_case)
            .where(t.care_case.c.id == it.ids["case"])
            .values(sent_for_assessment_at=None)
        )
    it.sent = False
    return it


def _stage(until: str) -> Callable[[Api, str], Subject]:
    def build(api: Api, name: str) -> Subject:
        return _planned(api, _subject(api, name, WORKER, "alpha"), WORKER, SUPERVISOR, until)

    return build


def _registered(api: Api, name: str) -> Subject:
    return _subject(api, name, WORKER, "alpha")


def _moved_on(*moves: str) -> Callable[[Api, str], Subject]:
    """A referral after these moves of the agency's."""

    def build(api: Api, name: str) -> Subject:
        it = _planned(api, _subject(api, name, WORKER, "alpha"), WORKER, SUPERVISOR)
        it = _referred(api, it, WORKER, send=not moves or moves[0] != "unsent")
        today = api.context(WORKER).act.today
        details: dict[str, dict[str, Any]] = {
            "start": {"started_on": today},
            "hold": {"reason": "hospitalised", "until": today + timedelta(days=7)},
            "decline": {"reason": "at_capacity"},
        }
        for move in moves:
            if move != "unsent":
                acts.moved(api, it.ids["referral"], move, "provider.alpha", **details.get(move, {}))
        return it

    return build


def _held(api: Api, name: str) -> Subject:
    it = _stage("approved")(api, name)
    until = api.context(WORKER).act.today + timedelta(days=7)
    caseload.hold_case(api.context(WORKER), it.ids["case"], "hospitalised", until, None)
    return it


def _closed(api: Api, name: str) -> Subject:
    it = _stage("applied")(api, name)
    today = api.context(WORKER).act.today
    what = {"reason": "refused", "effective_on": today, "note": "as asked", "end_open": True}
    running.close_case(api.context(WORKER), it.ids["case"], what)
    return it


def _dead(api: Api, name: str) -> Subject:
    it = _registered(api, name)
    deaths.record_death(api.context(WORKER), it.ids["resident"], api.context(WORKER).act.today)
    return it


STAGES: Final[dict[str, Callable[[Api, str], Subject]]] = {
    "registered": _registered,
    "applied": _stage("applied"),
    "surveyed": _stage("surveyed"),
    "assessed": _stage("assessed"),
    "drafted": _stage("drafted"),
    "submitted": _stage("submitted"),
    "approved": _stage("approved"),
    "unsent": _moved_on("unsent"),
    "requested": _moved_on(),
    "accepted": _moved_on("accept"),
    "in progress": _moved_on("accept", "start"),
    "on hold": _moved_on("accept", "start", "hold"),
    "declined": _moved_on("decline"),
    "held": _held,
    "closed": _closed,
    "dead": _dead,
}


def _belongings(api: Api, it: Subject, own: Subject) -> None:
    """Records that belong to a district, an agency or the city: one of each."""
    if it.centre == HERE and it is not own and it.agency == "alpha":
        for kind in ("conference", "standard", "webhook", "message", "body", "seat"):
            it.ids[kind] = own.ids.get(kind)
    supervisor = SUPERVISOR if it.district == DISTRICT else FAR_SUPERVISOR
    ctx = api.context(supervisor)
    if it.ids.get("conference") is None:
        it.ids["conference"] = conferences.hold_conference(ctx, ctx.act.today, MEMBERS)
    if it.ids.get("standard") is None:
        it.ids["standard"] = _standard(api, it.district)
    if it.ids.get("body") is None:
        it.ids["body"], it.ids["seat"] = _body(api, it.district, supervisor)
    if it.ids.get("webhook") is None:
        it.ids["webhook"], it.ids["message"] = _endpoint(api, it)
    it.ids["staff"] = _staff(api, it.agency)
    it.ids.setdefault("signal", None)
    # One without referrals: its figures are as they were first stated.
    it.ids["offering"] = api.offerings[it.agency, "MED-VISIT"].id


def _body(api: Api, district: str, supervisor: str) -> tuple[UUID, UUID]:
    """A body of a district with one seat."""
    ctx = api.context(supervisor)
    id = bodies.add_body(ctx, {"kind": BodyKind.UNIT, "name_ko": "가상팀", "area": district})
    wanted = {
        "name": "가상 담당", "agency": "가상 기관", "part": SeatPart.MEMBER, "account_id": None,
        "seated_by": SeatedBy.EX_OFFICIO, "begins_on": ctx.act.today, "ends_on": None,
    }  # fmt: skip
    bodies.add_seats(ctx, id, [wanted])
    with api.engine.connect() as connection:
        return id, connection.scalars(select(t.seat.c.id).where(t.seat.c.body_id == id)).one()


def _checked(api: Api, it: Subject) -> None:
    """Somebody looked at how things go today."""
    worker = next(one for one, place in WHERE.items() if place == (it.centre, it.district))
    ctx, found = api.context(worker), f"카나리점검 {it.name} 가상"
    findings = Findings(checked_on=ctx.act.today, findings=found, goals=[])
    it.ids["check"] = running.record_check(ctx, it.ids["case"], findings).id
    it.canaries.append(found)


def _staff(api: Api, agency: str) -> UUID:
    """Staff of the agency without the lead's rights; one for each agency."""
    username, account = f"staff.{agency}", t.account
    with api.engine.begin() as connection:
        found: UUID | None = connection.scalar(
            select(account.c.id).where(account.c.username == username)
        )
        if found is not None:
            return found
        id = new_id()
        connection.execute(
            insert(account),
            [{
                "id": id, "username": username, "name": "가상직원", "role": "provider",
                "password_hash": "", "created_at": datetime(2026, 1, 1, tzinfo=UTC),
                "provider_id": api.providers[agency].id, "is_head": False, "is_active": True,
            }],
        )  # fmt: skip
        return id


def _answers_by_link(api: Api, it: Subject) -> None:
    """Its agency answers by link, and has one where there is something to answer."""
    supervisor = SUPERVISOR if it.district == DISTRICT else FAR_SUPERVISOR
    it.ids["provider"] = api.providers[it.agency].id
    links.set_answering(
        api.context(supervisor), api.application.linking, api.application.passwords,
        it.ids["provider"],
        email=f"{it.agency}@agency.example", is_on=True,
    )  # fmt: skip
    if it.requested and it.name in PLACES:
        ctx = api.context(supervisor)
        it.ids["link"] = links.send_link(ctx, api.application.linking, it.ids["referral"])


def _neighbourhood(api: Api, it: Subject) -> None:
    """Others of the same centre: a household, a suspicion, a merge; a request and an opening."""
    worker, supervisor = next(
        (who, FAR_SUPERVISOR if place[1] == OTHER_DISTRICT else SUPERVISOR)
        for who, place in WHERE.items()
        if place[0] == it.centre
    )
    number = _SEQUENCE[it.name]
    born = date(1970, 1 + number % 12, 20)

    def another(word: str, **facts: Any) -> UUID:
        return acts.a_resident(api, worker, name=f"{word}{number:02d}", phone=None, **facts)

    there = [another(word, birth_date=date(1950 + n, 2, 20)) for n, word in enumerate(OTHERS)]
    alike = [another("똑같은이", birth_date=born) for _ in range(2)]
    it.ids["household"] = households.make_household(api.context(worker), there[:2], "couple")
    it.ids["housemate"], it.ids["another"] = there[1], there[2]
    it.ids["merge"] = merging.merge_residents(
        api.context(supervisor), there[3], there[4], "same",
        dict.fromkeys(FACTS, MergeSide.SURVIVOR),
    )  # fmt: skip
    with api.engine.connect() as connection:
        it.ids["suspicion"] = connection.scalar(
            select(pairs.c.id).where(pairs.c.resident_id.in_(alike), pairs.c.other_id.in_(alike))
        )
    today = api.context(worker).act.today
    asked = access_requests.NewAccessRequest(
        received_on=today,
        requested_by="self",
        identity_how="identity_card" if it.name == "just ended" else None,
    )
    access_requests.receive(api.context(worker), it.ids["resident"], asked)
    with api.engine.connect() as connection:
        it.ids["access_request"] = connection.scalar(
            select(access_request.c.id).where(access_request.c.resident_id == it.ids["resident"])
        )
    it.ids["opening"] = break_glass.open_resident(
        api.context(NEIGHBOUR if worker == STRANGER else STRANGER), it.ids["resident"], "asked", 1
    )
    it.ids["account"] = api.id_of(f"worker2.{it.centre}")
    it.ids["absence"] = _absence(api, it, worker, supervisor, today + timedelta(100 + number))
    it.imported_by, it.ids["import"] = worker, _import(api, worker, "residents", PEOPLE)
    it.ids["unmatched"] = _unmatched(api, it)


def _absence(api: Api, it: Subject, worker: str, supervisor: str, on: date) -> UUID:
    """A day on which a worker is away, of each subject another."""
    command = absences.AbsenceCommand(
        worker_id=it.ids["account"], from_on=on, to_on=on, deputy_id=api.id_of(worker)
    )
    return absences.record_absence(api.context(supervisor), command)


def _import(api: Api, username: str, kind: str, text: str) -> UUID:
    """An uploaded file that is not yet processed."""
    wanted = importing.NewImport(kind=FileKind(kind))
    source = BytesIO(text.encode())
    return importing.receive(api.context(username), api.application.import_tools(), wanted, source)


def _unmatched(api: Api, it: Subject) -> UUID:
    """A result that matches no resident, in the queue of the subject's centre."""
    ctx = api.context(f"assessor.{it.district}")
    file = _import(api, ctx.actor.username, "assessments", RESULT.format(it.centre))
    for _ in importing.process_import(ctx, api.application.import_tools(), file):
        pass
    with api.engine.connect() as connection:
        waits = select(import_row.c.id).where(import_row.c.import_id == file, import_row.c.waits)
        found: UUID = connection.execute(waits).scalar_one()
    return found


PEOPLE: Final = "성명,생년월일,성별,읍면동\n가상주민,1941.5.6.,여,우1동\n"
UNKNOWN: Final = "없는사람,1920.1.2.,{0},2026.3.2.,가상 조사자,통합돌봄\n"
RESULT: Final = "성명,생년월일,읍면동,조사일,조사자,판정\n" + UNKNOWN
OTHERS: Final = ("하나로", "둘레길", "세모난", "네모진", "다섯째")
NEIGHBOURLY: Final = (
    "household", "housemate", "another", "merge", "suspicion", "access_request", "opening",
    "account", "import", "unmatched", "absence",
)  # fmt: skip


def _opened(api: Api, name: str) -> Subject:
    """Someone elsewhere whom a worker has opened; that says nothing of any list."""
    it = _subject(api, name, STRANGER, "gamma")
    it.ids["opening"] = break_glass.open_resident(
        api.context(WORKER), it.ids["resident"], "asked", 72
    )
    it.opened_by = WORKER
    return it


def _own_token(api: Api, username: str) -> UUID:
    """An API token that an account made for itself."""
    id, now = new_id(), api.clock.now
    with api.engine.begin() as connection:
        connection.execute(
            insert(account_token),
            [{
                "id": id, "account_id": api.id_of(username), "name": "a token", "digest": "0" * 64,
                "scopes": ["case.read"], "created_at": now, "expires_at": now + A_WINDOW,
            }],
        )  # fmt: skip
    return id


def _standard(api: Api, district: str) -> UUID:
    """The district's own standard; there is one of each kind."""
    with api.engine.begin() as connection:
        found: UUID | None = connection.scalar(
            select(t.standard.c.id).where(t.standard.c.district_code == district)
        )
        if found is not None:
            return found
        made = Standard(
            id=new_id(), kind=ClockKind.RESPONSE, target=Target(4, Unit("working_days")),
            basis="a district's target", district_code=district, service_code="MED-VISIT",
        )  # fmt: skip
        bulk.insert_all(connection, [made])
        return made.id


def _endpoint(api: Api, it: Subject) -> tuple[UUID, UUID]:
    """An endpoint of the agency, and a message to it that was given up."""
    now = api.clock.now
    endpoint = Subscription(
        id=new_id(), url=f"https://{it.agency}.example/casework", secret="whsec_x",
        kinds=[NoticeKind.REFERRAL_REQUESTED], provider_id=api.providers[it.agency].id,
        district_code=None, created_at=now, created_by=api.id_of("admin"),
    )  # fmt: skip
    message = Message(
        id=new_id(), kind=NoticeKind.REFERRAL_REQUESTED, account_id=None,
        subscription_id=endpoint.id, district_code=it.district, payload={}, created_at=now,
        next_at=now, state=MessageState.DEAD, tries=12, error="timed_out",
    )  # fmt: skip
    with api.engine.begin() as connection:
        bulk.insert_all(connection, [endpoint, message])
    return endpoint.id, message.id


def _add_integration(api: Api) -> None:
    """An account of the one role that the small world lacks."""
    with api.engine.begin() as connection:
        connection.execute(
            insert(t.account),
            [{
                "id": new_id(), "username": INTEGRATION, "name": "a system", "role": "integration",
                "password_hash": "", "created_at": datetime(2026, 1, 1, tzinfo=UTC),
                "district_code": DISTRICT, "is_head": False, "is_active": True,
            }],
        )  # fmt: skip


def all_subjects(planted: Planted) -> Iterator[Subject]:
    """Each once."""
    yield from planted.relations.values()
    yield from (it for name, it in planted.stages.items() if name != "own")
