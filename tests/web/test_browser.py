"""The pages in Chromium: at the width of a phone, by keyboard alone, and as axe-core finds them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.api.acts import a_referral, moved
from tests.api.conftest import PROVIDER, WORKER, Api
from tests.serving import served
from tests.web.conftest import Agency, sent_link

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDTH: Final = 360
PHONE: Final = ViewportSize(width=WIDTH, height=740)
SERIOUS: Final = {"serious", "critical"}
LANGUAGES: Final = {
    "ko": ("ko-KR", "우리 기관에 온 의뢰"),
    "en": ("en-US", "Requests to your agency"),
}
MOST_TABS: Final = 60
ARRIVES_WITHIN_S: Final = 20
# The browser and what it shows are the same on either store.
pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@contextmanager
def at_the_real_time() -> Iterator[None]:
    """What starts in here has the clock of the machine: behind a set one, pages never load."""
    kept = {name: os.environ.pop(name, None) for name in ("LD_PRELOAD", "FAKETIME")}
    try:
        yield
    finally:
        os.environ.update({name: value for name, value in kept.items() if value is not None})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for these tests: while it is open, its loop is this thread's only one."""
    with at_the_real_time(), sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = next(filter(None, map(shutil.which, (*NAMES, own))), None)
        if path is None:
            assert "CI" not in os.environ, "there is no Chromium, and in CI there must be one"
            pytest.skip("there is no Chromium: install one with `python3 dev.py browser`")
        found = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield found
        found.close()


@pytest.fixture
def address(agency: Agency) -> Iterator[str]:
    """The address of the served application."""
    with served(agency.api.client.app) as found:
        yield found


@contextmanager
def phone(browser: Browser, locale: str, **options: Any) -> Iterator[Page]:
    """A phone of somebody who reads that language."""
    context = browser.new_context(viewport=PHONE, locale=locale, **options)
    context.set_default_timeout(15_000)
    try:
        yield context.new_page()
    finally:
        context.close()


def enter(page: Page, agency: Agency, address: str) -> None:
    """Through the code, with the keys of a phone."""
    page.goto(address + agency.path)
    letters = len(agency.mailbox.texts)
    page.click("form[action*='/code'] button")
    page.fill("#code", arrived(agency, letters))
    page.click("form[action*='/enter'] button")


def arrived(agency: Agency, letters: int) -> str:
    """The code after that many messages: it is sent once the page is loaded, and not before."""
    until = time.monotonic() + ARRIVES_WITHIN_S
    while len(agency.mailbox.texts) == letters and time.monotonic() < until:
        time.sleep(0.02)
    return agency.mailbox.code()


def faults(page: Page) -> list[str]:
    """What axe-core finds to be serious, and whether the page is wider than the phone."""
    found = Axe().run(page).response["violations"]
    told = [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in SERIOUS]
    width = page.evaluate("document.documentElement.scrollWidth")
    return [*told, *([f"{width} wide"] if width > WIDTH else [])]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_a_phone_and_axe_finds_nothing_serious(
    agency: Agency, asked: UUID, address: str, browser: Browser, language: str
) -> None:
    locale, heading = LANGUAGES[language]
    moved(agency.api, asked, "accept", PROVIDER)
    moved(agency.api, asked, "start", PROVIDER, started_on=agency.api.clock.now.date())
    seen: dict[str, list[str]] = {}
    with phone(browser, locale) as page:
        page.goto(address + "/a/" + "x" * 43)
        seen["refused"] = faults(page)
        page.goto(address + agency.path)
        seen["before a code"] = faults(page)
        letters = len(agency.mailbox.texts)
        page.click("form[action*='/code'] button")
        page.fill("#code", "000000")
        page.click("form[action*='/enter'] button")
        seen["a wrong code"] = faults(page)
        page.fill("#code", arrived(agency, letters))
        page.click("form[action*='/enter'] button")
        assert page.inner_text("h1") == heading
        assert page.get_attribute("html", "lang") == language
        seen["requests"] = faults(page)
        page.check(f"[name='do.{asked}'][value='signal']")
        seen["an answer"] = faults(page)
        page.click("main form[action*='/answers'] > button")
        seen["a refused answer"] = faults(page)
        assert page.locator(".bad[role=alert]").count() == 1
        for where in ("/places", "/months/2026-03"):
            page.goto(address + agency.path + where)
            seen[where] = faults(page)
            assert page.locator("main form button").count() == 2
    assert seen == {name: [] for name in seen}


