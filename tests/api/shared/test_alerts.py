"""Alerts and dashboards ask for metrics that there are, and the guide says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from promql_parser import VectorSelector

from tests.api.acts import a_referral
from tests.api.conftest import Api
from tests.api.shared.test_operation import tick
from tests.api.shared.test_watching import a_message, watched

ROOT = Path(__file__).resolve().parents[3]
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/casework.json").read_text())
GUIDE = (ROOT / "docs/operations/watching.md").read_text()
EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in ALERTS} | {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
}
# Of Prometheus itself, and of the exporter that looks at the certificate.
OF_OTHERS = {"up", "probe_ssl_earliest_cert_expiry"}
# Told only where something is exported, waits, or is a replica: shown by the tests of each.
AT_TIMES = {
    "casework_audit_exported_timestamp_seconds",
    "casework_audit_sealed_timestamp_seconds",
    "casework_replica_used",
    "casework_replica_lag_seconds",
    "casework_stale_reads_total",
}


def selectors(expression: Any) -> Iterator[VectorSelector]:
    """What an expression asks for, however deep it lies."""
    if isinstance(expression, VectorSelector):
        yield expression
        return
    if isinstance(expression, list):
        for one in expression:
            yield from selectors(one)
    elif type(expression).__module__ == promql_parser.__name__:
        for name in ("lhs", "rhs", "expr", "args", "vector_selector", "param"):
            yield from selectors(getattr(expression, name, None))


def asked_for(text: str) -> list[VectorSelector]:
    """The same, of a text. Raises ValueError where that is no expression."""
    found = list(selectors(promql_parser.parse(text)))
    assert found, text
    return found


@pytest.fixture
def told(api: Api) -> dict[str, dict[str, set[str]]]:
    """The metrics of an installation that has worked, with the values of each of their labels."""
    a_referral(api)
    api.clock.forward(days=10)
    tick(api)
    a_message(api, next_at=api.clock.now - timedelta(minutes=1))
    watched(api)  # which is a request itself
    found: dict[str, dict[str, set[str]]] = {}
    for sample in watched(api):
        labels = found.setdefault(sample.partition("{")[0], {})
        for label, value in re.findall(r'(\w+)="([^"]*)"', sample):
            labels.setdefault(label, set()).add(value)
    return found


def missing(text: str, told: dict[str, dict[str, set[str]]]) -> list[str]:
    """What an expression asks for that nothing tells."""
    wrong = []
    for one in asked_for(text):
        name = one.name or ""
        if name in OF_OTHERS:
            continue
        labels = told.get(name, {})
        if name not in told.keys() | AT_TIMES:
            wrong.append(name)
        for matcher in one.matchers.matchers:
            known = labels.get(matcher.name, set())
            if name.startswith("casework_waiting"):
                known = known | told["casework_waiting"].get(matcher.name, set())
            values = matcher.value.split("|")
            if matcher.name not in labels or not ({*values} <= known or matcher.name == "status"):
                wrong.append(f"{name}.{matcher.name}={matcher.value}")
    return wrong


def test_every_metric_that_an_alert_or_a_panel_names_is_told(
    told: dict[str, dict[str, set[str]]],
) -> None:
    wrong = {name: missing(text, told) for name, text in EXPRESSIONS.items()}
    assert {name: ones for name, ones in wrong.items() if ones} == {}
    assert len(EXPRESSIONS) > 40


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("casework_sweep_age > 1", ["casework_sweep_age"]),
        ('sum(rate(casework_waiting{queue="letters"}[5m]))', ["casework_waiting.queue=letters"]),
        ('casework_ready{district="26350"} == 0', ["casework_ready.district=26350"]),
        ("time() - casework_sweep_seconds", []),
    ],
)
def test_a_metric_that_is_not_there_is_found(
    told: dict[str, dict[str, set[str]]], text: str, found: list[str]
) -> None:
    assert missing(text, told) == found


def test_an_expression_that_is_none_is_found() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        asked_for("sum by (route) rate(x[5m]")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_how_pressing_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    row = re.search(rf"^\| `{rule['alert']}` \| (.+) \| (.+) \|$", GUIDE, re.MULTILINE)
    assert row is not None
    assert all(len(cell) > 20 for cell in row.groups())


def test_the_guide_names_no_alert_that_is_gone() -> None:
    named = set(re.findall(r"^\| `(Casework\w+)` \|", GUIDE, re.MULTILINE))
    assert named == {rule["alert"] for rule in ALERTS}


def test_every_metric_is_in_the_guide(told: dict[str, dict[str, set[str]]]) -> None:
    ours = {name for name in told.keys() | AT_TIMES if name.startswith("casework_")}
    plain = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in ours}
    assert {name for name in plain if f"`{name}" not in GUIDE} == set()
