"""When a planned service is settled (rule 9), and when its ``link`` clock runs."""

import pytest

from casework.domain.errors import Conflict, Forbidden, Invalid
from casework.domain.planning.settling import may_settle
from casework.domain.referring.referring import dispose, redirect
from tests.domain.helpers import clocks, ends, event_names, last_clock, refused, running
from tests.factories import (
    ActorFactory,
    CaseFileFactory,
    ConsentFactory,
    OfferingFactory,
    ReferralFactory,
    Town,
    moves,
)


def supported():
    """A town, a file with one planned service in force, and that service."""
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, supported=True)
    return town, file, moves.only_service(file)


def link(file, service):
    """The state of the newest link clock."""
    return ends(file, service.id).get("link")


def is_covered(file, service):
    """Invariant 3: settled, linked, with a provider, or someone owes a disposition."""
    referrals = file.referrals_of(service)
    with_provider = any(r.is_with_provider for r in referrals)
    owed = any(r.owes_disposition for r in referrals)
    linked = file.clock("link", service.id) is not None
    assert linked == (not (file.is_settled(service) or with_provider or owed))
    return True


def test_an_approved_service_waits_for_a_request():
    _, file, service = supported()
    assert not file.is_settled(service)
    assert link(file, service) == "running"


def test_a_request_meets_the_link_clock_and_a_draft_does_not():
    town, file, service = supported()
    town.wait(hours=1)
    referral = moves.refer(town, file, send=False)
    assert link(file, service) == "running"
    town.wait(hours=1)
    moves.move(town, file, referral, "send")
    assert last_clock(file, service.id, "link").met_at == town.now
    assert len(clocks(file, service.id)) == 1
    assert not file.is_settled(service)


OPEN_STATES = ["draft", "requested", "waitlisted", "accepted", "in_progress", "on_hold"]


@pytest.mark.parametrize("state", OPEN_STATES)
def test_while_a_referral_is_open_nothing_is_settled(state):
    town, file, service = supported()
    moves.settle(town, file, "unmet_need")
    assert file.is_settled(service)
    referral = ReferralFactory(town=town, file=file, status=state)
    assert not file.is_settled(service)
    assert is_covered(file, service)
    with refused(Conflict, "referral_open", file):
        moves.settle(town, file)
    moves.move(town, file, referral, "cancel")
    assert file.is_settled(service)  # the latest disposition counts again
    assert running(file, service.id) == []


@pytest.mark.parametrize("state", ["declined", "lapsed", "failed", "withdrawn"])
@pytest.mark.parametrize("how", ["alternative", "refused", "no_longer_needed", "unmet_need"])
def test_a_disposition_settles_the_service(state, how):
    town, file, service = supported()
    referral = ReferralFactory(town=town, file=file, status=state)
    assert not file.is_settled(service)
    assert referral.owes_disposition
    assert running(file, service.id) == []
    with refused(Conflict, "disposition_owed", file):
        moves.settle(town, file)
    moves.dispose(town, file, referral, how)
    assert (service.settlement, referral.disposition) == (how, how)
    assert file.is_settled(service)
    assert not referral.owes_disposition
    assert running(file, service.id) == []


def test_re_referring_asks_another_in_one_act():
    town, file, service = supported()
    first = ReferralFactory(
        town=town, file=file, declined=True, facts={"priority": "urgent", "message": "soft food"}
    )
    town.wait(days=1)
    file.events.clear()
    second = moves.dispose(town, file, first, "re_refer", offering=OfferingFactory())
    assert second is not None
    assert (second.status, second.priority, second.message) == ("requested", "urgent", "soft food")
    assert (second.replaces_id, first.replaced_by_id) == (first.id, second.id)
    assert (first.disposition, first.disposed_at) == ("re_refer", town.now)
    assert last_clock(file, first.id, "disposition").met_at == town.now
    assert event_names(file) == ["ReferralDisposed", "ReferralDrafted", "ReferralRequested"]
    assert file.events[0].data["replaced_by"] == second.id
    assert file.events[1].data["replaces"] == first.id
    assert len(clocks(file, service.id)) == 1  # no new link clock in between
    assert not file.is_settled(service)


def test_a_referral_that_replaces_another_is_its_disposition():
    town, file, _ = supported()
    first = ReferralFactory(town=town, file=file, failed=True)
    second = moves.refer(town, file, replaces=first.id)
    assert (first.disposition, first.replaced_by_id) == ("re_refer", second.id)
    assert not first.owes_disposition
    assert second.replaces_id == first.id