def test_what_would_be_serious_is_found(api: Any, browser: Browser) -> None:
    with phone(browser, "ko-KR") as page:
        page.set_content("<input><p style='width: 50rem; color: #ccc'>hardly to be read</p>")
        found = " ".join(faults(page))
    for fault in ("label", "color-contrast", "html-has-lang", "808 wide"):
        assert fault in found


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there; it must be seen to be there."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", selector
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_request_is_accepted_by_keyboard_alone(
    agency: Agency, asked: UUID, address: str, browser: Browser
) -> None:
    with phone(browser, "en-US") as page:
        page.goto(address + agency.path)
        letters = len(agency.mailbox.texts)
        tab_to(page, "form[action*='/code'] button")
        page.keyboard.press("Enter")
        page.wait_for_selector("#code")
        tab_to(page, "#code")
        page.keyboard.type(arrived(agency, letters))
        page.keyboard.press("Enter")
        page.wait_for_selector(f"[name='do.{asked}']")
        tab_to(page, f"[name='do.{asked}']")
        page.keyboard.press("ArrowDown")  # from "nothing now" to the first answer
        tab_to(page, "input[type=date]")
        page.keyboard.type("03052026")
        tab_to(page, "main form[action*='/answers'] > button")
        page.keyboard.press("Enter")
        page.wait_for_selector(".good[role=status]")
    seen = agency.api.as_(WORKER).get(f"/referrals/{asked}").json()
    assert (seen["status"], seen["expected_start_on"]) == ("accepted", "2026-03-05")


def test_all_of_it_works_without_javascript(
    agency: Agency, asked: UUID, address: str, browser: Browser
) -> None:
    other = a_referral(agency.api)
    with phone(browser, "ko-KR", java_script_enabled=False) as page:
        enter(page, agency, address)
        page.check(f"[name='do.{asked}'][value='decline']")
        page.select_option(f"[name='{asked}.decline.reason']", "at_capacity")
        page.click("main form[action*='/answers'] > button")
        assert page.inner_text(".good") == "저장했습니다."
        page.reload()  # a reload repeats nothing
        page.goto(address + agency.path + "/places")
        name = f"free.{agency.api.offerings['alpha', 'CARE-MEALS'].id}"
        page.fill(f"[name='{name}']", "0")
        page.click("main form[action*='/places'] button")
        assert page.input_value(f"[name='{name}']") == "0"
        sent_link(agency, other)
        page.goto(address + agency.path)
        assert page.locator("form[action*='/code']").count() == 1  # a code of its own
    seen = agency.api.as_(WORKER).get(f"/referrals/{asked}").json()
    assert (seen["status"], seen["reason"]) == ("declined", "at_capacity")


def test_the_document_is_shown_by_this_host_alone_and_within_its_policy(
    browser: Browser, api: Api
) -> None:
    with served(api.client.app) as here:
        page = browser.new_page(viewport=ViewportSize(width=1200, height=900))
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{here}/docs")
        page.locator("#operations-tag-referrals button").first.click(timeout=60_000)
        page.locator("#operations-referrals-get_referral button").first.click()
        page.get_by_text("Identifier of the referral.").wait_for()
        page.get_by_text("A referral with clocks and history").wait_for()
        page.close()
    assert said == []
    assert [url for url in asked if not url.startswith((f"{here}/", "data:"))] == []
