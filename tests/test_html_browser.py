"""Pages in Chromium: by eye and by ear, in the dark, on a telephone, on paper, with keys alone.

Skipped where Chromium or playwright is not installed, unless KATA_BROWSER is `required`. axe-core
is looked for in `node_modules`, or at the path in KATA_AXE.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pages
import pytest
from test_html import CLASSES, overview_of

IS_REQUIRED = os.environ.get("KATA_BROWSER") == "required"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-headless-shell")
AXE = Path(os.environ.get("KATA_AXE", "node_modules/axe-core/axe.min.js"))
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAPER = {"width": 718, "height": 1050}
"""A4 within its margins, in CSS pixels."""

if not IS_REQUIRED:
    pytest.importorskip("playwright", reason="playwright is not installed")
    pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402 (see above)

from otelkata.report.html.page import page as report_on  # noqa: E402

NAMES = (*pages.REPORTS, *CLASSES)
every_page = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all pages, and reports where the overview has its links to."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "out").mkdir()
    for name in pages.REPORTS:
        (folder / f"{name}.html").write_text(report_on(pages.report(name)), "utf-8")
    for name in CLASSES:
        (folder / f"{name}.html").write_text(overview_of(name), "utf-8")
    sorts = [*pages.REPORTS]
    for number, line in enumerate(pages.lines(14)):
        source = folder / f"{sorts[number % len(sorts)]}.html"
        shutil.copy(source, folder / "out" / f"{pages.name(line)}.html")
    return folder


class Shown:
    """A page in a browser, and all that it complained of or asked for."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(file.as_uri())


class Opener:
    """Opens pages; what it has opened is closed with the test."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._contexts: list[object] = []

    def __call__(
        self,
        name: str,
        width: int = 1280,
        scheme: str = "light",
        *,
        scripts: bool = True,
        media: str = "screen",
    ) -> Shown:
        context = self._browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
        )
        self._contexts.append(context)
        page = context.new_page()
        if media == "print":
            page.emulate_media(media="print")
        return Shown(page, self._folder / f"{name}.html")


@pytest.fixture
def opened(browser: Browser, folder: Path) -> Iterator[Opener]:
    yield Opener(browser, folder)
    for context in browser.contexts:
        context.close()


@every_page
def test_a_page_asks_for_nothing_and_complains_of_nothing(name: str, opened: Opener) -> None:
    shown = opened(name)
    assert shown.complaints == []
    assert [url for url in shown.requests if not url.startswith("data:")] == [shown.page.url]
    assert shown.page.evaluate("window.pwned") is None
    assert shown.page.evaluate("document.styleSheets.length") == 1


def test_the_policy_stops_what_is_not_the_pages_own(opened: Opener) -> None:
    """The second wall: a script that got into the page does not run."""
    shown = opened("passed")
    shown.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.pwned = 1";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", "<p onclick='window.pwned = 1'>x</p>");
            document.body.lastElementChild.click();
        }"""
    )
    assert shown.page.evaluate("window.pwned") is None
    assert len(shown.complaints) == 2


HIDDEN = """() => [...new Set([...document.querySelectorAll("a[href^='#']")].map((a) => a.hash))]
    .filter((hash) => {
        location.hash = hash;
        return !document.getElementById(hash.slice(1)).checkVisibility();
    })"""


@pytest.mark.parametrize(
    ("name", "scripts"), [*((name, False) for name in NAMES), ("broken", True)]
)
def test_every_anchor_shows_what_it_leads_to(name: str, opened: Opener, *, scripts: bool) -> None:
    """Also what lies in a part that was shut."""
    shown = opened(name, scripts=scripts)
    assert shown.page.evaluate(HIDDEN) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_every_report_is_reached_from_the_overview(opened: Opener, *, scripts: bool) -> None:
    shown = opened("class", scripts=scripts)
    names = shown.page.locator(".matrix tbody a").all_inner_texts()
    assert len(names) == 14
    for name in names[:7]:
        shown.page.get_by_role("link", name=name, exact=True).click()
        assert shown.page.url.endswith(f"/out/{name}.html")
        assert shown.page.locator("h1").count() == 1
        shown.page.go_back()
    assert shown.complaints == []


@every_page
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(name: str, scheme: str, opened: Opener) -> None:
    """With everything open, so that everything is judged."""
    if not AXE.exists() and not IS_REQUIRED:
        pytest.skip("axe-core is not installed")
    shown = opened(name, scheme=scheme)
    shown.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    # Not as a script element: the page's policy would rightly refuse it.
    shown.page.evaluate(AXE.read_text("utf-8"))
    result = shown.page.evaluate("axe.run({resultTypes: ['violations']})")
    assert [
        (violation["id"], node["html"][:200], node.get("failureSummary"))
        for violation in result["violations"]
        for node in violation["nodes"][:3]
    ] == []


TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter((e) => !e.closest(".unseen, .skip, .scroll, .sprite, svg, .matrix b"))
    .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.outerHTML.slice(0, 120))"""


@every_page
def test_a_page_is_as_narrow_as_a_telephone(name: str, opened: Opener) -> None:
    shown = opened(name, width=360)
    shown.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert shown.page.evaluate(TOO_WIDE) == []


# What passed is told in full further down; the checklist is to fit a page.
SHUT = """() => [...document.querySelectorAll("details:not(.checklist .passed) > :not(summary)")]
    .filter((e) => !e.checkVisibility({contentVisibilityAuto: true}))
    .map((e) => e.outerHTML.slice(0, 120))"""


@every_page
def test_on_paper_everything_is_open_and_nothing_is_cut_off(name: str, opened: Opener) -> None:
    shown = opened(name, width=PAPER["width"], scheme="dark", media="print")
    assert shown.page.evaluate(SHUT) == []
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]
    assert shown.page.evaluate(TOO_WIDE.replace(", .scroll", "")) == []
    assert background(shown.page) == "rgb(255, 255, 255)"
    assert shown.page.pdf(format="A4", print_background=True).startswith(b"%PDF")


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_a_page_is_dark_where_the_reader_wants_it(opened: Opener) -> None:
    light, dark = (background(opened("broken", scheme=s).page) for s in ("light", "dark"))
    assert (light, dark) == ("rgb(247, 247, 245)", "rgb(21, 23, 26)")


def test_the_first_key_leads_past_the_head(opened: Opener) -> None:
    page = opened("broken").page
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to the results"
    assert skip.evaluate("(e) => e.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("name", ["broken", "class"])
def test_what_has_the_focus_is_seen_to_have_it(name: str, opened: Opener) -> None:
    page = opened(name).page
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        if focus.count() == 0:
            break
        style, width, kind = focus.evaluate(
            "(e) => [getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth, e.tagName]"
        )
        assert (style, width) == ("solid", "3px"), focus.evaluate("(e) => e.outerHTML")[:200]
        seen.add(kind)
    assert seen >= ({"A", "SUMMARY"} if name == "broken" else {"A", "INPUT", "SELECT", "BUTTON"})


def test_a_criterion_opens_with_a_key_and_leads_to_its_check(opened: Opener) -> None:
    page = opened("broken").page
    page.locator("#F4 > summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator(":target").is_visible()


def shown_names(page: Page) -> list[str]:
    return page.locator(".matrix tbody tr:visible th a").all_inner_texts()


def test_an_overview_is_sorted_by_what_is_asked_for(opened: Opener) -> None:
    page = opened("class").page
    by_name = shown_names(page)
    assert by_name == sorted(by_name)
    page.get_by_role("button", name="Submission").click()
    assert shown_names(page) == by_name[::-1]
    page.get_by_role("button", name="Score").click()
    scores = [
        int(text.partition("/")[0] or -1)
        for text in page.locator(".matrix tbody tr td:nth-child(2)").all_inner_texts()
    ]
    assert scores == sorted(scores)
    assert page.locator("[aria-sort]").all_inner_texts() == ["Score"]
    page.get_by_role("button", name="F4").click()
    assert page.locator(".matrix tbody tr td:nth-child(7)").first.inner_text() == "failed"


def test_an_overview_shows_those_that_are_asked_for(opened: Opener) -> None:
    page = opened("class").page
    page.get_by_label("Name").fill("-003")
    assert shown_names(page) == ["student-003"]
    page.get_by_label("Name").fill("")
    page.get_by_label("Show").select_option("passed")
    assert page.locator(".matrix tbody tr:visible").count() == 4
    assert page.locator("output").inner_text() == "4 of 14"
    page.get_by_label("Show").select_option("fails F4")
    failing = page.locator(".matrix tbody tr:visible td:nth-child(7)").all_inner_texts()
    assert failing
    assert set(failing) == {"failed"}


def test_the_head_of_the_matrix_stays_in_sight(opened: Opener) -> None:
    page = opened("class").page
    page.set_viewport_size({"width": 1280, "height": 300})
    page.locator(".matrix tbody tr").last.scroll_into_view_if_needed()
    assert (
        page.locator(".matrix thead th").first.evaluate("(e) => e.getBoundingClientRect().top") >= 0
    )


def test_without_scripts_an_overview_has_no_controls_that_do_nothing(opened: Opener) -> None:
    page = opened("class", scripts=False).page
    assert not page.locator(".controls").is_visible()
    assert page.locator(".matrix tbody tr").count() == 14


@pytest.mark.parametrize(("width", "is_told"), [(360, True), (800, True), (1280, False)])
def test_a_matrix_that_ends_beyond_the_screen_says_so(
    opened: Opener, *, width: int, is_told: bool
) -> None:
    page = opened("class", width=width).page
    is_wider = "document.querySelector('.scroll').scrollWidth > innerWidth"
    assert page.evaluate(is_wider) is is_told
    assert page.locator(".sideways").is_visible() is is_told
    lines = "[...document.querySelectorAll('.legend i')].map(one => one.getClientRects().length)"
    assert set(page.evaluate(lines)) == {1}
