"""Judge context that examples cannot tell apart: which finding is certain, and which is advice."""

import textwrap

import flow_sources
import pytest

from otelkata.lint.finding import Finding

SETUP = """\
import contextvars
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from shop import Order, client_span, x
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
def traced_without_span():
    with use_span(), tracer.start_as_current_span("charge"):
        pass
def traced_through_another():
    untraced()
    traced()
def untraced():
    print()
def opened():
    with client_span(tracer, "charge"):
        pass
def traced_worker():
    with tracer.start_as_current_span("charge"):
        pass
"""


def findings(code: str, source: str) -> list[Finding]:
    return flow_sources.findings(code, source, SETUP)


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
        ("(kept := Context())", [True]),
        ("Context() if x else Context()", [True]),
        ("x[0] or Context()", []),
        ("x.context", []),
        ("None", []),
    ],
)
def test_an_empty_parent_is_certain_where_no_root_can_be_meant(
    context: str, certain: list[bool]
) -> None:
    found = findings("OTK201", in_function(f'tracer.start_span("charge", context={context})'))
    assert [finding.certain for finding in found] == certain


@pytest.mark.parametrize(
    ("source", "certain"),
    [
        ("a = Context()\nb = a\nc = b\nd = c\n", [True]),
        ("a = Context()\nb = a\nc = b\ne = c\nd = e\n", []),
        ("d = Context()\nif x:\n    d = extract(x)\n", []),
        ("d = extract(x)\nd = Context()\n", [True]),
        ("for d in x:\n    pass\n", []),
    ],
)
def test_an_empty_parent_is_found_by_its_names(source: str, certain: list[bool]) -> None:
    found = findings("OTK201", in_function(source + 'tracer.start_span("charge", context=d)'))
    assert [finding.certain for finding in found] == certain


@pytest.mark.parametrize(
    ("member", "count"),
    [
        ("empty = Context()", 1),
        ("def __init__(self):\n        self.empty = Context()", 1),
        ("def __init__(self, x):\n        self.empty = x", 0),
        ("empty = get_current()", 0),
        ("pass", 0),
    ],
)
def test_an_empty_parent_on_an_object_is_never_certain(member: str, count: int) -> None:
    source = f"""
class Shop:
    {member}
    def charge(self):
        return tracer.start_span("charge", context=self.empty)
"""
    assert [finding.certain for finding in findings("OTK201", source)] == [False] * count


@pytest.mark.parametrize(
    ("loop", "is_background"),
    [
        ("while True:", True),
        ("while 1:", True),
        ("while 0:", False),
        ("while not x.stopped:", True),
        ("while self.running:", True),
        ("while not x.is_set():", True),
        ("while x.wait(1):", True),
        ("while x.more():", False),
        ("while x:", False),
        ("while x[0]:", False),
        ("for _ in x:", False),
    ],
)
def test_an_empty_parent_in_a_loop_without_end_is_a_note(loop: str, *, is_background: bool) -> None:
    source = in_function(f'{loop}\n    tracer.start_span("x", context=Context())')
    assert [finding.severity for finding in findings("OTK201", source)] == [
        "note" if is_background else "error"
    ]


@pytest.mark.parametrize(
    ("source", "severity"),
    [
        ('tracer.start_span("x", context=Context())', "note"),
        ('make = lambda: tracer.start_span("x", context=Context())', "error"),
    ],
)
def test_an_empty_parent_of_a_script_is_a_note(source: str, severity: str) -> None:
    assert [finding.severity for finding in findings("OTK201", source)] == [severity]


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
        ('a = PARENT\nb = a\nc = b\nd = c\ntracer.start_span("x", context=d)', [True]),
        ('a = PARENT\nb = a\nc = b\nd = c\ne = d\ntracer.start_span("x", context=e)', []),
        ('tracer.start_span("x", context=nowhere)', []),
        ('class A:\n    a = PARENT\n    b = tracer.start_span("x", context=a)', []),
        ('tracer.start_span("x", context=x.PARENT)', []),
        ('tracer.start_span("x", context=x().PARENT)', []),
        ('tracer.start_span("x", context=x or PARENT)', []),
    ],
)
def test_a_parent_of_the_module_is_found_by_whatever_name(body: str, certain: list[bool]) -> None:
    assert [finding.certain for finding in findings("OTK202", in_function(body))] == certain


@pytest.mark.parametrize(
    ("made", "certain"),
    [
        ("root = tracer.start_span('run')", [True]),
        ("root = set_span_in_context(tracer.start_span('run'))", [True]),
        ("root = None\nroot = get_current()", [True]),
        ("root = get_current()\nroot = x", [False]),
        ("root = 5", []),
        ("root = Order()", []),
        ("root = trace.get_tracer('x')", []),
        ("with tracer.start_as_current_span('run') as root: pass", []),
        ("with tracer.start_span('run') as root: pass", []),
        ("if __name__ == '__main__': root = get_current()", []),
    ],
)
def test_what_was_made_at_import_is_a_parent_of_all(made: str, certain: list[bool]) -> None:
    source = made + "\n" + in_function("use_span(root)")
    assert [finding.certain for finding in findings("OTK202", source)] == certain


