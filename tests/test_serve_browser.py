"""The page of `kata-serve` in Chromium: by hand and by key, in the dark, on a telephone.

Skipped where Chromium or playwright is not installed, unless KATA_BROWSER is `required`.
"""

from collections.abc import Iterator

import planted
import pytest
from serving import Session, serving
from test_html_browser import ARGUMENTS, AXE, CHROMIUM, IS_REQUIRED, TOO_WIDE

if not IS_REQUIRED:
    pytest.importorskip("playwright", reason="playwright is not installed")
    pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

from playwright.sync_api import Browser, Page, expect, sync_playwright

PATIENCE = 30_000
"""Longest time, in milliseconds, that the page may take over anything."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Serve a submission whose inventory begins traces of its own."""
    failing = planted.REFERENCE.parent / "fixtures" / "failing"
    fault = planted.read(failing / "inventory_ignores_traceparent.toml")
    with serving(planted.plant(fault, tmp_path_factory.mktemp("served"))) as session:
        yield session


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, "light"), (360, "dark")], ids=["desk", "telephone"])
def page(request: pytest.FixtureRequest, browser: Browser, session: Session) -> Iterator[Page]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"http://{session.address}/")
    expect(page.get_by_role("status").first).to_contain_text("serving")
    yield page
    for switch in page.get_by_role("switch").all():
        switch.uncheck()
    context.close()


def newest(page: Page) -> str:
    """Place a checkout; return the text of what is drawn for it."""
    drawn = page.locator("#requests > article")
    before = int((drawn.first.get_attribute("id") or "").split("-")[1]) if drawn.count() else 0
    page.get_by_role("button", name="Check out").click()
    return page.locator(f"#request-{before + 1}").inner_text()


def test_a_checkout_is_drawn_beside_what_was_expected(page: Page) -> None:
    drawn = newest(page)
    assert "8 spans in 2 traces" in drawn
    assert "received, but not here" in drawn
    assert "a root: it begins a trace of its own" in drawn
    expect(page.locator("#answer")).to_contain_text("200 {")


def test_keys_alone_switch_a_fault_and_place_a_checkout(page: Page) -> None:
    page.get_by_label("Card declined").focus()
    page.keyboard.press("Space")
    page.get_by_label("Card number").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_have_text('402 {"error":"payment_declined"}')


def test_a_switch_is_seen_by_whoever_looks(page: Page, browser: Browser) -> None:
    other = browser.new_page()
    other.goto(page.url)
    page.get_by_label("Processor down").check()
    expect(other.get_by_label("Processor down")).to_be_checked(timeout=PATIENCE)
    page.get_by_label("Processor down").uncheck()
    expect(other.get_by_label("Processor down")).not_to_be_checked(timeout=PATIENCE)
    other.close()


def test_nothing_is_wider_than_the_page(page: Page) -> None:
    newest(page)
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    assert page.evaluate(TOO_WIDE) == []


def test_axe_finds_no_violation(page: Page) -> None:
    if not AXE.exists() and not IS_REQUIRED:
        pytest.skip("axe-core is not installed")
    newest(page)
    page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in result["violations"]] == []


def test_the_page_complains_of_nothing(browser: Browser, session: Session) -> None:
    complaints: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"http://{session.address}/")
    newest(page)
    page.close()
    assert complaints == []


def test_the_end_is_told_on_the_page(browser: Browser) -> None:
    with serving(planted.REFERENCE) as session:
        page = browser.new_page()
        page.goto(f"http://{session.address}/")
        expect(page.get_by_role("status").first).to_contain_text("serving")
        assert session.interrupt() == 0
        expect(page.get_by_role("status").first).to_have_text("ended", timeout=PATIENCE)
        page.close()
