"""Judge context that examples cannot tell apart: which finding is certain, and which is advice."""

import textwrap

import pytest

from otelkata.lint.engine import lint_source
from otelkata.lint.finding import Finding
from otelkata.lint.rule import load

RULES = {rule.code: rule for rule in load()}
SETUP = """\
import contextvars
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from shop.threads import CarryingExecutor, carrying
from opentelemetry import baggage, propagate, trace
from opentelemetry.context import Context, attach, get_current
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import SpanKind, set_span_in_context, use_span
tracer = trace.get_tracer("shop")
PARENT = get_current()
def traced():
    with tracer.start_as_current_span("charge"):
        pass
def traced_batch(links):
    with tracer.start_as_current_span("charge", links=links):
        pass
def traced_under(token):
    attach(token)
    with tracer.start_as_current_span("charge"):
        pass
def traced_beside(other):
    with use_span(other), tracer.start_as_current_span("charge"):
        pass
def traced_by_hand():
    with use_span(tracer.start_span("charge"), end_on_exit=True):
        pass
@carrying
def traced_elsewhere():
    with tracer.start_as_current_span("charge"):
        pass
def traced_worker():
    with tracer.start_as_current_span("charge"):
        pass
"""


def findings(code: str, source: str) -> list[Finding]:
    found = lint_source((SETUP + textwrap.dedent(source)).encode(), "shop.py", [RULES[code]])
    assert isinstance(found, list)
    return found


def in_function(body: str, signature: str = "handle(client, url, request, x)") -> str:
    return f"def {signature}:\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"


@pytest.mark.parametrize(
    ("context", "certain"),
    [
        ("Context()", [True]),
        ("Context({})", [True]),
        ("Context() if x else None", [False]),
        ("x or Context()", []),
        ("extract(x) if x else Context()", []),
        ("baggage.set_baggage('a', 'b', Context())", [True]),
        ("baggage.set_baggage('a', 'b')", []),
        ("Context(), links=x", [False]),
        ("Context({'a': 1})", []),
        ("contextvars.Context()", []),
        ("set_span_in_context(x, Context())", []),
        ("None", []),
    ],
)
def test_an_empty_parent_is_certain_where_no_root_can_be_meant(
    context: str, certain: list[bool]
) -> None:
    found = findings("OTK201", in_function(f'tracer.start_span("charge", context={context})'))
    assert [finding.certain for finding in found] == certain


@pytest.mark.parametrize(
    "signature", ["mail_worker()", "poll_forever()"], ids=["worker", "forever"]
)
def test_an_empty_parent_in_background_work_is_a_note(signature: str) -> None:
    found = findings("OTK201", in_function('tracer.start_span("x", context=Context())', signature))
    assert [(finding.severity, finding.certain) for finding in found] == [("note", False)]


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ('tracer.start_span("x", context=PARENT)', [True]),
        ('parent = PARENT\ntracer.start_span("x", context=parent)', [True]),
        ('PARENT = get_current()\ntracer.start_span("x", context=PARENT)', []),
        ('tracer.start_span("x", context=extract(x, PARENT))', []),
    ],
)
def test_a_parent_of_the_module_is_found_by_whatever_name(body: str, certain: list[bool]) -> None:
    assert [finding.certain for finding in findings("OTK202", in_function(body))] == certain


def test_a_parent_that_a_function_makes_global_is_uncertain() -> None:
    source = """
        root = None
        def begin():
            global root
            root = tracer.start_span("run")
        def handle():
            with use_span(root):
                pass
        """
    assert [finding.certain for finding in findings("OTK202", source)] == [False]


def test_a_parent_in_a_class_belongs_to_all_its_objects() -> None:
    source = """
        class Shop:
            parent = get_current()
            def charge(self):
                return tracer.start_span("charge", context=self.parent)
        class Desk:
            parent = get_current()
            def __init__(self):
                self.parent = get_current()
            def charge(self):
                return tracer.start_span("charge", context=self.parent)
        """
    assert [finding.place.line - SETUP.count("\n") for finding in findings("OTK202", source)] == [5]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("Thread(target=traced).start()", [("error", True)]),
        ("Thread(None, traced).start()", [("error", True)]),
        ("ThreadPoolExecutor().submit(traced)", [("error", True)]),
        ("x.run_in_executor(None, lambda: traced())", [("error", True)]),
        ("x.executor.submit(traced)", [("error", False)]),
        ("Thread(target=traced_worker).start()", [("note", False)]),
        ("Thread(target=traced_batch).start()", [("note", False)]),
        ("Thread(target=traced_by_hand).start()", [("error", True)]),
        ("Thread(target=traced_under, args=(x,)).start()", []),
        ("Thread(target=traced_beside, args=(x,)).start()", []),
        ("Thread(target=traced_elsewhere).start()", []),
        ("CarryingExecutor().submit(traced)", []),
        ("x.submit(traced)", []),
        ("Thread(target=traced, args=(get_current(),)).start()", []),
        ("Thread(target=contextvars.copy_context().run, args=(traced,)).start()", []),
        ("map(traced, x)", []),
        ("Thread(target=x).start()", []),
    ],
)
def test_a_thread_loses_the_context(body: str, found: list[tuple[str, bool]]) -> None:
    got = findings("OTK203", in_function(body))
    assert [(finding.severity, finding.certain) for finding in got] == found


