"""The README's walk with a generated client: from an application to a service, and who answers.

A program of its own, which `test_client.py` checks by its types and runs: the address of a running
application, the password of its accounts, and its day.
"""

from __future__ import annotations

import sys
from datetime import date, datetime, time, timedelta, timezone
from typing import TypeVar

from casework_client import AuthenticatedClient, Client
from casework_client.api.answering_without_an_account import keep_answering, send_link
from casework_client.api.cases import get_case, open_case, record_assessment, record_pre_survey
from casework_client.api.directory import list_providers, match_offerings
from casework_client.api.jobs import list_runs, run_overdue
from casework_client.api.plans import decide_plan, get_plan, put_draft, submit_plan
from casework_client.api.referrals import accept_referral, get_referral, refer
from casework_client.api.residents import register_resident
from casework_client.api.signing_in import sign_in, who_am_i
from casework_client.api.supervision import explain_deadline, list_escalations, list_overdue
from casework_client.api.worklist import worklist
from casework_client.models import (
    AcceptReferral,
    Activities,
    AnsweringByLink,
    ArticleBasis,
    AssessedCase,
    BodySignIn,
    Case,
    CreateReferral,
    DecidePlan,
    EmptyBody,
    EscalationStepPage,
    Explanation,
    FindMatches,
    HearingInput,
    Link,
    Matches,
    NeedInput,
    OpenCase,
    OverdueItemPage,
    OwnAccount,
    Plan,
    PlannedServiceInput,
    PlanVersion,
    Problem,
    ProviderRowPage,
    PutPlanDraft,
    RecordAssessment,
    RecordPreSurvey,
    Referral,
    RegisteredResident,
    RegisterResident,
    RunRecordPage,
    RunResult,
    RunSweep,
    SetAnsweringByLink,
    SubmittedVersion,
    SurveyedCase,
    Tokens,
    WorkItemPage,
)

T = TypeVar("T")
CENTRE = "2635051000"
SEOUL = timezone(timedelta(hours=9))


def got(kind: type[T], answer: object) -> T:
    """The response, checked to be of this type."""
    assert isinstance(answer, kind), answer
    return answer


