"""Every act raises the version of what it changes by one, so that a stale writer is detected."""

from collections.abc import Callable

import pytest

from casework.domain.casefile.casefile import CaseFile
from casework.domain.cases.checks import answer_signal
from casework.domain.cases.handover import assign
from casework.domain.planning.planning import notify
from tests.factories import ActorFactory, CaseFileFactory, ReferralFactory, Town, moves

Acts = dict[str, tuple[str, Callable[[Town, CaseFile], object]]]

CASE_ACTS: Acts = {
    "pre-survey": ("applied", lambda town, file: moves.survey(town, file)),
    "determination": ("surveying", lambda town, file: moves.assess(town, file)),
    "reassessment": ("supported", lambda town, file: moves.assess(town, file)),
    "approval": ("submitted", lambda town, file: moves.decide(town, file)),
    "telling": ("supported", lambda town, file: notify(file, town.today, "her", town.act())),
    "check": ("supported", lambda town, file: moves.check(town, file)),
    "signal": ("supported", lambda town, file: moves.signal(town, file)),
    "closing": ("supported", lambda town, file: moves.close(town, file)),
    "assigning": (
        "supported",
        lambda town, file: assign(file, ActorFactory().id, town.act(town.supervisor)),
    ),
}
PLAN_ACTS: Acts = {
    "draft": ("planning", lambda town, file: moves.draft(town, file, "CARE-MEALS")),
    "redraft": ("drafted", lambda town, file: moves.draft(town, file, "CARE-MEALS")),
    "submission": ("drafted", lambda town, file: moves.submit(town, file)),
    "approval": ("submitted", lambda town, file: moves.decide(town, file)),
    "return": ("submitted", lambda town, file: moves.decide(town, file, approve=False)),
}


@pytest.mark.parametrize("name", CASE_ACTS)
def test_an_act_on_the_case_raises_its_version_by_one(name):
    stage, act = CASE_ACTS[name]
    town = Town()
    file = CaseFileFactory(town=town, stage=stage)
    before = file.case.version
    act(town, file)
    assert file.case.version == before + 1


def test_answering_a_signal_raises_both_versions_by_one():
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    signal = moves.signal(town, file)
    before = (file.case.version, signal.version)
    answer_signal(file, signal, "done", town.act())
    assert (file.case.version, signal.version) == (before[0] + 1, before[1] + 1)


def test_a_review_raises_the_version_of_the_case_by_one():
    town = Town()
    file = CaseFileFactory(town=town, applied=True)
    (clock,) = file.running()
    town.wait(days=30)
    before = file.case.version
    moves.review(town, file, clock, "excuse")
    assert file.case.version == before + 1


@pytest.mark.parametrize("name", PLAN_ACTS)
def test_an_act_on_the_plan_raises_its_revision_and_its_versions_version_by_one(name):
    stage, act = PLAN_ACTS[name]
    town = Town()
    file = CaseFileFactory(town=town, stage=stage)
    revision = file.case.plan_revision
    before = file.versions[-1].version if file.versions else 0
    act(town, file)
    assert file.case.plan_revision == revision + 1
    assert file.versions[-1].version == before + 1


def test_a_superseded_version_and_its_services_change_by_one():
    town = Town()
    file = CaseFileFactory(town=town, supported=True, services=("CARE-MEALS", "MED-VISIT"))
    meals, visit = file.services.values()
    (first,) = file.versions
    before = (first.version, meals.version, visit.version)
    moves.draft(town, file, "NUR-BATH", keep=(visit,))
    bath = list(file.services.values())[-1]
    assert bath.version == 1
    moves.submit(town, file)
    moves.decide(town, file)
    after = (first.version, meals.version, visit.version)
    assert after == (before[0] + 1, before[1] + 1, before[2])
    assert bath.version == 2


@pytest.mark.parametrize("how", ["settle", "dispose", "enter-in-error"])
def test_the_latest_word_on_a_service_raises_its_version_by_one(how):
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    service = moves.only_service(file)
    if how == "settle":
        before = service.version
        moves.settle(town, file)
        assert service.version == before + 1
        return
    referral = ReferralFactory(town=town, file=file, declined=True)
    if how == "enter-in-error":
        moves.dispose(town, file, referral, "refused")
    before = service.version
    if how == "dispose":
        moves.dispose(town, file, referral, "refused")
    else:
        moves.move(town, file, referral, how)
    assert service.version == before + 1


def test_a_referral_ended_with_its_case_changes_by_one():
    town = Town()
    file = CaseFileFactory(town=town, supported=True)
    referral = ReferralFactory(town=town, file=file, in_progress=True)
    before = referral.version
    moves.close(town, file, end_open=True)
    assert referral.version == before + 1
