"""Say which services are started for which scenarios, in which hosts, with which settings.

Scenarios that have to wait get services of their own: a submission may well block its event loop
while it waits, and must not be judged on what that does to other requests.
"""

from dataclasses import dataclass

from otelkata.evidence.model import Hop
from otelkata.host.wire import ExporterKind, Service

PATIENT = {"gateway": 40.0, "payment": 19.5}
"""Timeouts in seconds where nothing is meant to run into one; a busy machine changes no verdict."""

HOP_OF: dict[tuple[Service, str], Hop] = {
    ("gateway", "inventory_url"): "gateway>inventory",
    ("gateway", "payment_url"): "gateway>payment",
    ("payment", "processor_url"): "payment>processor",
}


@dataclass(frozen=True, slots=True)
class PlannedStart:
    """One service to start.

    `callees` is the group whose services its hops lead to where the case names no others.
    `database` is the kind of file that inventory gets; `refused`
    the urls where nobody listens.
    """

    name: str
    callees: str
    host: str
    service: Service
    exporter: ExporterKind = "memory"
    timeout: float | None = None
    database: str = "stocked"
    refused: tuple[str, ...] = ()


def _trio(group: str, host: str, *, exporter: ExporterKind = "memory") -> list[PlannedStart]:
    services: tuple[Service, ...] = ("gateway", "inventory", "payment")
    return [
        PlannedStart(
            f"{service}.{group}",
            group,
            f"{host}.{service}" if host in {"sigterm", "stuck"} else host,
            service,
            exporter,
            PATIENT.get(service),
        )
        for service in services
    ]


MAIN = [
    *_trio("main", "main"),
    PlannedStart("inventory.broken", "main", "main", "inventory", database="empty"),
    PlannedStart(
        "gateway.refused",
        "main",
        "main",
        "gateway",
        timeout=PATIENT["gateway"],
        refused=("inventory_url",),
    ),
    PlannedStart(
        "gateway.payment_refused",
        "main",
        "main",
        "gateway",
        timeout=PATIENT["gateway"],
        refused=("payment_url",),
    ),
    PlannedStart(
        "payment.refused",
        "main",
        "main",
        "payment",
        timeout=PATIENT["payment"],
        refused=("processor_url",),
    ),
]
HASTY = [
    PlannedStart("gateway.hasty_inventory", "main", "waiting", "gateway", timeout=0.4),
    PlannedStart("gateway.hasty_payment", "main", "waiting", "gateway", timeout=0.4),
    # Payment alone has to run out of time; on a busy machine both might, were both short.
    PlannedStart(
        "gateway.hasty_processor", "main", "waiting", "gateway", timeout=PATIENT["gateway"]
    ),
    PlannedStart("payment.hasty", "main", "waiting", "payment", timeout=0.3),
    PlannedStart("gateway.hang_up", "main", "waiting", "gateway", timeout=0.5),
]
SLOW = [
    *(
        PlannedStart(
            f"gateway.slow_{where}", "main", "waiting", "gateway", timeout=PATIENT["gateway"]
        )
        for where in ("network", "query", "processor")
    ),
    PlannedStart("inventory.slow", "main", "waiting", "inventory", database="locked"),
    PlannedStart("payment.slow", "main", "waiting", "payment", timeout=PATIENT["payment"]),
]
UNSAMPLED = _trio("unsampled", "unsampled")
DEFAULT = _trio("default", "default", exporter="default")
LEAVING = _trio("leaving", "leaving")
SIGTERM = _trio("sigterm", "sigterm", exporter="default")
STUCK = _trio("stuck", "stuck", exporter="default")
SULKING = _trio("sulking", "sulking")
PROVIDERS = [
    PlannedStart(f"payment.{behaviour}", "provider", "leaving", "payment")
    for behaviour in ("pending", "failing", "raising")
]
HANGING = [PlannedStart("payment.hanging", "provider", "leaving", "payment")]