def test_a_draft_that_replaces_another_leaves_the_service_to_be_linked():
    town, file, service = supported()
    first = ReferralFactory(town=town, file=file, declined=True)
    assert running(file, service.id) == []
    town.wait(days=2)
    second = moves.refer(town, file, replaces=first.id, send=False)
    assert link(file, service) == "running"
    assert last_clock(file, service.id, "link").started_at == town.now
    assert file.events[-1].data["clocks"][-1]["kind"] == "link"
    moves.move(town, file, second, "cancel")
    assert link(file, service) == "running"
    assert len(clocks(file, service.id)) == 2


def test_what_owes_nothing_cannot_be_replaced():
    town, file, _ = supported()
    for state in ("completed", "cancelled", "requested"):
        referral = ReferralFactory(town=town, file=file, status=state)
        with refused(Conflict, "nothing_to_replace", file, state=referral.status):
            moves.refer(town, file, replaces=referral.id)
    with refused(Invalid, "unknown_referral", file):
        moves.refer(town, file, replaces=ActorFactory().id)
    moves.move(town, file, file.open_referrals()[0], "cancel")
    disposed = ReferralFactory(town=town, file=file, declined=True)
    moves.dispose(town, file, disposed, "refused")
    with refused(Conflict, "nothing_to_replace", file):
        moves.refer(town, file, replaces=disposed.id)


def test_a_referral_of_another_service_cannot_be_replaced():
    town = Town()
    file = CaseFileFactory(town=town, supported=True, services=("CARE-MEALS", "MED-VISIT"))
    meals, visit = file.services.values()
    declined = ReferralFactory(town=town, file=file, service=meals, declined=True)
    with refused(Invalid, "unknown_referral", file):
        moves.refer(town, file, visit, replaces=declined.id)


def test_re_referring_that_is_refused_disposes_of_nothing():
    town, file, _ = supported()
    referral = ReferralFactory(town=town, file=file, declined=True)
    with refused(Invalid, "offering_required", file):
        moves.dispose(town, file, referral, "re_refer")
    with refused(Invalid, "offering_closed", file):
        moves.dispose(town, file, referral, "re_refer", offering=OfferingFactory(is_open=False))
    with refused(Invalid, "offering_closed", file):
        moves.refer(town, file, offering=OfferingFactory(is_open=False), replaces=referral.id)


def test_a_chain_of_declines_goes_on_until_one_completes():
    town, file, service = supported()
    referral = ReferralFactory(town=town, file=file, declined=True)
    for _ in range(3):
        town.wait(days=1)
        following = moves.dispose(town, file, referral, "re_refer", offering=OfferingFactory())
        assert following is not None
        assert not file.is_settled(service)
        assert is_covered(file, service)
        referral = following
        moves.move(town, file, referral, "decline")
    last = moves.dispose(town, file, referral, "re_refer", offering=OfferingFactory())
    assert last is not None
    for action in ("accept", "start", "complete"):
        assert not file.is_settled(service)
        moves.move(town, file, last, action)
    assert service.settlement == "re_refer"
    assert file.is_settled(service)
    assert [clock.kind for clock in clocks(file, service.id)] == ["link"]
    assert running(file) == ["first_check", "notify_plan"]


def test_a_new_refusal_after_a_settlement_is_owed_its_own_disposition():
    town, file, service = supported()
    moves.settle(town, file, "unmet_need")
    town.wait(days=30)
    later = ReferralFactory(town=town, file=file, declined=True)
    moves.dispose(town, file, later, "re_refer", offering=OfferingFactory())
    assert service.settlement == "re_refer"
    assert not file.is_settled(service)


def test_a_cancelled_request_leaves_the_service_to_be_linked_anew():
    town, file, service = supported()
    for state in ("requested", "waitlisted", "accepted", "in_progress", "on_hold"):
        town.wait(days=1)
        referral = ReferralFactory(town=town, file=file, status=state)
        assert running(file, service.id) == []
        moves.move(town, file, referral, "cancel")
        assert link(file, service) == "running"
        assert last_clock(file, service.id, "link").started_at == town.now
        assert not file.is_settled(service)


def test_a_withdrawn_draft_owes_a_disposition_in_place_of_the_link():
    town, file, service = supported()
    referral = ReferralFactory(town=town, file=file, draft=True)
    moves.move(town, file, referral, "withdraw")
    assert link(file, service) == "cancelled"
    assert running(file, referral.id) == ["disposition"]
    moves.dispose(town, file, referral, "refused")
    assert file.is_settled(service)


