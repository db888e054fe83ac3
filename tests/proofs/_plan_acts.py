"""From the application to a plan in force, checks and signals."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from casework.adapters.persistence.engine.ids import new_id
from casework.domain.casefile.plan import PlannedItem
from casework.domain.cases import checks
from casework.domain.cases import intake as survey
from casework.domain.planning import planning
from casework.workflows.cases import intake, running
from casework.workflows.planning import planning as plans
from casework.workflows.residents import residents
from tests.api.conftest import HERE
from tests.proofs._model import ModelAssessment, ModelCase, ModelCheck, ModelVersion
from tests.proofs._people import ModelConsent, ModelResident
from tests.proofs._referral_acts import ReferralActs
from tests.proofs._services import ModelService
from tests.proofs._stage import (
    ANY,
    BACK,
    CODES,
    HOW,
    STARTS,
    WORKERS,
)

LASTS = 200  # days that a planned service lasts: some stories outlive it


class PlanActs(ReferralActs):
    """What worker and supervisor do on the way to a plan and after it."""

    # Intake

    @initialize(
        urgent=st.booleans(), discharge=st.booleans(), stage=ANY, at=st.sampled_from(STARTS),
        back=BACK,
    )  # fmt: skip
    def the_first_applies(
        self, urgent: bool, discharge: bool, stage: int, at: str, back: int
    ) -> None:
        """A story begins on some day, at some stage."""
        self.world.clock.set(at)
        self.applies(urgent, discharge, stage, back)

    @rule(urgent=st.booleans(), discharge=st.booleans(), stage=ANY, back=BACK)
    def another_applies(self, urgent: bool, discharge: bool, stage: int, back: int) -> None:
        """A second resident, or one whose case was closed, or one whose case is open still."""
        if stage % 3 == 0:
            self.applies(urgent, discharge, stage, back)

    def applies(self, urgent: bool, discharge: bool, stage: int, back: int = 0) -> None:
        """Someone applies, and help goes on to some stage at once."""
        resident = list(self.residents)[-1] if self.residents else None
        resident = resident and self.resident(resident).id
        open_ = any(case.is_open for case in self.cases if case.resident == resident)
        if resident is None or (open_ and len(self.residents) < 2):
            resident, open_ = self._registered(), False
        whom = self.residents[resident]
        who = self.somebody(whom.centre)
        on = self.today - timedelta(days=max(back, 0))
        home_on = self.today + timedelta(days=3) if discharge else None
        application = {"channel": "self", "applied_on": on, "urgent": urgent}
        application |= {"urgent_reason": "she fell"} if urgent else {}
        application |= {"discharge_on": home_on} if discharge else {}
        id = self.attempt(
            "application", who,
            lambda ctx: intake.open_case(ctx, resident, application, None),
            may=not open_ and whom.died_on is None,
        )  # fmt: skip
        if id is None:
            return
        worker = who if who in WORKERS[whom.centre] else None
        case = ModelCase(
            id, resident, whom.centre, worker, urgent, self.world.clock.now, on, home_on
        )
        case.dated["survey"] = on, "application"
        case.await_discharge()
        self.cases.append(case)
        n = len(self.cases) - 1
        self._goes_on(n, stage)

    def _registered(self) -> UUID:
        facts = {"name": "가상주민", "birth_date": date(1941, 5, 6), "sex": "female",
                 "centre_code": HERE}  # fmt: skip
        facts |= {"phone": "051-000-0001", "mobility": "limited"} if self.residents else {}
        who = self.somebody(HERE)
        id = self.attempt(
            "registration", who,
            lambda ctx: residents.register_resident(ctx, facts, [], confirm_new=True).id,
        )  # fmt: skip
        assert id is not None
        self.residents[id] = ModelResident(id, HERE)
        consent = self.attempt(
            "consent", who,
            lambda ctx: residents.record_consent(
                ctx, id, purpose="provider_sharing", given_by="herself", given_on=self.today,
                recipients=[], expires_on=None,
            ),
        )  # fmt: skip
        assert consent is not None
        self.consents.append(ModelConsent(consent, id, self.today))
        return id

    def _goes_on(self, n: int, stage: int) -> None:
        """Most stories begin where referrals are: a quarter of them at the very beginning."""
        case = self.cases[n]
        if stage % 8 == 1:
            return
        self._surveyed(case, 1, "once")
        if stage % 8 == 5:
            return
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
                case.close("guided", self.today)
            else:
                case.clocks["assessment"] = 1

    @rule(n=ANY, back=BACK, how=HOW)
    def assessment(self, n: int, back: int, how: str) -> None:
        """An assessor reports, perhaps of some days ago."""
        if case := self.case_at(n):
            self._assessed(case, how, back)

    def _assessed(self, case: ModelCase, how: str, back: int = 0) -> None:
        on = self.a_day(back, case.applied_on) if back else self.today
        finding = survey.Finding(
            assessed_on=on, received_on=on, assessor="the team",
            determination="community_care", needs=[],
        )  # fmt: skip
        done = self.attempt(
            "assessment", self.worker(case),
            lambda ctx: intake.record_assessment(ctx, case.id, finding),
            may=case.status in ("surveying", "planning", "supported")
            and case.applied_on <= on <= self.today, how=how,
        )  # fmt: skip
        if not done:
            return
        first, now = case.status == "surveying", self.world.clock.now
        case.assessments.append(ModelAssessment(done.id, on, on, first, now))
        if first:
            case.status = "planning"
            case.dated["plan"] = on, "determination"
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
            (one.id, self._item(one.code, one.ends_on)) for one in kept
        ]
        last = self.today + timedelta(days=LASTS)
        items += [(None, self._item(code, last)) for code in codes]
        written = planning.Draft(
            goals=["to stay at home"], items=items, heard_on=self.today, heard_from="her daughter"
        )
        in_use = any(one.is_in_use for one in case.live() if one not in kept)
        done = self.attempt(
            "draft", self.worker(case), lambda ctx: plans.put_draft(ctx, case.id, written),
            may=case.may_draft and not in_use and not self._has_ended(kept), how=how,
            version=self.state.cases[case.id].plan_revision,
        )  # fmt: skip
        if not done:
            return
        known = {one.id for one in case.services}
        fresh = [row for row in self.state.of("services", case) if row.id not in known]
        assert sorted(row.service_code for row in fresh) == sorted(codes)
        new = [ModelService(row.id, row.service_code, last) for row in fresh]
        case.services += new
        version = case.version("draft")
        if version is None:
            version = ModelVersion([])
            case.versions.append(version)
        version.services = [*kept, *new]
        case.drop(version.services, "drafted")

    def _has_ended(self, services: list[ModelService], on: date | None = None) -> bool:
        """Whether one that is not in force has its last day behind it, today or on a day."""
        first = on or self.today
        return any(one.status == "drafted" and one.ends_on < first for one in services)

    def _item(self, code: str, last: date) -> PlannedItem:
        return PlannedItem(
            id=new_id(), service_code=code, content="lunch", quantity=Decimal(3), unit="visit",
            per="week", starts_on=min(self.today, last), ends_on=last,
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
            may=case.status in ("planning", "supported") and version is not None
            and not self._has_ended(version.services), how=how,
        )  # fmt: skip
        if done and version:
            version.status, version.was_submitted = "submitted", True
            case.clocks.pop("plan", None)
            case.clocks["decision"] = 1

    @rule(n=ANY, approve=st.booleans(), back=BACK, how=HOW)
    def decision(self, n: int, approve: bool, back: int, how: str) -> None:
        """The supervisor approves or returns what was submitted, perhaps some days ago."""
        if case := self.case_at(n):
            self._decided(case, approve, how, back)

    def _decided(self, case: ModelCase, approve: bool, how: str, back: int = 0) -> None:
        earliest = case.decision_follows
        on = self.a_day(back, earliest) if back else self.today
        version = case.version("submitted")
        stored = max(self.state.of("versions", case), key=lambda v: v.number, default=None)
        command = plans.DecisionCommand(
            version=stored.number if stored else 1, hash=(stored and stored.hash) or "",
            approve=approve, without_meeting_reason="no meeting this week", reason="too few visits",
            decided_on=on if back else None,
        )  # fmt: skip
        kept = version.services if version else []
        leaving = [one for one in case.services if one.status == "in_force" and one not in kept]
        blocked = approve and (any(one.is_in_use for one in leaving) or self._has_ended(kept, on))
        done = self.attempt(
            "decision", self.supervisor(case),
            lambda ctx: plans.decide_plan(ctx, case.id, command),
            may=case.is_open and version is not None and not blocked
            and self.may_be_dated(on, earliest), how=how,
        )  # fmt: skip
        if done and version:
            case.clocks.pop("decision", None)
            version.decided_on = on
            for kind in ("first_check", "notify_plan", "link", "plan"):
                case.dated[kind] = on, "decision"
            if approve:
                case.approve(version, on)
            else:
                version.status, case.clocks["plan"] = "returned", 1

    def telling(self, n: int, how: str) -> None:
        """The resident is told of the plan."""
        if case := self.case_at(n):
            version, back = case.version("approved"), n % 5 * (n % 2)
            earliest = version.decided_on if version else None
            on = self.a_day(back, earliest)
            done = self.attempt(
                "telling", self.worker(case),
                lambda ctx: plans.notify_plan(ctx, case.id, on, "herself"),
                may=case.is_open and version is not None and self.may_be_dated(on, earliest)
                and case.clocks["notify_plan"] > 0,
                how=how,
            )  # fmt: skip
            if done:
                case.clocks.pop("notify_plan", None)

    def check(self, n: int, how: str) -> None:
        """The worker looks how things go."""
        if case := self.case_at(n):
            earliest = case.last_checked_on
            if earliest is None and case.first_approved_on is not None:
                earliest = case.first_approved_on + timedelta(days=1)
            on = self.a_day((0, 0, 2, 12, -1)[n % 5], earliest)
            found = checks.Findings(
                checked_on=on, findings="well", goals=[],
                next_check_on=on + timedelta(days=30) if n % 3 == 0 else None,
            )  # fmt: skip
            confirmed = n % 2 == 0
            done = self.attempt(
                "check", self.worker(case),
                lambda ctx: running.record_check(ctx, case.id, found, confirmed=confirmed),
                may=case.status == "supported" and self.may_be_dated(on, earliest)
                and (on != case.last_checked_on or confirmed), how=how,
            )  # fmt: skip
            if done:
                (met,) = (one for (id, kind), one in case.counts.items()
                          if id == case.id and kind in ("first_check", "check"))  # fmt: skip
                case.checked(ModelCheck(done.id, on, found.next_check_on, met))

    def signal(self, n: int, how: str) -> None:
        """Something changed."""
        if case := self.case_at(n):
            id = self.attempt(
                "signal", self.worker(case),
                lambda ctx: running.raise_signal(ctx, case.id, "fall", None).id,
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
                lambda ctx: running.answer_signal(ctx, id, "went there"), how=how,
            )  # fmt: skip
            if done:
                case.signals.remove(id)
                case.clocks["signal"] -= case.is_open

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
