"""Each check fails on the fault that it is about, and nothing fails on a sound submission."""

from dataclasses import replace

import pytest
from evidence_builder import (
    PROBES,
    Change,
    add,
    all_of,
    answer,
    attribute,
    case_seen,
    exchange,
    exit_seen,
    export_by,
    exported,
    header,
    id_of,
    leak,
    lose,
    mute,
    never,
    planted,
    resource,
    sound,
    span,
    started,
    trace_of,
)

from otelkata.check import check as declare
from otelkata.evidence.model import Evidence, ExportedSpan, Hop, Reading, Remark
from otelkata.host.wire import Ended, Event, Logged, Problem, Span
from otelkata.judge import registry
from otelkata.judge.criteria import CRITERIA
from otelkata.judge.registry import Check
from otelkata.judge.verdict import judge
from otelkata.judge.view import View

CHECKS = registry.load()
IDS = {check.id for check in CHECKS}

SUCCESS = next(case for case in sound().cases if case.name == "success")
OTHER_TRACE = trace_of("another")
FORGED = Span(
    trace_id=OTHER_TRACE,
    span_id=id_of("forged"),
    parent_id=None,
    kind="SERVER",
    name="forged",
    start_ns=1,
    end_ns=2,
    status="UNSET",
    status_message="",
    attributes={},
    events=[],
    links=[],
    resource={},
    scope="",
)


def outside(label: str) -> Change:
    """Start a span in no request's context."""
    return all_of(
        started(label, handler="", cause=0), span(label, parent_id=None, trace_id=OTHER_TRACE)
    )


SOURCE = {
    "C1": "spans_take_the_context_of_their_request",
    "C2": "spans_are_managed",
    "C3": "context_is_carried_in_order",
    "C4": "handlers_show_failures",
    "C5": "the_resource_is_complete",
    "C6": "there_is_no_sampler",
    "C7": "the_shutdown_is_bounded",
    "F5": "names_follow_the_conventions",
}


def down(start: str) -> Change:
    """Let a service not come up, without a word."""

    def change(evidence: Evidence) -> None:
        index = [item.name for item in evidence.starts].index(start)
        evidence.starts[index] = replace(evidence.starts[index], serves=False)

    return change


def copied(label: str, case: str, hop: Hop) -> Change:
    """Let a span like `label` be made while a request of `case` is handled, in another trace."""
    other = {"trace_id": OTHER_TRACE, "span_id": id_of("copied"), "parent_id": None}

    def change(evidence: Evidence) -> None:
        [port] = [e.port for e in evidence.exchanges if (e.case, e.hop) == (case, hop)]
        [begun] = [item for item in evidence.started if item.span_id == id_of(label)]
        [seen] = [item for item in evidence.spans if item.span.span_id == id_of(label)]
        evidence.started.append(replace(begun, cause=port, **other))  # type: ignore[arg-type]
        evidence.ended.append(Ended(begun.start, id_of("copied"), seen.span.end_ns))
        span = replace(seen.span, **other)  # type: ignore[arg-type]
        evidence.spans.append(replace(seen, span=span))

    return change


SLOW = ("network", "query", "processor")


def remarked(*criteria: str) -> Change:
    """Let the linter say something that fails `criteria`."""
    remark = Remark("OTK000", "fault", "checkout.py", 3, 1, "is wrong", [*criteria], [])

    def change(evidence: Evidence) -> None:
        assert evidence.reading is not None
        evidence.reading.remarks.append(remark)

    return change


