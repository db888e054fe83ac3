"""Asking, answering, giving a service, ending it, and saying what happens instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule

from casework.domain.referring.referring import Details
from casework.workflows.planning import planning as plans
from casework.workflows.referring import referring
from casework.workflows.residents import residents
from tests.proofs._model import ModelCase
from tests.proofs._services import FROM, ModelReferral, ModelService
from tests.proofs._stage import (
    ANY,
    BACK,
    HOW,
    PROVIDERS,
    Stage,
)

# The day that comes with a move, and of the clocks that it begins those that count from that day.
DAY_OF = {
    "send": "requested_on", "accept": "answered_on", "waitlist": "answered_on",
    "decline": "answered_on", "start": "started_on", "report": "reported_on",
    "complete": "ended_on",
}  # fmt: skip
BEGUN_BY = {
    "send": {"response": "request"}, "accept": {"start": "answer"},
    "waitlist": {"waitlist": "answer"}, "decline": {"disposition": "answer"},
}  # fmt: skip


class ReferralActs(Stage):
    """What sender and provider do."""

    @rule(
        n=ANY, provider=st.sampled_from(PROVIDERS), consented=st.booleans(), send=st.booleans(),
        priority=st.sampled_from(["routine", "urgent", "emergency"]), back=BACK, how=HOW,
    )  # fmt: skip
    def request(
        self, n: int, provider: str, consented: bool, send: bool, priority: str, back: int,
        how: str,
    ) -> None:  # fmt: skip
        """An agency is asked for a service, perhaps some days ago."""
        if found := self.a_service(n):
            self._asked(*found, provider, priority, consented, send, how, back=back)

    def _asked(
        self, case: ModelCase, service: ModelService, provider: str, priority: str,
        consented: bool, send: bool, how: str, *, back: int = 0,
    ) -> None:  # fmt: skip
        on, earliest = self._request_day(case, service, back)
        consent = self.consent(case) if consented else None
        valid = consent is not None and consent.is_valid(self.today)
        command = referring.ReferCommand(
            planned_service_id=service.id,
            offering_id=self.world.offerings[provider, service.code].id,
            priority=priority,
            basis_kind="consent" if consented else "article_14_2",
            consent_id=consent.id if consent else None,
            send=send,
            requested_on=on if send and back else None,
            outside_area_reason="nobody nearer",
        )
        sendable = self._sendable(case, service)
        done = self.attempt(
            "request", self.worker(case), lambda ctx: referring.refer(ctx, command),
            may=case.is_open and service.status != "dropped" and not service.asks(provider)
            and (not send or (sendable and self.may_be_dated(on, earliest)))
            and (valid or not consented)
            and self.resident(case.resident).died_on is None, how=how,
        )  # fmt: skip
        if done:
            status = "requested" if send else "draft"
            asked = ModelReferral(done, provider, command.consent_id, priority, status)
            service.add(asked, self.done["acts"])
            if send:
                case.dated["response"] = on, "request"
                asked.acted("send", on, self.world.clock.now)

    def _request_day(self, case: ModelCase, service: ModelService, back: int) -> tuple[date, date]:
        """The day of a request, and the day that it follows."""
        waits = service.status == "in_force" and not case.urgent
        earliest = (case.first_approved_on if waits else None) or case.applied_on
        return (self.a_day(back, earliest) if back else self.today), earliest

    def _may_send(self, case: ModelCase, service: ModelService, one: ModelReferral) -> bool:
        """Whether a draft may be sent, or asked again of another, as it rests on its basis."""
        lives = self.resident(case.resident).died_on is None
        return lives and self._sendable(case, service) and self._is_based(case, one)

    def _is_based(self, case: ModelCase, one: ModelReferral) -> bool:
        consent = self.consent_by(one.consent)
        if one.consent is None or consent is None:
            return one.consent is None
        return consent.resident == case.resident and consent.is_valid(self.today)

    def _sendable(self, case: ModelCase, service: ModelService) -> bool:
        """Whether anybody may be asked now."""
        return (service.status == "in_force" or case.urgent) and service.ends_on >= self.today

    @rule(n=ANY, days=ANY, back=BACK, how=HOW)
    def service_given(self, n: int, days: int, back: int, how: str) -> None:
        """The provider says yes and gives the service, with pauses."""
        actions = ("accept", "start", "hold", "resume", "report", "complete")
        self._possible(n, actions, days, back, how)

    @rule(n=ANY, days=ANY, back=BACK)
    def service_given_to_its_end(self, n: int, days: int, back: int) -> None:
        """The provider says yes, starts, and ends it: as planned, early, or by handing it on."""
        for action in ("accept", "start", "complete"):
            self._moved(n, action, days, "once", back)

    @rule(n=ANY, days=ANY, back=BACK, how=HOW)
    def possible_move(self, n: int, days: int, back: int, how: str) -> None:
        """Anything that the table of moves allows."""
        self._possible(n, tuple(FROM), days, back, how)

    def _possible(self, n: int, actions: tuple[str, ...], days: int, back: int, how: str) -> None:
        found = [
            (place, action)
            for place, one in enumerate(one for case in self.cases for one in case.referrals)
            for action in actions
            if one.may(action, self.today) and (action != "enter-in-error" or n % 5 == 0)
        ]
        if found:
            place, action = found[(7 * n + days) % len(found)]
            self._moved(place, action, days, how, back)

    @rule(n=ANY, days=ANY, action=st.sampled_from(list(FROM)), how=HOW)
    def any_move(self, n: int, action: str, days: int, how: str) -> None:
        """Any move of the table, possible or not."""
        self._moved(n, action, days, how)

    @rule(n=ANY, how=HOW)
    def the_same_again(self, n: int, how: str) -> None:
        """A provider repeats the request with another idempotency key."""
        if found := self.a_referral(n):
            again = {"accepted": "accept", "declined": "decline", "completed": "complete"}
            if action := again.get(found[2].status):
                self._moved(n, action, 0, how)

    def _moved(self, n: int, action: str, days: int, how: str, back: int = 0) -> None:
        found = self.a_referral(n)
        if found is None:
            return
        case, service, one = found
        on, earliest = self.today, one.follows(action)
        if action == "send":
            on, earliest = self._request_day(case, service, back)
        elif back and action in DAY_OF:
            on = self.a_day(back, earliest)
        in_time = action not in DAY_OF or not back or self.may_be_dated(on, earliest)
        until = self.today + timedelta(days=days % 12)
        outcome = ("ended_as_planned", "ended_early", "transferred")[days % 3]
        details = Details(
            reason={"enter-in-error": "a mistake", "hold": "away", "decline": "at_capacity",
                    "fail": "provider_unable", "cancel": "no_longer_needed",
                    "withdraw": "resident_asked"}.get(action),
            until=until if action == "hold" else None,
            outcome=outcome if action == "complete" else None,
        )  # fmt: skip
        if back and action in DAY_OF:
            day: dict[str, Any] = {DAY_OF[action]: on}
            details = replace(details, **day)
        who, may = self._mover(case, one, action)
        sendable = action != "send" or self._may_send(case, service, one)
        open_ = case.is_open or action == "enter-in-error"
        died_on = self.resident(case.resident).died_on
        lives = died_on is None or on < died_on or action not in ("accept", "waitlist", "start")
        done = self.attempt(
            action, who, lambda ctx: referring.move_referral(ctx, one.id, action, details),
            may=may and open_ and sendable and in_time and lives and one.may(action, self.today),
            how=how,
        )  # fmt: skip
        if done:
            now = self.world.clock.now
            over = one.status == "on_hold" and one.stands(self.today) != "on_hold"
            rests = case.counts.get((one.id, "start"))
            if rests and action == "hold":
                rests.pause(now, until, of_case=False)
            elif rests and action == "resume" and not over:
                rests.resume(now, of_case=False)
            one.move(action, self.today, until)
            one.acted(action, on, now)
            service.moved(one, action, outcome, self.done["acts"])
            case.dated |= {kind: (on, by) for kind, by in BEGUN_BY.get(action, {}).items()}
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
        asked = any(other.is_open for other in service.referrals)
        offering = self.world.offerings[provider, service.code].id if again else None
        done = self.attempt(
            "disposition", self.worker(case),
            lambda ctx: referring.dispose_referral(ctx, one.id, word, offering, None),
            may=case.is_open and one.owes and askable and (again or not asked), how=how,
        )  # fmt: skip
        if done:
            one.disposed = True
            service.words.append((self.done["acts"], word, one))
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
        dropped = service.status == "dropped"
        return not asked and not dropped and self._may_send(case, service, one)

    def _successor(self, service: ModelService, one: ModelReferral, provider: str) -> None:
        known = {other.id for other in service.referrals}
        (row,) = [
            row for row in self.state.referrals.values()
            if row.planned_service_id == service.id and row.id not in known
        ]  # fmt: skip
        asked = ModelReferral(row.id, provider, one.consent, one.priority, "requested")
        asked.acted("send", self.today, self.world.clock.now)
        service.add(asked, self.done["acts"])

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
                service.words.append((self.done["acts"], word, None))

    @rule(n=ANY, how=HOW)
    def consent_withdrawn(self, n: int, how: str) -> None:
        """The resident takes back the consent on which some requests rest."""
        case = self.case_at(n)
        consent = case and self.consent(case)
        if not case or not consent or n % 4:
            return
        done = self.attempt(
            "withdrawal of a consent", self.worker(case),
            lambda ctx: residents.withdraw_consent(ctx, consent.id, None), how=how,
        )  # fmt: skip
        if done:
            consent.is_withdrawn = True
            for other in self.cases:
                self._withdrawn(other, consent.id)

    def _withdrawn(self, case: ModelCase, consent: UUID) -> None:
        """What rests on the consent ends with it."""
        for service in case.services:
            for one in service.referrals:
                if one.consent == consent and one.is_open:
                    one.move("withdraw", self.today)
                    service.moved(one, "withdraw", "", self.done["acts"])
