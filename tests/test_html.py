"""Pages are whole, run nothing but their own script, and show what a submission says as text."""

import base64
import hashlib
import itertools
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pages
import pytest
from evidence_builder import exported, lose, planted, span
from test_cli import WRONG, kept, run

from otelkata.cli.reports import link
from otelkata.judge.criteria import CRITERIA
from otelkata.report import formats
from otelkata.report.drawing import Bar, Crossing, Drawing
from otelkata.report.drawing import Mark as Event
from otelkata.report.expected import Wanted
from otelkata.report.graded import Graded
from otelkata.report.html import overview
from otelkata.report.html.environment import took
from otelkata.report.html.page import page
from otelkata.report.html.waterfall import Waterfall, waterfall
from otelkata.report.overview import Shown, faults
from otelkata.report.policy import DEFAULT, Policy
from otelkata.report.words import visible

VOID = {"meta", "link", "input"}
CLASSES = ("class", "hostile class", "class under a policy")


class Page(HTMLParser):
    """A page as a browser reads it; fails where an element is not closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.inline: dict[str, list[str]] = {"style": [], "script": [], "title": []}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.inline:
            self.inline[self.open[-1]].append(data)
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, attribute: str) -> list[str]:
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]

    def tags(self, *names: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.elements if tag in names]


def hiding(statuses: tuple[Shown, ...]) -> tuple[Shown, ...]:
    return (*statuses[:-1], "hidden")


def overview_of(name: str) -> str:
    count = len(pages.HOSTILE)
    hostile = pages.lines(count, lambda number: f"{visible(pages.HOSTILE[number])}{number}")
    lines = hostile if name == "hostile class" else pages.lines(14)
    if name == "class under a policy":
        lines = [replace(line, verdict="graded", statuses=hiding(line.statuses)) for line in lines]
    links = [link(Path(f"out/{pages.name(line)}.html"), None) for line in lines]
    return overview.page(lines, links)


@cache
def parsed(name: str) -> Page:
    return Page(overview_of(name) if name in CLASSES else page(pages.report(name)))


every_page = pytest.mark.parametrize("name", [*pages.REPORTS, *CLASSES])


@every_page
def test_a_page_is_well_formed(name: str) -> None:
    found = parsed(name)
    ids = found.all("id")
    assert len(ids) == len(set(ids))
    assert [tag for tag, _ in found.elements].count("h1") == 1
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert found.tags("html")[0] == {"lang": "en"}
    assert found.tags("main")[0]["id"] == "main"


@every_page
def test_every_link_and_reference_leads_somewhere(name: str) -> None:
    found = parsed(name)
    ids = set(found.all("id"))
    inner = {link[1:] for link in found.all("href") if link.startswith("#")}
    assert inner
    assert inner - ids == set()
    assert {i for value in found.all("aria-labelledby") for i in value.split()} - ids == set()
    outer = [link for link in found.all("href") if not link.startswith("#")]
    assert all(link == "data:," or link.startswith("out/") for link in outer)


@every_page
def test_a_page_asks_for_nothing_and_runs_only_its_own_script(name: str) -> None:
    found = parsed(name)
    assert not [value for attribute in ("src", "style", "srcset") for value in found.all(attribute)]
    assert not [key for _, attrs in found.elements for key in attrs if key.startswith("on")]
    assert {tag for tag, _ in found.elements} & {"img", "iframe", "object", "form", "base"} == set()
    (policy,) = [
        attrs["content"]
        for attrs in found.tags("meta")
        if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        assert len(found.tags(kind)) == 1
        digest = hashlib.sha256("".join(found.inline[kind]).encode()).digest()
        assert f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert found.source.index("Content-Security-Policy") < found.source.index("<style>")


@every_page
def test_no_control_and_no_change_of_direction_is_in_a_page(name: str) -> None:
    source = parsed(name).source
    assert visible(source) == source
    source.encode("utf-8")


@pytest.mark.parametrize("text", pages.HOSTILE, ids=lambda text: ascii(text)[:24])
@pytest.mark.parametrize("name", ["hostile", "hostile class"])
def test_what_a_submission_says_is_shown_as_text(name: str, text: str) -> None:
    shown = visible(text.encode("utf-8", "replace").decode() if name == "hostile" else text)
    # What stands between backticks is code, and the backticks are gone.
    shown = shown if "`" not in text or name != "hostile" else "<b>"
    assert " ".join(shown.split()) in parsed(name).text


def test_hostile_text_makes_no_element() -> None:
    """The same elements stand in the page whatever is said."""
    harmless = pages.hostile(pages.report("broken"), texts=("a/x",) * len(pages.HOSTILE))
    assert {tag for tag, _ in parsed("hostile").elements} - {"code"} == {
        tag for tag, _ in Page(page(harmless)).elements
    } - {"code"}


def test_a_claim_chooses_no_class() -> None:
    """One that is called as a class of ours could hide itself, or look like something else."""
    evidence = planted(span("success/payment", kind="UNSEEN"), lose("success/inventory"))
    found = Page(page(pages.graded(evidence)))
    assert "payment UNSEEN POST /payments" in found.text
    classes = [attrs.get("class", "") for attrs in found.tags("span")]
    assert "kind other" in classes
    assert "kind unseen" not in classes


def test_each_criterion_leads_to_its_checks() -> None:
    found, report = parsed("broken"), pages.report("broken")
    for criterion in CRITERIA:
        part = found.source.split(f'<details id="{criterion}"')[1].split("</details>")[0]
        links = set(re.findall(r'<a href="#([^"]+)"', part))
        assert links == {check.id for check in report.checks if criterion in check.criteria}


def part_of(name: str, check: str) -> str:
    """Return the text of the article on a check that failed."""
    source = parsed(name).source
    article = source.split(f'<article class="card fault" id="{check}"')[1].split("</article>")[0]
    return Page(f"<div{article}</div>").text


def test_a_failed_check_says_what_where_why_how_and_shows_the_trace() -> None:
    text = part_of("broken", "orphans.continues_the_trace")
    check = next(c for c in pages.report("broken").checks if c.id == "orphans.continues_the_trace")
    for said in (check.title, check.message, check.why.split("`")[0], check.fix.split("`")[0]):
        assert " ".join(said.split()) in text
    assert check.location is not None
    assert f"{check.location.path}:{check.location.line}" in text
    assert "2 traces" in text
    assert "at fault: level 2, inventory SERVER POST /reservations" in text
    assert "payment SERVER POST /payments 200 a root: it begins a trace of its own" in text
    assert "payment SERVER POST /payments received, but not here" in text
    assert "gateway → payment POST /payments 200 no traceparent" in text


def test_a_missing_span_is_shown_where_it_should_be() -> None:
    text = part_of("broken", "client_spans.one_per_request")
    assert "gateway CLIENT POST /reservations missing" in text
    assert "missing: no CLIENT span of gateway for gateway's POST /reservations" in text


def test_the_line_in_question_is_marked_among_its_neighbours() -> None:
    source = parsed("crashed").source
    assert (
        '<mark class="line"><span class="unseen">the line in question: </span>'
        '<span class="number">8</span>    return\n</mark>'
    ) in source
    assert '<span class="number">6</span>    return' in source


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("passed", "18 of 18 required criteria"),
        ("passed", "One checkout is one complete, honest trace"),
        ("partial", "Partial. This run left out lifespan hanging."),
        ("crashed", "Do this first Run it as a user would"),
        ("crashed", "It also breaks the contract"),
        ("silent", "Could not be judged"),
        ("ungraded", "The grader itself failed"),
        ("ungraded", "the interpreter cannot be run"),
        ("class", "14 submissions"),
        ("class", "os._exit(3) ended it"),
        ("class", "2 could not be graded"),
    ],
)
def test_a_page_says_what_matters(name: str, says: str) -> None:
    assert says in parsed(name).text


def test_a_case_that_leaves_no_span_expects_none() -> None:
    evidence = planted(span("root/gateway"))
    evidence.cases[:] = [
        replace(case, tags=["unsampled", "always_off"]) if case.name == "root" else case
        for case in evidence.cases
    ]
    assert "No span: this trace is not sampled." in page(pages.graded(evidence))


def drawing(*bars: Bar, crossings: tuple[Crossing, ...] = ()) -> Drawing:
    return Drawing(
        title="a case", bars=bars, left_out=0, missing=(), crossings=crossings, wanted=()
    )


def bar(start: float, length: float, depth: int = 0, *, is_last: bool = True) -> Bar:
    return Bar(
        depth=depth,
        is_last=is_last,
        trace_id="a",
        service="gateway",
        kind="SERVER",
        name="x",
        start_ms=start,
        took_ms=length,
        events=(Event("exception", start + length / 2),),
    )


def crossing(start: float, length: float) -> Crossing:
    return Crossing(
        caller="client",
        callee="gateway",
        what="GET /",
        context="",
        outcome="200",
        start_ms=start,
        took_ms=length,
    )


def placed(fall: Waterfall) -> list[tuple[float, float, bool]]:
    return [(row.left, row.width, row.is_outside) for t in fall.traces for row in t.rows]


@pytest.mark.parametrize(
    ("bars", "crossings", "expected"),
    [
        ([bar(0, 100), bar(50, 25)], [], [(0, 100, False), (50, 25, False)]),
        ([bar(10, 80)], [crossing(0, 100)], [(10, 80, False)]),
        ([bar(0, 200)], [crossing(0, 100)], [(0, 100, False)]),
        ([bar(50, 0)], [crossing(0, 100)], [(50, 0.6, False)]),
        ([bar(100, 0)], [crossing(0, 100)], [(99.4, 0.6, False)]),
        ([bar(50, -20)], [crossing(0, 100)], [(50, 0.6, True)]),
        ([bar(-1e12, 5)], [crossing(0, 100)], [(0, 0.6, True)]),
        ([bar(0, 1e15)], [crossing(0, 100)], [(0, 100, True)]),
        ([bar(5, -5)], [], [(99.4, 0.6, True)]),
    ],
    ids=[
        "alone",
        "within its request",
        "longer than its request",
        "no time",
        "no time at the end",
        "ends before it begins",
        "long ago",
        "for ever",
        "backwards, alone",
    ],
)
def test_bars_are_placed_on_an_axis_that_no_span_can_spoil(
    bars: list[Bar], crossings: list[Crossing], expected: list[tuple[float, float, bool]]
) -> None:
    fall = waterfall(drawing(*bars, crossings=tuple(crossings)))
    assert placed(fall) == expected
    assert all(0 <= tick.at <= 100 for tick in fall.ticks)
    assert 1 <= len(fall.ticks) <= 7
    assert all(0 <= mark.at <= 100 for t in fall.traces for row in t.rows for mark in row.marks)


def test_the_lines_of_the_tree_join_parents_and_children() -> None:
    fall = waterfall(
        drawing(bar(0, 9), bar(0, 4, 1, is_last=False), bar(1, 1, 2), bar(5, 4, 1), bar(6, 1, 2))
    )
    guides = ["".join(row.guides) for trace in fall.traces for row in trace.rows]
    assert guides == ["", "t", "vl", "l", "nl"]


def test_the_lines_of_what_was_expected_do_as_well() -> None:
    wanted = [Wanted(depth, "gateway", "CLIENT", "x", is_there=True) for depth in (0, 1, 2, 1, 2)]
    fall = waterfall(msgspec.structs.replace(drawing(), wanted=tuple(wanted)))
    assert ["".join(guides) for _, guides, _ in fall.wanted] == ["", "t", "vl", "l", "nl"]


def test_a_trace_deeper_than_a_page_is_wide_is_drawn() -> None:
    fall = waterfall(drawing(*(bar(0, 1, depth) for depth in range(40))))
    assert max(len(row.guides) for trace in fall.traces for row in trace.rows) == 8


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "0.0 ms"),
        (1.26, "1.3 ms"),
        (12.6, "13 ms"),
        (999.4, "999 ms"),
        (1234, "1.23 s"),
        (-3.21, "-3.2 ms"),
        (2_345_678, "2,346 s"),
        (1e15, "1.0e+12 s"),
    ],
)
def test_times_are_short(milliseconds: float, shown: str) -> None:
    assert took(milliseconds) == shown


def test_what_stands_between_backticks_is_code() -> None:
    report = pages.report("crashed")
    (check,) = [check for check in report.checks if check.id == "submission.runs"]
    told = msgspec.structs.replace(check, fix="Call `f(<b>)` & go")
    source = page(msgspec.structs.replace(report, checks=(told,)))
    assert "<dd>Call <code>f(&lt;b&gt;)</code> &amp; go</dd>" in source


@pytest.mark.parametrize(
    ("report", "at", "leads"),
    [
        ("reports/0001-a.html", None, "reports/0001-a.html"),
        ("class/reports/0001-a.html", "class/overview.html", "reports/0001-a.html"),
        ("reports/0001-a.html", "pages/overview.html", "../reports/0001-a.html"),
        ("r/0001-a b#?%:é.html", None, "r/0001-a%20b%23%3F%25%3A%C3%A9.html"),
        ("r/javascript:x.html", "r/o.html", "javascript%3Ax.html"),
    ],
)
def test_an_overview_links_to_reports_from_where_it_stands(
    report: str, at: str | None, leads: str
) -> None:
    assert link(Path(report), Path(at) if at else None) == leads


def test_submissions_of_several_places_keep_their_paths() -> None:
    first, second = pages.lines(2)
    lines = [replace(first, submission="a/mine"), replace(second, submission="b/mine")]
    text = Page(overview.page(lines, ["", ""])).text
    assert "a/mine" in text
    assert "b/mine" in text


def test_the_command_writes_a_page(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert run("--regrade", kept(tmp_path / "e", a=WRONG), "--format", "html", "--output", out) == 1
    assert "What failed" in Page(out.read_text("utf-8")).text


def test_the_command_writes_an_overview_that_links_to_the_reports(tmp_path: Path) -> None:
    out, reports = tmp_path / "overview.html", tmp_path / "r"
    evidence = kept(tmp_path / "e", a=WRONG, b=planted(exported("success/gateway")))
    options = ("--format", "html", "--output", out, "--reports", reports)
    assert run("--regrade", evidence, *options) == 1
    found = Page(out.read_text("utf-8"))
    links = [link for link in found.all("href") if link.startswith("r/")]
    assert sorted(links) == [f"r/{path.name}" for path in sorted(reports.iterdir())]
    assert len(links) == 2
    for path in reports.iterdir():
        Page(path.read_text("utf-8"))


@pytest.mark.parametrize("count", [1, 2])
def test_a_page_on_standard_output_is_utf_8_whatever_the_terminal_speaks(
    count: int, tmp_path: Path
) -> None:
    evidence = kept(tmp_path / "e", **dict.fromkeys("ab"[:count], WRONG))
    shown = subprocess.run(
        [sys.executable, "-m", "otelkata.cli.grade", "--regrade", evidence, "--format", "html"],
        capture_output=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert shown.returncode == 1, shown.stderr.decode()
    Page(shown.stdout.decode("utf-8"))


def test_only_pages_need_the_library_for_templates() -> None:
    code = "import sys, otelkata.cli.session; sys.exit('jinja2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_class_of_300_is_a_small_page() -> None:
    """Megabytes: what `benchmarks/html_report.py` measures, which also opens it."""
    lines = pages.lines(300)
    assert len(overview.page(lines, [f"out/{n}.html" for n in range(300)])) < 5_000_000


def test_the_report_is_of_the_result_alone() -> None:
    """What went through JSON gives the same page."""
    report = pages.report("broken")
    again = msgspec.json.decode(msgspec.json.encode(report), type=Graded)
    assert page(again) == page(report)


@pytest.mark.parametrize(
    ("policy", "says", "says_not"),
    [
        (Policy(pass_points=1), "By the policy: passed,", "failed Distributed"),
        (
            Policy(shown={"T3": "nothing"}),
            "Distributed tracing kata mine graded",
            "no broken chain",
        ),
        (Policy(shown={"T3": "nothing"}), "Criteria", "required criteria"),
        (Policy(shown={"T3": "result"}), "it is only told whether this passed", "Scenarios"),
        (Policy(shown_otherwise="nothing"), "Isolation", "F1"),
    ],
)
def test_a_policy_says_what_passes_and_what_is_seen(
    policy: Policy, says: str, says_not: str
) -> None:
    source = page(pages.report("broken"), policy)
    found = Page(source)
    assert says in found.text
    assert says_not not in found.text
    inner = {link[1:] for link in found.all("href") if link.startswith("#")}
    assert inner - set(found.all("id")) == set()


def test_the_verdict_of_a_class_is_that_of_the_policy() -> None:
    several = formats.load("html").several
    assert several is not None
    results = [pages.report("broken"), pages.report("passed")]
    assert "1 passed 1 failed" in Page("".join(several(results, DEFAULT, ["", ""]))).text
    assert "2 passed" in Page("".join(several(results, Policy(pass_points=1), ["", ""]))).text


def class_page(policy: Policy, *names: str) -> Page:
    several = formats.load("html").several
    assert several is not None
    links = [""] * len(names)
    return Page("".join(several([pages.report(name) for name in names], policy, links)))


def test_an_overview_says_that_it_is_partial_and_what_was_left_out() -> None:
    assert "Partial." not in class_page(DEFAULT, "passed", "broken").text
    every = class_page(DEFAULT, "partial", "partial", "ungraded").text
    assert "Partial. Left out lifespan hanging. Grade without --quick for whole" in every
    assert "Left out lifespan hanging (in 1 of 2)." in class_page(DEFAULT, "partial", "broken").text


def test_what_fails_most_has_bonus_after_all_that_is_required() -> None:
    failing = pages.lines(1)[0]
    lines = [
        replace(failing, submission=name, checks=((bonus, "a.b"), *required))
        for name, bonus, required in (("a", "B3", ()), ("b", "B3", (("T3", "a.c"),)))
    ]
    assert list(faults(lines)) == ["T3", "B3"]
    text = Page(overview.page(lines, ["", ""])).text
    assert text.index("no broken chain 1 of 2") < text.index("baggage carries tenant and user")


def test_what_is_hidden_in_an_overview_is_neither_not_run_nor_counted() -> None:
    plain = class_page(DEFAULT, "passed")
    assert "18 /18 4" in plain.text
    assert "hidden" not in plain.text
    hiding = class_page(Policy(shown={"B4": "nothing"}), "passed")
    assert "18 /18 3" in hiding.text
    assert "hidden by the policy" in hiding.text
    assert "fails B4" not in hiding.text
    assert "fails B3" in hiding.text
    assert "1 passed" in hiding.text
    assert hiding.tags("td")[2 + list(CRITERIA).index("B4")]["class"] == "h"
    assert hiding.tags("td")[2 + list(CRITERIA).index("B3")]["class"] == "p"


@pytest.mark.parametrize(
    "policy",
    [
        Policy(shown={"T3": "nothing"}),
        Policy(shown={"broken_chain.server_is_under_the_client": "nothing"}),
        Policy(shown={"B4": "nothing"}, pass_points=100),
        Policy(shown_otherwise="nothing"),
    ],
)
def test_an_overview_has_no_verdict_that_would_tell_what_is_hidden(policy: Policy) -> None:
    found = class_page(policy, "passed", "broken", "ungraded")
    assert {row["class"] for row in found.tags("tr") if "class" in row} == {"graded", "error"}
    assert "2 graded 1 could not be graded" in found.text
    assert not {"is failed", "is passed"} & set(found.all("value"))
