"""What junit-10.xsd of the Jenkins xUnit plugin demands of the elements that reports write.

Attributes are names, with True for those that are required. Text is free where children are none.
"""

import re
from xml.etree import ElementTree as ET

SUREFIRE_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")
MESSAGE = {"type": False, "message": False}

ATTRIBUTES = {
    "testsuites": {
        "name": False,
        "time": False,
        "tests": False,
        "failures": False,
        "errors": False,
    },
    "testsuite": {
        "name": True,
        "tests": True,
        "failures": True,
        "errors": True,
        "group": False,
        "time": False,
        "skipped": False,
        "timestamp": False,
        "hostname": False,
        "id": False,
        "package": False,
        "file": False,
        "log": False,
        "url": False,
    },
    "testcase": {"name": True, "time": False, "classname": False, "group": False},
    "properties": {},
    "property": {"name": True, "value": True},
    "failure": MESSAGE,
    "error": MESSAGE,
    "skipped": MESSAGE,
    "system-out": {},
    "system-err": {},
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testsuite", "properties", "testcase", "system-out", "system-err"},
    "testcase": {"skipped", "error", "failure", "system-out", "system-err"},
    "properties": {"property"},
}


def faults_of(element: ET.Element) -> list[str]:
    """Return what the schema forbids in `element` and below."""
    if element.tag not in ATTRIBUTES:
        return [f"no element {element.tag}"]
    known = ATTRIBUTES[element.tag]
    faults = [f"{element.tag} has no attribute {name}" for name in element.attrib.keys() - known]
    faults += [
        f"{element.tag} needs the attribute {name}"
        for name, is_required in known.items()
        if is_required and name not in element.attrib
    ]
    if element.tag != "testcase" and not SUREFIRE_TIME.fullmatch(element.get("time", "")):
        faults.append(f"{element.tag} took {element.get('time')}")
    inner = CHILDREN.get(element.tag, set())
    if inner and (element.text or "").strip():
        faults.append(f"{element.tag} holds text")
    for child in element:
        if child.tag not in inner:
            faults.append(f"{child.tag} in {element.tag}")
        if (child.tail or "").strip():
            faults.append(f"text behind {child.tag}")
        faults += faults_of(child)
    return faults
