"""What goes out of a call: the method, the URI with everything in its place, the query string, the headers that are added."""

from collections.abc import Mapping
from urllib.parse import quote

from integrations.gateway.grammar import stage_variables_in, uri_variables
from integrations.gateway.simulator.call import Call, encoded_path, header, trace_id
from integrations.gateway.simulator.trace import Level

WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")
"""Methods of the backend's request that carry no body."""


def backend_method(call: Call) -> str:
    """The method of the backend's request: ANY is the caller's."""
    method = call.resolved(call.integration.http_method or "")
    return call.request.method if method in ("", "ANY") else method


def with_defaults(call: Call, method: str, headers: Mapping[str, tuple[str, ...]], host: str) -> dict[str, tuple[str, ...]]:
    """Headers with those that API Gateway adds."""
    found = dict(headers)
    present = {name.lower() for name in found}
    sent = header(call.headers, "Content-Type")
    api_id = str(call.context["apiId"])
    added = {
        "Accept": "application/json",
        "User-Agent": f"AmazonAPIGateway_{api_id}",
        "Host": host,
    }
    if sent and call.request.method not in WITHOUT_BODY:
        added["Content-Type"] = sent
    for name, value in added.items():
        if name.lower() not in present:
            found[name] = (value,)
    found["X-Amzn-Trace-Id"] = (trace_id(call.request, call.context),)
    if call.integration.type in ("HTTP", "HTTP_PROXY"):
        found["X-Amzn-Apigateway-Api-Id"] = (api_id,)
    call.did("request_headers", "API Gateway adds Accept, User-Agent, Host and its own, where they are not mapped.")
    return found


# --- The URI ---------------------------------------------------------------------------------------


def integration_uri(call: Call, path: Mapping[str, tuple[str, ...]]) -> str:
    """The integration's URI with stage variables and path variables in their places."""
    text = call.integration.uri
    found = call.resolved(text)
    for variable in stage_variables_in(text):
        value = call.stage_variables.get(variable.name, "")
        said = f"{variable} becomes {value:.120}." if value else f"{variable} is not defined: nothing stands in its place."
        level: Level = "ok" if value else "warning"
        declared = [("stage_variables", variable.name)] if variable.name in call.api.stage_variables else []
        call.did("uri", said, uri_at(call), *declared, level=level)
    for name in dict.fromkeys(uri_variables(found)):
        if name in path:
            found = found.replace(f"{{{name}}}", encoded_path(path[name][-1]))
            call.did("uri", f"{{{name}}} becomes {path[name][-1]:.120}.", uri_at(call))
        else:
            call.did("uri", f"{{{name}}} is mapped to nothing: it stays in the URI.", uri_at(call), level="warning")
    return found


def uri_at(call: Call) -> tuple[str | int, ...]:
    name = {"http": "url", "lambda": "function", "raw": "raw_uri"}.get(call.integration.backend.kind, "path")
    if name == "path" and getattr(call.integration.backend, "action", None) is not None:
        name = "action"
    return call.path("integration", "backend", name)


def encoded_query(values: Mapping[str, tuple[str, ...]]) -> str:
    """A query string as it goes out."""
    pairs = [(name, value) for name, held in values.items() for value in held]
    return "&".join(
        f"{quote(name, safe='-._~', errors='replace')}={quote(value, safe='-._~', errors='replace')}" for name, value in pairs
    )


def joined(url: str, query: Mapping[str, tuple[str, ...]]) -> str:
    more = encoded_query(query)
    return f"{url}{'&' if '?' in url else '?'}{more}" if more else url