FAULTS: list[tuple[str, Change, set[str]]] = [
    # The check that fails, the fault, and what else may rightly fail with it.
    (
        "attributes.server_spans_describe_the_request",
        attribute("success/payment", "http.request.method", "GET"),
        set(),
    ),
    (
        "attributes.server_spans_describe_the_request",
        attribute("success/payment", "http.response.status_code", "200"),
        set(),
    ),
    (
        "attributes.server_spans_describe_the_request",
        attribute("success/payment", "url.path", "/elsewhere"),
        set(),
    ),
    (
        "attributes.server_spans_describe_the_request",
        attribute("success/payment", "url.path"),
        set(),
    ),
    (
        "attributes.client_spans_describe_the_request",
        attribute("success/gateway>payment", "url.full", "http://h/checkout"),
        set(),
    ),
    (
        "attributes.client_spans_describe_the_request",
        attribute("success/gateway>payment", "url.full", "http://[/payments"),
        set(),
    ),
    (
        "attributes.client_spans_describe_the_request",
        all_of(
            attribute("success/gateway>payment", "url.full"),
            attribute("success/gateway>payment", "server.address"),
        ),
        set(),
    ),
    (
        "attributes.client_spans_describe_the_request",
        attribute("success/payment>processor", "http.response.status_code", True),
        set(),
    ),
    (
        "attributes.gateway_names_the_user",
        attribute("success/gateway", "user.id", "me"),
        {"baggage.is_on_server_spans"},
    ),
    (
        "attributes.names_hold_no_ids",
        span("success/gateway", name=f"POST {SUCCESS.marks.sku}"),
        set(),
    ),
    ("baggage.is_sent_on", header("success", "gateway>payment", "baggage", None), set()),
    ("baggage.is_on_server_spans", attribute("success/payment", "tenant.id"), set()),
    (
        "broken_chain.server_is_under_the_client",
        span("success/inventory", parent_id=id_of("success/gateway")),
        {"orphans.continues_the_trace"},
    ),
    (
        "broken_chain.one_checkout_is_one_trace",
        all_of(
            *(
                span(f"interleaved1{label}", trace_id=trace_of("interleaved0"))
                for label in (
                    "/gateway",
                    "/gateway>inventory",
                    "/gateway>payment",
                    "/inventory",
                    "/inventory/query",
                    "/payment",
                    "/payment>processor",
                )
            )
        ),
        {"orphans.continues_the_trace", "propagation.sends_traceparent"},
    ),
    ("client_spans.one_per_request", never("success/payment>processor"), set()),
    (
        "client_spans.one_per_request",
        span("success/gateway>payment", parent_id=id_of("success/gateway>inventory")),
        set(),
    ),
    (
        "client_spans.one_per_request",
        span("success/gateway>payment", parent_id=id_of("success")),
        set(),
    ),
    (
        "client_spans.lasts_until_the_answer",
        exported("success/gateway>payment", end_ns=1),
        set(),
    ),
    (
        "client_spans.lasts_until_the_answer",
        exported("success/payment>processor", start_ns=2**62, end_ns=2**62 + 1),
        set(),
    ),
    (
        "client_spans.show_where_the_time_went",
        exported("processor/payment>processor", end_ns=1),
        {"client_spans.lasts_until_the_answer"},
    ),
    (
        "client_spans.show_where_the_time_went",
        exported("network/inventory/query", end_ns=2**62),
        set(),
    ),
    (
        "context.spans_belong_to_their_request",
        span("success/inventory/query", parent_id=None),
        {"database.each_query_has_its_span"},
    ),
    (
        "context.spans_belong_to_their_request",
        span("success/inventory/query", parent_id=id_of("root/inventory")),
        set(),
    ),
    (
        "context.spans_belong_to_their_request",
        span("success/inventory/query", parent_id=id_of("nobody")),
        {"database.each_query_has_its_span"},
    ),
    (
        "context.spans_belong_to_their_request",
        span("root/gateway", parent_id=id_of("success/gateway")),
        {"server_spans.one_per_request"},
    ),
    (
        "context.no_span_is_lost",
        outside("success/inventory/query"),
        {"database.each_query_has_its_span"},
    ),
    (
        "context.context_is_detached_where_it_was_attached",
        add("logs", Logged("opentelemetry.context", "Failed to detach context", "", 0)),
        set(),
    ),
    ("database.each_query_has_its_span", never("success/inventory/query"), set()),
    (
        "database.each_query_has_its_span",
        attribute("success/inventory/query", "db.system.name", "mysql"),
        set(),
    ),
    (
        "database.query_texts_hold_no_values",
        attribute("success/inventory/query", "db.query.text", "UPDATE stock SET quantity = 137"),
        set(),
    ),
    (
        "database.query_texts_hold_no_values",
        attribute("success/inventory/query", "db.query.text"),
        set(),
    ),
    ("errors.server_errors_show", exported("refused/gateway", status="OK"), set()),
    ("errors.failed_calls_show", exported("timed_out/gateway>inventory", status="UNSET"), set()),
    ("errors.failed_calls_show", exported("retried/payment>processor", status="UNSET"), set()),
    ("errors.refused_calls_show", exported("declined/payment>processor", status="UNSET"), set()),
    ("errors.sound_operations_are_no_errors", exported("success/payment", status="ERROR"), set()),
    (
        "errors.sound_operations_are_no_errors",
        exported("retried/payment>processor#2", status="ERROR"),
        set(),
    ),
    (
        "errors.failed_calls_record_their_exception",
        exported("refused/gateway>inventory", events=[]),
        set(),
    ),
    (
        "errors.failed_calls_record_their_exception",
        exported("refused/gateway>inventory", events=[Event("exception", 1, {})]),
        set(),
    ),
    (
        "errors.unusable_answers_show",
        exported("unreadable/gateway>inventory", status="UNSET"),
        set(),
    ),
    ("errors.unusable_answers_show", exported("cut_off/gateway>inventory", events=[]), set()),
    ("errors.failed_queries_show", exported("database/inventory/query", events=[]), set()),
    ("events.a_retry_leaves_an_event", exported("retried/payment", events=[]), set()),
    ("events.a_success_leaves_an_event", exported("success/gateway", events=[]), set()),
    ("export.reaches_the_given_exporter", mute("payment.main"), set()),
    (
        "export.reaches_the_given_exporter",
        export_by("success/payment>processor", ""),
        {"client_spans.one_per_request"},
    ),
    (
        "export.reaches_the_given_exporter",
        started("success/payment>processor", handler="inventory.main"),
        {"client_spans.one_per_request"},
    ),
    ("export.is_otlp_by_default", mute("payment.default"), set()),
    (
        "export.exports_only_what_was_started",
        add("spans", ExportedSpan("gateway.main", "main", FORGED)),
        set(),
    ),
    ("leaks.every_span_ends", leak("hang_up/gateway>inventory"), set()),
    (
        "leaks.no_span_ends_twice",
        add("logs", Logged("opentelemetry.sdk", "Calling end() on an ended span.", "", 0)),
        set(),
    ),
    ("orphans.continues_the_trace", span("direct.payment/payment", parent_id=None), set()),
    (
        "privacy.nothing_personal_is_exported",
        exported("success/payment", status_message=f"for {PROBES[0]}"),
        set(),
    ),
    ("privacy.nothing_personal_is_exported", attribute("probe", "probe.text", PROBES[1]), set()),
    (
        "propagation.sends_traceparent",
        header("success", "payment>processor", "traceparent", None),
        {"propagation.header_names_the_client_span"},
    ),
    (
        "propagation.sends_traceparent",
        header("success", "payment>processor", "traceparent", "00-nonsense"),
        {"propagation.header_names_the_client_span"},
    ),
    (
        "propagation.sends_traceparent",
        header(
            "success",
            "payment>processor",
            "traceparent",
            f"00-{OTHER_TRACE}-{id_of('success/payment>processor')}-01",
        ),
        set(),
    ),
    (
        "propagation.passes_tracestate_on",
        header("state", "payment>processor", "tracestate", "b=2,a=1"),
        set(),
    ),
    (
        "propagation.passes_tracestate_on",
        header("state", "gateway>payment", "tracestate", None),
        set(),
    ),
    (
        "propagation.ignores_malformed_traceparent",
        answer("malformed", "client>gateway", 500),
        {"submission.answers"},
    ),
    (
        "propagation.ignores_malformed_traceparent",
        span("malformed/gateway", parent_id=id_of("made up")),
        set(),
    ),
    (
        "propagation.has_no_parent_without_header",
        span("root/gateway", parent_id=id_of("before")),
        set(),
    ),
    (
        "propagation.header_names_the_client_span",
        header(
            "success",
            "payment>processor",
            "traceparent",
            f"00-{trace_of('success')}-{id_of('success/payment')}-01",
        ),
        set(),
    ),
    (
        "resource.names_service_and_version",
        resource("success/payment", "service.version", "0"),
        set(),
    ),
    ("resource.merges_the_environment", resource("success/payment", "kata.region", "south"), set()),
    (
        "sampling.obeys_an_unsampled_parent",
        header(
            "unsampled",
            "gateway>payment",
            "traceparent",
            f"00-{trace_of('unsampled')}-{id_of('x')}-01",
        ),
        set(),
    ),
    (
        "sampling.obeys_the_environment",
        header(
            "always_off",
            "gateway>payment",
            "traceparent",
            f"00-{trace_of('always_off')}-{id_of('x')}-01",
        ),
        set(),
    ),
    (
        "server_spans.one_per_request",
        span("success/payment", kind="INTERNAL"),
        {"broken_chain.server_is_under_the_client"},
    ),
    ("shutdown.shutdown_tracer_exports_what_is_pending", lose("pending"), set()),
    (
        "shutdown.shutdown_tracer_exports_what_is_pending",
        exit_seen("shutdown_tracer_pending", returned=False),
        set(),
    ),
    (
        "shutdown.shutdown_tracer_exports_what_is_pending",
        exit_seen("shutdown_tracer_pending", arrived=[]),
        set(),
    ),
    ("shutdown.lifespan_exports_what_is_pending", lose("exit.lifespan/payment"), set()),
    (
        "shutdown.lifespan_exports_what_is_pending",
        exit_seen("lifespan.payment", arrived=[]),
        set(),
    ),
    ("shutdown.sigterm_loses_no_span", lose("exit.sigterm/payment>processor"), set()),
    ("shutdown.shutdown_tracer_is_bounded", exit_seen("shutdown_tracer_hanging", took=None), set()),
    ("shutdown.shutdown_tracer_is_bounded", exit_seen("shutdown_tracer_hanging", took=60), set()),
    (
        "shutdown.shutdown_tracer_is_bounded",
        exit_seen("shutdown_tracer_hanging", returned=True),
        set(),
    ),
    (
        "shutdown.shutdown_tracer_never_raises",
        exit_seen("shutdown_tracer_failing", raised="ValueError"),
        set(),
    ),
    (
        "shutdown.shutdown_tracer_never_raises",
        exit_seen("shutdown_tracer_failing", returned="None"),
        set(),
    ),
    ("shutdown.process_can_end", exit_seen("process", took=None), set()),
    ("shutdown.lifespan_ends", exit_seen("lifespan.gateway", took=None), set()),
    ("shutdown.sigterm_ends_the_service", exit_seen("sigterm.gateway", took=60), set()),
    ("shutdown.lifespan_is_bounded", exit_seen("lifespan_hanging.gateway", took=30), set()),
    ("shutdown.sigterm_is_bounded", exit_seen("sigterm_hanging.gateway", took=None), set()),
    (
        "submission.runs",
        add("problems", Problem("", "", "import", "ImportError: no", "checkout.py", 1)),
        set(),
    ),
    ("submission.runs", down("payment.failing"), set()),
    ("submission.answers", answer("success", "client>gateway", 500), set()),
    ("submission.answers", answer("success", "client>gateway", 200), set()),
    *((f"source.{name}", remarked(criterion), set()) for criterion, name in SOURCE.items()),
]


