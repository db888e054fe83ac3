"""Many random stories: the invariants hold after every act."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from random import Random

import pytest

from casework.domain.casefile.casefile import CaseFile
from casework.domain.casefile.plan import PlannedService
from casework.domain.casefile.referral import Referral
from casework.domain.casefile.referral_moves import MOVES
from casework.domain.clocks.standards import ClockKind
from casework.domain.errors import Refusal
from casework.domain.referring.referring import redirect
from tests.factories import CaseFileFactory, OfferingFactory, Town, moves

STORIES, ACTS = 24, 40


def check_invariants(town: Town, file: CaseFile) -> None:
    """Invariants 1 to 4, as far as one case file can break them."""
    case_clocks = Counter(clock.kind for clock in file.running(file.case.id))
    assert all(n == 1 for kind, n in case_clocks.items() if kind != "signal"), case_clocks
    assert sum(version.status == "approved" for version in file.versions) <= 1
    for clock in file.deadlines.values():
        assert town.clockwork.count(clock) == clock.due_at
        assert clock.met_at is None or clock.cancelled_at is None
    if not file.case.is_open:
        assert not file.open_referrals()
        assert not file.running()
        return
    check_referrals(town, file)
    check_services(file)
    if file.case.status == "supported":
        assert case_clocks[ClockKind.FIRST_CHECK] + case_clocks[ClockKind.CHECK] == 1


def check_referrals(town: Town, file: CaseFile) -> None:
    """Each referral has the clocks of its state and no others."""
    expected = {
        "requested": {"response"},
        "waitlisted": {"waitlist"},
        "accepted": {"start"},
    }
    for referral in file.referrals.values():
        kinds = [clock.kind for clock in file.running(referral.id)]
        state: str | None = referral.status
        if state == "on_hold":
            state = referral.held_from
            assert referral.hold_until is not None
        owed = {"disposition"} if referral.owes_disposition else set()
        assert sorted(kinds) == sorted(expected.get(state or "", owed))
        assert (referral.lapse_at is not None) == (state in ("requested", "waitlisted"))
        assert referral.is_open == (referral.ended_at is None)
        assert (referral.resume_at is not None) == (referral.status == "on_hold")
        assert referral.is_open == bool({"cancel"} & set(referral.possible_moves(town.now)))
    pairs = Counter((r.planned_service_id, r.provider_id) for r in file.open_referrals())
    assert not [pair for pair, n in pairs.items() if n > 1]


def check_services(file: CaseFile) -> None:
    """Each wanted service is settled, asked for, owed a disposition, or has its link clock."""
    in_force = {item.id for item in file.in_force.services} if file.in_force else set()
    for service in file.services.values():
        assert (service.status == "in_force") == (service.id in in_force)
        referrals = file.referrals_of(service)
        free = not (
            file.is_settled(service)
            or any(r.is_with_provider or r.owes_disposition for r in referrals)
        )
        wanted = service.status == "in_force" or (service.status == "drafted" and file.case.urgent)
        assert len(file.running(service.id)) == (free and wanted)
        assert file.is_settled(service) == settles(service, referrals)


def settles(service: PlannedService, referrals: list[Referral]) -> bool:
    """Rule 9, told as a story: facts in their order, of which the last one counts."""
    facts = []
    for one in referrals:
        if one.is_open or one.owes_disposition:
            return False
        if one.status == "entered_in_error" or one.requested_at is None:
            continue
        facts.append((one.requested_at, 0, False))
        in_full = one.outcome == "ended_as_planned" or (one.ended_on or date.min) >= service.ends_on
        if one.status == "completed" and in_full:
            facts.append((one.ended_at or one.requested_at, 1, True))
    if service.settled_at is not None:
        facts.append((service.settled_at, 1, service.settlement != "re_refer"))
    facts = [fact for fact in facts if fact[2] or fact[1] == 0]
    return bool(facts) and max(facts)[2]


def dispose(random: Random, town: Town, file: CaseFile, referral: Referral) -> None:
    """Say what happens instead, or ask another agency."""
    how = random.choice(("refused", "re_refer", "unmet_need"))
    offering = OfferingFactory(service_code=referral.service_code)
    moves.dispose(town, file, referral, how, offering=offering)


def ask_another(town: Town, file: CaseFile, referral: Referral) -> None:
    """Redirect a referral."""
    offering = OfferingFactory(service_code=referral.service_code)
    town.offerings[offering.id] = offering
    redirect(file, referral, offering, town.act(town.supervisor), None)


def act(random: Random, town: Town, file: CaseFile) -> None:
    """Something that someone might do next, sensible or not."""
    services = list(file.services.values())
    referrals = list(file.referrals.values())
    kept = tuple(s for s in services if s.status != "dropped" and random.random() < 0.9)
    plan: dict[str, Callable[[], object]] = {
        "survey": lambda: moves.survey(town, file),
        "assess": lambda: moves.assess(town, file),
        "draft": lambda: moves.draft(town, file, random.choice(list(town.catalogue)), keep=kept),
        "redraft": lambda: moves.draft(town, file, keep=kept),
        "submit": lambda: moves.submit(town, file),
        "check": lambda: moves.check(town, file),
        "signal": lambda: moves.signal(town, file),
    }
    if file.versions:
        plan["approve"] = lambda: moves.decide(town, file)
        plan["return"] = lambda: moves.decide(town, file, approve=False)
    if services:
        service = random.choice(services)
        how = random.choice(("alternative", "refused", "unmet_need"))
        plan["settle"] = lambda: moves.settle(town, file, how, service)
        for name in ("refer", "refer again"):
            plan[name] = lambda: moves.refer(
                town,
                file,
                service,
                send=random.random() < 0.7,
                priority=random.choice(("routine", "urgent", "emergency")),
            )
    for referral in random.sample(referrals, min(4, len(referrals))):
        plan |= {
            f"{action} {referral.id}": partial(moves.move, town, file, referral, action)
            for action in MOVES
            if action not in ("dispose", "enter-in-error", "withdraw")
        }
        plan[f"dispose {referral.id}"] = partial(dispose, random, town, file, referral)
        plan[f"redirect {referral.id}"] = partial(ask_another, town, file, referral)
        if random.random() < 0.1:
            rare = random.choice(("enter-in-error", "withdraw"))
            plan[rare] = partial(moves.move, town, file, referral, rare)
    random.choice(list(plan.values()))()


@pytest.mark.parametrize("seed", range(STORIES))
def test_whatever_happens_the_invariants_hold(seed):
    random, town = Random(seed), Town()
    file = CaseFileFactory(
        town=town,
        stage=random.choice(("applied", "planning", "supported")),
        urgent=random.random() < 0.5,
        services=("CARE-MEALS", "MED-VISIT"),
    )
    done = 0
    for _ in range(ACTS * 3):
        town.now += timedelta(hours=random.choice((1, 5, 30)))
        file.events.clear()
        before = repr(file)
        try:
            act(random, town, file)
            done += 1
        except Refusal:
            assert repr(file) == before, "a refused act changes nothing"
        check_invariants(town, file)
        if done == ACTS:
            break
    assert done > ACTS / 3
    moves.close(town, file, end_open=True)
    check_invariants(town, file)