def test_two_referrals_of_one_service_settle_it_when_both_have_ended():
    town, file, service = supported()
    first = ReferralFactory(town=town, file=file, in_progress=True)
    second = ReferralFactory(town=town, file=file, requested=True)
    moves.move(town, file, first, "complete")
    assert not file.is_settled(service)
    moves.move(town, file, second, "cancel")
    assert file.is_settled(service)
    assert running(file, service.id) == []


# Settling without a referral


@pytest.mark.parametrize("how", ["alternative", "refused", "no_longer_needed", "unmet_need"])
def test_a_service_can_be_settled_without_a_referral(how):
    town, file, service = supported()
    town.wait(days=1)
    moves.settle(town, file, how)
    assert (service.settlement, service.settled_at) == (how, town.now)
    assert service.settled_by == town.worker.id
    assert file.is_settled(service)
    assert last_clock(file, service.id, "link").met_at == town.now
    assert file.events[-1].name == "PlannedServiceSettled"
    with refused(Conflict, "already_settled", file):
        moves.settle(town, file, how)


@pytest.mark.parametrize("how", ["re_refer", "", "whatever"])
def test_a_direct_settlement_is_one_of_four(how):
    town, file, _ = supported()
    with refused(Invalid, "disposition_unknown", file):
        moves.settle(town, file, how)


def test_a_completed_service_is_settled_already():
    town, file, _ = supported()
    ReferralFactory(town=town, file=file, completed=True)
    with refused(Conflict, "already_settled", file):
        moves.settle(town, file)


def test_a_dropped_service_and_a_closed_case_are_not_settled():
    town = Town()
    file = CaseFileFactory(town=town, supported=True, services=("CARE-MEALS", "MED-VISIT"))
    meals, visit = file.services.values()
    moves.approve_plan(town, file, keep=(visit,))
    with refused(Conflict, "not_allowed_in_state", file, state="dropped"):
        moves.settle(town, file, service=meals)
    moves.close(town, file)
    with refused(Conflict, "not_allowed_in_state", file):
        moves.settle(town, file, service=visit)


# Entered in error


def test_a_completed_referral_entered_in_error_settles_nothing():
    town, file, service = supported()
    referral = ReferralFactory(town=town, file=file, completed=True)
    assert file.is_settled(service)
    town.wait(days=1)
    moves.move(town, file, referral, "enter-in-error")
    assert not file.is_settled(service)
    assert link(file, service) == "running"
    assert last_clock(file, service.id, "link").started_at == town.now


def test_another_completed_one_still_settles_it():
    town, file, service = supported()
    ReferralFactory(town=town, file=file, completed=True)
    wrong = ReferralFactory(town=town, file=file, completed=True)
    moves.move(town, file, wrong, "enter-in-error")
    assert file.is_settled(service)


def test_a_disposition_falls_with_the_referral_that_was_an_error():
    town, file, service = supported()
    wrong = ReferralFactory(town=town, file=file, declined=True)
    moves.dispose(town, file, wrong, "unmet_need")
    assert file.is_settled(service)
    moves.move(town, file, wrong, "enter-in-error")
    assert service.settlement is None
    assert not file.is_settled(service)
    assert link(file, service) == "running"


def test_the_disposition_before_it_stands_again():
    town, file, service = supported()
    first = ReferralFactory(town=town, file=file, declined=True)
    moves.dispose(town, file, first, "refused")
    town.wait(days=1)
    wrong = ReferralFactory(town=town, file=file, declined=True)
    moves.dispose(town, file, wrong, "unmet_need")
    moves.move(town, file, wrong, "enter-in-error")
    assert service.settlement == "refused"
    assert service.settled_at == first.disposed_at
    assert file.is_settled(service)


def test_a_later_word_stands_when_an_older_referral_was_an_error():
    town, file, service = supported()
    wrong = ReferralFactory(town=town, file=file, declined=True)
    moves.dispose(town, file, wrong, "refused")
    town.wait(days=1)
    later = ReferralFactory(town=town, file=file, declined=True)
    moves.dispose(town, file, later, "unmet_need")
    moves.move(town, file, wrong, "enter-in-error")
    assert service.settlement == "unmet_need"


def test_a_later_direct_settlement_stands_as_well():
    town, file, service = supported()
    wrong = ReferralFactory(town=town, file=file, declined=True)
    following = moves.dispose(town, file, wrong, "re_refer", offering=OfferingFactory())
    assert following is not None
    moves.move(town, file, following, "cancel")
    town.wait(days=1)
    moves.settle(town, file, "refused")
    before = repr(service)
    moves.move(town, file, wrong, "enter-in-error")
    assert repr(service) == before
    assert file.is_settled(service)


