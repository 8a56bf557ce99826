"""What systems that take results publish of their formats, as JSON Schema; nothing else is let in.

Sources are those that the modules of `otelkata.report.formats` name.
"""

from sarif_schema import TEXT, Schema, a_list, an_object

NUMBER: Schema = {"type": "number", "minimum": 0}
LINE: Schema = {"type": "integer", "minimum": 0}
VISIBILITY: Schema = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORM: Schema = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
ANY: Schema = {"type": "object"}

_GRADESCOPE_TEST = an_object(
    ["name", "number", "status", "visibility"],
    score=NUMBER,
    max_score=NUMBER,
    status={"enum": ["passed", "failed"]},
    name=TEXT,
    name_format=FORM,
    number={"type": "string", "pattern": r"^\d+(\.\d+)*$"},
    output=TEXT,
    output_format=FORM,
    tags=a_list(TEXT),
    visibility=VISIBILITY,
    extra_data=ANY,
)
_GRADESCOPE = an_object(
    ["tests", "stdout_visibility"],
    score=NUMBER,
    execution_time=NUMBER,
    output=TEXT,
    output_format=FORM,
    test_output_format=FORM,
    test_name_format=FORM,
    visibility=VISIBILITY,
    stdout_visibility=VISIBILITY,
    extra_data=ANY,
    tests=a_list(_GRADESCOPE_TEST),
)
_PRAIRIELEARN_TEST = an_object(
    ["name", "points", "max_points"],
    name=TEXT,
    description=TEXT,
    points=NUMBER,
    max_points=NUMBER,
    message=TEXT,
    output=TEXT,
)
_PRAIRIELEARN: Schema = {
    "anyOf": [
        an_object(
            ["gradable", "score"],
            gradable={"const": True},
            score={"type": "number", "minimum": 0, "maximum": 1},
            message=TEXT,
            output=TEXT,
            tests=a_list(_PRAIRIELEARN_TEST),
        ),
        an_object(
            ["gradable"], gradable={"const": False}, message=TEXT, format_errors=a_list(TEXT)
        ),
    ]
}
_EXERCISM_TEST = an_object(
    ["name", "status", "test_code"],
    name=TEXT,
    status={"enum": ["pass", "fail", "error"]},
    message={"type": ["string", "null"]},
    output={"type": "string", "maxLength": 500},
    test_code=TEXT,
    task_id={"type": "integer", "minimum": 1},
)
_EXERCISM: Schema = {
    "anyOf": [
        an_object(
            ["version", "status", "tests"],
            version={"const": 3},
            status={"const": status},
            message=message,
            tests=a_list(_EXERCISM_TEST),
        )
        for status, message in (
            ("pass", {"type": "null"}),
            ("fail", {"type": "null"}),
            ("error", {"type": "string", "minLength": 1, "maxLength": 65_535}),
        )
    ]
}
_CAUSE = an_object(["rationale"], rationale=TEXT, help={"type": ["string", "null"]})
_CHECK50_RESULT = an_object(
    ["name", "description", "passed", "log", "cause", "data", "dependency"],
    name=TEXT,
    description=TEXT,
    passed={"enum": [True, False, None]},
    log=a_list(TEXT),
    cause={"anyOf": [{"type": "null"}, _CAUSE]},
    data=ANY,
    dependency={"type": ["string", "null"]},
)
_CHECK50: Schema = {
    "anyOf": [
        an_object(
            ["slug", "results", "version"],
            slug=TEXT,
            results=a_list(_CHECK50_RESULT),
            version=TEXT,
        ),
        an_object(
            ["slug", "error", "version"],
            slug=TEXT,
            error=an_object(
                ["type", "value", "traceback", "data"],
                type=TEXT,
                value=TEXT,
                traceback=a_list(TEXT),
                data=ANY,
            ),
            version=TEXT,
        ),
    ]
}
_CLASSROOM_TEST = an_object(
    ["name", "status", "message", "test_code", "filename", "line_no", "execution_time", "score"],
    name=TEXT,
    status={"enum": ["pass", "fail", "error"]},
    message=TEXT,
    test_code=TEXT,
    filename=TEXT,
    line_no=LINE,
    execution_time={"type": "string", "pattern": r"^\d+\.\d+s$"},
    score=NUMBER,
)
_CLASSROOM = an_object(
    ["version", "status", "max_score", "tests"],
    version={"const": 1},
    status={"enum": ["pass", "fail", "error"]},
    max_score=NUMBER,
    # The reporter divides by their number.
    tests=a_list(_CLASSROOM_TEST, minItems=1),
)
SCHEMAS: dict[str, Schema] = {
    "gradescope": _GRADESCOPE,
    "prairielearn": _PRAIRIELEARN,
    "exercism": _EXERCISM,
    "check50": _CHECK50,
    "classroom": _CLASSROOM,
}
