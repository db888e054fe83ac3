"""Acts on a case, from registering its resident to closing it, each on a day of a story."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from casework.demo import people, texts
from casework.demo.story import Slot, Story
from casework.domain.act import Act
from casework.domain.casefile.case import Channel, ExOfficioGround
from casework.domain.casefile.plan import Conference, PlannedItem, VersionStatus
from casework.domain.cases import checks, closing, handover, intake
from casework.domain.clocks.calendar import morning_of
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.standards import ClockKind
from casework.domain.planning import deciding, planning
from casework.domain.residents.events import (
    ConsentGiven,
    NoteAnswered,
    NoteWritten,
    ResidentRegistered,
)
from casework.domain.residents.resident import ConsentPurpose, Note, NoteKind
from casework.domain.supervision import reviewing
from casework.domain.supervision.reviewing import ReviewDecision

PLANNED_FOR_DAYS = 180


def register(story: Story) -> None:
    """Enter the resident, with what they agreed to."""
    act = story.act(story.worker)
    story.person = people.register(story.centre, story.rng, act)
    story.events.append(ResidentRegistered(story.meta(act), centre_code=story.centre.code))
    purpose = intake.CONSENT_FOR_CHANNEL.get(story.channel)
    if purpose is not None:
        agree(story, purpose)
    if story.by_consent:
        agree(story, ConsentPurpose.PROVIDER_SHARING)


def agree(story: Story, purpose: ConsentPurpose) -> None:
    """The resident gives a consent."""
    act = story.act(story.worker)
    consent = people.agree(story.person, purpose, story.rng, act)
    story.events.append(ConsentGiven(story.meta(act), consent_id=consent.id, purpose=purpose))


def note(story: Story) -> None:
    """The worker notes a call or visit, sometimes with a follow-up day."""
    act = story.act(story.worker)
    kind, with_whom, text = story.rng.choice(texts.NOTES)
    come_back_on = act.today + timedelta(days=story.between(1, 14))
    written = Note(
        id=act.new_id(),
        resident_id=story.person.resident.id,
        kind=NoteKind(kind),
        with_whom=with_whom,
        text=text,
        come_back_on=come_back_on if story.chance(0.4) else None,
        written_at=act.at,
        written_by=act.by.id,
    )
    story.person.notes.append(written)
    story.events.append(
        NoteWritten(
            story.meta(act),
            note_id=written.id,
            kind=written.kind,
            come_back_on=written.come_back_on,
        )
    )


def come_back(story: Story) -> None:
    """The worker keeps what was promised, once its day has come."""
    act = story.act(story.worker)
    for one in story.person.notes:
        if one.is_promise and one.come_back_on is not None and one.come_back_on <= act.today:
            one.take_answer(act)
            story.events.append(NoteAnswered(story.meta(act), note_id=one.id))


def apply(story: Story) -> None:
    """Open the case; one without a worker yet was opened at the district's office."""
    opener = story.supervisor if story.unassigned else story.worker
    act = story.act(opener)
    purpose = intake.CONSENT_FOR_CHANNEL.get(story.channel)
    by_the_city = story.channel == Channel.EX_OFFICIO
    ground = ExOfficioGround.CANNOT_LIVE_ALONE if by_the_city else None
    application = intake.CareApplication(
        channel=story.channel,
        applied_on=act.today,
        discharge_on=story.discharge_on,
        urgent=story.urgent,
        urgent_reason=story.rng.choice(texts.URGENT_REASONS) if story.urgent else None,
        ex_officio_ground=ground,
        consent=story.person.consents[purpose] if purpose else None,
    )
    worker_id = None if story.unassigned else story.worker.id
    story.file = intake.open_case(story.person.resident, application, act, worker_id)


def survey(story: Story, total: int, dementia_medicine: bool = False) -> None:
    """The pre-survey, whose seven activities add up to ``total``."""
    activities = dict.fromkeys(intake.ACTIVITIES, 0)
    while sum(activities.values()) < total:
        name = story.rng.choice([one for one, score in activities.items() if score < 2])
        activities[name] += 1
    guidance = None if dementia_medicine or total >= 2 else texts.GUIDANCE
    act = story.act(story.worker)
    intake.record_pre_survey(story.file, dementia_medicine, activities, guidance, act)


def assess(story: Story, determination: str) -> None:
    """The result of the assessment arrives."""
    act = story.act(story.assessor)
    fields = ("medical", "health", "nursing", "care", "housing", "family")
    levels = story.rng.choices(("none", "some", "high"), (2, 3, 2), k=len(fields))
    finding = intake.Finding(
        assessed_on=act.today,
        received_on=act.today,
        assessor=texts.ASSESSORS[story.file.case.route or "nhis_assessment"],
        determination=determination,
        needs=[{"field": f, "level": level} for f, level in zip(fields, levels, strict=True)],
    )
    intake.record_assessment(story.file, finding, act)


