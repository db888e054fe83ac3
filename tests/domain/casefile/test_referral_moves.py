"""The lifecycle table of a referral: every state with every action."""

import ast
from datetime import date, timedelta
from pathlib import Path

import pytest

import casework
from casework.domain.access.policy import SYSTEM
from casework.domain.casefile.referral_moves import (
    DISPOSITIONS,
    FOLLOWING,
    MOVES,
    OPEN,
    REASONS,
    Party,
    possible_moves,
)
from casework.domain.casefile.states import ReferralStatus
from casework.domain.cases.holding import hold_case, resume_case
from casework.domain.clocks.calendar import end_of
from casework.domain.errors import Conflict, Forbidden, Invalid
from casework.domain.referring.referring import Details, allowed_actions, move, resume_after_hold
from tests.domain.counting import last_day
from tests.domain.helpers import event_names, field_of, refused
from tests.factories import (
    PATHS,
    ActorFactory,
    CaseFileFactory,
    ConsentFactory,
    OfferingFactory,
    ReferralFactory,
    Town,
    moves,
    seoul,
)

PACKAGE = Path(casework.__file__).parent
ENDING = {"cancel", "withdraw", "enter-in-error"}
# Written out by hand from the model, to check the table in the code against.
ALLOWED = {
    "draft": {"send"} | ENDING,
    "requested": {"accept", "waitlist", "decline", "lapse"} | ENDING,
    "waitlisted": {"accept", "decline", "lapse"} | ENDING,
    "accepted": {"start", "hold", "fail"} | ENDING,
    "in_progress": {"report", "hold", "complete", "fail"} | ENDING,
    "on_hold": {"resume", "fail"} | ENDING,
    "declined": {"dispose", "enter-in-error"},
    "lapsed": {"dispose", "enter-in-error"},
    "failed": {"dispose", "enter-in-error"},
    "withdrawn": {"dispose", "enter-in-error"},
    "completed": {"enter-in-error"},
    "cancelled": {"enter-in-error"},
    "entered_in_error": set(),
}
LEADS_TO = {
    "send": "requested",
    "accept": "accepted",
    "waitlist": "waitlisted",
    "decline": "declined",
    "lapse": "lapsed",
    "start": "in_progress",
    "hold": "on_hold",
    "complete": "completed",
    "fail": "failed",
    "cancel": "cancelled",
    "withdraw": "withdrawn",
    "enter-in-error": "entered_in_error",
}
PAIRS = [(state, action) for state in PATHS for action in MOVES]


def referral_in(state, town=None, **facts):
    """A referral in a state, with its town and its file."""
    town = town or Town()
    file = CaseFileFactory(town=town, supported=True)
    return town, file, ReferralFactory(town=town, file=file, status=state, facts=facts)


def make(town, file, referral, action):
    """Make a move with its usual details, or a disposition."""
    if action == "dispose":
        moves.dispose(town, file, referral)
    else:
        moves.move(town, file, referral, action)


def test_the_table_knows_every_state_and_these_actions():
    assert set(ALLOWED) == set(ReferralStatus)
    assert set(MOVES) == set().union(*ALLOWED.values())
    assert set(OPEN) == {state for state, actions in ALLOWED.items() if "cancel" in actions}


def test_what_nobody_asks_for_stands_in_the_table_too():
    of_the_case = {move.action for move in FOLLOWING.values() if move.who is Party.CASE}
    closing, holding = (
        {"complete-with-case", "cancel-with-case"},
        {"hold-with-case", "resume-with-case"},
    )
    assert of_the_case == closing | holding
    assert set(FOLLOWING) - of_the_case == {"resume-by-itself"}
    assert not set(FOLLOWING) & set(MOVES), "nobody can ask for one by its name"
    for name in ("hold", "resume"):
        own, with_case = MOVES[name], FOLLOWING[f"{name}-with-case"]
        assert (own.from_, own.to, own.event) == (with_case.from_, with_case.to, with_case.event)
    by_closing = [FOLLOWING[name] for name in closing]
    assert set().union(*(move.from_ for move in by_closing)) == set(OPEN)


