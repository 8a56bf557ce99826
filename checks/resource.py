"""C5: does every span say which service and version it comes from?"""

from otelkata.check import (
    Findings,
    View,
    check,
    expect,
)

_KEYS = ("service.name", "service.version")


@check(
    "C5",
    why="Without a name and a version nobody knows whose span it is, or which release was slow.",
    fix="Give the provider `Resource.create({'service.name': service_name, "
    "'service.version': service_version})`.",
)
def names_service_and_version(view: View) -> Findings:
    """The resource has the name and the version that init_tracer was given."""
    for span in view.spans:
        given = (span.start.service, span.start.version)
        claimed = [span.data.resource.get(key) for key in _KEYS]
        has = " and ".join(
            f"no {key}" if value is None else f"{key} {value!r}"
            for key, value in zip(_KEYS, claimed, strict=True)
        )
        yield expect(
            claimed == [*given],
            f"the resource of {span} has {has}; "
            f"init_tracer was given {given[0]!r} and {given[1]!r}",
            view.case_of(span),
            span,
        )


@check(
    "C5",
    why="Where a service runs is for its operator to say, by OTEL_RESOURCE_ATTRIBUTES.",
    fix="Make the resource with `Resource.create(...)`: it merges the environment, "
    "`Resource(...)` does not.",
)
def merges_the_environment(view: View) -> Findings:
    """The resource holds what OTEL_RESOURCE_ATTRIBUTES says."""
    for span in view.spans:
        missing = {
            key: value
            for key, value in view.evidence.resource.items()
            if span.data.resource.get(key) != value
        }
        yield expect(
            not missing,
            f"the resource of {span.service}'s spans lacks "
            f"{', '.join(f'{key}={value}' for key, value in missing.items())} of "
            "OTEL_RESOURCE_ATTRIBUTES",
            view.case_of(span),
            span,
        )
