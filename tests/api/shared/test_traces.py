"""Traces through the whole wiring: which spans there are, and that nobody is in them."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

import casework
from casework import background_jobs, tracing
from casework.adapters.api import app as api_app
from casework.adapters.telemetry import requests, spans, statements
from casework.adapters.telemetry.tracer import ENDS_WITHIN_S, SdkTracer
from casework.settings import Settings, SettingsError
from tests.adapters.persistence.notices.test_notices import Box
from tests.api.acts import a_referral, a_resident
from tests.api.conftest import BASE, SUPERVISOR, WORKER, Api
from tests.canaries import found_in
from tests.proofs._ask import Asker, asking

UUID = re.compile(
    r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE
)
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class Traced:
    """The application of a test, and what it told."""

    api: Api
    exporter: InMemorySpanExporter

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        found = self.exporter.get_finished_spans()
        return [one for one in found if name in (None, one.name)]

    def asking(self, **settings: Any) -> Any:
        given = self.api.application.settings.model_copy(update=settings)
        return asking(tracing.around(self.api.client.app, given))

    def get(self, path: str, headers: dict[str, str] | None = None, **settings: Any) -> int:
        token = self.api.application.tokens.issue(self.api.id_of(WORKER), self.api.clock.now)
        with self.asking(**settings) as ask:
            return int(ask("GET", BASE + path, token=token, headers=headers).status)


@pytest.fixture
def traced(api: Api) -> Iterator[Traced]:
    exporter = InMemorySpanExporter()
    tracing.trace_by(api.application, SdkTracer(SimpleSpanProcessor(exporter)))
    yield Traced(api, exporter)
    spans.use(None)


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def whole(ones: list[ReadableSpan]) -> str:
    """All that leaves the process, but for the ids of traces and spans."""
    plain = [json.loads(one.to_json()) for one in ones]
    for one in plain:
        del one["context"], one["parent_id"]
        one["resource"]["attributes"].pop("service.instance.id", None)  # of the process, by chance
    return json.dumps(plain, ensure_ascii=False)


# Which spans there are


@pytest.mark.both_stores
def test_a_request_is_a_span_with_its_route_and_its_statements(traced: Traced) -> None:
    resident = a_resident(traced.api)
    traced.exporter.clear()
    assert traced.get(f"/residents/{resident}", {"traceparent": PARENT}) == 200
    (request,) = traced.spans("GET /residents/{id}")
    assert told(request) == {
        "http.request.method": "GET", "http.route": "/residents/{id}",
        "http.response.status_code": 200,
    }  # fmt: skip
    assert request.parent is None, "a stranger's traceparent is not believed"
    inside = [one for one in traced.spans() if one is not request]
    assert request.context is not None
    assert {one.parent and one.parent.span_id for one in inside} == {request.context.span_id}
    selects = [told(one) for one in inside if one.name == "SELECT"]
    assert any("FROM resident" in one["db.query.text"] for one in selects)
    assert {one["db.system.name"] for one in selects} == {
        {"postgresql": "postgresql", "sqlite": "sqlite"}[traced.api.engine.dialect.name]
    }


def test_what_machines_ask_for_every_few_seconds_is_not_traced(traced: Traced) -> None:
    with traced.asking() as ask:
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert ask("GET", path).status == 200
    assert traced.spans() == []


def test_a_request_that_fails_is_an_error_of_a_type(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("카나리01가상")

    services = traced.api.client.app.state.services  # type: ignore[attr-defined]
    monkeypatch.setattr(type(services), "now", property(lambda _self: broken), raising=False)
    monkeypatch.setattr(Asker, "__call__", Asker.__call__)
    with traced.asking() as ask:
        assert ask("GET", f"{BASE}/me").status == 500
    (request,) = traced.spans("GET /me")
    assert told(request)["error.type"] == "500"
    assert not request.status.is_ok
    assert found_in(whole(traced.spans())) is None


@pytest.mark.both_stores
def test_jobs_sweep_relay_and_each_message_are_spans(traced: Traced) -> None:
    api, box = traced.api, Box()
    a_referral(api)
    api.clock.forward(days=10)
    api.application.transport = box
    tracing.trace_by(api.application, spans.in_use())  # type: ignore[arg-type]
    traced.exporter.clear()
    jobs = {job.name: job for job in background_jobs.JOBS}
    for name in ("overdue", "relay"):
        background_jobs.run(api.application, jobs[name])
    by_name = {one.name: one for one in traced.spans()}
    assert told(by_name["sweep"])["casework.changed"] > 0
    assert told(by_name["job overdue"]) == {"casework.job": "overdue"}
    relayed = told(by_name["relay"])
    messages = traced.spans("message")
    assert relayed["casework.sent"] == len(messages) == len(box.letters) > 0
    assert {told(one)["casework.message.to"] for one in messages} == {"person"}
    traces = {one.context.trace_id for one in traced.spans() if one.context}
    assert len(traces) == 2, "one of each job"


def test_a_step_that_fails_marks_its_job_and_the_next_one_runs(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("카나리01가상")

    monkeypatch.setattr(traced.api.application, "update_places", broken)
    background_jobs.run(traced.api.application, background_jobs.RELAY)
    (job,), (failed,) = traced.spans("job relay"), traced.spans("step offer_places")
    assert told(job)["error.type"] == told(failed)["error.type"] == "RuntimeError"
    assert not job.status.is_ok
    assert job.events == failed.events == (), "no exception is recorded, nor its message"
    assert traced.spans("relay") != []
    assert found_in(whole(traced.spans())) is None


def test_the_log_has_the_id_of_the_trace(traced: Traced, capfd: pytest.CaptureFixture[str]) -> None:
    given = traced.api.application.settings
    with TestClient(tracing.around(traced.api.application.app(), given)) as client:
        client.get(f"{BASE}/me")
    background_jobs.run(traced.api.application, background_jobs.RELAY)
    lines = [json.loads(one) for one in capfd.readouterr().err.splitlines() if one[:1] == "{"]
    (line,) = [one for one in lines if one["event"] == "request"]
    (request,) = traced.spans("GET /me")
    assert request.context is not None
    assert line["trace_id"] == f"{request.context.trace_id:032x}"


# Whose trace goes on


def test_the_trace_of_a_proxy_goes_on_where_that_is_trusted(traced: Traced) -> None:
    headers = {
        "traceparent": PARENT,
        "tracestate": "kim=010-7701-5501",
        "baggage": "name=010-7701-5501",
    }
    traced.get("/me", headers, otel_traceparent="trusted")
    (request,) = traced.spans("GET /me")
    assert request.parent is not None
    assert f"{request.parent.trace_id:032x}" == PARENT.split("-")[1]
    assert request.context is not None
    assert request.context.trace_id == request.parent.trace_id
    assert found_in(whole(traced.spans())) is None


@pytest.mark.parametrize(
    "given",
    ["", "카나리", PARENT + "-x", PARENT.upper(), f"00-{'0' * 32}-00f067aa0ba902b7-01",
     f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01", PARENT.replace("00-", "ff-", 1)],
)  # fmt: skip
def test_a_traceparent_that_is_none_begins_a_trace_of_its_own(traced: Traced, given: str) -> None:
    assert traced.get("/me", {"traceparent": given}, otel_traceparent="trusted") == 200
    (request,) = traced.spans("GET /me")
    assert request.parent is None


# Nobody is in them


def ask_much(traced: Traced) -> None:
    """Reads, changes and refusals about people who can be recognised; every job afterwards."""
    api, mark = traced.api, "카나리01가상"
    referral, resident = a_referral(api), a_resident(api, name=mark, phone="010-7701-5501")
    person = {"name": mark, "sex": mark, "phone": "010-7701-5501x", "rrn": mark}
    with traced.asking() as ask:
        for username in (WORKER, SUPERVISOR, "admin"):
            token = api.application.tokens.issue(api.id_of(username), api.clock.now)
            for method, path, body, query in (
                ("GET", "/worklist", None, {}),
                ("GET", "/residents", None, {"q": mark}),
                ("POST", "/residents/search", {"name": mark}, {}),
                ("GET", f"/residents/{resident}", None, {}),
                ("GET", f"/referrals/{referral}", None, {"name": mark}),
                ("GET", "/referrals", None, {"status": mark}),
                ("POST", "/residents", person, {}),
                ("POST", f"/residents/{resident}/notes", {"text": mark, "body": mark}, {}),
                ("PATCH", f"/residents/{resident}", {"name": mark, "phone": "010-7701-5502"}, {}),
                ("GET", f"/{mark}", None, {mark: mark}),
                ("POST", "/auth/token", {"username": mark, "password": mark}, {}),
            ):
                headers = {"if-match": "*", "x-request-id": "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f"}
                ask(method, BASE + path, token=token, json=body, headers=headers, query=query)
    api.clock.forward(days=10)
    for job in background_jobs.JOBS:
        background_jobs.run(api.application, job)


def faults(ones: list[ReadableSpan]) -> list[str]:
    """What of somebody is in them: a canary, an id, or a name of an attribute that is not known."""
    text = whole(ones)
    hits = [found_in(text), *(hit[0] for hit in UUID.finditer(text))]
    unknown = {name for one in ones for name in told(one)} - spans.ALLOWED
    return [hit for hit in hits if hit] + sorted(unknown)


def test_of_what_is_asked_and_done_nobody_is_in_a_span(traced: Traced) -> None:
    ask_much(traced)
    ones = traced.spans()
    assert len(ones) > 100
    assert len({told(one).get("http.route") for one in ones}) > 6
    assert {"sweep", "relay"} <= {one.name for one in ones}
    assert faults(ones) == []
    texts = {told(one)["db.query.text"] for one in ones if "db.query.text" in told(one)}
    assert len(texts) > 30
    assert [one for one in texts if re.search(r"'|(?<![\w])\d", one)] == [], "no literal value"


def test_a_path_in_a_span_would_be_found(traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    resident = a_resident(traced.api)

    class Leaking(requests.TracedRequests):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            self._route_of = lambda scope: (scope["method"], scope["path"])
            await super().__call__(scope, receive, send)

    monkeypatch.setattr(requests, "TracedRequests", Leaking)
    traced.get(f"/residents/{resident}")
    assert str(resident) in faults(traced.spans())


def test_a_value_in_a_statement_would_be_found(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "without_values", lambda statement: statement)
    with spans.span("control"), traced.api.application.engine.connect() as connection:
        connection.exec_driver_sql("SELECT '카나리01가상'")
    assert faults(traced.spans()) != []
    monkeypatch.undo()
    traced.exporter.clear()
    with spans.span("control"), traced.api.application.engine.connect() as connection:
        connection.exec_driver_sql("SELECT '카나리01가상'")
    assert faults(traced.spans()) == []


def test_an_attribute_that_is_not_allowed_does_not_leave(traced: Traced) -> None:
    with spans.span("control", {"user.name": "카나리01가상"}) as span:
        span.tell({"casework.resident": "카나리01가상"})
    assert faults(traced.spans()) == []


def test_what_fastapi_would_trace_by_itself_is_off(
    traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own spans hold path and query: the control shows it."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    with TestClient(traced.api.client.app) as client:
        client.get(f"{BASE}/residents?q=010-7701-5501")
    assert exporter.get_finished_spans() == ()
    with TestClient(FastAPI()) as client:
        client.get("/residents?q=010-7701-5501")
    assert found_in(whole(list(exporter.get_finished_spans()))) is not None
    assert api_app.NO_TELEMETRY["auto_configure"] is False


# A collector that is not there


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


@pytest.mark.parametrize("is_there", [False, True], ids=["gone", "silent"])
def test_nothing_waits_for_a_collector_that_is_not_there(
    api: Api, silent: int, is_there: bool
) -> None:
    port = silent if is_there else 1
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{port}/v1/traces")
    tracer = SdkTracer(BatchSpanProcessor(exporter, max_queue_size=100, max_export_batch_size=50))
    tracing.trace_by(api.application, tracer)
    traced = Traced(api, InMemorySpanExporter())
    try:
        assert traced.get("/me") == 200
        began = time.monotonic()
        for _ in range(5000):
            with spans.span("many"):
                pass
        assert time.monotonic() - began < 3, "what finds no room is dropped"
        assert traced.get("/me") == 200
        threads = threading.active_count()
        assert threads < 30
    finally:
        spans.use(None)
        began = time.monotonic()
        tracer.end()
    assert time.monotonic() - began < ENDS_WITHIN_S + 1


def test_by_default_nobody_traces(api: Api) -> None:
    assert Settings().otel_traces == "off"
    tracing.begin(api.application)
    assert spans.in_use() is None
    assert tracing.around(api.client.app, api.application.settings) is api.client.app
    with spans.span("nothing") as span:
        span.tell({"casework.job": "x"})
        assert span.trace_id is None


def test_without_the_extra_only_the_setting_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "casework.adapters.telemetry.tracer", None)
    tracing.begin(api.application)
    given = api.application.settings.model_copy(update={"otel_traces": "on"})
    monkeypatch.setattr(api.application, "settings", given)
    with pytest.raises(SettingsError, match=r"requirements-telemetry\.lock"):
        tracing.begin(api.application)
    assert spans.in_use() is None


def test_only_the_tracer_imports_what_the_extra_installs_and_nothing_imports_it_at_once() -> None:
    package = Path(casework.__file__).parent
    texts = {one.relative_to(package).as_posix(): one.read_text() for one in package.rglob("*.py")}
    direct = re.compile(r"^\s*(from|import) opentelemetry", re.MULTILINE)
    at_once = re.compile(r"^from casework.adapters.telemetry.tracer", re.MULTILINE)
    assert {name for name, text in texts.items() if direct.search(text)} == {
        "adapters/telemetry/tracer.py"
    }
    assert {name for name, text in texts.items() if at_once.search(text)} == set()
