"""Notice when spans could not be exported."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult


class ExportWatch(SpanExporter):
    """Remember whether an export ever failed, because the SDK only logs it."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.failed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export, and remember a failure."""
        try:
            result = self._exporter.export(spans)
        except Exception:
            self.failed = True
            raise
        if result is SpanExportResult.FAILURE:
            self.failed = True
        return result

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter."""
        return self._exporter.force_flush(timeout_millis)


class WatchedBatchProcessor(BatchSpanProcessor):
    """Export in batches, off the request's path, and answer `force_flush` truthfully.

    The SDK's `force_flush` is True also when the exporter failed.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._watch = ExportWatch(exporter)
        super().__init__(self._watch)

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Export all that is pending; False if spans were lost, now or earlier.

        It takes as long as the exporter does, whatever `timeout_millis` says.
        """
        super().force_flush(timeout_millis)
        return not self._watch.failed