class Walk:
    """Who takes part, and on which day."""

    def __init__(self, address: str, password: str, today: date) -> None:
        self._address, self._password, self.today = address, password, today
        self.worker = self.signed_in(f"worker.{CENTRE}")
        self.supervisor = self.signed_in(f"supervisor.{CENTRE[:5]}")
        self.assessor = self.signed_in(f"assessor.{CENTRE[:5]}")

    def signed_in(self, username: str) -> AuthenticatedClient:
        """A client with somebody's token."""
        form = BodySignIn(username=username, password=self._password)
        tokens = got(Tokens, sign_in.sync(client=Client(base_url=self._address), body=form))
        client = AuthenticatedClient(base_url=self._address, token=tokens.access_token)
        assert got(OwnAccount, who_am_i.sync(client=client)).username == username
        return client

    def apply(self) -> Case:
        """Register a resident, and open a case."""
        resident = got(
            RegisteredResident,
            register_resident.sync(
                client=self.worker,
                body=RegisterResident(
                    name="김가상", birth_date=date(1941, 5, 6), sex="female", centre_code=CENTRE,
                    lives_alone=True, confirm_new=True,
                ),
            ),
        )  # fmt: skip
        applied = OpenCase(resident_id=resident.id, channel="self", applied_on=self.today)
        case = got(Case, open_case.sync(client=self.worker, body=applied))
        assert (case.status, case.deadlines[0].kind) == ("applied", "survey")
        return case

    def assess(self, case: Case) -> None:
        """Seven questions, and the assessor's determination."""
        answers = Activities(
            rise_from_chair=0, climb_six_steps=1, wash=1, dress_upper=0, dress_lower=1,
            reach_toilet=0, use_toilet=0,
        )  # fmt: skip
        survey = RecordPreSurvey(dementia_medicine=False, activities=answers)
        surveyed = got(
            SurveyedCase, record_pre_survey.sync(case.id, client=self.worker, body=survey)
        )
        assert (surveyed.route, surveyed.case.status) == ("local_survey", "surveying")
        finding = RecordAssessment(
            assessed_on=self.today, assessor="district survey team",
            determination="community_care", needs=[NeedInput(field="care", level="some")],
        )  # fmt: skip
        assessed = got(
            AssessedCase, record_assessment.sync(case.id, client=self.assessor, body=finding)
        )
        assert (assessed.determination, assessed.case.status) == ("community_care", "planning")

    def plan(self, case: Case) -> PlanVersion:
        """A plan, decided by somebody else."""
        meals = PlannedServiceInput(
            service_code="CARE-MEALS", content="lunch at home", quantity=5, unit="meal",
            per="week", starts_on=self.today, ends_on=date(self.today.year + 1, 12, 31),
        )  # fmt: skip
        draft = PutPlanDraft(
            goals=["a warm meal every weekday"], services=[meals],
            heard=HearingInput(on=self.today, from_="the resident"),
        )  # fmt: skip
        drafted = got(Plan, put_draft.sync(case.id, client=self.worker, body=draft))
        assert got(PlanVersion, drafted.draft).status == "draft"
        submitted = got(
            SubmittedVersion, submit_plan.sync(case.id, client=self.worker, body=EmptyBody())
        )
        decision = DecidePlan(
            version=submitted.version, hash_=submitted.hash_, decision="approve",
            without_meeting_reason="one service, nothing in dispute",
        )  # fmt: skip
        got(Plan, decide_plan.sync(case.id, client=self.supervisor, body=decision))
        decided = got(Plan, get_plan.sync(case.id, client=self.worker))
        in_force = got(PlanVersion, decided.in_force)
        assert (in_force.status, in_force.services[0].settled) == ("approved", False)
        return in_force

    def refer(self, case: Case, version: PlanVersion) -> Referral:
        """Ask the first who could take this on."""
        wanted = FindMatches(service_code="CARE-MEALS", resident_id=case.resident_id)
        matches = got(Matches, match_offerings.sync(client=self.worker, body=wanted))
        assert matches.items[0].why
        referral = got(
            Referral,
            refer.sync(
                client=self.worker,
                body=CreateReferral(
                    planned_service_id=version.services[0].id,
                    offering_id=matches.items[0].offering_id,
                    priority="routine",
                    basis=ArticleBasis(kind="article_14_2"),
                ),
            ),
        )
        assert referral.status == "requested"
        assert (referral.deadlines[0].kind, referral.deadlines[0].held_by) == (
            "response",
            "provider",
        )
        return referral

    def answer(self, case: Case, referral: Referral) -> None:
        """The agency accepts; a stranger sees nothing."""
        known = got(ProviderRowPage, list_providers.sync(client=self.worker, limit=200))
        (slug,) = (one.slug for one in known.items if one.id == referral.provider.id)
        agency = self.signed_in(f"provider.{slug}")
        accepted = AcceptReferral(expected_start_on=self.today)
        shown = got(Referral, accept_referral.sync(referral.id, client=agency, body=accepted))
        assert shown.status == "accepted"
        shown = got(Referral, get_referral.sync(referral.id, client=self.worker))
        assert [one.status for one in shown.deadlines] == ["met", "running"]
        owed = got(WorkItemPage, worklist.sync(client=self.worker, kind="notify_plan", limit=1))
        assert owed.items[0].case_id == case.id
        stranger = self.signed_in("worker.2611051000")
        assert got(Problem, get_case.sync(case.id, client=stranger)).status == 404

    def answer_by_link(self, referral: Referral) -> None:
        """Say where its requests go, and send a link."""
        answering = SetAnsweringByLink(email="office@agency.example")
        by_link = got(
            AnsweringByLink,
            keep_answering.sync(referral.provider.id, client=self.supervisor, body=answering),
        )
        assert by_link.is_on
        sent = send_link.sync(referral.id, client=self.supervisor, body=EmptyBody())
        assert got(Link, sent).is_good

    def supervise(self, referral: Referral) -> None:
        """Why a clock shows its date, who was told, and what a sweep would find."""
        overdue = list_overdue.sync(client=self.supervisor, kind="response", answered=False)
        assert got(OverdueItemPage, overdue).next_cursor is None
        clock = referral.deadlines[0].id
        why = got(Explanation, explain_deadline.sync(clock, client=self.supervisor))
        assert "working days from" in why.sentence
        told = got(EscalationStepPage, list_escalations.sync(clock, client=self.supervisor))
        assert told.items == []
        later = datetime.combine(self.today + timedelta(days=14), time(10), SEOUL)
        sweep = RunSweep(as_of=later, dry_run=True)
        result = got(RunResult, run_overdue.sync(client=self.supervisor, body=sweep))
        assert result.dry_run
        assert result.found
        runs = got(RunRecordPage, list_runs.sync("overdue", client=self.supervisor))
        assert runs.items[0].run_id == result.run_id


def main(address: str, password: str, today: str) -> None:
    """From the application to the sweep."""
    walk = Walk(address, password, date.fromisoformat(today))
    case = walk.apply()
    walk.assess(case)
    referral = walk.refer(case, walk.plan(case))
    walk.answer(case, referral)
    walk.answer_by_link(referral)
    walk.supervise(referral)


if __name__ == "__main__":
    main(*sys.argv[1:])
