"""Attribute names of OpenTelemetry's semantic conventions: today's, former ones, and slips."""

from __future__ import annotations

DEPRECATED = {
    "code.column": "code.column.number",
    "code.filepath": "code.file.path",
    "code.function": "code.function.name",
    "code.lineno": "code.line.number",
    "code.namespace": "code.function.name",
    "db.cassandra.table": "db.collection.name",
    "db.connection_string": "server.address and server.port",
    "db.cosmosdb.container": "db.collection.name",
    "db.mongodb.collection": "db.collection.name",
    "db.name": "db.namespace",
    "db.operation": "db.operation.name",
    "db.redis.database_index": "db.namespace",
    "db.sql.table": "db.collection.name",
    "db.statement": "db.query.text",
    "db.system": "db.system.name",
    "enduser.role": "user.roles",
    "gen_ai.system": "gen_ai.provider.name",
    "gen_ai.usage.completion_tokens": "gen_ai.usage.output_tokens",
    "gen_ai.usage.prompt_tokens": "gen_ai.usage.input_tokens",
    "http.client_ip": "client.address",
    "http.flavor": "network.protocol.version",
    "http.host": "server.address",
    "http.method": "http.request.method",
    "http.request_content_length": "http.request.header.content-length",
    "http.response_content_length": "http.response.header.content-length",
    "http.scheme": "url.scheme",
    "http.server_name": "server.address",
    "http.status_code": "http.response.status_code",
    "http.target": "url.path and url.query",
    "http.url": "url.full",
    "http.user_agent": "user_agent.original",
    "messaging.kafka.consumer.group": "messaging.consumer.group.name",
    "messaging.kafka.destination.partition": "messaging.destination.partition.id",
    "messaging.kafka.message.offset": "messaging.kafka.offset",
    "messaging.operation": "messaging.operation.type",
    "net.host.ip": "network.local.address",
    "net.host.name": "server.address",
    "net.host.port": "server.port",
    "net.peer.ip": "network.peer.address",
    "net.peer.name": "server.address (client.address on a server)",
    "net.peer.port": "server.port (client.port on a server)",
    "net.protocol.name": "network.protocol.name",
    "net.protocol.version": "network.protocol.version",
    "net.sock.host.addr": "network.local.address",
    "net.sock.host.port": "network.local.port",
    "net.sock.peer.addr": "network.peer.address",
    "net.sock.peer.port": "network.peer.port",
    "net.transport": "network.transport",
    "rpc.grpc.status_code": "rpc.response.status_code",
    "rpc.system": "rpc.system.name",
}
"""Names of former versions, with what took their place."""

_IN_FORCE = """
client.address client.port
code.column.number code.file.path code.function.name code.line.number code.stacktrace
db.collection.name db.namespace db.operation.batch.size db.operation.name db.query.summary
db.query.text db.response.returned_rows db.response.status_code db.stored_procedure.name
db.system.name
enduser.id error.type exception.message exception.stacktrace exception.type
gen_ai.operation.name gen_ai.provider.name gen_ai.request.model gen_ai.response.model
gen_ai.usage.input_tokens gen_ai.usage.output_tokens
http.request.body.size http.request.method http.request.method_original
http.request.resend_count http.request.size http.response.body.size http.response.size
http.response.status_code http.route
messaging.batch.message_count messaging.client.id messaging.consumer.group.name
messaging.destination.name messaging.message.id messaging.message.body.size
messaging.operation.name messaging.operation.type messaging.system
network.local.address network.local.port network.peer.address network.peer.port
network.protocol.name network.protocol.version network.transport network.type
rpc.method rpc.response.status_code rpc.service rpc.system.name
server.address server.port service.name service.version session.id
url.domain url.fragment url.full url.path url.port url.query url.scheme url.template
user.email user.full_name user.hash user.id user.name user.roles user_agent.original
"""
CURRENT = frozenset(_IN_FORCE.split())
"""Names that are in force and that a trace of services is likely to need."""

SLIPS = {
    "http.code": "http.response.status_code",
    "http.path": "url.path",
    "http.request.path": "url.path",
    "http.request.status_code": "http.response.status_code",
    "http.request.url": "url.full",
    "http.request.verb": "http.request.method",
    "http.response.code": "http.response.status_code",
    "http.response.status": "http.response.status_code",
    "http.response_code": "http.response.status_code",
    "http.response_status": "http.response.status_code",
    "http.status": "http.response.status_code",
    "http.uri": "url.full",
    "http.verb": "http.request.method",
    "db.query": "db.query.text",
    "db.query.statement": "db.query.text",
    "db.sql": "db.query.text",
    "db.table": "db.collection.name",
    "db.table.name": "db.collection.name",
    "db.type": "db.system.name",
}
"""Other words for the same thing; a name that only spells one of the conventions' is not listed."""

_SEPARATORS = str.maketrans("", "", "._- ")


def flat(name: str) -> str:
    """Return `name` as it reads whatever its case and separators: `http.status_code` is flat."""
    return name.translate(_SEPARATORS).lower()


_FLAT = {flat(name): name for name in (*DEPRECATED, *CURRENT)}
_FLAT_SLIPS = {flat(slip): name for slip, name in SLIPS.items()}


def named_by_constant(constant: str) -> str | None:
    """Return the attribute that a constant of `opentelemetry.semconv` stands for, if we know it."""
    return _FLAT.get(flat(constant))


def meant(name: str) -> str | None:
    """Return the attribute that `name` misspells; None if it is right, or nobody's but its own."""
    if name in CURRENT or name in DEPRECATED:
        return None
    if name in SLIPS:
        return SLIPS[name]
    found = _FLAT_SLIPS.get(flat(name)) or _FLAT.get(flat(name))
    return None if found is None else DEPRECATED.get(found, found)