@pytest.mark.parametrize("state", PATHS)
def test_closing_ends_what_is_open_by_its_rows_and_leaves_the_rest(state):
    town, file, referral = referral_in(state)
    status, started = referral.status, referral.has_started
    town.wait(minutes=1)
    moves.close(town, file, end_open=True)
    row = FOLLOWING["complete-with-case" if started else "cancel-with-case"]
    if status in OPEN:
        assert status in row.from_
        assert (referral.status, referral.ended_by_closing) == (row.to, True)
        assert type(file.events[-2]) is row.event
    else:
        assert (referral.status, referral.ended_by_closing) == (status, False)


def test_a_row_is_not_made_where_it_does_not_lead_from():
    _, file, referral = referral_in("declined")
    before = repr(file)
    for row in (*MOVES.values(), *FOLLOWING.values()):
        if referral.status not in row.from_:
            with pytest.raises(ValueError, match="does not lead from declined"):
                referral.make(row, seoul("2026-04-01T10:00"))
    assert repr(file) == before


def states_written(source):
    """The variables whose state a module sets."""
    for node in ast.walk(ast.parse(source)):
        for target in getattr(node, "targets", ()) if isinstance(node, ast.Assign) else ():
            for one in ast.walk(target):
                if isinstance(one, ast.Attribute) and one.attr == "status":
                    yield ast.unparse(one.value)


def test_no_state_of_a_referral_is_written_but_by_a_row():
    written = {
        (str(path.relative_to(PACKAGE)), owner)
        for path in PACKAGE.rglob("*.py")
        for owner in states_written(path.read_text(encoding="utf-8"))
        if owner not in ("case", "file.case", "version", "before", "service")
        if owner != "self" or "domain" in path.parts
    }
    assert written == {("domain/casefile/referral.py", "self")}
    assert list(states_written("referral.status, referral.reason = Status.LAPSED, None")) == [
        "referral"
    ]


@pytest.mark.parametrize(("state", "action"), PAIRS)
def test_a_move_is_made_exactly_where_the_table_says(state, action):
    town, file, referral = referral_in(state)
    status = referral.status
    town.wait(minutes=1)
    if action in ALLOWED[status]:
        make(town, file, referral, action)
        back = {"resume": "in_progress" if state == "on_hold_after_start" else "accepted"}
        assert referral.status == LEADS_TO.get(action, back.get(action, status))
        assert type(file.events[-1]) is MOVES[action].event
        assert file.events[-1].data["status"] == referral.status
    else:
        with refused(Conflict, "not_allowed_in_state", file, state=status) as caught:
            make(town, file, referral, action)
        by = moves.who_moves(town, referral, action)
        expected = allowed_actions(True, referral, by, town.now)
        assert caught.value.facts["allowed_actions"] == expected


@pytest.mark.parametrize("state", PATHS)
def test_the_allowed_actions_are_those_of_the_table_and_of_ones_part(state):
    _, _, referral = referral_in(state)
    table = ALLOWED[referral.status]
    answers = {"accept", "waitlist", "decline", "start", "report", "hold", "resume", "complete"}
    answers |= {"fail"}
    signal = {"signal"} if referral.is_open and state != "draft" else set()
    sends = {"send", "cancel", "withdraw", "dispose"}
    for role, parts in {
        "worker": answers | sends,
        "supervisor": answers | sends | {"enter-in-error"},
        "provider": answers,
    }.items():
        actor = ActorFactory(**{role: True})
        assert set(allowed_actions(True, referral, actor)) == (table & parts) | signal
    assert allowed_actions(True, referral, ActorFactory(assessor=True)) == []


def test_a_state_that_owes_nothing_any_more_offers_no_disposition():
    assert "dispose" in possible_moves(ReferralStatus.DECLINED, owes_disposition=True)
    assert "dispose" not in possible_moves(ReferralStatus.DECLINED, owes_disposition=False)