def draft(story: Story, slots: list[Slot]) -> None:
    """Write the plan down: these services, the ones planned before among them."""
    act = story.act(story.worker)
    plan = planning.Draft(
        goals=story.rng.sample(texts.GOALS, story.between(1, 3)),
        items=[(slot.service_id, _item(story, slot, act)) for slot in slots],
        heard_on=act.today,
        heard_from=story.rng.choice(("본인", "본인과 가족")),
    )
    version = planning.put_draft(story.file, plan, story.city.catalogue, act)
    for slot, item in zip(slots, version.services, strict=True):
        slot.service_id = item.id


def _item(story: Story, slot: Slot, act: Act) -> PlannedItem:
    service = story.city.catalogue[slot.code]
    (least, most), per = texts.AMOUNTS.get(service.unit, ((1, 1), "month"))
    starts_on = act.today + timedelta(days=7)
    return PlannedItem(
        id=slot.service_id or act.new_id(),
        service_code=slot.code,
        content=texts.CONTENTS[service.field],
        quantity=Decimal(story.between(least, most)),
        unit=service.unit,
        per=per,
        starts_on=starts_on,
        ends_on=starts_on + timedelta(days=PLANNED_FOR_DAYS),
    )


def submit(story: Story) -> None:
    """Hand the plan in for decision."""
    planning.submit(story.file, story.act(story.worker))


def decide(story: Story, approve: bool = True) -> None:
    """The district approves or returns the plan, mostly in that day's conference."""
    act = story.act(story.supervisor)
    version = story.file.version_in(VersionStatus.SUBMITTED)
    if version is None or version.hash is None:
        return
    conference = _conference(story, act) if story.chance(0.75) else None
    decision = deciding.Decision(
        number=version.number,
        hash=version.hash,
        approve=approve,
        reason=None if approve else story.rng.choice(texts.RETURNED),
        conference=conference,
        without_meeting_reason=None if conference else texts.WITHOUT_MEETING,
    )
    deciding.decide(story.file, decision, act)


def _conference(story: Story, act: Act) -> Conference:
    """The district's conference of the day; the first plan on its agenda brings the record."""
    held = story.city.conferences
    district_code = story.centre.district_code
    if (district_code, act.today) not in held:
        conference = Conference(
            id=act.new_id(),
            district_code=district_code,
            held_on=act.today,
            members=[dict(member) for member in texts.CONFERENCE],
            recorded_at=morning_of(act.today),
            recorded_by=act.by.id,
        )
        held[district_code, act.today] = conference
        story.conferences.append(conference)
    return held[district_code, act.today]


def notify(story: Story) -> None:
    """Tell the resident or the applicant of the plan."""
    act = story.act(story.worker)
    planning.notify(story.file, act.today, story.rng.choice(("본인", "신청인")), act)


def check(story: Story, next_in_days: int | None = None) -> None:
    """Record a check; the next is due in six months or on an earlier day."""
    act = story.act(story.worker)
    version = story.file.in_force
    goals = version.goals if version else []
    found = checks.Findings(
        checked_on=act.today,
        findings=story.rng.choice(texts.FINDINGS),
        goals=[{"goal": goal, "met": story.rng.choice(("yes", "partly", "no"))} for goal in goals],
        next_check_on=act.today + timedelta(days=next_in_days) if next_in_days else None,
    )
    checks.record_check(story.file, found, act)


def signal(story: Story, kind: str, slot: Slot | None = None) -> None:
    """Raise a signal that something changed: by the agency of a service, or by the worker."""
    referral = slot.latest if slot else None
    teller = story.city.workforce.providers.get(referral.provider_id) if referral else None
    act = story.act(teller or story.worker)
    known = referral if referral and referral.is_with_provider else None
    checks.raise_signal(story.file, kind, texts.SIGNAL_NOTES[kind], act, known)


def answer_signals(story: Story) -> None:
    """The worker answers the open signals."""
    for one in story.file.signals.values():
        if one.answered_at is None:
            act = story.act(story.worker)
            checks.answer_signal(story.file, one, texts.SIGNAL_ANSWER, act)


def assign(story: Story) -> None:
    """The supervisor gives the case to a worker of the centre."""
    handover.assign(story.file, story.worker.id, story.act(story.supervisor))


def review(story: Story, kind: ClockKind, slot: Slot, action: str, cause: str) -> None:
    """The supervisor looks at the overdue clock of a service's referral, if it still is."""
    deadline = story.file.clock(kind, slot.referral.id)
    if deadline is not None and deadline.is_overdue(story.moment):
        until = story.city.today + timedelta(days=7) if action == "extend" else None
        review_clock(story, deadline, ReviewDecision(action=action, cause=cause, until=until))


def review_clock(story: Story, deadline: Deadline, verdict: ReviewDecision) -> None:
    """The supervisor decides about an overdue clock, which answers what was raised for it."""
    done = reviewing.review(story.file, deadline, verdict, story.act(story.supervisor))
    story.ledger.acknowledge(deadline, done.id)


def close(story: Story, reason: str) -> None:
    """End the case, and what is open with it."""
    act = story.act(story.worker)
    ending = closing.Closing(reason=reason, effective_on=act.today, end_open=True)
    closing.close(story.file, ending, act)