@pytest.mark.parametrize(
    ("check", "change", "status"),
    [
        (
            "leaks.every_span_ends",
            all_of(
                leak("hang_up/gateway>inventory"),
                add("problems", Problem("gateway.main", "gateway", "exit", "it ended", "", 0)),
            ),
            "blocked",
        ),
        (
            "export.reaches_the_given_exporter",
            all_of(
                mute("payment.main"),
                add("problems", Problem("inventory.main", "inventory", "exit", "gone", "", 0)),
            ),
            "blocked",
        ),
        (
            "client_spans.show_where_the_time_went",
            all_of(
                *(case_seen(name, answers=[503]) for name in SLOW),
                *(answer(name, "client>gateway", 503) for name in SLOW),
            ),
            "blocked",
        ),
        (
            "client_spans.show_where_the_time_went",
            exchange("network", "client>gateway", ended_ns=2**62),
            "blocked",
        ),
        (
            "propagation.passes_tracestate_on",
            all_of(
                header("state", "client>gateway", "tracestate", None),
                header("state", "gateway>payment", "tracestate", None),
            ),
            "blocked",
        ),
        (
            "sampling.obeys_an_unsampled_parent",
            copied("success/payment", "unsampled", "gateway>payment"),
            "blocked",
        ),
        (
            "context.no_span_is_lost",
            all_of(
                outside("success/inventory/query"),
                span("success/inventory/query", parent_id=id_of("nobody")),
            ),
            "passed",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_show_the_fault_is_not_blamed(
    check: str, change: Change, status: str
) -> None:
    statuses = {r.check.id: r.status for r in judge(View(planted(change)), CHECKS).results}
    assert statuses[check] == status


def failed(change: Change) -> set[str]:
    verdict = judge(View(planted(change)), CHECKS)
    assert "error" not in {result.status for result in verdict.results}
    return {result.check.id for result in verdict.results if result.status == "failed"}


def test_a_sound_submission_passes_every_check() -> None:
    verdict = judge(View(sound()), CHECKS)
    assert {r.check.id: r.message for r in verdict.results if r.status != "passed"} == {}
    assert verdict.outcome == "passed"


@pytest.mark.parametrize(("check", "fault", "others"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_fails_its_check_and_no_other(check: str, fault: Change, others: set[str]) -> None:
    found = failed(fault)
    assert check in found
    assert found <= {check, *others}


def test_advice_of_the_linter_fails_nothing() -> None:
    assert failed(remarked()) == set()


@pytest.mark.parametrize("reading", [None, Reading(remarks=[], unread=["checkout.py: is binary"])])
def test_source_that_was_not_read_is_not_passed(reading: Reading | None) -> None:
    evidence = replace(sound(), reading=reading)
    statuses = {r.check.id: r.status for r in judge(View(evidence), CHECKS).results}
    assert {statuses[f"source.{name}"] for name in SOURCE.values()} == {"blocked"}


def test_a_shutdown_is_not_blamed_for_a_provider_that_others_may_have_ended() -> None:
    lies = exit_seen("shutdown_tracer_hanging", returned=True)
    before = planted(lies)
    [pending] = next(seen for seen in before.exits if "provider_hanging" in seen.tags).pending
    own = next(seen for seen in before.started if seen.span_id == pending)
    shared = planted(lies, add("started", replace(own, start="payment.main")))
    name = "shutdown.shutdown_tracer_is_bounded"
    for evidence, status in ((before, "failed"), (shared, "blocked")):
        statuses = {r.check.id: r.status for r in judge(View(evidence), CHECKS).results}
        assert statuses[name] == status


def test_every_check_has_a_fault_that_fails_it() -> None:
    assert {row[0] for row in FAULTS} == IDS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_tells_the_learner_what_why_and_how(check: Check) -> None:
    for text in (check.title, check.why, check.fix):
        assert text[0].isupper() or text.startswith(("tenant.id", "shutdown_tracer"))
        assert text.endswith((".", ")"))
    assert len(check.title) <= 100
    assert {*check.criteria} <= {*CRITERIA}
    assert check.needs


def test_every_criterion_has_a_check() -> None:
    assert {criterion for check in CHECKS for criterion in check.criteria} == {*CRITERIA}


def test_no_two_checks_have_one_id() -> None:
    assert len(IDS) == len(CHECKS)


def test_a_check_of_an_unknown_criterion_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="F9"):
        declare("F9", why="", fix="")


def test_every_tag_that_a_check_needs_is_one_that_a_case_has() -> None:
    view = View(sound())
    tags = {tag for case in view.cases.values() for tag in case.data.tags}
    ends = {f"exits_{tag}" for seen in view.exits for tag in seen.tags}
    assert {need for check in CHECKS for need in check.needs} <= {"view", "reading", *tags, *ends}