def test_the_same_move_made_anew_is_refused_because_the_state_has_changed():
    town, file, referral = referral_in("requested")
    moves.move(town, file, referral, "accept")
    with refused(Conflict, "not_allowed_in_state", file, state="accepted"):
        moves.move(town, file, referral, "accept")
    moves.move(town, file, referral, "fail")
    moves.dispose(town, file, referral, "refused")
    with refused(Conflict, "not_allowed_in_state", file, state="failed"):
        moves.dispose(town, file, referral, "refused")


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("action", MOVES)
def test_on_a_closed_case_only_an_error_can_still_be_named(state, action):
    town, file, referral = referral_in(state)
    moves.close(town, file, end_open=True)
    if action == "enter-in-error" and referral.status != "entered_in_error":
        make(town, file, referral, action)
        assert referral.status == "entered_in_error"
        assert file.running() == []
    else:
        with refused(Conflict, "not_allowed_in_state", file):
            make(town, file, referral, action)


@pytest.mark.parametrize("state", PATHS)
def test_on_a_closed_case_a_supervisor_is_offered_to_name_an_error_and_nobody_anything_else(state):
    town, file, referral = referral_in(state)
    moves.close(town, file, end_open=True)
    error = [] if referral.status == "entered_in_error" else ["enter-in-error"]
    assert allowed_actions(False, referral, town.supervisor) == error
    assert allowed_actions(False, referral, town.worker) == []
    provider = ActorFactory(provider=True, provider_id=referral.provider_id)
    assert allowed_actions(False, referral, provider) == []


def test_a_disposition_is_no_plain_move():
    town, file, referral = referral_in("declined")
    with pytest.raises(ValueError, match="dispose"):
        move(file, referral, "dispose", Details(), town.act())


# Who may make a move


ANSWERS = {
    "accept": "requested",
    "waitlist": "requested",
    "decline": "requested",
    "start": "accepted",
    "report": "in_progress",
    "hold": "accepted",
    "resume": "on_hold",
    "complete": "in_progress",
    "fail": "in_progress",
}


@pytest.mark.parametrize("role", ["worker", "supervisor"])
@pytest.mark.parametrize("action", ANSWERS)
def test_a_worker_answers_only_on_the_providers_word_and_the_record_says_so(action, role):
    town, file, referral = referral_in(ANSWERS[action])
    someone = getattr(town, role)
    with refused(Forbidden, "provider_answers", file):
        moves.move(town, file, referral, action, by=someone)
    word = {"channel": "phone", "person": "the head nurse"}
    moves.move(town, file, referral, action, by=someone, on_behalf=word)
    assert referral.on_behalf == word
    assert file.events[-1].data["on_behalf"] == "phone"
    assert "head nurse" not in repr(file.events)


def test_the_word_of_one_answer_is_not_kept_for_the_next():
    town, file, referral = referral_in("requested")
    word = {"channel": "fax", "person": "the desk"}
    moves.move(town, file, referral, "accept", by=town.worker, on_behalf=word)
    moves.move(town, file, referral, "start")
    assert referral.on_behalf is None
    assert "on_behalf" not in file.events[-1].data


def test_a_provider_answers_for_itself():
    town, file, referral = referral_in("requested")
    with refused(Invalid, "on_behalf_not_yours", file) as caught:
        moves.move(town, file, referral, "accept", on_behalf={"channel": "fax", "person": "me"})
    assert field_of(caught) == "on_behalf"


