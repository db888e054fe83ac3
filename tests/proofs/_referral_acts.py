"""Asking, answering, giving a service, ending it, and saying what happens instead."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from casework.domain.referring.referring import Details
from casework.workflows.planning import planning as plans
from casework.workflows.referring import referring
from casework.workflows.residents import residents
from tests.proofs._model import FROM, ModelCase, ModelReferral, ModelService
from tests.proofs._stage import (
    ANY,
    HOW,
    PROVIDERS,
    Stage,
)


class ReferralActs(Stage):
    """What sender and provider do."""

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
        sendable = self._sendable(case, service)
        done = self.attempt(
            "request", self.worker(case), lambda ctx: referring.refer(ctx, command),
            may=case.is_open and service.status != "dropped" and not service.asks(provider)
            and (sendable or not send) and not (consented and consent is None), how=how,
        )  # fmt: skip
        if done:
            status = "requested" if send else "draft"
            service.add(ModelReferral(done, provider, consented, status), self.done["acts"])

    def _sendable(self, case: ModelCase, service: ModelService) -> bool:
        """Whether anybody may be asked now."""
        return (service.status == "in_force" or case.urgent) and service.ends_on >= self.today

    @rule(n=ANY, days=ANY, how=HOW)
    def service_given(self, n: int, days: int, how: str) -> None:
        """The provider says yes and gives the service, with pauses."""
        self._possible(n, ("accept", "start", "hold", "resume", "report", "complete"), days, how)

    @rule(n=ANY, days=ANY)
    def service_given_to_its_end(self, n: int, days: int) -> None:
        """The provider says yes, starts, and ends it: as planned, early, or by handing it on."""
        for action in ("accept", "start", "complete"):
            self._moved(n, action, days, "once")

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
        """A provider repeats the request with another idempotency key."""
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
        outcome = ("ended_as_planned", "ended_early", "transferred")[days % 3]
        details = Details(
            reason={"enter-in-error": "a mistake", "hold": "away", "decline": "at_capacity",
                    "fail": "provider_unable", "cancel": "no_longer_needed",
                    "withdraw": "resident_asked"}.get(action),
            until=until if action == "hold" else None,
            outcome=outcome if action == "complete" else None,
        )  # fmt: skip
        who, may = self._mover(case, one, action)
        sendable = action != "send" or self._sendable(case, service)
        open_ = case.is_open or action == "enter-in-error"
        done = self.attempt(
            action, who, lambda ctx: referring.move_referral(ctx, one.id, action, details),
            may=may and open_ and sendable and one.may(action, self.today), how=how,
        )  # fmt: skip
        if done:
            one.move(action, self.today, until)
            service.moved(one, action, outcome, self.today, self.done["acts"])
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
        based = not one.consented or self.consents[case.resident] is not None
        dropped = service.status == "dropped"
        return not asked and based and not dropped and self._sendable(case, service)

    def _successor(self, service: ModelService, one: ModelReferral, provider: str) -> None:
        known = {other.id for other in service.referrals}
        (row,) = [
            row for row in self.state.referrals.values()
            if row.planned_service_id == service.id and row.id not in known
        ]  # fmt: skip
        asked = ModelReferral(row.id, provider, one.consented, "requested")
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
        consent = case and self.consents[case.resident]
        if not case or not consent or n % 4:
            return
        done = self.attempt(
            "withdrawal of a consent", self.worker(case),
            lambda ctx: residents.withdraw_consent(ctx, consent, None), how=how,
        )  # fmt: skip
        if done:
            self.consents[case.resident] = None
            for other in self.cases:
                if other.resident == case.resident:
                    self._withdrawn(other)

    def _withdrawn(self, case: ModelCase) -> None:
        """What rests on the consent ends with it."""
        for service in case.services:
            for one in service.referrals:
                if one.consented and one.is_open:
                    one.move("withdraw", self.today)
                    service.moved(one, "withdraw", "", self.today, self.done["acts"])
