"""What each record stores of the act that made it: its case, its scope, who and when."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal

import pytest

from casework.domain.casefile.case import EX_OFFICIO_GROUNDS
from casework.domain.cases import checks, intake
from casework.domain.clocks.calendar import Target, Unit
from casework.domain.clocks.deadlines import Deadline
from casework.domain.clocks.shipped_standards import SHIPPED
from casework.domain.clocks.standards import CareField, ClockKind, ClockSubjectType, Part, Priority
from casework.domain.planning import deciding
from tests.domain.helpers import last_clock
from tests.factories import (
    ActorFactory,
    CaseFileFactory,
    ConsentFactory,
    OfferingFactory,
    ReferralFactory,
    ResidentFactory,
    Town,
    moves,
    seoul,
)


def day(text):
    return date.fromisoformat(f"2026-{text}")


def kept(record, **expected):
    """Compare a record with the expected fields; returns the names of the other fields."""
    facts = asdict(record)
    assert {name: facts[name] for name in expected} == expected
    return {name for name in facts if name not in expected}


def test_a_case_keeps_its_application():
    town, resident = Town("2026-04-01T10:00"), ResidentFactory()
    consent = ConsentFactory(resident_id=resident.id, purpose="outreach")
    application = intake.CareApplication(
        channel="outreach",
        applied_on=day("03-30"),
        discharge_on=day("04-20"),
        urgent=True,
        urgent_reason="alone after surgery",
        consent=consent,
    )
    file = intake.open_case(resident, application, town.act(), town.supervisor.id)
    left = kept(
        file.case,
        resident_id=resident.id,
        centre_code="2635051000",
        district_code="26350",
        status="applied",
        channel="outreach",
        applied_on=day("03-30"),
        opened_at=town.now,
        opened_by=town.worker.id,
        worker_id=town.supervisor.id,
        discharge_on=day("04-20"),
        urgent=True,
        urgent_reason="alone after surgery",
        consent_id=consent.id,
        plan_revision=0,
    )
    unset = left - {"id"}
    assert file.case.legal_holds == ()
    others = unset - {"version", "number", "legal_holds"}
    assert {getattr(file.case, name) for name in others} == {None}
    assert file.case.id is not None
    survey, discharge = file.deadlines.values()
    assert survey.started_at == discharge.started_at == seoul("2026-03-30T23:59:59")
    assert (discharge.basis, discharge.due_at) == (
        "Act 11: discharge",
        seoul("2026-04-20T23:59:59"),
    )
    assert discharge.target == Target(day("04-20").toordinal(), Unit.ON_DATE)
    assert discharge.standard_id is None


def test_an_ex_officio_case_keeps_its_ground():
    town = Town()
    grounds = EX_OFFICIO_GROUNDS
    application = intake.CareApplication(
        channel="ex_officio", applied_on=town.today, ex_officio_ground=grounds[0]
    )
    file = intake.open_case(ResidentFactory(), application, town.act(), None)
    assert file.case.ex_officio_ground == grounds[0]


def test_a_pre_survey_is_kept_with_its_route():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town)
    town.wait(hours=3)
    scores = dict.fromkeys(intake.ACTIVITIES, 1)
    intake.record_pre_survey(file, True, scores, "how it goes on", town.act())
    kept(
        file.case,
        dementia_medicine=True,
        activities=scores,
        score=7,
        route="nhis_assessment",
        guidance="how it goes on",
        surveyed_at=town.now,
        sent_for_assessment_at=town.now,
        status="surveying",
    )


def test_an_assessment_keeps_what_was_found():
    town = Town("2026-04-08T10:00")
    file = CaseFileFactory(town=town, surveying=True, applied_on=day("04-01"))
    finding = intake.Finding(
        assessed_on=day("04-06"),
        received_on=day("04-07"),
        assessor="the local survey team",
        determination="community_care",
        needs=[{"field": "care"}],
    )
    made = intake.record_assessment(file, finding, town.act(town.assessor))
    assert file.added == [made]
    kept(
        made,
        case_id=file.case.id,
        resident_id=file.case.resident_id,
        assessed_on=day("04-06"),
        received_on=day("04-07"),
        assessor="the local survey team",
        determination="community_care",
        needs=[{"field": "care"}],
        recorded_at=town.now,
        recorded_by=town.assessor.id,
    )
    assert (file.case.determination, file.case.determined_at) == ("community_care", town.now)


def test_a_plan_keeps_what_was_written_and_what_was_decided():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, planning=True)
    version = moves.draft(town, file, "CARE-MEALS")
    service = moves.only_service(file)
    kept(
        version,
        case_id=file.case.id,
        number=1,
        status="draft",
        goals=["to stay at home"],
        heard_on=day("04-01"),
        heard_from="her daughter",
        drafted_at=town.now,
        drafted_by=town.worker.id,
    )
    kept(
        service,
        case_id=file.case.id,
        resident_id=file.case.resident_id,
        service_code="CARE-MEALS",
        field=CareField.CARE,
        status="drafted",
        created_at=town.now,
    )
    (item,) = version.services
    kept(item, id=service.id, service_code="CARE-MEALS", quantity=Decimal(3), unit="visit")
    town.wait(hours=1)
    moves.submit(town, file, by=town.supervisor)
    kept(version, submitted_at=town.now, submitted_by=town.supervisor.id)
    assert version.hash == version.content_hash()


@pytest.mark.parametrize("approve", [True, False])
def test_a_decision_is_kept_with_how_it_was_made(approve):
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, submitted=True)
    version = file.versions[-1]
    decider = ActorFactory(supervisor=True)
    how = moves.decision(version, approve=approve, reason="too few visits")
    deciding.decide(file, how, town.act(decider))
    kept(
        version,
        decision="approve" if approve else "return",
        status="approved" if approve else "returned",
        decided_at=town.now,
        decided_by=decider.id,
        conference_id=None,
        without_meeting_reason="no meeting this week",
        decision_reason="too few visits",
    )
    assert file.case.first_approved_on == (town.today if approve else None)


def test_a_check_and_a_signal_keep_what_was_seen():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    town.go_to("2026-04-08")
    check = moves.check(
        town, file, checked_on=day("04-07"), goals=[{"met": True}], next_check_on=day("06-01")
    )
    assert file.added[-1] is check
    kept(
        check,
        case_id=file.case.id,
        resident_id=file.case.resident_id,
        checked_on=day("04-07"),
        findings="well",
        goals=[{"met": True}],
        next_check_on=day("06-01"),
        recorded_at=town.now,
        recorded_by=town.worker.id,
    )
    assert file.case.last_checked_on == day("04-07")
    assert last_clock(file, file.case.id, "check").basis == "Enforcement Rule 10"
    referral = ReferralFactory(town=town, file=file, requested=True)
    provider = moves.who_moves(town, referral, "accept")
    signal = checks.raise_signal(file, "other", "no one opens", town.act(provider), referral)
    assert file.signals == {signal.id: signal}
    kept(
        signal,
        case_id=file.case.id,
        resident_id=file.case.resident_id,
        referral_id=referral.id,
        deadline_id=last_clock(file, file.case.id, "signal").id,
        kind="other",
        note="no one opens",
        raised_at=town.now,
        raised_by=provider.id,
        answered_at=None,
    )
    town.wait(hours=1)
    checks.answer_signal(file, signal, "visited", town.act())
    kept(signal, answered_at=town.now, answered_by=town.worker.id, answer="visited")
    assert last_clock(file, file.case.id, "signal").met_at == town.now


def test_a_referral_keeps_what_was_asked_and_where_it_is_seen():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    offering = OfferingFactory(centres=[])
    consent = ConsentFactory(resident_id=file.case.resident_id)
    referral = moves.refer(
        town,
        file,
        offering=offering,
        send=False,
        priority="urgent",
        basis_kind="consent",
        consent=consent,
        message="soft food",
        outside_area_reason="nobody nearer",
        by=town.supervisor,
    )
    assert file.referrals == {referral.id: referral}
    kept(
        referral,
        case_id=file.case.id,
        resident_id=file.case.resident_id,
        centre_code="2635051000",
        district_code="26350",
        planned_service_id=moves.only_service(file).id,
        service_code="CARE-MEALS",
        field=CareField.CARE,
        offering_id=offering.id,
        provider_id=offering.provider_id,
        status="draft",
        priority="urgent",
        basis_kind="consent",
        created_at=town.now,
        created_by=town.supervisor.id,
        consent_id=consent.id,
        message="soft food",
        outside_area_reason="nobody nearer",
        replaces_id=None,
    )


def test_a_clock_knows_what_it_is_about_and_where_it_is_seen():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    referral = moves.refer(town, file, priority="urgent")
    clock = last_clock(file, referral.id, "response")
    standard = next(one for one in SHIPPED if (one.kind, one.priority) == ("response", "urgent"))
    assert clock == Deadline(
        id=clock.id,
        kind=ClockKind.RESPONSE,
        subject_type=ClockSubjectType.REFERRAL,
        subject_id=referral.id,
        case_id=file.case.id,
        resident_id=file.case.resident_id,
        centre_code="2635051000",
        district_code="26350",
        worker_id=town.worker.id,
        provider_id=referral.provider_id,
        held_by=Part.PROVIDER,
        field=CareField.CARE,
        service_code="CARE-MEALS",
        priority=Priority.URGENT,
        standard_id=standard.id,
        basis="city service target",
        target=Target(1, Unit.WORKING_DAYS),
        started_at=town.now,
        lapse_after=standard.lapse_after,
        escalation=standard.escalation,
        due_at=seoul("2026-04-02T23:59:59"),
    )
    assert file.deadlines[clock.id] is clock
    of_case = last_clock(file, file.case.id, "notify_plan")
    assert (of_case.provider_id, of_case.field, of_case.service_code) == (None, None, None)
    assert (of_case.subject_type, of_case.priority) == ("case", "routine")