@pytest.mark.parametrize(
    ("action", "state", "roles"),
    [
        ("send", "draft", {"worker", "supervisor"}),
        ("cancel", "requested", {"worker", "supervisor"}),
        ("withdraw", "requested", {"worker", "supervisor"}),
        ("accept", "requested", {"provider"}),
        ("enter-in-error", "requested", {"supervisor"}),
        ("lapse", "requested", set()),
    ],
)
@pytest.mark.parametrize("role", ["worker", "supervisor", "provider", "assessor"])
def test_each_move_is_made_by_those_whose_it_is(action, state, roles, role):
    town, file, referral = referral_in(state)
    town.now = referral.lapse_at or town.now
    actor = ActorFactory(**{role: True})
    if role in roles:
        moves.move(town, file, referral, action, by=actor)
    else:
        code = "provider_answers" if role in ("worker", "supervisor") else "forbidden"
        code = "forbidden" if action in ("enter-in-error", "lapse") else code
        with refused(Forbidden, code, file):
            moves.move(town, file, referral, action, by=actor)


@pytest.mark.parametrize("role", ["provider", "assessor"])
def test_only_the_sender_refers_and_disposes(role):
    town, file, referral = referral_in("declined")
    town.worker = ActorFactory(**{role: True})
    with refused(Forbidden, "forbidden", file):
        moves.refer(town, file)
    with refused(Forbidden, "forbidden", file):
        moves.dispose(town, file, referral)


# Reasons


@pytest.mark.parametrize(
    ("action", "reason"), [(action, reason) for action in REASONS for reason in REASONS[action]]
)
def test_reasons_come_from_lists_and_other_needs_a_note(action, reason):
    state = {"decline": "requested"}.get(action, "accepted")
    town, file, referral = referral_in(state)
    if reason == "other":
        for note in (None, "", "  "):
            with refused(Invalid, "note_required", file) as caught:
                moves.move(town, file, referral, action, reason=reason, note=note)
            assert field_of(caught) == "note"
        moves.move(town, file, referral, action, reason=reason, note="she moved to her son")
        assert referral.note == "she moved to her son"
        assert "she moved" not in repr(file.events)
    else:
        moves.move(town, file, referral, action, reason=reason)
    assert referral.reason == reason
    assert file.events[-1].data["reason"] == reason


@pytest.mark.parametrize("action", REASONS)
@pytest.mark.parametrize("reason", [None, "", "because", "OTHER"])
def test_a_reason_that_is_not_on_the_list_is_refused(action, reason):
    town, file, referral = referral_in({"decline": "requested"}.get(action, "accepted"))
    with refused(Invalid, "reason_unknown", file) as caught:
        moves.move(town, file, referral, action, reason=reason)
    assert field_of(caught) == "reason"


def test_the_reasons_are_those_of_the_model():
    assert REASONS == {
        "decline": (
            "at_capacity",
            "out_of_area",
            "not_eligible",
            "cannot_reach",
            "resident_refused",
            "duplicate",
            "other",
        ),
        "hold": ("hospitalised", "away", "resident_asked", "provider_paused", "other"),
        "cancel": ("no_longer_needed", "entered_twice", "redirected", "case_closed", "other"),
        "withdraw": ("resident_asked", "consent_withdrawn", "died", "other"),
        "fail": ("provider_unable", "resident_unreachable", "died", "other"),
    }


def test_an_error_is_named_with_its_reason_which_no_event_repeats():
    town, file, referral = referral_in("requested")
    for reason in (None, "", "   "):
        with refused(Invalid, "reason_required", file):
            moves.move(town, file, referral, "enter-in-error", reason=reason)
    moves.move(town, file, referral, "enter-in-error", reason="meant for Mrs Kim")
    assert referral.reason == "meant for Mrs Kim"
    assert "Kim" not in repr(file.events)


def test_a_service_ends_with_one_of_three_outcomes():
    for outcome in ("ended_as_planned", "ended_early", "transferred"):
        town, file, referral = referral_in("in_progress")
        moves.move(town, file, referral, "complete", outcome=outcome)
        assert referral.outcome == outcome
        assert file.events[-1].data["outcome"] == outcome
    for unknown in (None, "well"):
        town, file, referral = referral_in("in_progress")
        with refused(Invalid, "outcome_unknown", file):
            moves.move(town, file, referral, "complete", outcome=unknown)


