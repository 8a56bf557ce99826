"""Get attributes and span names wrong."""

from collections.abc import Iterator

import libcst as cst

from benchmarks.mutants.mutation import Edit, operator
from benchmarks.mutants.spans import Attribute, attributes, receiver, starts, statements_of
from benchmarks.mutants.submission import Submission
from benchmarks.mutants.syntax import argument, code_of, expression, text_of

NAMES = "F5: 'names from the semantic conventions', judged on 'attributes: names, types, values'"
METHOD = ("http.request.method", "http.method")
STATUS_CODE = ("http.response.status_code", "http.status_code")
USER = ("user.id", "enduser.id")
SERVER_URL = ("url.path", "http.target", "http.route")
CLIENT_URL = ("url.full", "http.url", "server.address")


def _renamed(submission: Submission, names: tuple[str, ...], new: str) -> Iterator[Edit]:
    for each in attributes(submission, *names):
        yield Edit(each.source, each.site).swap(each.key, expression(f'"{new}"'))


@operator("F5", NAMES + "; contract, attributes: 'http.request.method/http.method'")
def made_up_method_attribute(submission: Submission) -> Iterator[Edit]:
    """The request's method is in an attribute with a made-up name."""
    yield from _renamed(submission, METHOD, "method")


@operator("F5", NAMES + "; contract, attributes: 'http.response.status_code/http.status_code'")
def made_up_status_code_attribute(submission: Submission) -> Iterator[Edit]:
    """The answer's status code is in an attribute with a made-up name."""
    yield from _renamed(submission, STATUS_CODE, "status")


def _only(submission: Submission, names: tuple[str, ...]) -> Iterator[Attribute]:
    """Yield the attribute of some that serve alike, if the submission sets only one of them."""
    found = list(attributes(submission, *names))
    if len({each.name for each in found}) == 1:
        yield from found


@operator("F5", NAMES + "; contract, attributes: 'url.full/http.url or server.address on clients'")
def made_up_client_url_attribute(submission: Submission) -> Iterator[Edit]:
    """Where a request went is only in an attribute with a made-up name."""
    for each in _only(submission, CLIENT_URL):
        yield Edit(each.source, each.site).swap(each.key, expression('"destination"'))


@operator("F5", NAMES + "; contract, attributes: 'url.path/http.target/http.route on servers'")
def made_up_server_url_attribute(submission: Submission) -> Iterator[Edit]:
    """What was requested is only in an attribute with a made-up name."""
    for each in _only(submission, SERVER_URL):
        yield Edit(each.source, each.site).swap(each.key, expression('"path"'))


def _user_attributes(submission: Submission) -> Iterator[Attribute]:
    """Yield where the order's user is set, rather than the one in the baggage."""
    for each in attributes(submission, *USER):
        if isinstance(each.site, cst.Call):
            yield each


@operator("F5", NAMES + "; contract, attributes: 'user.id/enduser.id on the gateway's SERVER span'")
def made_up_user_attribute(submission: Submission) -> Iterator[Edit]:
    """The user's id is in an attribute with a made-up name."""
    for each in _user_attributes(submission):
        yield Edit(each.source, each.site).swap(each.key, expression('"customer"'))


def _dropped(submission: Submission, names: tuple[str, ...]) -> Iterator[Edit]:
    wanted = {each.site for each in attributes(submission, *names)}
    for source, call, stmt in statements_of(submission, "set_attribute"):
        if call in wanted:
            yield Edit(source, stmt).splice(stmt)


@operator("F5", "F5: 'put attributes on spans: … user id'")
def drop_user_attribute(submission: Submission) -> Iterator[Edit]:
    """The user's id is not on the span."""
    yield from _dropped(submission, USER)


@operator("F5", "F5: 'put attributes on spans: method, status code …'")
def drop_status_code(submission: Submission) -> Iterator[Edit]:
    """The answer's status code is not on the span."""
    yield from _dropped(submission, STATUS_CODE)


