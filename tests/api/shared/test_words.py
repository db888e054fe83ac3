"""Texts for people are translated and hold no bare codes."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import pytest

from casework.adapters.api.privacy.printed_answer import INSIDE
from casework.domain.access.policy import POLICY
from casework.domain.agencies.rosters import EXCEPTIONS, MonthlyDelivery
from casework.domain.directory.eligibility import Comparison, Rule, RuleResult, judge, snapshot
from casework.domain.residents.homes import WayIn
from casework.domain.residents.households import HouseholdMember
from casework.locale import find_text, text
from tests.api.conftest import WORKER, Api
from tests.api.exchange.test_imports import PROVIDERS, sent

# Actions on no particular resident: they are in nobody's access record.
OF_NOBODY = {
    "account.self", "account.secure", "account.contact", "account.second_factor",
    "account.tokens", "account.manage",
    "account.list", "staff.manage", "answering.manage", "directory.read", "directory.entries",
    "directory.change", "directory.confirm", "directory.publish", "directory.step",
    "catalogue.write", "catalogue.confirm", "capacity.write", "coverage.read", "figures.read",
    "figures.close", "unmet.count", "inbox.figures", "standard.read", "standard.write", "job.read",
    "job.run", "notice.release", "outbox.manage", "webhook.manage", "webhook.end",
    "import.directory", "import.write", "audit.review", "body.read", "body.write",
}  # fmt: skip


def word(code: str, language: str) -> str:
    """A code as the printed answer shows it."""
    return find_text(f"document.code.{code}", language) or code


def labelled(names: set[str]) -> set[str]:
    """Those of the names that have a label on the printed answer."""
    return {name for name in names if find_text(f"document.field.{name}", "ko")}


@pytest.mark.parametrize("action", sorted(set(POLICY) - OF_NOBODY))
def test_a_resident_reads_in_words_what_was_done(action: str) -> None:
    assert word(action, "ko") != action
    assert not word(action, "ko").isascii()
    assert word(action, "en") != action


def test_what_was_judged_of_a_resident_is_told_in_words() -> None:
    rule = Rule(fact="age", comparison=Comparison.AT_LEAST, values=("65",), basis="Act 2")
    max_buckets = snapshot(judge([rule], {"age": "70"}), date(2026, 3, 2))
    assert max_buckets is not None
    names = {*max_buckets, *max_buckets["rules"][0]}
    assert labelled(names) == names
    for code in (*RuleResult, *Comparison):
        assert not word(code, "ko").isascii(), code


def test_what_was_delivered_and_how_to_get_in_is_told_in_words() -> None:
    told = {one.name for cls in (MonthlyDelivery, WayIn, HouseholdMember) for one in fields(cls)}
    shown = {name for name in told if name not in INSIDE and not name.endswith(("_id", "_by"))}
    assert labelled(shown - {"id"}) == shown - {"id"}
    for section in ("delivered", "ways_in", "homes", "former", "earlier"):
        assert text(f"document.section.{section}", "en").isascii(), section
        assert not text(f"document.section.{section}", "ko").isascii(), section
    for code in EXCEPTIONS:
        assert word(code, "en") != code or code == "other"
        assert not word(code, "ko").isascii(), code


def test_a_report_says_in_korean_what_is_wrong_with_a_row(api: Api) -> None:
    far = "far-visit,가상 의원,의원,051-000-0000,해운대구,37.5,129.16\n"
    id = sent(api, "admin", "providers", PROVIDERS + far).json()["id"]
    report = api.as_("admin").get(f"/imports/{id}/report", headers={"Accept-Language": "ko"})
    assert report.content.decode("utf-8-sig").splitlines()[1] == (
        "2,거부,lat,place_out_of_range,부산 근처의 좌표가 아닙니다"
    )
    assert api.as_(WORKER).get(f"/imports/{id}/report").status_code == 404
