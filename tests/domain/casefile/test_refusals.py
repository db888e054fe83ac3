"""Refusals: their code, the facts that caused them, and the valid values."""

from datetime import date

import pytest

from casework.domain.access.policy import SYSTEM
from casework.domain.casefile.case import CHANNELS, CLOSING_REASONS, DETERMINATIONS, SIGNALS
from casework.domain.casefile.referral_moves import (
    DISPOSITIONS,
    MOVES,
    OUTCOMES,
    REASONS,
    SETTLEMENTS,
)
from casework.domain.cases import checks, intake
from casework.domain.cases.checks import answer_signal, raise_signal
from casework.domain.cases.handover import assign
from casework.domain.cases.reopening import reopen
from casework.domain.errors import Conflict, Forbidden, Invalid
from casework.domain.planning import planning
from casework.domain.referring.moving import resume_after_hold
from casework.domain.referring.referring import dispose
from casework.domain.supervision.reviewing import ACTIONS, CAUSES
from tests.domain.helpers import field_of, last_clock, refused
from tests.factories import (
    PATHS,
    ActorFactory,
    CaseFileFactory,
    OfferingFactory,
    ReferralFactory,
    ResidentFactory,
    Town,
    moves,
)


def day(text):
    return date.fromisoformat(f"2026-{text}")


def supported(state=None, at="2026-04-01T10:00"):
    town = Town(at)
    file = CaseFileFactory(town=town, supported=True)
    return town, file, ReferralFactory(town=town, file=file, status=state) if state else None


# Words


STATES = {"decline": "requested", "hold": "accepted", "cancel": "requested"}
STATES |= {"withdraw": "requested", "fail": "accepted"}


def with_unknown_reason(action):
    town, file, referral = supported(STATES[action])
    return lambda: moves.move(town, file, referral, action, reason="tired"), file


def with_unknown_outcome():
    town, file, referral = supported("in_progress")
    return lambda: moves.move(town, file, referral, "complete", outcome="well"), file


def with_unknown_disposition():
    town, file, referral = supported("declined")
    return lambda: moves.dispose(town, file, referral, "forgotten"), file


def with_unknown_settlement():
    town, file, _ = supported()
    return lambda: moves.settle(town, file, "re_refer"), file


def with_unknown_closing_reason():
    town, file, _ = supported()
    return lambda: moves.close(town, file, reason="tired"), file


def with_unknown_signal():
    town, file, _ = supported()
    return lambda: moves.signal(town, file, "rain"), file


def with_unknown_review(**words):
    town, file, _ = supported()
    clock = last_clock(file, moves.only_service(file).id, "link")
    town.go_to("2026-04-08")
    verdict = {"action": "excuse"} | words
    return lambda: moves.review(town, file, clock, **verdict), file


def with_unknown_channel():
    town, resident = Town(), ResidentFactory()
    application = intake.CareApplication(channel="pigeon", applied_on=town.today)
    return lambda: intake.open_case(resident, application, town.act(), None), resident


def with_unknown_determination():
    town = Town()
    file = CaseFileFactory(town=town, surveying=True)
    found = intake.Finding(
        assessed_on=town.today, received_on=None, assessor="x", determination="well", needs=[]
    )
    return lambda: intake.record_assessment(file, found, town.act(town.assessor)), file


WORDS = [
    *((lambda a=action: with_unknown_reason(a), REASONS[action], "reason") for action in REASONS),
    (with_unknown_outcome, OUTCOMES, "outcome"),
    (with_unknown_disposition, DISPOSITIONS, "disposition"),
    (with_unknown_settlement, SETTLEMENTS, "disposition"),
    (with_unknown_closing_reason, CLOSING_REASONS, "reason"),
    (with_unknown_signal, SIGNALS, "kind"),
    (lambda: with_unknown_review(action="forgive"), ACTIONS, "action"),
    (lambda: with_unknown_review(cause="weather"), CAUSES, "cause"),
    (with_unknown_channel, CHANNELS, "channel"),
    (with_unknown_determination, DETERMINATIONS, "determination"),
]


@pytest.mark.parametrize(("ask", "known", "field"), WORDS)
def test_an_unknown_word_is_refused_with_those_that_are_known(ask, known, field):
    act, unchanged = ask()
    before = repr(unchanged)
    with pytest.raises(Invalid) as caught:
        act()
    assert caught.value.detail == f"one of {', '.join(known)}"
    assert field_of(caught) == field
    assert repr(unchanged) == before


# Days


def draft_heard(town, file, on):
    draft = planning.Draft(goals=[], items=[], heard_on=on, heard_from="himself")
    planning.put_draft(file, draft, town.catalogue, town.act())