def test_an_owed_disposition_falls_with_the_error_and_the_link_runs():
    town, file, service = supported()
    wrong = ReferralFactory(town=town, file=file, declined=True)
    moves.move(town, file, wrong, "enter-in-error")
    assert not wrong.owes_disposition
    assert link(file, service) == "running"
    assert ends(file, wrong.id)["disposition"] == "cancelled"


# Urgent cases


def test_in_an_urgent_case_a_drafted_service_is_linked_from_the_first_day():
    town = Town("2026-04-01T10:00")
    file = CaseFileFactory(town=town, applied=True, urgent=True)
    moves.draft(town, file, "CARE-MEALS")
    service = moves.only_service(file)
    assert link(file, service) == "running"
    assert str(last_clock(file, service.id, "link").due_at.date()) == "2026-04-02"
    town.wait(days=1)
    moves.draft(town, file, keep=(service,))
    assert len(clocks(file, service.id)) == 1
    moves.survey(town, file)
    moves.assess(town, file)
    moves.submit(town, file)
    moves.decide(town, file)
    assert len(clocks(file, service.id)) == 1  # the approval starts no second one
    assert link(file, service) == "running"


def test_in_a_routine_case_a_drafted_service_is_not_linked():
    file = CaseFileFactory(submitted=True)
    assert clocks(file, moves.only_service(file).id) == []


def test_a_service_taken_out_of_an_urgent_draft_ends_its_link():
    town = Town()
    file = CaseFileFactory(town=town, applied=True, urgent=True)
    moves.draft(town, file, "CARE-MEALS")
    service = moves.only_service(file)
    moves.draft(town, file, "MED-VISIT")
    assert service.status == "dropped"
    assert link(file, service) == "cancelled"


def test_a_service_that_began_in_an_urgent_draft_needs_no_link_when_approved():
    town = Town()
    file = CaseFileFactory(town=town, applied=True, urgent=True)
    moves.draft(town, file, "CARE-MEALS")
    service = moves.only_service(file)
    ReferralFactory(town=town, file=file, in_progress=True)
    moves.survey(town, file)
    moves.assess(town, file)
    moves.submit(town, file)
    moves.decide(town, file)
    assert link(file, service) == "met"
    assert len(clocks(file, service.id)) == 1


# Redirecting


def test_redirecting_cancels_and_asks_another_in_one_act():
    town, file, service = supported()
    first = ReferralFactory(town=town, file=file, requested=True, facts={"priority": "emergency"})
    town.wait(days=1)
    file.events.clear()
    second = redirect(file, first, OfferingFactory(), town.act(town.supervisor), None)
    assert (first.status, first.reason) == ("cancelled", "redirected")
    assert (second.status, second.priority) == ("requested", "emergency")
    assert (second.replaces_id, first.replaced_by_id) == (first.id, second.id)
    assert first.disposition is None
    assert running(file, first.id) == []
    assert len(clocks(file, service.id)) == 1  # at no moment was there no open request
    assert event_names(file) == ["ReferralDrafted", "ReferralRequested", "ReferralCancelled"]
    assert file.events[0].data["replaces"] == first.id
    assert file.events[-1].data["replaced_by"] == second.id


def test_redirecting_can_ask_the_same_agency_through_another_offering():
    town, file, _ = supported()
    first = ReferralFactory(town=town, file=file, accepted=True)
    again = OfferingFactory(provider_id=first.provider_id)
    second = redirect(file, first, again, town.act(town.supervisor), None)
    assert (first.status, second.provider_id) == ("cancelled", first.provider_id)


def test_redirecting_what_was_declined_is_its_disposition():
    town, file, _ = supported()
    first = ReferralFactory(town=town, file=file, declined=True)
    second = redirect(file, first, OfferingFactory(), town.act(town.supervisor), None)
    assert (first.status, first.disposition) == ("declined", "re_refer")
    assert second.replaces_id == first.id


