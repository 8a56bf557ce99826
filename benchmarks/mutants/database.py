"""Spoil the spans of database queries (B2)."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import Attribute, attributes, parameters
from benchmarks.mutants.submission import Submission
from benchmarks.mutants.syntax import code_of, expression

TEXT = ("db.query.text", "db.statement")
SYSTEM = ("db.system.name", "db.system")
DESCRIBED = (
    "B2 (contract): 'each query of inventory: a CLIENT span … with db.system.name/db.system "
    "= sqlite and db.query.text/db.statement without literal values'"
)


def _dropped(each: Attribute) -> Iterator[Edit]:
    holder = each.source.parents[each.site]
    if isinstance(holder, cst.Dict):
        rest = [element for element in holder.elements if element is not each.site]
        yield Edit(each.source, each.site).swap(holder, holder.with_changes(elements=rest))


@operator("B2", DESCRIBED)
def values_in_query_text(submission: Submission) -> Iterator[Edit]:
    """The text of the query on its span shows the values that it ran with."""
    for each in attributes(submission, *TEXT):
        function = each.source.function(each.site)
        names = [param.name.value for param in parameters(function)] if function else []
        if function is not None and isinstance(function.params.star_arg, cst.Param):
            names.append(function.params.star_arg.name.value)
        query = code_of(each.value)
        if query in names[:-1]:
            values = names[names.index(query) + 1]
            yield Edit(each.source, each.site).swap(
                each.value, expression(f'f"{{{query}}} -- {{{values}}}"')
            )


@operator("B2", DESCRIBED)
def drop_query_text(submission: Submission) -> Iterator[Edit]:
    """The span of a query does not show the query."""
    for each in attributes(submission, *TEXT):
        yield from _dropped(each)


@operator("B2", DESCRIBED)
def drop_database_system(submission: Submission) -> Iterator[Edit]:
    """The span of a query does not show which kind of database it went to."""
    for each in attributes(submission, *SYSTEM):
        yield from _dropped(each)


@operator("B2", DESCRIBED)
def made_up_query_attribute(submission: Submission) -> Iterator[Edit]:
    """The query is in an attribute with a made-up name."""
    for each in attributes(submission, *TEXT):
        yield Edit(each.source, each.site).swap(each.key, expression('"sql"'))