def test_a_disposition_is_one_of_five():
    assert DISPOSITIONS == (
        "re_refer",
        "alternative",
        "refused",
        "no_longer_needed",
        "unmet_need",
    )
    town, file, referral = referral_in("declined")
    with refused(Invalid, "disposition_unknown", file):
        moves.dispose(town, file, referral, "forgotten")


# Dates


def day(text):
    return date.fromisoformat(f"2026-{text}")


def test_a_service_starts_neither_before_it_was_accepted_nor_in_the_future():
    town, file, referral = referral_in("accepted")  # on 1 April
    town.go_to("2026-04-08")
    for started_on, code in (("03-31", "date_too_early"), ("04-09", "date_in_future")):
        with refused(Invalid, code, file) as caught:
            moves.move(town, file, referral, "start", started_on=day(started_on))
        assert field_of(caught) == "started_on"


@pytest.mark.parametrize("started_on", ["04-01", "04-02", "04-08"])
def test_a_service_starts_between_its_acceptance_and_today(started_on):
    town, file, referral = referral_in("accepted")
    town.go_to("2026-04-08")
    moves.move(town, file, referral, "start", started_on=day(started_on))
    assert referral.started_on == day(started_on)
    assert file.events[-1].data["started_on"] == day(started_on)


@pytest.mark.parametrize(("action", "name"), [("complete", "ended_on"), ("report", "reported_on")])
def test_what_follows_the_start_lies_between_it_and_today(action, name):
    for on, code in (("04-02", "date_too_early"), ("04-09", "date_in_future")):
        town, file, referral = started_on_3_april()
        with refused(Invalid, code, file) as caught:
            moves.move(town, file, referral, action, **{name: day(on)})
        assert field_of(caught) == name
    for on in ("04-03", "04-04", "04-08"):
        town, file, referral = started_on_3_april()
        moves.move(town, file, referral, action, **{name: day(on)})
        assert file.events[-1].data[name] == day(on)


def started_on_3_april():
    town, file, referral = referral_in("accepted")
    town.go_to("2026-04-08")
    moves.move(town, file, referral, "start", started_on=day("04-03"))
    return town, file, referral


def test_a_date_that_is_left_out_is_today():
    town, file, referral = referral_in("accepted")
    town.go_to("2026-04-08")
    moves.move(town, file, referral, "start")
    assert referral.started_on == day("04-08")
    town.go_to("2026-04-20")
    moves.move(town, file, referral, "complete")
    assert referral.ended_on == day("04-20")
    assert file.events[-1].data["ended_on"] == day("04-20")


def test_a_hold_lasts_until_today_or_later():
    town, file, referral = referral_in("accepted")
    for until in (None, day("03-31")):
        with refused(Invalid, "until_in_past", file) as caught:
            moves.move(town, file, referral, "hold", until=until)
        assert field_of(caught) == "until"
    moves.move(town, file, referral, "hold", until=day("04-01"))
    assert referral.hold_until == day("04-01")


# What a move leaves on the referral


def test_sending_keeps_what_was_disclosed():
    town, file, referral = referral_in("draft")
    disclosed = ["name", "birth_date", "sex", "address", "phone", "service", "message"]
    assert (referral.requested_at, referral.disclosed) == (None, None)
    moves.move(town, file, referral, "send")
    assert (referral.requested_at, referral.disclosed) == (town.now, disclosed)


def test_the_first_answer_is_when_it_was_answered():
    town, file, referral = referral_in("requested")
    first = town.wait(hours=2).now
    moves.move(town, file, referral, "waitlist", expected_on=day("05-01"))
    town.wait(days=1)
    moves.move(town, file, referral, "accept", expected_start_on=day("05-04"))
    assert (referral.answered_at, referral.accepted_at) == (first, town.now)
    assert (referral.expected_on, referral.expected_start_on) == (day("05-01"), day("05-04"))


