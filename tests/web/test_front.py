"""What a person finds at the root of the host, and the document at `/docs`."""

from __future__ import annotations

import re
from typing import Any

import pytest

from casework.adapters.web.front import ASSETS
from casework.adapters.web.route import CSP
from tests.api.conftest import PASSWORD, WORKER, Api
from tests.api.shared.test_hygiene import services

# The pages are the same on either store.
pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
PAGES = ("/", "/docs")


def links_of(answer: Any) -> list[str]:
    """Where a page or a style sheet leads, and what it loads."""
    quoted = re.findall(r'(?:href|src|data-url)="([^"]*)"', answer.text)
    return [*quoted, *re.findall(r"url\(([^)]*)\)", answer.text)]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_and_links_nothing_of_another_host(api: Api, path: str) -> None:
    answer = api.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert [one for one in links_of(answer) if not one.startswith(("/", "#", "data:,"))] == []
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert re.findall(r"<script(?! src=)", answer.text) == []
    assert re.findall(r" on[a-z]+=", answer.text) == []


def test_each_page_has_a_policy_that_allows_nothing_inline(api: Api) -> None:
    assert api.client.get("/").headers["content-security-policy"] == CSP
    policy = api.client.get("/docs").headers["content-security-policy"]
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    assert allowed["default-src"] == allowed["frame-ancestors"] == "'none'"
    assert allowed["script-src"] == allowed["style-src"] == allowed["connect-src"] == "'self'"
    assert allowed["img-src"] == "'self' data:"
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", ASSETS)
def test_the_viewer_comes_from_this_host_packed_or_plain(api: Api, name: str) -> None:
    packed = api.client.get(f"/docs/{name}", headers={"Accept-Encoding": "gzip"})
    plain = api.client.get(f"/docs/{name}", headers={"Accept-Encoding": "identity"})
    assert packed.status_code == plain.status_code == 200
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content  # as the client unpacked it
    assert packed.headers["content-type"].startswith(ASSETS[name])
    assert packed.headers["x-content-type-options"] == "nosniff"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert b"sourceMappingURL" not in plain.content


def test_the_style_of_the_viewer_loads_nothing(api: Api) -> None:
    loaded = links_of(api.client.get("/docs/swagger-ui.css"))
    assert [one for one in loaded if not one.strip("\"'").startswith("data:")] == []


@pytest.mark.parametrize("name", ["swagger-ui.css.gz", "VERSION", "..%2Fstyle.css"])
def test_nothing_else_of_the_package_is_handed_out(api: Api, name: str) -> None:
    assert api.client.get(f"/docs/{name}").status_code == 404


def test_the_page_names_the_document(api: Api) -> None:
    (path,) = re.findall(r'data-url="([^"]*)"', api.client.get("/docs").text)
    assert api.client.get(path).json()["openapi"].startswith("3.1")


def test_the_front_page_is_there_in_both_languages(api: Api) -> None:
    korean, english = (api.client.get(f"/?lang={one}").text for one in ("ko", "en"))
    assert "통합돌봄 사례관리" in korean
    assert "Case management for integrated community care" in english
    assert '<html lang="ko">' in korean
    assert '<html lang="en">' in english


def test_accounts_and_their_password_are_shown_in_the_demo_alone(api: Api) -> None:
    assert WORKER not in api.client.get("/").text
    with services(api, demo_password=PASSWORD):
        shown = api.client.get("/?lang=en").text
    assert WORKER in shown
    assert PASSWORD in shown


@pytest.mark.parametrize(
    ("mode", "is_demo", "shown"),
    [("development", True, True), ("development", False, False), ("production", True, False)],
)
def test_production_never_shows_a_password(api: Api, mode: str, is_demo: bool, shown: bool) -> None:
    application = api.application
    settings = application.settings
    try:
        application.settings = settings.model_copy(update={"mode": mode})
        application.is_demo = is_demo
        assert (application._demo_password() is not None) is shown
    finally:
        application.settings, application.is_demo = settings, False