def test_a_redirection_that_is_refused_cancels_nothing():
    town, file, _ = supported()
    first = ReferralFactory(town=town, file=file, requested=True)
    by = town.act(town.supervisor)
    with refused(Invalid, "offering_closed", file):
        redirect(file, first, OfferingFactory(is_open=False), by, None)
    second = ReferralFactory(town=town, file=file, requested=True)
    taken = OfferingFactory(provider_id=second.provider_id)
    with refused(Conflict, "open_referral_exists", file):
        redirect(file, first, taken, by, None)
    with refused(Forbidden, "forbidden", file):
        redirect(file, first, OfferingFactory(), town.act(ActorFactory(provider=True)), None)
    done = ReferralFactory(town=town, file=file, completed=True)
    with refused(Conflict, "not_allowed_in_state", file, state="completed"):
        redirect(file, done, OfferingFactory(), by, None)


@pytest.mark.parametrize("how", ["dispose", "redirect"])
def test_asking_another_copies_why_somebody_outside_the_area_was_asked(how):
    town, file, _ = supported()
    far = OfferingFactory(centres=[])
    first = moves.refer(town, file, offering=far, outside_area_reason="nobody nearer")
    if how == "dispose":
        moves.move(town, file, first, "decline")
    other = OfferingFactory(centres=[])
    second = ask_another(file, first, town.act(), how, offering=other, consent=None)
    assert second is not None
    assert second.outside_area_reason == "nobody nearer"


def test_asking_another_on_a_consent_judges_it_anew():
    for ask in ("dispose", "redirect", "redirect after a refusal"):
        town, file, _ = supported()
        consent = ConsentFactory(resident_id=file.case.resident_id)
        first = moves.refer(town, file, basis_kind="consent", consent=consent)
        if ask != "redirect":
            moves.move(town, file, first, "decline")
        for given in (None, consent):
            how = {"offering": OfferingFactory(), "consent": given}
            if given is None:
                with refused(Invalid, "consent_not_valid", file):
                    ask_another(file, first, town.act(), ask, **how)
            else:
                second = ask_another(file, first, town.act(), ask, **how)
                assert second is not None
                assert (second.basis_kind, second.consent_id) == ("consent", consent.id)


def ask_another(file, referral, act, how, *, offering, consent):
    if how.startswith("redirect"):
        return redirect(file, referral, offering, act, consent)
    return dispose(file, referral, "re_refer", None, act, offering=offering, consent=consent)


def test_the_note_and_the_hand_of_a_disposition_stand_on_the_service():
    town, file, service = supported()
    first = ReferralFactory(town=town, file=file, declined=True)
    town.wait(hours=1)
    dispose(file, first, "alternative", "her sister cooks", town.act(town.supervisor))
    assert (service.settlement, service.settlement_note) == ("alternative", "her sister cooks")
    assert (service.settled_at, service.settled_by) == (town.now, town.supervisor.id)
    assert first.replaced_by_id is None
    assert "sister" not in repr(file.events)


def test_of_several_dispositions_before_an_error_the_latest_stands_again():
    town, file, service = supported()
    words = ("alternative", "refused", "unmet_need")
    made = []
    for _ in words:
        made.append(ReferralFactory(town=town, file=file, declined=True))
        town.wait(hours=1)
    # Disposed of in another order than they were made: the middle one last but one.
    for referral, how in ((made[1], words[1]), (made[0], words[0]), (made[2], words[2])):
        town.wait(days=1)
        dispose(file, referral, how, "a note", town.act())
    moves.move(town, file, made[2], "enter-in-error")
    assert (service.settlement, service.settled_at) == ("alternative", made[0].disposed_at)
    assert (service.settled_by, service.settlement_note) == (None, None)
    moves.move(town, file, made[0], "enter-in-error")
    assert (service.settlement, service.settled_at) == ("refused", made[1].disposed_at)
    moves.move(town, file, made[1], "enter-in-error")
    assert (service.settlement, service.settled_at) == (None, None)
    assert running(file, service.id) == ["link"]


@pytest.mark.parametrize(
    ("state", "may"),
    [
        (None, True),
        ("draft", False),
        ("requested", False),
        ("declined", False),
        ("completed", False),
        ("cancelled", True),
    ],
)
def test_a_direct_settlement_is_offered_exactly_where_it_is_possible(state, may):
    town, file, service = supported()
    if state:
        ReferralFactory(town=town, file=file, status=state)
    assert may_settle(file, service) is may
    if may:
        moves.settle(town, file, "refused")
        assert not may_settle(file, service)
    else:
        with pytest.raises(Conflict):
            moves.settle(town, file, "refused")
    moves.close(town, file, end_open=True)
    assert not may_settle(file, service)


def test_a_dropped_service_is_not_offered_to_be_settled():
    town, file, service = supported()
    moves.approve_plan(town, file, "MED-VISIT")
    assert service.status == "dropped"
    assert not may_settle(file, service)
