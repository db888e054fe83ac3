"""Late entries and corrections: every due date after each of them, counted a second time.

    python3 dev.py proof histories --histories 100000 --seed 1

Each history is one case from its application to the end of a service, whose acts are dated up to
thirty days before they are recorded, and whose days, urgency and priority are put right in
between. A second account of it knows only the days that were said and the table of targets; it
counts each due date day by day and each day of meeting by the rule, and is compared with every
clock after every act. As a control an account that counts from the recording is compared too, and
must be found wrong. Exits 1 where one differs, or where the control was not caught.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any, Final

from casework.domain.access.policy import Actor
from casework.domain.casefile.referral import Referral
from casework.domain.cases import correcting, intake
from casework.domain.clocks.standards import Priority
from casework.domain.directory.directory import Offering
from casework.domain.planning import planning
from casework.domain.referring import correcting as referral_correcting
from casework.domain.residents.resident import Resident
from tests.factories import ActorFactory, OfferingFactory, ResidentFactory, moves
from tests.proofs._accounts import DAY, PRIORITIES, Account, Telling, since

AGENCY: Final[Actor] = ActorFactory(provider=True)
MEALS: Final[Offering] = OfferingFactory(service_code="CARE-MEALS")
RESIDENT: Final[Resident] = ResidentFactory(birth_date=date(1941, 5, 6))


class History(Telling):
    """From the application to the end of a service, with corrections on the way."""

    def tell(self) -> None:
        """From the application to the end of a service, with corrections on the way."""
        self.apply()
        for act in (self.survey, self.determine, self.plan, self.notify, self.refer, self.answer):
            self.wait()
            act()
            self.put_right()
        for referral in list(self.file.referrals.values()):
            self.serve(referral)
        for _ in range(2):
            self.wait()
            self.check()
            self.put_right()

    def apply(self) -> None:
        on = self.day(self.town.today - 25 * DAY)
        urgent = self.rng.random() < 0.3
        application = intake.CareApplication(
            channel="self", applied_on=on, urgent=urgent,
            urgent_reason="alone and ill" if urgent else None,
        )  # fmt: skip
        self.file = intake.open_case(RESIDENT, application, self.town.act(), self.town.worker.id)
        self.begins("survey", self.file.case, on)
        self.compare("application")

    def survey(self) -> None:
        moves.survey(self.town, self.file)
        self.ends("survey", self.file.case)
        self.begins("assessment", self.file.case)
        self.compare("pre-survey")

    def determine(self) -> None:
        assessed = self.day(self.file.case.applied_on)
        received = self.day(assessed)
        moves.assess(self.town, self.file, on=assessed, received_on=received)
        self.ends("assessment", self.file.case, received)
        self.begins("plan", self.file.case, received)
        self.compare("determination")
        if self.rng.random() < 0.4:
            self.wait()
            self.determine_again()

    def determine_again(self) -> None:
        assessment = self.file.added[-1] if not self.file.assessments else None
        found = next(
            one for one in (assessment, *reversed(self.file.added)) if hasattr(one, "assessed_on")
        )
        received = found.assessed_on + self.rng.randrange(
            (self.town.today - found.assessed_on).days + 1
        ) * DAY  # fmt: skip
        finding = intake.Finding(
            assessed_on=found.assessed_on, received_on=received, assessor="another",
            determination="long_term_care", needs=[],
        )  # fmt: skip
        correcting.correct_assessment(
            self.file, found, finding, "wrong", self.town.act(self.town.assessor)
        )
        for one in self.told:
            if one.kind == "plan":
                one.since = since(received, found.recorded_at)
            elif one.kind == "assessment":
                one.met_on = received
        self.compare("other determination")

    def plan(self) -> None:
        case = self.file.case
        end = self.town.today.replace(day=1, year=self.town.today.year + 1)
        item = moves.item("CARE-MEALS", starts_on=self.town.today, ends_on=end)
        draft = planning.Draft(
            goals=["home"], items=[(None, item)], heard_on=self.town.today, heard_from="her"
        )
        planning.put_draft(self.file, draft, self.town.catalogue, self.town.act())
        service = moves.only_service(self.file)
        if case.urgent:
            self.begins("link", service)
        self.compare("draft")
        moves.submit(self.town, self.file)
        self.ends("plan", case)
        self.begins("decision", case)
        self.compare("submission")
        self.wait()
        held = self.day(case.determined_on or case.applied_on)
        moves.decide(self.town, self.file, held_on=held)
        self.ends("decision", case, held)
        self.begins("first_check", case, held)
        self.begins("notify_plan", case, held)
        if not case.urgent:
            self.begins("link", service, held)
        self.compare("decision")

    def notify(self) -> None:
        on = self.day(self.file.case.first_approved_on or self.town.today)
        planning.notify(self.file, on, "her daughter", self.town.act())
        self.ends("notify_plan", self.file.case, on)
        self.compare("telling")

    def refer(self) -> None:
        case = self.file.case
        on = self.day(case.applied_on if case.urgent else case.first_approved_on or self.town.today)
        priority = self.rng.choice(PRIORITIES)
        service = moves.only_service(self.file)
        referral = moves.refer(
            self.town,
            self.file,
            service,
            offering=MEALS,
            priority=Priority(priority),
            requested_on=on,
        )
        self.ends("link", service, on)
        self.begins("response", referral, on)
        self.compare("request")
        if self.rng.random() < 0.3:
            self.change_priority(referral)

    def change_priority(self, referral: Referral) -> None:
        to = self.rng.choice(PRIORITIES)
        referral_correcting.change_priority(self.file, referral, to, "wrong", self.town.act())
        for one in self.told:
            if one.subject == referral.id and not one.over:
                one.priority = to
        self.compare("priority")

    def answer(self) -> None:
        (referral,) = self.file.referrals.values()
        on = self.day(referral.requested_on or self.town.today)
        if self.rng.random() < 0.2:
            moves.move(self.town, self.file, referral, "waitlist", by=AGENCY, answered_on=on)
            self.ends("response", referral, on)
            self.begins("waitlist", referral, on)
            self.compare("waiting list")
            self.town.wait(hours=1)
            self.wait()
            on = self.day(on)
        kind = "waitlist" if referral.status == "waitlisted" else "response"
        if self.rng.random() < 0.2:
            moves.move(self.town, self.file, referral, "decline", by=AGENCY, answered_on=on)
            self.ends(kind, referral, on)
            self.begins("disposition", referral, on)
            self.compare("decline")
            return
        moves.move(self.town, self.file, referral, "accept", by=AGENCY, answered_on=on)
        self.ends(kind, referral, on)
        self.begins("start", referral, on)
        self.compare("acceptance")

    def serve(self, referral: Referral) -> None:
        if referral.status != "accepted":
            return
        self.wait()
        on = self.day(referral.answered_on or self.town.today)
        moves.move(self.town, self.file, referral, "start", by=AGENCY, started_on=on)
        self.ends("start", referral, on)
        self.ends("discharge", self.file.case, on)
        self.compare("start")
        self.correct_days(referral)
        self.wait()
        ended = self.day(referral.started_on or on)
        moves.move(self.town, self.file, referral, "complete", by=AGENCY, ended_on=ended)
        self.compare("end")

    def correct_days(self, referral: Referral) -> None:
        """Answer and start on other days, in their order."""
        asked, today = referral.requested_on, self.town.today
        assert asked is not None
        waited = [one.since.date() for one in self.told if one.kind == "waitlist"]
        asked = max([asked, *waited])
        answered = asked + self.rng.randrange((today - asked).days + 1) * DAY
        started = answered + self.rng.randrange((today - answered).days + 1) * DAY
        before = referral.answered_on
        referral_correcting.correct_days(
            self.file, referral, {"answered_on": answered, "started_on": started}, "wrong",
            self.town.act(),
        )  # fmt: skip
        assert referral.accepted_at is not None
        for one in self.told:
            if one.kind == "discharge" and one.over:
                one.met_on = started
            elif one.subject != referral.id:
                continue
            elif one.kind == "start":
                one.met_on = started
                if before != answered:
                    one.since = since(answered, referral.accepted_at)
            elif one.recorded_at == referral.accepted_at:
                one.met_on = answered
        self.compare("other days")

    def check(self) -> None:
        case = self.file.case
        earliest = case.last_checked_on
        if earliest is None:
            earliest = (case.first_approved_on or self.town.today) + DAY
        if earliest > self.town.today:
            self.town.wait(days=1)
        on = self.day(earliest)
        moves.check(self.town, self.file, checked_on=on, confirmed=True)
        self.ends("first_check", case, on)
        self.ends("check", case, on)
        self.begins("check", case, on)
        self.compare("check")

    def put_right(self) -> None:
        """Now and then something of the application was wrong."""
        change = self.rng.choice((None, None, self.other_day, self.other_urgency, self.discharge))
        if change is not None:
            change()

    def correct(self, what: str, **changes: Any) -> None:
        correcting.correct_application(
            self.file, RESIDENT, changes, "typed wrongly", self.town.act()
        )
        self.compare(what)

    def other_day(self) -> None:
        case = self.file.case
        days = [case.opened_at.date(), case.determined_on, case.discharge_on]
        days += [one.requested_on for one in self.file.referrals.values()]
        days += [one.assessed_on for one in self.file.added if hasattr(one, "assessed_on")]
        days += [case.first_approved_on]
        on = min(one for one in days if one) - self.rng.randrange(20) * DAY
        for one in self.told:
            if one.kind in ("survey", "discharge"):
                one.since = since(on, case.opened_at)
        self.correct("other day of application", applied_on=on)

    def other_urgency(self) -> None:
        case = self.file.case
        if any(one.status == "drafted" for one in self.file.services.values()):
            return
        to = "routine" if case.urgent else "urgent"
        referrals = set(self.file.referrals)
        for one in self.told:
            if not one.over and one.subject not in referrals:
                one.priority = to
        self.correct("urgency", urgent=not case.urgent,
                     urgent_reason=None if case.urgent else "ill")  # fmt: skip

    def discharge(self) -> None:
        case = self.file.case
        on = case.applied_on + self.rng.randrange(60) * DAY
        clock = next((one for one in self.told if one.kind == "discharge" and not one.over), None)
        started = any(one.started_on for one in self.file.referrals.values())
        if started:
            return
        if clock is None:
            self.told.append(
                Account("discharge", case.id, since(case.applied_on, case.opened_at), "", on)
            )
        else:
            clock.on = on
        self.correct("day of discharge", discharge_on=on)


@dataclass
class Agreement:
    """How much was compared, and what differed."""

    histories: int = 0
    acts: int = 0
    due_dates: int = 0
    differing: int = 0
    first: str | None = None


def tell(number: int, seed: int, *, control: bool = False) -> Agreement:
    """So many histories, each from its own seed."""
    found = Agreement()
    for n in range(number):
        history = History(Random(seed * 1_000_003 + n), control=control)
        history.tell()
        found.histories += 1
        found.acts += history.acts
        found.due_dates += history.compared
        found.differing += len(history.faults)
        if history.faults and found.first is None:
            found.first = f"history {n}: {history.faults[0]}"
    return found


def main() -> None:
    """Tell them, and the control."""
    parser = argparse.ArgumentParser(
        prog="proof histories", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()
    found = tell(options.histories, options.seed)
    caught = tell(min(options.histories, 200), options.seed, control=True).differing
    sys.stdout.write(
        json.dumps(
            {
                "proof": "histories",
                **vars(found),
                "control_caught": caught,
                "seconds": round(time.monotonic() - begun, 1),
            },
            indent=2,
        )
        + "\n"
    )
    sys.exit(0 if not found.differing and caught else 1)


if __name__ == "__main__":
    main()
