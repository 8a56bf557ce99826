"""The scenarios are sound themselves: the SDK reads every header as the judge does."""

from typing import get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otelkata.drive import plan
from otelkata.drive.malformed import MALFORMED
from otelkata.drive.scenario import Scenario, all_scenarios
from otelkata.drive.values import Values
from otelkata.evidence.model import Hop
from otelkata.judge import traceparent
from otelkata.judge.traceparent import TraceParent

SCENARIOS = all_scenarios(Values(0))
VALID = r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[ -~]{0,9})?"
PLANNED = {
    start.name: start
    for starts in (
        plan.MAIN,
        plan.HASTY,
        plan.SLOW,
        plan.UNSAMPLED,
        plan.DEFAULT,
        plan.LEAVING,
        plan.SIGTERM,
        plan.STUCK,
        plan.SULKING,
    )
    for start in starts
}


def read_by_the_sdk(header: str) -> TraceParent | None:
    context = TraceContextTextMapPropagator().extract({"traceparent": header}, context=Context())
    span = trace.get_current_span(context).get_span_context()
    if not span.is_valid:
        return None
    trace_id, span_id = trace.format_trace_id(span.trace_id), trace.format_span_id(span.span_id)
    return TraceParent(trace_id, span_id, span.trace_flags.sampled)


@pytest.mark.parametrize("name", MALFORMED)
@given(seed=st.integers(0, 2**32))
def test_a_malformed_traceparent_is_rejected_by_the_judge_and_by_the_sdk(
    name: str, seed: int
) -> None:
    values = Values(seed)
    header = MALFORMED[name](values.trace_id(), values.span_id())
    assert traceparent.parse(header) is None
    assert read_by_the_sdk(header) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.from_regex(VALID, fullmatch=True))
@example("ff-" + "1" * 32 + "-" + "1" * 16 + "-01")
@example("00-" + "1" * 32 + "-" + "1" * 16 + "-01-more")
@example("00-" + "0" * 32 + "-" + "1" * 16 + "-01")
@example("cc-" + "1" * 32 + "-" + "1" * 16 + "-03-more")
def test_the_judge_reads_what_has_the_form_as_the_sdk_does(header: str) -> None:
    assert traceparent.parse(header) == read_by_the_sdk(header)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_sends_the_context_that_it_states(scenario: Scenario) -> None:
    parent = scenario.parent
    read = traceparent.of_headers(parent.headers)
    stated = TraceParent(parent.trace_id, parent.span_id, parent.sampled)
    assert read == (stated if parent.trace_id else None)
    for header in traceparent.values_of(parent.headers, "traceparent"):
        assert read_by_the_sdk(header) == read


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_names_hops_and_starts_that_there_are(scenario: Scenario) -> None:
    hops = {*scenario.faults, *scenario.routes, *scenario.inner}
    if scenario.refused is not None:
        hops.add(scenario.refused[0])
    assert hops <= {*get_args(Hop)}
    entry = PLANNED[scenario.start or f"{scenario.entry}.{scenario.group}"]
    assert entry.service == scenario.entry
    for hop, callee in scenario.routes.items():
        assert PLANNED[callee].service == hop.partition(">")[2]


def test_no_two_scenarios_have_one_name_or_one_title() -> None:
    for values in ([s.name for s in SCENARIOS], [s.title for s in SCENARIOS]):
        assert len({*values}) == len(values)


def test_no_two_scenarios_have_one_trace() -> None:
    traces = [s.parent.trace_id for s in SCENARIOS if s.parent.trace_id]
    assert len({*traces}) == len(traces)


def test_the_values_of_other_seeds_are_others() -> None:
    other = {s.parent.trace_id for s in all_scenarios(Values(1)) if s.parent.trace_id}
    assert not other & {s.parent.trace_id for s in SCENARIOS}


def test_every_hop_and_every_service_is_put_to_the_test() -> None:
    assert {s.entry for s in SCENARIOS} == {"gateway", "inventory", "payment"}
    assert {hop for s in SCENARIOS for hop in s.faults} == {
        "gateway>inventory",
        "gateway>payment",
        "payment>processor",
    }