def assessed(town, file, on, received):
    found = intake.Finding(
        assessed_on=on,
        received_on=received,
        assessor="x",
        determination="community_care",
        needs=[],
    )
    intake.record_assessment(file, found, town.act(town.assessor))


def checked(town, file, on, following=None):
    found = checks.Findings(checked_on=on, findings="", goals=[], next_check_on=following)
    checks.record_check(file, found, town.act())


EARLY, LATE = day("03-31"), day("04-09")
DAYS = [
    # stage, what is done on which day, the field that is refused
    ("planning", lambda t, f: draft_heard(t, f, LATE), "heard.on", "date_in_future"),
    ("surveying", lambda t, f: assessed(t, f, LATE, None), "assessed_on", "date_in_future"),
    ("surveying", lambda t, f: assessed(t, f, EARLY, None), "assessed_on", "date_too_early"),
    ("surveying", lambda t, f: assessed(t, f, t.today, LATE), "received_on", "date_in_future"),
    (
        "surveying",
        lambda t, f: assessed(t, f, t.today, day("04-07")),
        "received_on",
        "date_too_early",
    ),
    (
        "submitted",
        lambda t, f: moves.decide(t, f, held_on=LATE),
        "conference.held_on",
        "date_in_future",
    ),
    (
        "submitted",
        lambda t, f: moves.decide(t, f, held_on=EARLY),
        "conference.held_on",
        "date_too_early",
    ),
    ("supported", lambda t, f: planning.notify(f, LATE, "her", t.act()), "on", "date_in_future"),
    ("supported", lambda t, f: planning.notify(f, EARLY, "her", t.act()), "on", "date_too_early"),
    ("supported", lambda t, f: checked(t, f, LATE), "checked_on", "date_in_future"),
    ("supported", lambda t, f: checked(t, f, EARLY), "checked_on", "date_too_early"),
    (
        "supported",
        lambda t, f: checked(t, f, t.today, day("04-07")),
        "next_check_on",
        "date_too_early",
    ),
    (
        "supported",
        lambda t, f: checked(t, f, t.today, day("10-13")),
        "next_check_on",
        "statutory_limit",
    ),
    (
        "supported",
        lambda t, f: moves.close(t, f, effective_on=LATE),
        "effective_on",
        "date_in_future",
    ),
    (
        "supported",
        lambda t, f: moves.close(t, f, effective_on=EARLY),
        "effective_on",
        "date_too_early",
    ),
]


@pytest.mark.parametrize(("stage", "ask", "field", "code"), DAYS)
def test_a_day_that_cannot_be_is_refused_by_its_field(stage, ask, field, code):
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, stage=stage)
    town.go_to("2026-04-08")
    with refused(Invalid, code, file) as caught:
        ask(town, file)
    assert field_of(caught) == field
    if code == "date_too_early":
        assert "2026-" in caught.value.detail, "it names the day that it follows"
    if code == "statutory_limit":
        assert "Enforcement Rule 10" in caught.value.detail


# States


@pytest.mark.parametrize("action", [action for action in MOVES if action != "dispose"])
def test_a_move_that_the_state_does_not_allow_is_named(action):
    town, file, referral = supported("entered_in_error")
    with refused(Conflict, "not_allowed_in_state", file, allowed_actions=[]) as caught:
        moves.move(town, file, referral, action)
    assert caught.value.detail == f"{action} is not possible while entered_in_error"


def test_other_acts_that_the_state_does_not_allow_are_named():
    town, file, referral = supported("requested")
    with refused(Conflict, "not_allowed_in_state", file, state="requested") as caught:
        moves.dispose(town, file, referral)
    assert caught.value.detail == "dispose is not possible while requested"
    assert set(caught.value.facts["allowed_actions"]) == {
        "accept", "waitlist", "decline", "cancel", "withdraw", "signal",
    }  # fmt: skip
    with refused(Conflict, "not_allowed_in_state", file) as caught:
        resume_after_hold(file, referral, town.act(SYSTEM))
    assert caught.value.detail == "resume is not possible while requested"
    with refused(Conflict, "not_allowed_in_state", file) as caught:
        moves.submit(town, file)
    assert caught.value.detail == "submit is not possible while supported"
    with refused(Conflict, "not_allowed_in_state", file) as caught:
        reopen(file, "so", town.act(town.supervisor), file.case.worker_id)
    assert caught.value.detail == "reopen is not possible while supported"