@operator("F5", "F5: 'put attributes on spans: method …'")
def drop_method(submission: Submission) -> Iterator[Edit]:
    """The request's method is not on the span."""
    for each in attributes(submission, *METHOD):
        holder = each.source.parents[each.site]
        if isinstance(holder, cst.Dict):
            rest = [element for element in holder.elements if element is not each.site]
            yield Edit(each.source, each.site).swap(holder, holder.with_changes(elements=rest))


@operator("F5", "F5 (contract): 'http.response.status_code/http.status_code (an int)'")
def status_code_as_text(submission: Submission) -> Iterator[Edit]:
    """The answer's status code is a text instead of a number."""
    for each in attributes(submission, *STATUS_CODE):
        yield Edit(each.source, each.site).swap(
            each.value, expression(f"str({code_of(each.value)})")
        )


@operator("F5", "F5: 'values true to what the wire showed'")
def status_code_always_200(submission: Submission) -> Iterator[Edit]:
    """The status code on the span is 200, whatever was answered."""
    for each in attributes(submission, *STATUS_CODE):
        yield Edit(each.source, each.site).swap(each.value, expression("200"))


@operator("F5", "F5: 'values true to what the wire showed'")
def method_always_get(submission: Submission) -> Iterator[Edit]:
    """The method on the span is GET, whatever was requested."""
    for each in attributes(submission, *METHOD):
        yield Edit(each.source, each.site).swap(each.value, expression('"GET"'))


@operator("F5", "F5: 'values true to what the wire showed'; contract: 'the body's user'")
def user_always_anonymous(submission: Submission) -> Iterator[Edit]:
    """The user on the span is nobody, whoever ordered."""
    for each in _user_attributes(submission):
        yield Edit(each.source, each.site).swap(each.value, expression('"anonymous"'))


ID_FREE = "contract, attributes: 'Span names have no ids in them'; F5: '…; span names'"


@operator("F5", ID_FREE)
def id_in_span_name(submission: Submission) -> Iterator[Edit]:
    """The name that a span starts with holds an id, another one for each request."""
    renamed = submission.mentions("update_name")
    for start in starts(submission):
        arg = argument(start.call, "name", 0)
        if arg is None or (renamed and start.kind in {"SERVER", "ANY"}):
            continue
        edit = Edit(start.source, start.call)
        ids = edit.name("uuid", "uuid4")
        yield edit.swap(arg.value, _with_id(arg.value, f"{ids}()"))


def _with_id(name: cst.BaseExpression, new_id: str) -> cst.BaseExpression:
    if text := text_of(name):
        return expression(f'f"{text} {{{new_id}}}"')
    return expression(f'" ".join([{code_of(name)}, str({new_id})])')


@operator("F5", ID_FREE)
def id_in_updated_name(submission: Submission) -> Iterator[Edit]:
    """The name that a span gets once the route is known holds an id of the request."""
    for source, call, _stmt in statements_of(submission, "update_name"):
        edit = Edit(source, call)
        ids = edit.name("uuid", "uuid4")
        yield edit.swap(call.args[0].value, _with_id(call.args[0].value, f"{ids}()"))


@operator("F5", ID_FREE)
def user_in_span_name(submission: Submission) -> Iterator[Edit]:
    """The SERVER span is renamed to say whose order it is."""
    # Where names are updated with the route, or by an instrumentation, theirs is the last word.
    if submission.mentions("update_name") or not any(
        s.kind == "SERVER" for s in starts(submission)
    ):
        return
    for each in _user_attributes(submission):
        stmt = each.source.statement(each.site)
        if isinstance(each.site, cst.Call) and isinstance(stmt, cst.SimpleStatementLine):
            name = f'"checkout of " + {code_of(each.value)}'
            edit = Edit(each.source, stmt)
            yield edit.insert_after(stmt, f"{receiver(each.site)}.update_name({name})")
