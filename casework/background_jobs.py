"""The background jobs: what runs how often. One table for `demo` and `scheduler`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from structlog import get_logger

from casework import operations, retention
from casework.adapters.scheduler import Scheduled, every
from casework.adapters.telemetry import span
from casework.bootstrap import Application
from casework.domain.clocks.schedule import slot_of
from casework.kept_figures import keep_figures
from casework.settings import Settings
from casework.workflows.audit import exporting

# How many hundred residents one round of the relay checks for duplicates at most.
DUPLICATE_BATCHES: Final = 10
log = get_logger("casework")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStep:
    """One step of a job. Its failure is logged under ``failure``, and the next step runs."""

    run: Callable[[Application], None]
    failure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job with its interval; two concurrent runs of it do no harm."""

    name: str
    rhythm: Callable[[Settings], Mapping[str, str]]
    steps: tuple[JobStep, ...]
    at_start: bool = False


def _sweep(application: Application) -> None:
    application.sweep(
        application.context(), slot=slot_of(application.now(), application.settings.sweep_minutes)
    )


def _offer_places(application: Application) -> None:
    application.update_places(application.context())


def _relay(application: Application) -> None:
    if application.relay(application.context()).is_paused:
        log.warning("the relay is paused", task="casework sending resume")


def _find_duplicates(application: Application) -> None:
    for _ in islice(application.find_duplicates(), DUPLICATE_BATCHES):
        pass


def _seal(application: Application) -> None:
    for flaw in application.seal().flaws:
        log.error("audit not sealed", chain=flaw.chain, because=flaw.why, what=flaw.what)


def _export_heads(application: Application) -> None:
    done = exporting.export(application.exporting, application.now())
    for flaw in done.flaws:
        log.error("audit not as exported", chain=flaw.chain, because=flaw.why, what=flaw.what)
    for flaw in done.too_long:
        log.error("exported heads not compared", address=flaw.what, because=flaw.why)
    for address in done.silent:
        log.error("heads not exported", address=address)


def _import(application: Application) -> None:
    operations.process_imports(application)


def _measure(application: Application) -> None:
    application.measure_answers()


def _retain(application: Application) -> None:
    """Where the installation says so: deleting begins when an operator has seen a dry run."""
    if not application.settings.retention:
        return
    for one in retention.run(application, dry_run=False):
        if one.error:
            log.error("records not deleted", kind=one.kind, error=one.error)
        elif one.deleted:
            log.info("records deleted", kind=one.kind, count=one.deleted)


def _keep_figures(application: Application) -> None:
    keep_figures(application)


RELAY: Final = Job(
    name="relay",
    rhythm=lambda _settings: {"second": "20"},
    steps=(
        JobStep(run=_offer_places, failure="places not offered"),
        JobStep(run=_relay, failure="relay failed"),
        JobStep(run=_find_duplicates, failure="duplicate search failed"),
    ),
)
JOBS: Final = (
    Job(
        name="overdue",
        rhythm=lambda settings: every(settings.sweep_minutes),
        steps=(JobStep(run=_sweep, failure="sweep failed"),),
        at_start=True,
    ),
    RELAY,
    Job(
        name="seal",
        rhythm=lambda _settings: {"second": "*/5"},
        steps=(JobStep(run=_seal, failure="sealing failed"),),
    ),
    Job(
        name="heads",
        rhythm=lambda settings: every(settings.audit_heads_minutes),
        steps=(JobStep(run=_export_heads, failure="heads not exported"),),
        at_start=True,
    ),
    Job(
        name="imports",
        rhythm=lambda _settings: {"second": "*/5"},
        steps=(JobStep(run=_import, failure="imports failed"),),
    ),
    Job(
        name="retention",
        rhythm=lambda _settings: {"hour": "4", "minute": "40"},
        steps=(JobStep(run=_retain, failure="retention failed"),),
    ),
    Job(
        name="figures",
        rhythm=lambda _settings: {"second": "*/10"},
        steps=(JobStep(run=_keep_figures, failure="figures not counted"),),
        at_start=True,
    ),
    Job(
        name="measure",
        rhythm=lambda _settings: {"minute": "17"},
        steps=(JobStep(run=_measure, failure="response rates not measured"),),
        at_start=True,
    ),
)


def scheduled(application: Application, jobs: tuple[Job, ...] = JOBS) -> list[Scheduled]:
    """The jobs in the form that a scheduler takes."""
    return [
        Scheduled(
            name=job.name,
            rhythm=job.rhythm(application.settings),
            run=partial(run, application, job),
            at_start=job.at_start,
        )
        for job in jobs
    ]


def run(application: Application, job: Job) -> None:
    """One run of a job.

    A failure is logged and stops neither the next step nor the next run: each finds in the
    database what is still to be done.
    """
    with span(f"job {job.name}", {"casework.job": job.name}) as whole:
        for step in job.steps:
            try:
                with span(f"step {step.run.__name__.strip('_')}"):
                    step.run(application)
            except Exception as error:
                whole.fail(type(error).__name__)
                log.error(step.failure, error=type(error).__name__)
