"""What was typed wrongly is put right: days, urgency and priority, findings and consents."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from casework.domain.cases import intake as survey
from casework.workflows.cases import correcting
from casework.workflows.referring import correcting as referral_correcting
from casework.workflows.residents import residents
from tests.proofs._counts import counts_from
from tests.proofs._model import ModelCase
from tests.proofs._services import ModelReferral, ModelService
from tests.proofs._staff_acts import StaffActs
from tests.proofs._stage import ANY, HOW

WHY = "typed wrongly"
DAYS = ("requested_on", "answered_on", "started_on", "ended_on")
DAY = timedelta(days=1)
OF_CASE = ("applied_on", "discharge_on", "urgent", "channel")
# By how many days something was wrong.
OFF = st.sampled_from([-20, -6, -2, -1, -1, 1, 2, 6, 20])


class CorrectionActs(StaffActs):
    """What worker and supervisor correct; the clocks that rest on it count anew."""

    # The application

    @rule(
        n=ANY, off=OFF, how=HOW,
        what=st.sampled_from(["applied_on", "discharge_on", "no_discharge", "urgent", "channel"]),
    )  # fmt: skip
    def application_corrected(self, n: int, what: str, off: int, how: str) -> None:
        """Another day of application or of discharge, another urgency or channel."""
        if case := self.case_at(n):
            changes = self._changes(case, what, off)
            done = self.attempt(
                f"correction: {what}", self.worker(case),
                lambda ctx: correcting.correct_application(ctx, case.id, dict(changes), WHY),
                may=self._in_order(case, changes), how=how,
            )  # fmt: skip
            if done:
                self._applied(case, changes)

    def _changes(self, case: ModelCase, what: str, off: int) -> dict[str, Any]:
        if what == "applied_on":
            return {"applied_on": case.applied_on + off * DAY}
        if what == "discharge_on":
            return {"discharge_on": (case.discharge_on or self.today) + off * DAY}
        if what == "urgent":
            reason = None if case.urgent else "she fell"
            return {"urgent": not case.urgent, "urgent_reason": reason}
        if what == "channel":
            return {"channel": "family" if case.channel == "self" else "self"}
        return {"discharge_on": None}

    def _in_order(self, case: ModelCase, changes: dict[str, Any]) -> bool:
        """An application is before what followed it, and before the discharge."""
        if all(getattr(case, name) == value for name, value in changes.items() if name in OF_CASE):
            return True  # it is so already
        applied_on: date = changes.get("applied_on", case.applied_on)
        discharge_on: date | None = changes.get("discharge_on", case.discharge_on)
        followed: list[date | None] = [
            case.opened_at.date(),
            case.first_approved_on,
            case.effective_on,
        ]
        followed += [one.assessed_on for one in case.assessments]
        followed += [one.received_on for one in case.assessments if one.is_determination]
        followed += [one.requested_on for one in case.referrals]
        home = discharge_on is None or applied_on <= discharge_on <= self.today + 365 * DAY
        return home and applied_on <= min(day for day in followed if day)

    def _applied(self, case: ModelCase, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            if name in OF_CASE:
                setattr(case, name, value)
        for clock in case.counts.values():
            if clock.by == "application":
                clock.since = counts_from(case.applied_on, case.opened_at)
        if "discharge_on" in changes:
            case.await_discharge()

    # Pre-survey and assessment

    @rule(n=ANY, how=HOW)
    def pre_survey_corrected(self, n: int, how: str) -> None:
        """Other answers: the same route, or guidance after all, which closes the case."""
        if case := self.case_at(n):
            score = 0 if n % 3 == 0 else 1
            open_ = any(one.is_open for one in case.referrals)
            facts = {"dementia_medicine": False, "guidance": "told",
                     "activities": dict.fromkeys(survey.ACTIVITIES, score)}  # fmt: skip
            done = self.attempt(
                "correction: pre-survey", self.worker(case),
                lambda ctx: correcting.correct_pre_survey(ctx, case.id, facts, WHY),
                may=case.status == "surveying" and not case.is_determined
                and not (score == 0 and open_), how=how,
            )  # fmt: skip
            if done and score == 0:
                case.close("guided", self.today)

    @rule(n=ANY, off=OFF, how=HOW)
    def assessment_corrected(self, n: int, off: int, how: str) -> None:
        """Another day on which an assessment was made and received."""
        case = self.case_at(n)
        if not case or not case.assessments:
            return
        one = case.assessments[n // 2 % len(case.assessments)]
        on = one.received_on + off * DAY
        assessed_on = min(one.assessed_on, on)
        finding = survey.Finding(
            assessed_on=assessed_on, received_on=on, assessor="another team",
            determination="long_term_care", needs=[],
        )  # fmt: skip
        submitted = any(version.was_submitted for version in case.versions)
        done = self.attempt(
            "correction: assessment", self.worker(case),
            lambda ctx: correcting.correct_assessment(ctx, case.id, one.id, finding, WHY),
            may=not (one.is_determination and submitted)
            and case.applied_on <= assessed_on and on <= self.today, how=how,
        )  # fmt: skip
        if done:
            one.assessed_on, one.received_on = assessed_on, on
            plan = case.counts.get((case.id, "plan"))
            if one.is_determination and plan and plan.by == "determination":
                plan.since = counts_from(on, one.recorded_at)

    # Checks

    @rule(n=ANY, reaches_back=st.booleans(), how=HOW)
    def check_never_was(self, n: int, reaches_back: bool, how: str) -> None:
        """A check was of somebody else: mostly the newest, which is often noticed at once."""
        if n % 4:
            self.check(n, "once")
        found = [(case, one) for case in self.cases for one in case.checks]
        newest = [(case, made[-1]) for case in self.cases
                  if (made := [one for one in case.checks if one.was_made])]  # fmt: skip
        if some := found if reaches_back else newest:
            case, check = some[n % len(some)]
            done = self.attempt(
                "check in error", self.supervisor(case),
                lambda ctx: correcting.enter_check_in_error(ctx, check.id, WHY),
                may=(case, check) in newest, how=how,
            )  # fmt: skip
            if done:
                case.never_checked(check)

    # Referrals

    @rule(n=ANY, off=OFF, aimed=st.booleans(), with_next=st.booleans(), how=HOW)
    def days_corrected(self, n: int, off: int, aimed: bool, with_next: bool, how: str) -> None:
        """Another day of a move, perhaps with the one after it; mostly one that can be."""
        found = [
            (case, service, one, name)
            for case in self.cases
            for service in case.services
            for one in service.referrals
            for name in DAYS
            if getattr(one, name) is not None
        ]
        if not found:
            return
        case, service, one, name = found[n % len(found)]
        after = DAYS[DAYS.index(name) + 1 :][:1]
        days = {name: getattr(one, name) + off * DAY}
        if aimed:
            days = {name: self._between(case, service, one, name, abs(off))}
        if with_next and after and getattr(one, after[0]):
            days[after[0]] = max(getattr(one, after[0]), days[name])
        done = self.attempt(
            f"correction: {name}", self.worker(case),
            lambda ctx: referral_correcting.correct_referral(ctx, one.id, days, WHY),
            may=self._days_in_order(case, service, one, days), how=how,
        )  # fmt: skip
        if done:
            self._other_days(case, service, one, days)

    def _between(
        self, case: ModelCase, service: ModelService, one: ModelReferral, name: str, n: int
    ) -> date:
        """A day between that of what the move followed and that of what followed it."""
        waits = service.status == "in_force" and not case.urgent
        first: date = (case.first_approved_on if waits else None) or case.applied_on
        before = [getattr(one, other) for other in DAYS[: DAYS.index(name)]]
        behind = [getattr(one, other) for other in DAYS[DAYS.index(name) + 1 :]]
        first = max([first, *(day for day in before if day)])
        last: date = min([self.today, *(day for day in behind if day)])
        return first + n % (max((last - first).days, 0) + 1) * DAY

    def _days_in_order(
        self, case: ModelCase, service: ModelService, one: ModelReferral, days: dict[str, date]
    ) -> bool:
        """Each day is after what it follows; what is not touched before it stays as it is."""
        waits = service.status == "in_force" and not case.urgent
        before: date = (case.first_approved_on if waits else None) or case.applied_on
        touched = False
        for name in DAYS:
            on: date | None = days.get(name, getattr(one, name))
            if on is None:
                continue
            touched = touched or name in days
            if name == "answered_on":
                before = max(before, one.waited_on or before)
            if touched and (on < before or (name in days and on > self.today)):
                return False
            before = on
        return True

    def _other_days(
        self, case: ModelCase, service: ModelService, one: ModelReferral, days: dict[str, date]
    ) -> None:
        had_served = service.was_served(one)
        for name, day in days.items():
            setattr(one, name, day)
        for kind, by, on, at in (
            ("response", "request", one.requested_on, one.requested_at),
            ("waitlist", "answer", one.answered_on, one.answered_at),
            ("start", "answer", one.answered_on, one.answered_at),
            ("disposition", "answer", one.answered_on, one.answered_at),
        ):
            clock = case.counts.get((one.id, kind))
            if clock and clock.by == by and on and at:
                clock.since = counts_from(on, at)
        if service.was_served(one) != had_served and case.is_open and not one.disposed:
            one.owed = service.is_left_by(one)

    @rule(n=ANY, priority=st.sampled_from(["routine", "urgent", "emergency"]), how=HOW)
    def priority_changed(self, n: int, priority: str, how: str) -> None:
        """A request is more or less pressing than it was said to be."""
        if found := self.a_referral(n):
            case, _, one = found
            done = self.attempt(
                "correction: priority", self.worker(case),
                lambda ctx: referral_correcting.change_priority(ctx, one.id, priority, WHY),
                may=one.is_open and case.is_open, how=how,
            )  # fmt: skip
            if done:
                one.priority = priority

    # Consents

    @rule(n=ANY, off=OFF, expires=st.integers(-3, 30), how=HOW)
    def consent_corrected(self, n: int, off: int, expires: int, how: str) -> None:
        """Another day on which it was given, and perhaps one on which it ends."""
        consent = self.consents[n % len(self.consents)]
        given_on = consent.given_on + (off * DAY if n % 2 else 0 * DAY)
        expires_on = None if expires > 20 else self.today + expires * DAY
        whom = self.resident(consent.resident)
        days = {"given_on": given_on, "expires_on": expires_on}
        done = self.attempt(
            "correction: consent", self.somebody(whom.centre),
            lambda ctx: residents.correct_consent(ctx, consent.id, days, WHY),
            may=given_on <= self.today and (expires_on or given_on) >= given_on, how=how,
        )  # fmt: skip
        if done:
            consent.given_on, consent.expires_on = given_on, expires_on
