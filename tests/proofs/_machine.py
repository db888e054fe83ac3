"""A machine that does to a small town whatever people, time and accidents might do.

Every act goes to the real use cases on a real store, and to the model beside it. Both must agree
on whether it is possible and on what stands afterwards; what is refused, crashes or comes twice
must change nothing; and after every step the invariants hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from casework.adapters.persistence.ids import new_id
from casework.adapters.persistence.sweeping import SqlSweepStore
from casework.domain import checking, planning, reviewing
from casework.domain import intake as survey
from casework.domain.access import SYSTEM
from casework.domain.calendar import day_in_seoul
from casework.domain.errors import NotFound, Refusal
from casework.domain.plans import PlannedItem
from casework.domain.referring import Details
from casework.workflows import caseload, intake, referring, supervising
from casework.workflows import planning as plans
from casework.workflows.context import Context
from casework.workflows.ports import Raised, Replay, RequestFacts
from casework.workflows.sweeps import overdue
from tests.api.conftest import (
    COLLEAGUE,
    DISTRICT,
    FAR,
    HERE,
    NEIGHBOUR,
    NEXT_DOOR,
    OTHER_DISTRICT,
    STRANGER,
    WORKER,
    Api,
)
from tests.proofs._invariants import State, broken, left_by_sweep, read
from tests.proofs._model import FROM, ModelCase, ModelReferral, ModelService, ModelVersion, differs
from tests.proofs._world import begin_again

T = TypeVar("T")
ACTS_A_STORY = 30
CENTRES = {HERE: DISTRICT, NEXT_DOOR: DISTRICT, FAR: OTHER_DISTRICT}
WORKERS = {
    HERE: (WORKER, COLLEAGUE),
    NEXT_DOOR: (NEIGHBOUR, f"worker2.{NEXT_DOOR}"),
    FAR: (STRANGER, f"worker2.{FAR}"),
}
PROVIDERS = ("alpha", "beta", "gamma")
CODES = ("CARE-MEALS", "MED-VISIT")
STARTS = ("2026-03-02T10:00", "2026-04-30T17:30", "2026-09-22T23:30", "2026-12-30T08:00")
# A batch so small that a sweep has several, between which it can be cut off.
BATCH = 2
ANY = st.integers(0, 23)
WAITS = st.sampled_from(
    [timedelta(minutes=1), timedelta(minutes=50), timedelta(hours=4), timedelta(hours=20)]
    + [timedelta(days=n) for n in (1, 2, 4, 7, 16, 35, 100)]
)
# How an act is sent: once, twice under one key, or by a process that dies before it commits.
HOW = st.sampled_from(["once"] * 6 + ["retried", "cut off"])
EVERYDAY = (
    "telling", "check", "signal", "answer_to_signal", "assignment", "handover", "case_resumed",
    "an_outsider",
)  # fmt: skip


class Crash(BaseException):
    """The process ends here; nothing that it had not committed remains."""


class DyingStore:
    """A store whose process dies in the moment before a commit."""

    def __init__(self, store: Any) -> None:
        self._store = store

    @contextmanager
    def work(self, *args: Any) -> Iterator[Any]:
        """A transaction that never commits."""

        def die(*_: Any) -> None:
            raise Crash

        with self._store.work(*args) as work:
            work.commit = die
            yield work


class CutOffSweeps(SqlSweepStore):
    """A sweep whose process dies after some batches, or before it moves anything."""

    def __init__(self, engine: Any, batches: int) -> None:
        super().__init__(engine)
        self._left = batches

    def raise_due(self, run_id: UUID, as_of: Any, limit: int) -> Raised:
        """One batch more, if there is one left."""
        if not self._left:
            raise Crash
        self._left -= 1
        return super().raise_due(run_id, as_of, limit)

    def to_lapse(self, as_of: Any) -> list[UUID]:
        """Never comes to it."""
        raise Crash


class CareMachine(RuleBasedStateMachine):
    """Residents, cases, plans, referrals, holds, time, sweeps, retries, crashes and reviews."""

    world: ClassVar[Api]
    done: ClassVar[Counter[str]] = Counter()
    actors: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.cases: list[ModelCase] = []
        self.residents: list[UUID] = []
        self.consents: dict[UUID, UUID | None] = {}
        begin_again(self.world)
        self.state = self.look()
        self.checked: State | None = None
        type(self).done["stories"] += 1

    # What every act goes through

    def look(self) -> State:
        """What the database holds now."""
        return read(self.world.engine)

    @property
    def today(self) -> date:
        """The day it is in Seoul."""
        return day_in_seoul(self.world.clock.now)

    def context(self, who: str, key: str | None = None, version: int | None = None) -> Context:
        """What a use case is given when someone asks now, perhaps under an idempotency key."""
        if who not in self.actors:
            self.actors[who] = self.world.actor(who)
        ctx = replace(self.world.house.context(self.actors[who]), expected_version=version)
        if key is None:
            return ctx
        facts = RequestFacts(task="proof", idempotency_key=key, digest=key)
        return replace(ctx, store=self.world.house.store.for_request(facts))

    def attempt(
        self,
        name: str,
        who: str,
        act: Callable[[Context], T],
        *,
        may: bool | None = True,
        how: str = "once",
        version: int | None = None,
    ) -> T | None:
        """Do something, as it was sent; None where it was refused or never came to its end."""
        self.world.clock.forward(seconds=1)
        self.done["acts"] += 1
        ctx = self.context(who, str(new_id()), version)
        if how == "cut off":
            self._dies(name, ctx, act)
            return None
        refusal = None
        try:
            result = act(ctx)
        except Refusal as error:
            refusal = error
        if refusal is not None:
            assert not may, f"{name} was refused: {refusal.code}"
            self.done["refused"] += 1
            self.must_be_unchanged(name)
            return None
        assert may is not False, f"{name} was done, which is not possible"
        self.done[name] += 1
        self.state = self.look()
        if how == "retried":
            self._again(name, ctx, act)
        return result

    def _dies(self, name: str, ctx: Context, act: Callable[[Context], Any]) -> None:
        try:
            act(replace(ctx, store=DyingStore(ctx.store)))  # type: ignore[arg-type]
        except (Crash, Refusal):
            self.done["cut off"] += 1
        else:
            raise AssertionError(f"{name} went on without its commit")
        self.must_be_unchanged(name)

    def _again(self, name: str, ctx: Context, act: Callable[[Context], Any]) -> None:
        try:
            act(ctx)
        except Replay:
            self.done["retried"] += 1
        else:
            raise AssertionError(f"{name} was done twice under one key")
        self.must_be_unchanged(name)

    def must_be_unchanged(self, name: str) -> None:
        """What was refused, cut off or repeated has changed nothing."""
        assert self.look() == self.state, f"{name} changed something"

    def case_at(self, n: int) -> ModelCase | None:
        """One of the cases, the newest ones rather than the old."""
        return self.cases[-1 - n % min(2, len(self.cases))] if self.cases else None

    def worker(self, case: ModelCase) -> str:
        """Who acts on a case: its worker, or one of its centre."""
        return case.worker or WORKERS[case.centre][0]

    def supervisor(self, case: ModelCase) -> str:
        """The supervisor of a case's district."""
        return f"supervisor.{CENTRES[case.centre]}"

    def a_referral(self, n: int) -> tuple[ModelCase, ModelService, ModelReferral] | None:
        """One of the requests of a case."""
        found = [
            (case, service, one)
            for case in self.cases
            for service in case.services
            for one in service.referrals
        ]
        return found[n % len(found)] if found else None

    def a_service(self, n: int) -> tuple[ModelCase, ModelService] | None:
        """One of the planned services of the newest cases."""
        found = [(case, service) for case in self.cases[-2:] for service in case.services]
        return found[n % len(found)] if found else None

    @rule(n=ANY, what=st.sampled_from(EVERYDAY), how=HOW)
    def everyday(self, n: int, what: str, how: str) -> None:
        """What is done to a case at any time."""
        getattr(self, what)(n, how)

    @rule(n=ANY, how=HOW)
    def the_plan_goes_on(self, n: int, how: str) -> None:
        """The next step on the way to a plan in force."""
        if case := self.case_at(n):
            if case.version("submitted"):
                self._decided(case, n % 4 > 0, how)
            elif case.version("draft"):
                self._submitted(case, how)
            elif case.status == "applied":
                self._surveyed(case, 1, how)
            elif case.status == "surveying":
                self._assessed(case, how)
            else:
                self._drafted(case, case.live(), [CODES[n % 2]][: len(case.live()) < 3], how)

    # Intake

    @initialize(
        urgent=st.booleans(), discharge=st.booleans(), stage=ANY, at=st.sampled_from(STARTS)
    )
    def the_first_applies(self, urgent: bool, discharge: bool, stage: int, at: str) -> None:
        """A story begins on some day, at some stage."""
        self.world.clock.set(at)
        self.applies(urgent, discharge, stage)

    @rule(urgent=st.booleans(), discharge=st.booleans(), stage=ANY)
    def another_applies(self, urgent: bool, discharge: bool, stage: int) -> None:
        """A second resident, or one whose case was closed, or one whose case is open still."""
        if stage % 3 == 0:
            self.applies(urgent, discharge, stage)

    def applies(self, urgent: bool, discharge: bool, stage: int) -> None:
        """Someone applies, and help goes on to some stage at once."""
        resident = self.residents[-1] if self.residents else None
        open_ = any(case.is_open for case in self.cases if case.resident == resident)
        if resident is None or (open_ and len(self.residents) < 2):
            resident, open_ = self._registered(), False
        centre = self.state.residents[resident].centre_code
        who = WORKERS[centre][0]
        application = {"channel": "self", "applied_on": self.today, "urgent": urgent}
        application |= {"urgent_reason": "she fell"} if urgent else {}
        application |= {"discharge_on": self.today + timedelta(days=3)} if discharge else {}
        id = self.attempt(
            "application", who,
            lambda ctx: intake.open_case(ctx, resident, application, None), may=not open_,
        )  # fmt: skip
        if id is None:
            return
        self.cases.append(ModelCase(id, resident, centre, who, urgent))
        if discharge:
            self.cases[-1].clocks["discharge"] = 1
        n = len(self.cases) - 1
        self._goes_on(n, stage)

    def _registered(self) -> UUID:
        facts = {"name": "가상주민", "birth_date": date(1941, 5, 6), "sex": "female",
                 "centre_code": HERE}  # fmt: skip
        id = self.attempt(
            "registration", WORKER,
            lambda ctx: intake.register_resident(ctx, facts, [], confirm_new=True),
        )  # fmt: skip
        assert id is not None
        self.residents.append(id)
        self.consents[id] = self.attempt(
            "consent", WORKER,
            lambda ctx: intake.record_consent(
                ctx, id, purpose="provider_sharing", given_by="herself", given_on=self.today,
                recipients=[], expires_on=None,
            ),
        )  # fmt: skip
        return id

    def _goes_on(self, n: int, stage: int) -> None:
        """Most stories begin where referrals are: a quarter of them at the very beginning."""
        case = self.cases[n]
        if stage % 4 == 1:
            return
        self._surveyed(case, 1, "once")
        self._assessed(case, "once")
        self._drafted(case, [], list(CODES[: 1 + stage % 2]), "once")
        self._submitted(case, "once")
        self._decided(case, True, "once")
        if stage % 4 != 2:
            for service in case.live():
                self._asked(case, service, "alpha", "routine", False, True, "once")

    @rule(n=ANY, score=st.integers(0, 1), how=HOW)
    def pre_survey(self, n: int, score: int, how: str) -> None:
        """The seven questions are asked."""
        if case := self.case_at(n):
            self._surveyed(case, score, how)

    def _surveyed(self, case: ModelCase, score: int, how: str) -> None:
        guided = score == 0
        open_ = any(one.is_open for one in case.referrals)
        activities = dict.fromkeys(survey.ACTIVITIES, score)
        done = self.attempt(
            "pre-survey", self.worker(case),
            lambda ctx: intake.record_pre_survey(
                ctx, case.id, dementia_medicine=False, activities=activities, guidance="told"
            ),
            may=case.status == "applied" and not (guided and open_), how=how,
        )  # fmt: skip
        if done:
            case.status = "surveying"
            case.clocks.pop("survey", None)
            if guided:
                case.close()
            else:
                case.clocks["assessment"] = 1

    @rule(n=ANY, how=HOW)
    def assessment(self, n: int, how: str) -> None:
        """An assessor reports."""
        if case := self.case_at(n):
            self._assessed(case, how)

    def _assessed(self, case: ModelCase, how: str) -> None:
        finding = survey.Finding(
            assessed_on=self.today, received_on=self.today, assessor="the team",
            determination="community_care", needs=[],
        )  # fmt: skip
        done = self.attempt(
            "assessment", self.worker(case),
            lambda ctx: intake.record_assessment(ctx, case.id, finding),
            may=case.status in ("surveying", "planning", "supported"), how=how,
        )  # fmt: skip
        if done and case.status == "surveying":
            case.status = "planning"
            case.clocks.pop("assessment", None)
            case.clocks["plan"] = 1

    # The plan

    @rule(n=ANY, keep=st.lists(st.booleans(), min_size=6, max_size=6), new=ANY, how=HOW)
    def draft(self, n: int, keep: list[bool], new: int, how: str) -> None:
        """A plan is written, with some of the known services and perhaps a new one."""
        if case := self.case_at(n):
            kept = [one for one, stays in zip(case.live(), keep, strict=False) if stays]
            codes = [CODES[new % 2]] if new % 4 < 2 and len(case.live()) < 4 else []
            self._drafted(case, kept, codes, how)

    def _drafted(
        self, case: ModelCase, kept: list[ModelService], codes: list[str], how: str
    ) -> None:
        items: list[tuple[UUID | None, PlannedItem]] = [
            (one.id, self._item(one.code)) for one in kept
        ]
        items += [(None, self._item(code)) for code in codes]
        written = planning.Draft(
            goals=["to stay at home"], items=items, heard_on=self.today, heard_from="her daughter"
        )
        in_use = any(one.is_in_use for one in case.live() if one not in kept)
        done = self.attempt(
            "draft", self.worker(case), lambda ctx: plans.put_draft(ctx, case.id, written),
            may=case.may_draft and not in_use, how=how,
            version=self.state.cases[case.id].plan_revision,
        )  # fmt: skip
        if not done:
            return
        known = {one.id for one in case.services}
        fresh = [row for row in self.state.of("services", case) if row.id not in known]
        assert sorted(row.service_code for row in fresh) == sorted(codes)
        new = [ModelService(row.id, row.service_code) for row in fresh]
        case.services += new
        version = case.version("draft")
        if version is None:
            version = ModelVersion([])
            case.versions.append(version)
        version.services = [*kept, *new]
        case.drop(version.services, "drafted")

    def _item(self, code: str) -> PlannedItem:
        return PlannedItem(
            id=new_id(), service_code=code, content="lunch", quantity=Decimal(3), unit="visit",
            per="week", starts_on=self.today, ends_on=self.today,
        )  # fmt: skip

    @rule(n=ANY, how=HOW)
    def submission(self, n: int, how: str) -> None:
        """The draft is submitted."""
        if case := self.case_at(n):
            self._submitted(case, how)

    def _submitted(self, case: ModelCase, how: str) -> None:
        version = case.version("draft")
        done = self.attempt(
            "submission", self.worker(case), lambda ctx: plans.submit_plan(ctx, case.id),
            may=case.status in ("planning", "supported") and version is not None, how=how,
        )  # fmt: skip
        if done and version:
            version.status = "submitted"
            case.clocks.pop("plan", None)
            case.clocks["decision"] = 1

    @rule(n=ANY, approve=st.booleans(), how=HOW)
    def decision(self, n: int, approve: bool, how: str) -> None:
        """The supervisor approves or returns what was submitted."""
        if case := self.case_at(n):
            self._decided(case, approve, how)

    def _decided(self, case: ModelCase, approve: bool, how: str) -> None:
        version = case.version("submitted")
        stored = max(self.state.of("versions", case), key=lambda v: v.number, default=None)
        command = plans.DecisionCommand(
            version=stored.number if stored else 1, hash=(stored and stored.hash) or "",
            approve=approve, without_meeting_reason="no meeting this week",
        )  # fmt: skip
        kept = version.services if version else []
        leaving = [one for one in case.services if one.status == "in_force" and one not in kept]
        blocked = approve and any(one.is_in_use for one in leaving)
        done = self.attempt(
            "decision", self.supervisor(case),
            lambda ctx: plans.decide_plan(ctx, case.id, command),
            may=case.is_open and version is not None and not blocked, how=how,
        )  # fmt: skip
        if done and version:
            case.clocks.pop("decision", None)
            if approve:
                case.approve(version)
            else:
                version.status, case.clocks["plan"] = "returned", 1

    def telling(self, n: int, how: str) -> None:
        """The resident is told of the plan."""
        if case := self.case_at(n):
            done = self.attempt(
                "telling", self.worker(case),
                lambda ctx: plans.notify_plan(ctx, case.id, self.today, "herself"),
                may=case.is_open and case.version("approved") is not None, how=how,
            )  # fmt: skip
            if done:
                case.clocks.pop("notify_plan", None)

    def check(self, n: int, how: str) -> None:
        """The worker looks how things go."""
        if case := self.case_at(n):
            found = checking.Findings(
                checked_on=self.today, findings="well", goals=[],
                next_check_on=self.today + timedelta(days=30) if n % 3 == 0 else None,
            )  # fmt: skip
            done = self.attempt(
                "check", self.worker(case),
                lambda ctx: plans.record_check(ctx, case.id, found),
                may=case.status == "supported", how=how,
            )  # fmt: skip
            if done:
                case.clocks.pop("first_check", None)
                case.clocks["check"] = 1

    def signal(self, n: int, how: str) -> None:
        """Something changed."""
        if case := self.case_at(n):
            id = self.attempt(
                "signal", self.worker(case),
                lambda ctx: plans.raise_signal(ctx, case.id, "fall", None),
                may=case.is_open, how=how,
            )  # fmt: skip
            if id:
                case.signals.append(id)
                case.clocks["signal"] += 1

    def answer_to_signal(self, n: int, how: str) -> None:
        """The worker says what is done about it, even after the case was closed."""
        case = self.case_at(n)
        if case and case.signals:
            id = case.signals[n % len(case.signals)]
            done = self.attempt(
                "answer to a signal", self.worker(case),
                lambda ctx: plans.answer_signal(ctx, id, "went there"), how=how,
            )  # fmt: skip
            if done:
                case.signals.remove(id)
                case.clocks["signal"] -= case.is_open

    # Referrals

    @rule(
        n=ANY, provider=st.sampled_from(PROVIDERS), consented=st.booleans(), send=st.booleans(),
        priority=st.sampled_from(["routine", "urgent", "emergency"]), how=HOW,
    )  # fmt: skip
    def request(
        self, n: int, provider: str, consented: bool, send: bool, priority: str, how: str
    ) -> None:
        """An agency is asked for a service."""
        if found := self.a_service(n):
            self._asked(*found, provider, priority, consented, send, how)

    def _asked(
        self, case: ModelCase, service: ModelService, provider: str, priority: str,
        consented: bool, send: bool, how: str,
    ) -> None:  # fmt: skip
        consent = self.consents[case.resident]
        command = referring.ReferCommand(
            planned_service_id=service.id,
            offering_id=self.world.offerings[provider, service.code].id,
            priority=priority,
            basis_kind="consent" if consented else "article_14_2",
            consent_id=consent if consented else None,
            send=send,
            outside_area_reason="nobody nearer",
        )
        sendable = service.status == "in_force" or case.urgent
        done = self.attempt(
            "request", self.worker(case), lambda ctx: referring.refer(ctx, command),
            may=case.is_open and service.status != "dropped" and not service.asks(provider)
            and (sendable or not send) and not (consented and consent is None), how=how,
        )  # fmt: skip
        if done:
            status = "requested" if send else "draft"
            service.referrals.append(ModelReferral(done, provider, consented, status))

    @rule(n=ANY, days=ANY, how=HOW)
    def service_given(self, n: int, days: int, how: str) -> None:
        """The provider says yes and gives the service, with pauses."""
        self._possible(n, ("accept", "start", "hold", "resume", "report", "complete"), days, how)

    @rule(n=ANY, days=ANY, how=HOW)
    def possible_move(self, n: int, days: int, how: str) -> None:
        """Anything that the table of moves allows."""
        self._possible(n, tuple(FROM), days, how)

    def _possible(self, n: int, actions: tuple[str, ...], days: int, how: str) -> None:
        found = [
            (place, action)
            for place, one in enumerate(one for case in self.cases for one in case.referrals)
            for action in actions
            if one.may(action, self.today) and (action != "enter-in-error" or n % 5 == 0)
        ]
        if found:
            place, action = found[(7 * n + days) % len(found)]
            self._moved(place, action, days, how)

    @rule(n=ANY, days=ANY, action=st.sampled_from(list(FROM)), how=HOW)
    def any_move(self, n: int, action: str, days: int, how: str) -> None:
        """Any move of the table, possible or not."""
        self._moved(n, action, days, how)

    @rule(n=ANY, how=HOW)
    def the_same_again(self, n: int, how: str) -> None:
        """A provider presses the button a second time, with another key."""
        if found := self.a_referral(n):
            again = {"accepted": "accept", "declined": "decline", "completed": "complete"}
            if action := again.get(found[2].status):
                self._moved(n, action, 0, how)

    def _moved(self, n: int, action: str, days: int, how: str) -> None:
        found = self.a_referral(n)
        if found is None:
            return
        case, service, one = found
        until = self.today + timedelta(days=days % 12)
        details = Details(
            reason={"enter-in-error": "a mistake", "hold": "away", "decline": "at_capacity",
                    "fail": "provider_unable", "cancel": "no_longer_needed",
                    "withdraw": "resident_asked"}.get(action),
            until=until if action == "hold" else None,
            outcome="ended_as_planned" if action == "complete" else None,
        )  # fmt: skip
        who, may = self._mover(case, one, action)
        sendable = action != "send" or service.status == "in_force" or case.urgent
        open_ = case.is_open or action == "enter-in-error"
        done = self.attempt(
            action, who, lambda ctx: referring.move_referral(ctx, one.id, action, details),
            may=may and open_ and sendable and one.may(action, self.today), how=how,
        )  # fmt: skip
        if done:
            one.move(action, self.today, until)
            if action == "enter-in-error":
                service.take_back(one)
            if action == "start":
                case.clocks.pop("discharge", None)

    def _mover(self, case: ModelCase, one: ModelReferral, action: str) -> tuple[str, bool]:
        """Who makes a move; and whether the referral exists for them."""
        if action == "enter-in-error":
            return self.supervisor(case), True
        if action in ("send", "cancel", "withdraw"):
            return self.worker(case), True
        row = self.state.referrals[one.id]
        ended = row.ended_at is not None
        return f"provider.{one.provider}", row.requested_at is not None and not ended

    @rule(
        n=ANY, how=HOW, provider=st.sampled_from(PROVIDERS),
        word=st.sampled_from(["re_refer", "alternative", "refused", "unmet_need"]),
    )  # fmt: skip
    def disposition(self, n: int, word: str, provider: str, how: str) -> None:
        """The worker says what happens instead of what came to nothing."""
        owing = [
            (case, service, one)
            for case in self.cases
            for service in case.services
            for one in service.referrals
            if one.owes or n % 8 == 0
        ]
        if owing:
            self._disposed(*owing[n % len(owing)], word, provider, how)

    def _disposed(
        self, case: ModelCase, service: ModelService, one: ModelReferral, word: str,
        provider: str, how: str,
    ) -> None:  # fmt: skip
        again = word == "re_refer"
        askable = not again or self._may_ask(case, service, one, provider)
        offering = self.world.offerings[provider, service.code].id if again else None
        done = self.attempt(
            "disposition", self.worker(case),
            lambda ctx: referring.dispose_referral(ctx, one.id, word, offering, None),
            may=case.is_open and one.owes and askable, how=how,
        )  # fmt: skip
        if done:
            one.disposed = True
            service.words.append((word, one))
            if again:
                self._successor(service, one, provider)

    def _may_ask(
        self, case: ModelCase, service: ModelService, one: ModelReferral, provider: str,
        *, ends: bool = False,
    ) -> bool:  # fmt: skip
        """Whether another agency can be asked in its place, on the same basis."""
        asked = any(
            other.is_open and other.provider == provider and not (ends and other is one)
            for other in service.referrals
        )
        based = not one.consented or self.consents[case.resident] is not None
        sendable = service.status == "in_force" or (case.urgent and service.status == "drafted")
        return not asked and based and sendable

    def _successor(self, service: ModelService, one: ModelReferral, provider: str) -> None:
        known = {other.id for other in service.referrals}
        (row,) = [
            row for row in self.state.referrals.values()
            if row.planned_service_id == service.id and row.id not in known
        ]  # fmt: skip
        service.referrals.append(ModelReferral(row.id, provider, one.consented, "requested"))

    @rule(n=ANY, word=st.sampled_from(["alternative", "refused", "unmet_need"]), how=HOW)
    def settlement(self, n: int, word: str, how: str) -> None:
        """A service is settled without a request."""
        if found := self.a_service(n):
            case, service = found
            done = self.attempt(
                "settlement", self.worker(case),
                lambda ctx: plans.settle_service(ctx, service.id, word, None),
                may=case.is_open and service.status != "dropped"
                and not (service.is_in_use or service.is_settled), how=how,
            )  # fmt: skip
            if done:
                service.words.append((word, None))

    @rule(n=ANY, how=HOW)
    def consent_withdrawn(self, n: int, how: str) -> None:
        """The resident takes back the consent on which some requests rest."""
        case = self.case_at(n)
        consent = case and self.consents[case.resident]
        if not case or not consent or n % 4:
            return
        done = self.attempt(
            "withdrawal of a consent", self.worker(case),
            lambda ctx: intake.withdraw_consent(ctx, consent, None), how=how,
        )  # fmt: skip
        if done:
            self.consents[case.resident] = None
            for other in self.cases:
                for one in other.referrals:
                    if other.resident == case.resident and one.consented and one.is_open:
                        one.move("withdraw", self.today)

    # The whole case

    @rule(n=ANY, days=ANY, how=HOW)
    def case_held(self, n: int, days: int, how: str) -> None:
        """A stay in hospital."""
        if case := self.case_at(n):
            until = self.today + timedelta(days=days)
            done = self.attempt(
                "hold of a case", self.worker(case),
                lambda ctx: caseload.hold_case(ctx, case.id, "hospitalised", until, None),
                may=case.is_open and not case.is_held(self.today), how=how,
            )  # fmt: skip
            if done:
                case.held_until = until

    def case_resumed(self, n: int, how: str) -> None:
        """Home again, sooner than planned."""
        if case := self.case_at(n):
            done = self.attempt(
                "resumption of a case", self.worker(case),
                lambda ctx: caseload.resume_case(ctx, case.id),
                may=case.is_open and case.is_held(self.today), how=how,
            )  # fmt: skip
            if done:
                case.held_until = None

    def assignment(self, n: int, how: str) -> None:
        """The supervisor gives the case to a worker of its centre."""
        if case := self.case_at(n):
            who = WORKERS[case.centre][n // 2 % 2]
            id = self.world.id_of(who)
            done = self.attempt(
                "assignment", self.supervisor(case),
                lambda ctx: plans.assign_case(ctx, case.id, id), may=case.is_open, how=how,
            )  # fmt: skip
            if done:
                case.worker, case.arrived = who, False

    def handover(self, n: int, how: str) -> None:
        """A worker leaves; a colleague takes over every open case."""
        centre = list(CENTRES)[n % 3]
        leaver, taker = WORKERS[centre][n // 3 % 2], WORKERS[centre][1 - n // 3 % 2]
        ids = self.world.id_of(leaver), [self.world.id_of(taker)]
        theirs = [case for case in self.cases if case.is_open and case.worker == leaver]
        before = self._everything()
        moved = self.attempt(
            "handover", f"supervisor.{CENTRES[centre]}",
            lambda ctx: caseload.hand_over(ctx, *ids, "she leaves"), how=how,
        )  # fmt: skip
        if moved is not None:
            assert sorted(moved) == sorted(case.id for case in theirs)
            assert self._everything() == before, "9: a handover lost something"
            for case in theirs:
                case.worker, case.arrived = taker, False

    @rule(n=ANY, centre=st.sampled_from(list(CENTRES)), how=HOW)
    def transfer(self, n: int, centre: str, how: str) -> None:
        """The resident moves to another centre."""
        case = self.case_at(n)
        if not case or n % 2:
            return
        before = self._everything()
        done = self.attempt(
            "transfer", self.supervisor(case),
            lambda ctx: caseload.transfer_case(ctx, case.id, centre, "she moved"),
            may=case.is_open and case.centre != centre, how=how,
        )  # fmt: skip
        if done:
            assert self._everything() == before, "9: a transfer lost something"
            case.worker, case.arrived = None, True
            for other in self.cases:
                if other.resident == case.resident:
                    other.centre = centre

    def _everything(self) -> list[Any]:
        """The ids of all children, and of the clocks that run."""
        children = (self.state.services, self.state.referrals, self.state.versions,
                    self.state.signals)  # fmt: skip
        return [sorted(rows) for rows in children] + [
            sorted(clock.id for clock in self.state.running())
        ]

    @rule(n=ANY, end_open=st.booleans(), how=HOW)
    def closing(self, n: int, end_open: bool, how: str) -> None:
        """The case is closed, with or without ending what is open."""
        if (case := self.case_at(n)) and n % 3 == 0:
            open_ = any(one.is_open for one in case.referrals)
            what = {"reason": "refused", "end_open": end_open}
            done = self.attempt(
                "closing", self.worker(case),
                lambda ctx: plans.close_case(ctx, case.id, dict(what)),
                may=case.is_open and (end_open or not open_), how=how,
            )  # fmt: skip
            if done:
                case.close()

    @rule(n=ANY, how=HOW)
    def reopening(self, n: int, how: str) -> None:
        """It turns out not to be over."""
        closed = [case for case in self.cases if not case.is_open]
        case = closed[n % len(closed)] if closed else self.case_at(n)
        if case:
            other = any(one.is_open for one in self.cases if one.resident == case.resident)
            done = self.attempt(
                "reopening", self.supervisor(case),
                lambda ctx: caseload.reopen_case(ctx, case.id, "not over"), may=not other, how=how,
            )  # fmt: skip
            if done:
                case.reopen()

    def an_outsider(self, n: int, how: str) -> None:
        """Who is of another centre finds nothing."""
        if case := self.case_at(n):
            who = STRANGER if case.centre != FAR else WORKER
            act = plans.submit_plan if how == "once" else caseload.resume_case
            try:
                act(self.context(who), case.id)
            except NotFound:
                self.done["outsiders"] += 1
            else:
                raise AssertionError("8: someone reached what is not in their scope")

    # Time

    @rule(wait=WAITS)
    def time_passes(self, wait: timedelta) -> None:
        """Nobody does anything for a while."""
        self.world.clock.now += wait
        self.done["waits"] += 1

    @rule(wait=WAITS)
    def sweep(self, wait: timedelta) -> None:
        """A tick of the scheduler, soon or late."""
        self.world.clock.now += wait
        now, today = self.world.clock.now, self.today
        due = self._due(now)
        result = self._sweep(SqlSweepStore(self.world.engine))
        assert result is not None
        counts = (result.found, result.changed, result.failed)
        assert counts == (due, due, 0), f"of {due} due a sweep {counts}"
        self.done["sweeps"] += 1
        self.done["raised and moved"] += result.changed
        self._time_moves(now, today)
        self.state = self.look()
        left = left_by_sweep(self.state, now)
        assert not left, left
        again = self._sweep(SqlSweepStore(self.world.engine))
        assert again is not None
        assert (again.found, again.changed, again.failed) == (0, 0, 0), "a sweep did it again"
        self.must_be_unchanged("a second sweep")

    @rule(batches=st.integers(0, 3), wait=WAITS)
    def sweep_cut_off(self, batches: int, wait: timedelta) -> None:
        """A tick whose process dies between two batches, or before anything is moved."""
        self.world.clock.now += wait
        moves = self._due_moves(self.world.clock.now)
        try:
            self._sweep(CutOffSweeps(self.world.engine, batches))
        except Crash:
            self.done["sweeps cut off"] += 1
        else:
            assert not moves, "a sweep that never came to its moves made them"
        self.state = self.look()

    def _sweep(self, store: SqlSweepStore) -> overdue.SweepResult | None:
        ctx = self.world.house.context(SYSTEM)
        return overdue.sweep_overdue(ctx, store, note_failure=_show)

    def _due_steps(self, now: Any) -> int:
        due = [s for s in self.state.steps.values() if s.raised_at is None and s.at <= now]
        return len({step.deadline_id for step in due})

    def _due_moves(self, now: Any) -> int:
        rows = (*self.state.referrals.values(), *self.state.cases.values())
        ends = [at for row in rows for at in (row.resume_at, getattr(row, "lapse_at", None))]
        return sum(at is not None and at <= now for at in ends)

    def _due(self, now: Any) -> int:
        return self._due_steps(now) + self._due_moves(now)

    def _time_moves(self, now: Any, today: date) -> None:
        """What lapses and what is over, in the model."""
        for case in self.cases:
            if case.held_until and case.held_until < today:
                case.held_until = None
            for one in case.referrals:
                lapse_at = self.state.referrals[one.id].lapse_at
                if one.status in ("requested", "waitlisted") and lapse_at <= now:
                    one.status = "lapsed"
                elif one.status == "on_hold":
                    one.status = one.stands(today)

    # Reviews

    @rule(
        n=ANY, days=ANY, provider=st.sampled_from(PROVIDERS), how=HOW,
        action=st.sampled_from(["chase", "extend", "reassign", "redirect", "excuse"]),
    )  # fmt: skip
    def review(self, n: int, action: str, days: int, provider: str, how: str) -> None:
        """The supervisor decides about an overdue clock."""
        now = self.world.clock.now
        late = [clock for clock in self.state.deadlines() if clock.is_overdue(now)]
        if not late:
            return
        clock = late[n % len(late)]
        case = next(case for case in self.cases if case.id == clock.case_id)
        worker = WORKERS[case.centre][n % 2]
        service, one = self._subject(case, clock.subject_id)
        offering = self.world.offerings[provider, service.code if service else CODES[0]].id
        verdict = reviewing.Verdict(
            action=action, cause="provider_slow",
            until=self.today + timedelta(days=days) if action in ("chase", "extend") else None,
            worker_id=self.world.id_of(worker) if action == "reassign" else None,
            offering_id=offering if action == "redirect" else None,
        )  # fmt: skip
        may: bool | None = True
        if action == "redirect":
            may = bool(service and one) and self._may_ask(case, service, one, provider, ends=True)
        elif action == "extend" and clock.kind in ("first_check", "check"):
            may = None  # the law may allow the day
        done = self.attempt(
            f"review: {action}", self.supervisor(case),
            lambda ctx: supervising.review_deadline(ctx, clock.id, verdict), may=may, how=how,
        )  # fmt: skip
        if done and action == "reassign":
            case.worker, case.arrived = worker, False
        elif done and action == "redirect":
            self._redirected(service, one, provider)

    def _subject(self, case: ModelCase, id: UUID) -> tuple[Any, Any]:
        found = [
            (service, one) for service in case.services for one in service.referrals if one.id == id
        ]
        return found[0] if found else (None, None)

    def _redirected(self, service: ModelService, one: ModelReferral, provider: str) -> None:
        self._successor(service, one, provider)
        if one.owes:
            one.disposed = True
            service.words.append(("re_refer", one))
        else:
            one.status = "cancelled"

    # After every step

    @invariant()
    def everything_holds(self) -> None:
        """The database agrees with the model, and with itself."""
        if self.state is self.checked:
            return  # nothing was written since
        self.checked = self.state
        self.done["checks"] += 1
        faults = broken(self.state, self.world.house.clockwork())
        for case in self.cases:
            id = self.world.id_of(case.worker) if case.worker else None
            faults += differs(case, self.state, id)
        assert not faults, "\n".join(faults)


def _show(id: UUID, error: Exception) -> None:
    print(f"a sweep could not move {id}: {error!r}")