@pytest.mark.parametrize(
    ("source", "certain"),
    [
        ("def handle(parent=get_current()):\n    use_span(parent)", [False]),
        ("def handle(parent=None):\n    use_span(parent)", []),
        ("def handle(parent=5):\n    use_span(parent)", []),
        ("def handle(parent):\n    use_span(parent)", []),
        ("def made():\n    def handle(parent=get_current()):\n        use_span(parent)", []),
        ("handle = lambda parent=get_current(): use_span(parent)", []),
        (
            "class Shop:\n    parent = get_current()\ndef handle():\n    use_span(Shop.parent)",
            [True],
        ),
        ("class Shop:\n    def charge(self):\n        use_span(x().parent)", []),
        ("class Shop:\n    parent = 5\ndef handle():\n    use_span(Shop.parent)", []),
    ],
)
def test_defaults_and_classes_are_made_once_as_well(source: str, certain: list[bool]) -> None:
    assert [finding.certain for finding in findings("OTK202", source)] == certain


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
        ("x.run_in_executor(ThreadPoolExecutor(), traced)", [("error", True)]),
        ("x.run_in_executor(x.pool, traced)", [("error", False)]),
        ("x.run_in_executor(x.carrier, traced)", [("error", False)]),
        ("x.run_in_executor(CarryingExecutor(), traced)", []),
        ("x.run_in_executor(*x)", []),
        ("x[0](traced)", []),
        ("work = lambda: traced()\nThread(target=work).start()", [("error", True)]),
        ("Thread(target=opened).start()", [("error", False)]),
        ("Thread(target=untraced).start()", []),
        ("Thread(target=traced_through_another).start()", [("error", True)]),
        ("Thread(target=traced_without_span).start()", []),
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
NAMED_KIND = CLIENT.replace("SpanKind.CLIENT", "kind")
SENT = "    client.post(url, headers=h)"
STARTED = 'tracer.start_span("x", kind=SpanKind.CLIENT)\n'


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ("h = {}\ninject(h)\n" + CLIENT + SENT, [True]),
        ("h = {}\ninject(h)\nfor _ in x:\n" + textwrap.indent(CLIENT + SENT, "    "), [True]),
        ("h = {}\ninject(h)\nwith client_span(x):\n" + SENT, [False]),
        ("h = {}\ninject(h)\nwith traced():\n" + SENT, []),
        ("kind = SpanKind.CLIENT\nh = {}\ninject(h)\n" + NAMED_KIND + SENT, [True]),
        ("kind = x\nh = {}\ninject(h)\n" + NAMED_KIND + SENT, []),
        ("h = {}\ninject(h)\n" + NAMED_KIND.replace("=kind", "=x.kind") + SENT, []),
        ("h = {}\ninject(h)\n" + NAMED_KIND.replace("=kind", "=nowhere") + SENT, []),
        ("h = {}\ninject(h)\n" + NAMED_KIND.replace("=kind", "=x[0]") + SENT, []),
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
        ("h = {}\nspan: Span = " + STARTED + "with x.on(span):\n    inject(h)\n" + SENT, []),
        ("h = {}\nspan = " + STARTED + "with x.lock:\n    inject(h)\n" + SENT, [True]),
        ("h = {}\nx.span = y = " + STARTED + "inject(h)\n" + SENT.strip(), []),
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
        ("x.inject({})", []),
        ("x[0]({})", []),
        ("x.propagator.inject({})", [False]),
        ("x.propagator().inject({})", [False]),
        ("x.baggage_propagator.inject({})", []),
        ("h = {}\nh.update(x)\ninject(h)", [True]),
        ("h = {}\nx.note(h.items)\ninject(h)", [True]),
        ("h = {}\nh.kept_by(x)\ninject(h)", []),
        ("h = {}\ninject(h)\nreturn lambda h: 1", [True]),
        ("inject({})\n" * 25, [True] * 20),
        ("h = {}\nfor _ in x:\n    client.keep(h)\n    inject(h)", []),
    ],
)
def test_headers_are_lost_only_where_nobody_else_has_them(body: str, certain: list[bool]) -> None:
    assert [finding.certain for finding in findings("OTK208", in_function(body))] == certain


def test_a_function_that_is_only_called_inject_is_none_of_opentelemetrys() -> None:
    assert findings("OTK208", in_function("inject({})", "handle(inject)")) == []


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        ("token = context.attach(order)\nprint(order)\n", [True]),
        (
            "token = context.attach(order)\nif value:\n    return\ncontext.detach(token)\n",
            [True],
        ),
        ("token = context.attach(order)\ncharge(order)\ncontext.detach(token)\n", [False]),
    ],
)
def test_a_context_that_stays_where_something_raises_is_advice(
    body: str, certain: list[bool]
) -> None:
    found = flow_sources.findings("OTK204", flow_sources.function(body))
    assert [finding.certain for finding in found] == certain
