"""Every background job does its work with the database rights of the scheduler, and no others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import ProgrammingError

from casework import background_jobs
from casework.adapters.persistence import tables as t
from casework.adapters.persistence.engine.engine import open_engine
from casework.background_jobs import JOBS
from casework.bootstrap import Application
from tests.api.acts import a_referral, a_resident, a_supported_case
from tests.api.conftest import OTHER_PROVIDER, SUPERVISOR, WORKER, Api
from tests.api.directory.test_matching import as_scheduler
from tests.api.exchange.test_imports import RESIDENTS, sent

pytestmark = pytest.mark.both_stores
STEPS = [(job.name, number) for job in JOBS for number in range(len(job.steps))]


def a_city_with_work(api: Api) -> None:
    """Overdue requests, an agency that answers by link, a duplicate and rows of a file."""
    answering = api.as_(SUPERVISOR).put(
        f"/providers/{api.providers['alpha'].id}/answering", {"email": "office@agency.example"}
    )
    assert answering.status_code == 200, answering.text
    a_referral(api, a_supported_case(api))
    a_referral(api, a_supported_case(api), provider=OTHER_PROVIDER.removeprefix("provider."))
    a_resident(api), a_resident(api)
    assert sent(api, WORKER, "residents", RESIDENTS + "가상주민을,1942.5.6.,여,우1동,\n").is_success
    api.clock.forward(days=40)


def run(application: Application, job: str, number: int) -> None:
    """One step as it is, so that its failure is seen and not logged."""
    (found,) = [one for one in JOBS if one.name == job]
    found.steps[number].run(application)


@pytest.mark.parametrize(("job", "number"), STEPS)
def test_every_job_runs_by_the_role_of_the_scheduler(api: Api, job: str, number: int) -> None:
    a_city_with_work(api)
    with as_scheduler(api) as application:
        run(application, "overdue", 0)
        run(application, job, number)
        api.clock.now += timedelta(days=1)
        run(application, job, number)


def test_all_of_them_together_leave_their_work_done(api: Api) -> None:
    a_city_with_work(api)
    with as_scheduler(api) as application:
        for job in JOBS:
            background_jobs.run(application, job)
    with api.engine.connect() as connection:
        for table in (t.job_run, t.notice, t.message):
            assert connection.scalar(select(func.count()).select_from(table)), table.name


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_the_control_a_job_without_a_right_that_it_needs_fails(api: Api, store: object) -> None:
    a_city_with_work(api)
    url = make_url(api.application.settings.url()).set(username="casework_owner")
    owner = open_engine(url.render_as_string(hide_password=False))
    with owner.begin() as connection:
        connection.execute(text("REVOKE INSERT ON notice FROM casework_scheduler"))
    owner.dispose()
    with as_scheduler(api) as application, pytest.raises(ProgrammingError, match="notice"):
        run(application, "overdue", 0)