def test_what_a_closed_case_refuses_is_named():
    town, file, referral = supported("declined")
    service = moves.only_service(file)
    moves.close(town, file)
    for name, ask in {
        "close": lambda: moves.close(town, file),
        "checks": lambda: moves.check(town, file),
        "signals": lambda: moves.signal(town, file),
        "assign": lambda: assign(file, None, town.act(town.supervisor)),
        "notified": lambda: planning.notify(file, town.today, "her", town.act()),
        "assessments": lambda: moves.assess(town, file),
        "pre-survey": lambda: moves.survey(town, file),
        "refer": lambda: moves.refer(town, file, service),
    }.items():
        with refused(Conflict, "not_allowed_in_state", file, state="closed") as caught:
            ask()
        assert caught.value.detail == f"{name} is not possible while closed"
    with refused(Conflict, "not_allowed_in_state", file, state="in_force") as caught:
        moves.settle(town, file)
    assert caught.value.detail == "settle is not possible while in_force"
    with refused(Conflict, "not_allowed_in_state", file, state="declined") as caught:
        raise_signal(file, "fall", None, town.act(), referral)
    assert caught.value.detail == "signal is not possible while declined"


CASE_ACTS = ["draft", "checks", "signals", "hold", "close"]


def test_a_refusal_for_another_reason_says_too_what_the_worker_may_do():
    town, file, _ = supported("requested")
    with refused(Conflict, "referrals_open", file, state="supported") as caught:
        moves.close(town, file)
    assert set(CASE_ACTS) < set(caught.value.facts["allowed_actions"])
    signal = moves.signal(town, file)
    answer_signal(file, signal, "looked in", town.act())
    with refused(Conflict, "already_answered", file, state="supported") as caught:
        answer_signal(file, signal, "again", town.act())
    assert set(CASE_ACTS) < set(caught.value.facts["allowed_actions"])
    with refused(Conflict, "service_in_use", file, state="supported") as caught:
        moves.draft(town, file)
    assert caught.value.facts["planned_service_id"] == moves.only_service(file).id
    assert set(CASE_ACTS) < set(caught.value.facts["allowed_actions"])


# Parts


@pytest.mark.parametrize("state", PATHS)
def test_a_role_without_a_part_in_referrals_is_named(state):
    town, file, referral = supported(state)
    with refused(Forbidden, "forbidden", file) as caught:
        moves.move(town, file, referral, "cancel", by=town.assessor)
    assert caught.value.detail == "assessor may not do this"


def test_only_those_who_send_refer_and_dispose():
    town, file, referral = supported("declined")
    provider = ActorFactory(provider=True)
    with refused(Forbidden, "forbidden", file) as caught:
        moves.refer(town, file, by=provider)
    assert caught.value.detail == "provider may not do this"
    with refused(Forbidden, "forbidden", file):
        dispose(file, referral, "refused", None, town.act(provider))


# Unknown and missing values, by their fields


def test_an_unknown_disposition_and_a_missing_offering_are_refused_by_their_fields():
    town, file, referral = supported("declined")
    with refused(Invalid, "disposition_unknown", file) as caught:
        moves.dispose(town, file, referral, "forgotten")
    assert field_of(caught) == "disposition"
    with refused(Invalid, "offering_required", file) as caught:
        moves.dispose(town, file, referral, "re_refer")
    assert field_of(caught) == "offering_id"


def test_what_an_offering_lacks_is_refused_by_its_field():
    town, file, _ = supported()
    for facts, code, field in (
        ({"is_open": False}, "offering_closed", "offering_id"),
        ({"service_code": "MED-VISIT"}, "offering_mismatch", "offering_id"),
        ({"centres": []}, "outside_area", "outside_area_reason"),
    ):
        with refused(Invalid, code, file) as caught:
            moves.refer(town, file, offering=OfferingFactory(**facts))
        assert field_of(caught) == field


@pytest.mark.parametrize(
    ("state", "action", "facts", "code", "field"),
    [
        ("requested", "decline", {"reason": "other"}, "note_required", "note"),
        ("requested", "decline", {"reason": None}, "reason_unknown", "reason"),
        ("requested", "enter-in-error", {"reason": " "}, "reason_required", "reason"),
        ("in_progress", "complete", {"outcome": None}, "outcome_unknown", "outcome"),
        ("draft", "send", {"offering": None}, "offering_required", "offering_id"),
    ],
)
def test_what_a_move_lacks_is_refused_by_its_field(state, action, facts, code, field):
    town, file, referral = supported(state)
    with refused(Invalid, code, file) as caught:
        moves.move(town, file, referral, action, **facts)
    assert field_of(caught) == field


def test_a_referral_that_cannot_be_replaced_is_named():
    town, file, referral = supported("requested")
    with refused(Conflict, "nothing_to_replace", file, state="requested"):
        moves.refer(town, file, replaces=referral.id)
    with refused(Invalid, "unknown_referral", file) as caught:
        moves.refer(town, file, replaces=moves.only_service(file).id)
    assert field_of(caught) == "replaces"