def test_a_note_stays_until_the_next_one():
    town, file, referral = referral_in("requested")
    moves.move(town, file, referral, "waitlist", note="not before June")
    assert referral.note == "not before June"
    moves.move(town, file, referral, "accept")
    assert referral.note == "not before June"
    moves.move(town, file, referral, "start", note="twice a week")
    assert referral.note == "twice a week"
    assert "June" not in repr(file.events)


def test_what_has_ended_says_when():
    for state in ("declined", "failed", "completed", "cancelled", "withdrawn"):
        town, _, referral = referral_in(state)
        assert referral.ended_at == town.now
    town, file, referral = referral_in("completed")
    ended = town.now
    town.wait(days=3)
    moves.move(town, file, referral, "enter-in-error")
    assert referral.ended_at == ended


def test_every_move_is_one_event_with_its_clocks():
    town, file, referral = referral_in("requested")
    file.events.clear()
    moves.move(town, file, referral, "accept")
    (event,) = file.events
    assert (event.subject_type, event.subject_id) == ("referral", referral.id)
    assert {clock["kind"] for clock in event.data["clocks"]} == {"response", "start"}


# Rules 2 and 3: which requests are possible


def test_one_open_referral_per_planned_service_and_provider():
    town, file, referral = referral_in("requested")
    same = town.offerings[referral.offering_id]
    for send in (True, False):
        with refused(Conflict, "open_referral_exists", file, state="requested"):
            moves.refer(town, file, offering=same, send=send)
    moves.refer(town, file, send=False)
    moves.move(town, file, referral, "cancel")
    moves.refer(town, file, offering=same)


def test_sending_needs_an_open_offering_of_that_service_which_covers_the_centre():
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    for facts, code in (
        ({"is_open": False}, "offering_closed"),
        ({"service_code": "MED-VISIT"}, "offering_mismatch"),
        ({"centres": ["2611051000"]}, "outside_area"),
    ):
        with refused(Invalid, code, file):
            moves.refer(town, file, offering=OfferingFactory(**facts))
    far = OfferingFactory(centres=[])
    with refused(Invalid, "outside_area", file):
        moves.refer(town, file, offering=far, outside_area_reason="  ")
    asked = moves.refer(town, file, offering=far, outside_area_reason="nobody nearer")
    assert asked.status == "requested"


@pytest.mark.parametrize(
    ("facts", "valid"),
    [
        ({}, True),
        ({"purpose": "outreach"}, False),
        ({"expires_on": day("03-31")}, False),
        ({"expires_on": day("04-01")}, True),
        ({"expires_on": day("04-02")}, True),
        ({"given_on": day("04-01")}, True),
        ({"given_on": day("04-02")}, False),
        ({"withdrawn_at": Town().now}, False),
        ({"resident_id": ActorFactory().id}, False),
    ],
)
def test_a_disclosure_that_rests_on_a_consent_needs_a_valid_one(facts, valid):
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    consent = ConsentFactory(**({"resident_id": file.case.resident_id} | facts))
    if valid:
        asked = moves.refer(town, file, basis_kind="consent", consent=consent)
        assert asked.consent_id == consent.id
    else:
        with refused(Invalid, "consent_not_valid", file) as caught:
            moves.refer(town, file, basis_kind="consent", consent=consent)
        assert field_of(caught) == "basis.consent_id"


def test_a_consent_must_be_named_where_the_basis_is_one():
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    with refused(Invalid, "consent_not_valid", file):
        moves.refer(town, file, basis_kind="consent")


def test_the_basis_of_a_draft_is_judged_again_when_it_is_sent():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    consent = ConsentFactory(resident_id=file.case.resident_id, expires_on=day("04-10"))
    drafts = [
        moves.refer(town, file, basis_kind="consent", consent=consent, send=False) for _ in range(2)
    ]
    town.go_to("2026-04-10")
    moves.move(town, file, drafts[0], "send")
    town.go_to("2026-04-11")
    with refused(Invalid, "consent_not_valid", file):
        moves.move(town, file, drafts[1], "send")
    with refused(Invalid, "consent_not_valid", file):
        moves.move(town, file, drafts[1], "send", consent=None)
    another = ConsentFactory(resident_id=file.case.resident_id)
    with refused(Invalid, "consent_not_valid", file):
        moves.move(town, file, drafts[1], "send", consent=another)
    assert drafts[0].status == "requested"  # a later expiry ends nothing


