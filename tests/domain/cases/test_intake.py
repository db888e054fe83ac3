"""From the application to the determination."""

from datetime import date

import pytest

from casework.domain.casefile.case import CHANNELS, EX_OFFICIO_GROUNDS
from casework.domain.cases import intake
from casework.domain.errors import Conflict, Invalid
from tests.domain.helpers import event_names, field_of, refused, running
from tests.factories import (
    CaseFileFactory,
    ConsentFactory,
    ReferralFactory,
    ResidentFactory,
    Town,
    moves,
)

NEEDS_CONSENT = {
    "institution": "institution_application",
    "nhis": "nhis_route",
    "outreach": "outreach",
    "discharge": "discharge_notice",
}


def apply(town=None, resident=None, **facts):
    """Open a case on an application."""
    town, resident = town or Town("2026-04-01T10:00"), resident or ResidentFactory()
    usual = {"channel": "self", "applied_on": town.today}
    application = intake.CareApplication(**(usual | facts))
    return intake.open_case(resident, application, town.act(), town.worker.id)


def test_an_application_opens_a_case_where_the_resident_lives():
    town, resident = Town(), ResidentFactory()
    file = apply(town, resident)
    case = file.case
    assert (case.status, case.is_open, case.priority) == ("applied", True, "routine")
    assert (case.centre_code, case.district_code) == (resident.centre_code, resident.district_code)
    assert case.worker_id == town.worker.id
    assert event_names(file) == ["CaseOpened"]
    assert [clock["kind"] for clock in file.events[0].data["clocks"]] == ["survey"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_some_channels_need_a_consent_of_their_own_purpose(channel):
    resident = ResidentFactory()
    facts = {"resident": resident, "channel": channel}
    if channel == "ex_officio":
        facts["ex_officio_ground"] = "disaster"
    if channel not in NEEDS_CONSENT:
        assert apply(**facts).case.consent_id is None
        return
    with refused(Invalid, "consent_required") as caught:
        apply(**facts)
    assert field_of(caught) == "consent_id"
    wrong = ConsentFactory(resident_id=resident.id, purpose="administrative_data")
    with refused(Invalid, "consent_not_valid"):
        apply(**facts, consent=wrong)
    right = ConsentFactory(resident_id=resident.id, purpose=NEEDS_CONSENT[channel])
    assert apply(**facts, consent=right).case.consent_id == right.id


@pytest.mark.parametrize(
    ("facts", "valid"),
    [
        ({"expires_on": date(2026, 3, 31)}, False),
        ({"expires_on": date(2026, 4, 1)}, True),
        ({"expires_on": date(2026, 4, 2)}, True),
        ({"withdrawn_at": Town().now}, False),
        ({"resident_id": ResidentFactory().id}, False),
    ],
)
def test_a_consent_carries_an_application_only_while_it_is_valid(facts, valid):
    resident = ResidentFactory()
    consent = ConsentFactory(**({"resident_id": resident.id, "purpose": "outreach"} | facts))
    if valid:
        apply(resident=resident, channel="outreach", consent=consent)
    else:
        with refused(Invalid, "consent_not_valid"):
            apply(resident=resident, channel="outreach", consent=consent)


def test_ex_officio_names_one_of_six_grounds_and_nothing_else_does():
    assert len(EX_OFFICIO_GROUNDS) == 6
    for ground in EX_OFFICIO_GROUNDS:
        file = apply(channel="ex_officio", ex_officio_ground=ground)
        assert file.case.ex_officio_ground == ground
    for channel, wrong in (("ex_officio", None), ("ex_officio", "lonely"), ("self", "disaster")):
        with refused(Invalid, "ex_officio_ground"):
            apply(channel=channel, ex_officio_ground=wrong)


def test_an_unknown_channel_is_refused():
    with refused(Invalid, "channel_unknown"):
        apply(channel="rumour")


def test_an_urgent_case_needs_its_reason():
    for reason in (None, "", "  "):
        with refused(Invalid, "urgent_reason_required"):
            apply(urgent=True, urgent_reason=reason)
    assert apply(urgent=True, urgent_reason="no food").case.priority == "urgent"


@pytest.mark.parametrize(
    ("applied_on", "code"),
    [("2026-03-31", None), ("2026-04-01", None), ("2026-04-02", "date_in_future")],
)
def test_nobody_applies_in_the_future(applied_on, code):
    if code:
        with refused(Invalid, code):
            apply(applied_on=date.fromisoformat(applied_on))
    else:
        apply(applied_on=date.fromisoformat(applied_on))


def test_nobody_applies_before_their_birth():
    baby = ResidentFactory(birth_date=date(2026, 3, 15))
    apply(resident=baby, applied_on=date(2026, 3, 15))
    with refused(Invalid, "date_too_early"):
        apply(resident=baby, applied_on=date(2026, 3, 14))


@pytest.mark.parametrize(("discharge_on", "fine"), [(30, False), (31, True), (1, True), (20, True)])
def test_a_discharge_follows_the_application(discharge_on, fine):
    on = date(2026, 3 if discharge_on >= 30 else 4, discharge_on)
    if fine:
        assert running(apply(applied_on=date(2026, 3, 31), discharge_on=on)) == [
            "discharge",
            "survey",
        ]
    else:
        with refused(Invalid, "date_too_early"):
            apply(applied_on=date(2026, 3, 31), discharge_on=on)


# The pre-survey


def scores(total):
    """Seven scores with a total, some of them 2."""
    found = dict.fromkeys(intake.ACTIVITIES, 0)
    for name in intake.ACTIVITIES * 2:
        if total:
            found[name] += 1
            total -= 1
    return found


@pytest.mark.parametrize("medicine", [False, True])
@pytest.mark.parametrize("total", range(15))
def test_the_score_decides_the_route_unless_dementia_medicine_does(medicine, total):
    routes = ["guidance"] * 2 + ["local_survey"] * 2 + ["nhis_assessment"] * 11
    expected = "nhis_assessment" if medicine else routes[total]
    town, file = Town(), CaseFileFactory()
    intake.record_pre_survey(file, medicine, scores(total), "told", town.act())
    assert (file.case.score, file.case.route) == (total, expected)
    assert file.case.status == ("closed" if expected == "guidance" else "surveying")
    assert (file.case.sent_for_assessment_at is None) == (expected == "guidance")


@pytest.mark.parametrize("score", [-1, 3, None, "1"])
def test_each_activity_is_scored_nought_one_or_two(score):
    town, file = Town(), CaseFileFactory()
    for name in intake.ACTIVITIES:
        with refused(Invalid, "activity_score", file) as caught:
            intake.record_pre_survey(file, False, scores(0) | {name: score}, "told", town.act())
        assert field_of(caught) == f"activities.{name}"
    left_out = dict.fromkeys(intake.ACTIVITIES[:-1], 0)
    with refused(Invalid, "activity_score", file):
        intake.record_pre_survey(file, False, left_out, "told", town.act())


def test_guidance_closes_the_case_and_needs_what_the_resident_was_told():
    town, file = Town(), CaseFileFactory()
    for text in (None, "", "  "):
        with refused(Invalid, "guidance_required", file):
            intake.record_pre_survey(file, False, scores(1), text, town.act())
    intake.record_pre_survey(file, False, scores(1), "how to apply again", town.act())
    case = file.case
    assert (case.status, case.closed_reason, case.effective_on) == ("closed", "guided", town.today)
    assert case.guidance == "how to apply again"
    assert running(file) == []
    assert event_names(file) == ["CaseOpened", "PreSurveyRecorded", "CaseClosed"]
    assert {clock.met_at for clock in file.deadlines.values()} == {town.now}


def test_guidance_does_not_end_urgent_help_behind_the_workers_back():
    town = Town()
    file = CaseFileFactory(town=town, applied=True, urgent=True)
    moves.draft(town, file, "CARE-MEALS")
    referral = ReferralFactory(town=town, file=file, in_progress=True)
    with refused(Conflict, "referrals_open", file, referrals=[referral.id]):
        intake.record_pre_survey(file, False, scores(0), "told", town.act())
    moves.move(town, file, referral, "complete")
    intake.record_pre_survey(file, False, scores(0), "told", town.act())
    assert file.case.status == "closed"


@pytest.mark.parametrize("stage", ["surveying", "planning", "supported"])
def test_a_case_is_surveyed_once(stage):
    town = Town()
    file = CaseFileFactory(town=town, stage=stage)
    with refused(Conflict, "not_allowed_in_state", file, state=stage):
        moves.survey(town, file)


# The assessment


def test_the_first_assessment_is_the_determination():
    town = Town()
    file = CaseFileFactory(town=town, surveying=True)
    moves.assess(town, file)
    case = file.case
    assert (case.status, case.determination) == ("planning", "community_care")
    assert case.determined_at == town.now
    assert event_names(file)[-1] == "Determined"
    assert len(file.added) == 1


@pytest.mark.parametrize("stage", ["planning", "submitted", "supported"])
def test_a_later_one_is_a_reassessment_and_moves_nothing(stage):
    town = Town()
    file = CaseFileFactory(town=town, stage=stage)
    before, clocks = file.case.status, running(file)
    moves.assess(town, file)
    assert (file.case.status, running(file)) == (before, clocks)
    assert event_names(file)[-1] == "Reassessed"
    assert len(file.added) == 2


def test_nothing_is_assessed_before_it_was_sent_or_after_closing():
    town = Town()
    file = CaseFileFactory(town=town, applied=True)
    with refused(Conflict, "not_allowed_in_state", file, state="applied"):
        moves.assess(town, file)
    moves.close(town, file)
    with refused(Conflict, "not_allowed_in_state", file, state="closed"):
        moves.assess(town, file)


@pytest.mark.parametrize(
    ("assessed", "received", "code"),
    [
        ("03-31", None, "date_too_early"),
        ("04-01", None, None),
        ("04-08", "04-07", "date_too_early"),
        ("04-07", "04-07", None),
        ("04-08", "04-08", None),
        ("04-09", None, "date_in_future"),
        ("04-08", "04-09", "date_in_future"),
    ],
)
def test_an_assessment_lies_between_the_application_and_today(assessed, received, code):
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, surveying=True)
    town.go_to("2026-04-08")
    days: dict[str, date | None] = {"on": date.fromisoformat(f"2026-{assessed}")}
    days["received_on"] = date.fromisoformat(f"2026-{received}") if received else None
    if code:
        with refused(Invalid, code, file):
            moves.assess(town, file, **days)
    else:
        moves.assess(town, file, **days)
        assert file.case.status == "planning"


def test_a_determination_is_one_of_four():
    town = Town()
    file = CaseFileFactory(town=town, surveying=True)
    finding = intake.Finding(
        assessed_on=town.today, received_on=None, assessor="x", determination="home", needs=[]
    )
    with refused(Invalid, "determination_unknown", file):
        intake.record_assessment(file, finding, town.act(town.assessor))


def test_a_second_case_is_refused_with_the_one_that_is_open():
    town = Town()
    standing = CaseFileFactory(town=town)
    refusal = intake.second_case(standing, town.act())
    assert (refusal.code, refusal.facts["case_id"]) == ("open_case_exists", standing.case.id)
    assert refusal.facts["state"] == "applied"
    assert "pre-survey" in refusal.facts["allowed_actions"]
    assert refusal.detail
