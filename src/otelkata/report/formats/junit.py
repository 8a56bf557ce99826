"""JUnit XML, in the dialect of junit-10.xsd of Jenkins' xUnit plugin, which pytest writes, too.

A submission is a testsuite, a check a testcase. A check that failed is a failure; one that was
blocked is an error of the type `blocked`, since what could not be judged is no pass; one that
crashed is an error. A bonus check that did not pass is skipped: it fails nobody.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree as ET

from otelkata.report.formats import Format
from otelkata.report.graded import Graded, Judged
from otelkata.report.plain import explain
from otelkata.report.policy import Policy
from otelkata.report.seen import seen

_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _one(graded: Graded, policy: Policy) -> str:
    return "".join(_several([graded], policy))


def _several(results: Iterable[Graded], policy: Policy, _: Sequence[str] = ()) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="kata-grade">\n'
    for graded in results:
        suite = _suite(seen(graded, policy))
        ET.indent(suite)
        yield ET.tostring(suite, "unicode") + "\n"
    yield "</testsuites>\n"


def _suite(graded: Graded) -> ET.Element:
    suite = _element(None, "testsuite", name=graded.submission)
    properties = _element(suite, "properties")
    told = {
        "seed": f"{graded.seed}",
        "isolation": graded.isolation,
        "partial": ", ".join([*graded.left_out, *(f"only {name}" for name in graded.only)]),
    }
    for name, value in told.items():
        if value:
            _element(properties, "property", name=name, value=value)
    cases = [_case(suite, check) for check in graded.checks]
    if graded.error:
        cases.append(_element(suite, "testcase", classname="kata", name="grading"))
        _element(cases[-1], "error", graded.error, type="grader", message="grading failed")
    if graded.advice:
        _element(suite, "system-out", "\n".join(graded.advice))
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.set("tests", f"{len(cases)}")
    for attribute, tag in counts.items():
        suite.set(attribute, f"{sum(case.find(tag) is not None for case in cases)}")
    suite.set("time", f"{graded.duration_s:.3f}")
    return suite


def _case(suite: ET.Element, check: Judged) -> ET.Element:
    theme, _, name = check.id.rpartition(".")
    time = f"{check.duration_s:.3f}"
    case = _element(suite, "testcase", classname=f"kata.{theme}", name=name, time=time)
    if check.status == "passed":
        return case
    tag = "failure" if check.status == "failed" else "error"
    tag, kind = ("skipped", "bonus") if check.bonus else (tag, f"{check.status}")
    about = f"{' '.join(check.criteria) or 'contract'}: {check.title}"
    _element(case, tag, f"{about}\n{explain(check)}", type=kind, message=check.message)
    return case


def _element(parent: ET.Element | None, tag: str, text: str = "", **attributes: str) -> ET.Element:
    legal = {name: _ILLEGAL.sub("", value) for name, value in attributes.items()}
    element = ET.Element(tag, legal) if parent is None else ET.SubElement(parent, tag, legal)
    element.text = _ILLEGAL.sub("", text) or None
    return element


FORMAT = Format(
    about="Jenkins, GitLab, Azure Pipelines and whatever else shows test results",
    document="junit-10.xsd of the Jenkins xUnit plugin",
    suffix="xml",
    one=_one,
    several=_several,
)