def test_the_offering_of_a_draft_is_judged_again_when_it_is_sent():
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    referral = moves.refer(town, file, send=False)
    offering = town.offerings[referral.offering_id]
    offering.is_open = False
    with refused(Invalid, "offering_closed", file):
        moves.move(town, file, referral, "send")
    for gone in (None, OfferingFactory()):
        with refused(Invalid, "offering_required", file):
            moves.move(town, file, referral, "send", offering=gone)
    offering.is_open = True
    moves.move(town, file, referral, "send")
    assert referral.status == "requested"


def test_nothing_is_sent_before_the_plan_is_approved_unless_the_case_is_urgent():
    for stage in ("drafted", "submitted"):
        town = Town()
        file = CaseFileFactory(town=town, stage=stage)
        with refused(Conflict, "plan_not_approved", file):
            moves.refer(town, file)
        referral = moves.refer(town, file, send=False)
        with refused(Conflict, "plan_not_approved", file):
            moves.move(town, file, referral, "send")
    town = Town()
    file = CaseFileFactory(town=town, urgent=True, applied=True)
    moves.draft(town, file, "CARE-MEALS")
    assert moves.refer(town, file).status == "requested"


def test_a_dropped_service_and_a_closed_case_ask_nobody():
    town = Town()
    file = CaseFileFactory(town=town, supported=True, services=("CARE-MEALS", "MED-VISIT"))
    meals, visit = file.services.values()
    moves.approve_plan(town, file, keep=(visit,))
    with refused(Conflict, "not_allowed_in_state", file):
        moves.refer(town, file, meals)
    moves.close(town, file)
    with refused(Conflict, "not_allowed_in_state", file, state="closed"):
        moves.refer(town, file, visit)


# Holds


def test_a_resumed_hold_returns_whence_it_came():
    for state, back in (("on_hold", "accepted"), ("on_hold_after_start", "in_progress")):
        town, file, referral = referral_in(state)
        moves.move(town, file, referral, "resume")
        assert referral.status == back
        assert (referral.held_from, referral.hold_until, referral.resume_at) == (None, None, None)


@pytest.mark.parametrize(
    ("at", "over"), [("2026-04-08T23:59:59", False), ("2026-04-09T00:00", True)]
)
def test_a_hold_is_over_when_its_last_day_has_passed_recorded_or_not(at, over):
    town, file, referral = referral_in("on_hold")  # until 8 April
    town.go_to(at)
    assert referral.hold_is_over(town.now) is over
    if over:
        file.events.clear()
        moves.move(town, file, referral, "start")
        assert referral.status == "in_progress"
        assert event_names(file) == ["ReferralResumed", "ReferralStarted"]
        assert file.events[0].data["resumed_on"] == day("04-09")
        assert file.events[0].data["by_itself"] is True
    else:
        with refused(Conflict, "not_allowed_in_state", file, state="on_hold"):
            moves.move(town, file, referral, "start")


def test_after_a_hold_that_is_over_the_moves_of_the_former_state_are_allowed():
    town, _, referral = referral_in("on_hold")
    provider = ActorFactory(provider=True)
    assert allowed_actions(True, referral, provider, town.now) == ["resume", "fail", "signal"]
    town.go_to("2026-04-09")
    allowed = ["start", "hold", "resume", "fail", "signal"]
    assert allowed_actions(True, referral, provider, town.now) == allowed


