"""What is left of personal data when spans are exported."""

import pytest
from checkout.privacy import PrivacyFilter, scrub_text
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.test.test_base import TestBase
from opentelemetry.trace import Link, Status, StatusCode

EMAIL = "jane.doe+shop@mail.example.com"
CARD = "4111111111111111"

# What someone put into a span, and what is exported.
TEXTS = [
    (EMAIL, "[redacted]"),
    (f"Order of <{EMAIL}> failed", "Order of <[redacted]> failed"),
    ("/users/jane%40example.com/cart", "/users/[redacted]/cart"),
    ("jürgen@bücher.example", "[redacted]"),
    (CARD, "[redacted]"),
    (f"card={CARD}, cvc=123", "card=[redacted], cvc=123"),
    (f"x{CARD}y", "x[redacted]y"),
    ("4111 1111 1111 1111", "[redacted]"),
    ("4111-1111-1111-1111", "[redacted]"),
    ("378282246310005", "[redacted]"),  # American Express has 15 digits
    ("", ""),
    ("order 123456789012", "order 123456789012"),
    ("61aa3781-0348-4184-9278-8241b6b58286", "61aa3781-0348-4184-9278-8241b6b58286"),
    ("61aa3781-0348-4184-9278-8241b6b58286@mail.example", "[redacted]"),
    ("at 1732312345678 ms", "at 1732312345678 ms"),
    ("@app.post, user @ home", "@app.post, user @ home"),
    ("SELECT a FROM b WHERE c = :c", "SELECT a FROM b WHERE c = :c"),
]

# The value of an attribute, and what is exported.
VALUES = [
    (EMAIL, "[redacted]"),
    ([EMAIL, "chair"], ("[redacted]", "chair")),
    (("a", CARD), ("a", "[redacted]")),
    (404, 404),
    (2.5, 2.5),
    (True, True),
    ([1, 2], (1, 2)),
]


class TestPrivacy(TestBase):
    def setUp(self):
        super().setUp()
        self.tracer_provider, self.memory_exporter = self.filtered()

    def filtered(self, **arguments):
        provider, _ = self.create_tracer_provider(**arguments)
        exporter = InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(PrivacyFilter(exporter)))
        return provider, exporter

    def the_span(self):
        (span,) = self.memory_exporter.get_finished_spans()
        self.memory_exporter.clear()
        return span

    def test_texts(self):
        for text, exported in TEXTS:
            with self.subTest(text):
                assert scrub_text(text) == exported

    def test_a_long_text_is_scrubbed_in_reasonable_time(self):
        text = "a." * 500_000
        assert scrub_text(text) == text

    def test_values(self):
        for value, exported in VALUES:
            with self.subTest(value):
                tracer = self.tracer_provider.get_tracer("test")
                tracer.start_span("s", attributes={"key": value}).end()
                shown = self.the_span().attributes["key"]
                assert (tuple(shown) if isinstance(shown, list) else shown) == exported

    def test_every_part_of_a_span_is_scrubbed(self):
        tracer = self.tracer_provider.get_tracer("test")
        with tracer.start_as_current_span("parent") as parent:
            pass
        self.memory_exporter.clear()
        personal = f"{EMAIL} {CARD}"
        span = tracer.start_as_current_span(
            f"charge {personal}",
            attributes={"a": personal, EMAIL: "key"},
            links=[Link(parent.get_span_context(), {"a": personal})],
        )

        def fail() -> None:
            with span as current:
                current.add_event(personal, {"a": personal})
                raise ValueError(personal)

        with pytest.raises(ValueError, match=CARD):
            fail()
        exported = self.the_span()
        text = exported.to_json()
        assert text.count("[redacted]") >= 12
        assert EMAIL not in text
        assert CARD not in text
        assert exported.status.description == "ValueError: [redacted] [redacted]"

    def test_a_resource_is_scrubbed(self):
        resource = Resource.create({"service.name": "shop", "owner": EMAIL})
        provider, exporter = self.filtered(resource=resource)
        provider.get_tracer("test").start_span("s").end()
        (span,) = exporter.get_finished_spans()
        assert span.resource.attributes["owner"] == "[redacted]"
        assert span.resource.attributes["service.name"] == "shop"

    def test_all_else_stays_as_it_was(self):
        seen = []

        class Keep(SimpleSpanProcessor):
            def on_end(self, span):
                seen.append(span)

        self.tracer_provider.add_span_processor(Keep(self.memory_exporter))
        tracer = self.tracer_provider.get_tracer("test", "1.0", "https://schema.example")
        with tracer.start_as_current_span("parent") as parent:
            link = Link(parent.get_span_context(), {"l": 1})
            with tracer.start_as_current_span("child", attributes={"a": [1]}, links=[link]) as span:
                span.add_event("e", {"b": "c"})
                span.set_status(Status(StatusCode.ERROR, "no"))
        exported, _ = self.memory_exporter.get_finished_spans()
        assert exported.to_json() == seen[0].to_json()
        for part in (
            "context",
            "parent",
            "kind",
            "start_time",
            "end_time",
            "instrumentation_scope",
        ):
            assert getattr(exported, part) == getattr(seen[0], part)

    def test_the_exporter_behind_is_asked(self):
        class Failing(InMemorySpanExporter):
            def export(self, spans):
                return SpanExportResult.FAILURE

            def force_flush(self, timeout_millis=30_000):
                return False

        exporter = Failing()
        privacy = PrivacyFilter(exporter)
        assert privacy.export([]) is SpanExportResult.FAILURE
        assert privacy.force_flush() is False
        privacy.shutdown()
        assert exporter._stopped