def test_a_thread_that_is_started_with_the_program_is_uncertain() -> None:
    body = in_function("Thread(target=traced).start()", "main()")
    assert [finding.certain for finding in findings("OTK203", body)] == [False]


def test_an_instrumented_thread_keeps_the_context() -> None:
    source = "from opentelemetry.instrumentation.threading import ThreadingInstrumentor\n"
    body = in_function("Thread(target=traced).start()")
    assert findings("OTK203", source + body) == []


SERVER = 'with tracer.start_as_current_span("x", kind=SpanKind.SERVER):\n'


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (SERVER + "    extract(request.headers)", 1),
        (SERVER + "    if x:\n        attach(extract(request.headers))", 1),
        (SERVER + "    baggage.get_baggage('a', extract(request.headers))", 0),
        (SERVER + "    for item in x:\n        extract(item.headers)", 0),
        ("token = attach(x)\n" + SERVER + "    extract(request.headers)", 0),
        (SERVER.replace("SERVER", "CONSUMER") + "    extract(request.headers)", 0),
        (SERVER.replace('"x"', '"x", context=x') + "    extract(request.headers)", 0),
        ("if x:\n    " + SERVER + "        pass\nelse:\n    extract(request.headers)", 0),
    ],
)
def test_headers_are_read_too_late_only_for_the_same_request(body: str, count: int) -> None:
    assert len(findings("OTK205", in_function(body))) == count


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ("h = {}\nclient.post(url, headers=h)\ninject(h)", [True]),
        ("client.send(request)\ninject(request.headers)", [False]),
        ("h = {}\nclient.post(url, headers=h)\ninject(h)\nx.append(h)", [False]),
        ("h = {}\nclient.post(url, headers=h)\ninject(h)\nclient.post(url, headers=h)", []),
        ("h = {}\nfor _ in x:\n    client.post(url, headers=h)\n    inject(h)", []),
        ("for _ in x:\n    h = {}\n    client.post(url, headers=h)\n    inject(h)", [True]),
        ("h = {}\nif x:\n    client.post(url, headers=h)\nelse:\n    inject(h)", []),
        ("h = {}\nif x:\n    return client.post(url, headers=h)\ninject(h)", []),
        ("h = {}\nx.check(h)\ninject(h)\nclient.post(url, headers=h)", []),
    ],
)
def test_headers_are_injected_too_late_only_on_the_same_path(
    body: str, certain: list[bool]
) -> None:
    assert [finding.certain for finding in findings("OTK206", in_function(body))] == certain


CLIENT = 'with tracer.start_as_current_span("x", kind=SpanKind.CLIENT) as span:\n'
SENT = "    client.post(url, headers=h)"


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ("h = {}\ninject(h)\n" + CLIENT + SENT, [True]),
        ("h = {}\ninject(h)\nfor _ in x:\n" + textwrap.indent(CLIENT + SENT, "    "), [True]),
        ("h = {}\ninject(h)\nwith client_span(x):\n" + SENT, [False]),
        ("h = {}\ninject(h)\n" + CLIENT.replace("CLIENT", "INTERNAL") + SENT, []),
        ("h = {}\ninject(h)\n" + CLIENT + "    inject(h)\n" + SENT, []),
        ("h = {}\ninject(h)\n" + CLIENT + "    client.post(url)\nx.append(h)", []),
        ("h = {}\n" + CLIENT + "    inject(h)\n" + SENT, []),
        ("h = {}\n" + CLIENT.replace("as_current_", "") + "    inject(h)\n" + SENT, [True]),
        (
            'h = {}\nspan = tracer.start_span("x", kind=SpanKind.CLIENT)\n'
            "with use_span(span):\n    inject(h)\n" + SENT,
            [],
        ),
        (
            'h = {}\nspan = tracer.start_span("x", kind=SpanKind.CLIENT)\n'
            "with x.activated(span):\n    inject(h)\n" + SENT,
            [],
        ),
        ("h = {}\ninject(h)\nclient.post(url, headers=h)", []),
    ],
)
def test_headers_name_the_span_of_their_request(body: str, certain: list[bool]) -> None:
    assert [finding.certain for finding in findings("OTK207", in_function(body))] == certain


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ("inject({})", [True]),
        ("inject({**x})", [True]),
        ("inject(x.headers.copy())", [True]),
        ("inject({}, setter=x)", [False]),
        ("h = {}\ninject(h)\nclient.post(url)", [True]),
        ("h = dict(x)\nh['a'] = 'b'\ninject(h)\nclient.post(url, headers=x)", [True]),
        ("h = {}\nx.headers = h\ninject(h)", []),
        ("h = {}\nr = x.build(headers=h)\ninject(h)\nclient.send(r)", []),
        ("h = {}\ninject(h)\nreturn h", []),
        ("h = {}\ninject(h)\nreturn lambda: h", []),
        ("h = x\ninject(h)", []),
        ("h = {}\nclient.post(url, headers={**h})\ninject(h)", []),
        ("inject(x)", []),
        ("h = {}\nfor _ in x:\n    client.keep(h)\n    inject(h)", []),
    ],
)
def test_headers_are_lost_only_where_nobody_else_has_them(body: str, certain: list[bool]) -> None:
    assert [finding.certain for finding in findings("OTK208", in_function(body))] == certain