def test_a_move_refused_after_a_hold_that_is_over_does_not_even_record_the_resumption():
    town, file, referral = referral_in("on_hold")
    town.go_to("2026-04-20")
    allowed = ["start", "hold", "resume", "fail", "signal"]
    with refused(Conflict, "not_allowed_in_state", file, state="on_hold", allowed_actions=allowed):
        moves.move(town, file, referral, "complete")
    with refused(Invalid, "date_in_future", file):
        moves.move(town, file, referral, "start", started_on=day("04-21"))


def test_saying_that_a_hold_is_over_records_it_as_of_the_day_it_was():
    town, file, referral = referral_in("on_hold_after_start")
    town.go_to("2026-04-20")
    moves.move(town, file, referral, "resume")
    assert referral.status == "in_progress"
    assert file.events[-1].data["resumed_on"] == day("04-09")


def test_the_sweep_resumes_only_what_is_over():
    town, file, referral = referral_in("on_hold")
    town.go_to("2026-04-08T23:59")
    with refused(Conflict, "not_allowed_in_state", file, state="on_hold"):
        resume_after_hold(file, referral, town.act(SYSTEM))
    town.go_to("2026-04-09T00:00")
    resume_after_hold(file, referral, town.act(SYSTEM))
    assert referral.status == "accepted"
    with refused(Conflict, "not_allowed_in_state", file, state="accepted"):
        resume_after_hold(file, referral, town.act(SYSTEM))


# Lapsing


@pytest.mark.parametrize(
    ("at", "lapses"), [("2026-04-15T23:59:59", False), ("2026-04-16T00:00:00", True)]
)
def test_a_request_lapses_when_ten_working_days_have_passed_without_an_answer(at, lapses):
    town, file, referral = referral_in("requested")
    town.go_to(at)
    if lapses:
        move(file, referral, "lapse", Details(), town.act(SYSTEM))
        assert (referral.status, referral.lapse_at) == ("lapsed", None)
    else:
        with refused(Conflict, "not_allowed_in_state", file, state="requested"):
            move(file, referral, "lapse", Details(), town.act(SYSTEM))


def test_a_place_on_a_waiting_list_lapses_later_and_an_answer_never():
    town, file, referral = referral_in("waitlisted")
    assert referral.lapse_at is not None
    assert str(referral.lapse_at.date()) == "2026-05-16"  # thirty working days after 1 April
    town.go_to("2026-04-16")
    with refused(Conflict, "not_allowed_in_state", file):
        move(file, referral, "lapse", Details(), town.act(SYSTEM))
    moves.move(town, file, referral, "accept")
    assert referral.lapse_at is None


@pytest.mark.parametrize("until", ["2026-04-03", "2026-04-06", "2026-05-29"])
def test_a_request_is_not_given_up_while_its_clock_is_paused(until):
    """Ten working days after 1 April, and those of the stay in hospital left out."""
    town, file, referral = referral_in("requested")
    last = date.fromisoformat(until)
    hold_case(file, "hospitalised", last, None, town.act())
    (clock,) = file.running(referral.id)
    out = {pause_day for pause in clock.pauses for pause_day in pause.days()}
    lapses_on = last_day(date(2026, 4, 1), 10, "working_days", frozenset(out))
    assert referral.lapse_at is not None
    assert referral.lapse_at == end_of(lapses_on) + timedelta(seconds=1) > clock.due_at
    town.wait(days=2)
    resume_case(file, town.act())
    assert str(referral.lapse_at.date()) == "2026-04-17"  # one working day was left out


@pytest.mark.parametrize(("until", "lapses"), [("2026-04-14", "04-16"), ("2026-04-30", "05-01")])
def test_a_request_that_was_given_more_time_is_not_given_up_before_that(until, lapses):
    town, file, referral = referral_in("requested")
    town.go_to("2026-04-08")
    (clock,) = file.running(referral.id)
    moves.review(town, file, clock, "extend", until=date.fromisoformat(until))
    assert str(referral.lapse_at) == f"2026-{lapses} 00:00:00+09:00"
    assert referral.lapse_at > clock.due_at
