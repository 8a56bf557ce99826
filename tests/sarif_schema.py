"""What SARIF 2.1.0 (OASIS standard, section 3) demands of the objects that the linter writes.

Each object has here the properties that the linter may write, a part of those that the standard
knows, with the standard's types, enumerations and required properties: what passes this schema
passes the standard's.
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
URI: Schema = {"type": "string", "format": "uri"}
FLAG: Schema = {"type": "boolean"}
ONE_OR_MORE: Schema = {"type": "integer", "minimum": 1}
LEVEL: Schema = {"enum": ["none", "note", "warning", "error"]}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}


def an_object(required: list[str], **properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def a_list(items: Schema, **limits: int | bool) -> Schema:
    return {"type": "array", "items": items, **limits}


BAG: Schema = {
    "type": "object",
    "properties": {"tags": a_list(TEXT, uniqueItems=True)},
    "additionalProperties": True,
}
MESSAGE = an_object(["text"], text=TEXT, markdown=TEXT)
REGION = an_object(
    ["startLine"],
    startLine=ONE_OR_MORE,
    startColumn=ONE_OR_MORE,
    endLine=ONE_OR_MORE,
    endColumn=ONE_OR_MORE,
)
ARTIFACT = an_object([], uri={"type": "string", "format": "uri-reference"})
PHYSICAL = an_object(["artifactLocation"], artifactLocation=ARTIFACT, region=REGION)
LOCATION = an_object([], physicalLocation=PHYSICAL, message=MESSAGE)
FLOW = an_object(
    ["threadFlows"],
    threadFlows=a_list(
        an_object(["locations"], locations=a_list(an_object([], location=LOCATION), minItems=1)),
        minItems=1,
    ),
)
RULE = an_object(
    ["id"],
    id=TEXT,
    name=TEXT,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    helpUri=URI,
    defaultConfiguration=an_object([], enabled=FLAG, level=LEVEL),
    properties=BAG,
)
RESULT = an_object(
    ["message"],
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    level=LEVEL,
    message=MESSAGE,
    locations=a_list(LOCATION),
    partialFingerprints=TEXTS,
    codeFlows=a_list(FLOW),
    properties=BAG,
)
NOTIFICATION = an_object(
    ["message"], level=LEVEL, message=MESSAGE, locations=a_list(LOCATION, uniqueItems=True)
)
RUN = an_object(
    ["tool"],
    tool=an_object(
        ["driver"],
        driver=an_object(
            ["name"],
            name=TEXT,
            version=TEXT,
            semanticVersion=TEXT,
            informationUri=URI,
            rules=a_list(RULE, uniqueItems=True),
        ),
    ),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    invocations=a_list(
        an_object(
            ["executionSuccessful"],
            executionSuccessful=FLAG,
            toolExecutionNotifications=a_list(NOTIFICATION),
        )
    ),
    results=a_list(RESULT),
)
LOG: Schema = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    **an_object(
        ["version", "runs"],
        **{"$schema": URI, "version": {"enum": ["2.1.0"]}, "runs": a_list(RUN)},
    ),
}
