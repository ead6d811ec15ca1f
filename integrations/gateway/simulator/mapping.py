"""Mapping expressions evaluated: what the headers, query string and path variables of a request or response become."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from integrations.gateway.grammar import (
    Body,
    Context,
    Parameter,
    Source,
    StageVariable,
    Static,
    parse_request_source,
    parse_request_target,
    parse_response_source,
    parse_response_target,
)
from integrations.gateway.simulator.call import Call, Refused
from integrations.gateway.simulator.trace import Values
from integrations.gateway.velocity import Budget, TemplateError
from integrations.gateway.velocity.jsonpath import PathNotFound, compile_path
from integrations.gateway.velocity.values import json_text, text_of

type Mapped = dict[str, dict[str, tuple[str, ...]]]
"""`header`, `querystring`, `path` → name → values."""

type Refusal = Callable[[], Refused]


def map_request(call: Call) -> Mapped:
    """What the integration's request parameters give. Raises Refused where a body that they read is no JSON."""

    def refusal() -> Refused:
        return Refused("DEFAULT_4XX", "Invalid JSON in request body", message="Invalid JSON in request body", status=400)

    found: Mapped = {"header": {}, "querystring": {}, "path": {}}
    for key, text in call.integration.request_parameters.items():
        target, source = parse_request_target(key), parse_request_source(call.resolved(text))
        where = call.path("integration", "request_parameters", key)
        if target is None or source is None:
            call.did("request_parameters", f"{key} is no mapping; nothing is sent for it.", where, level="warning")
            continue
        values = value_of(source, call, call.headers, call.request.body, refusal)
        if target.location == "header" and values:
            values = (",".join(values),)
        if any(values):
            found[target.location][target.name] = values
            call.did("request_parameters", f"{_words(target)} is {_shown(values)}, from {text}.", where)
        else:
            call.did("request_parameters", f"{_words(target)} is not sent: {text} has no value.", where)
    return found


def map_response(call: Call, index: int, headers: Values, body: bytes) -> dict[str, tuple[str, ...]]:
    """What an integration response's parameters give: header → values. Raises Refused."""

    def refusal() -> Refused:
        return Refused("API_CONFIGURATION_ERROR", "Execution failed due to configuration error: Invalid JSON in response body")

    found: dict[str, tuple[str, ...]] = {}
    for key, text in call.integration.integration_responses[index].response_parameters.items():
        target, source = parse_response_target(key), parse_response_source(call.resolved(text))
        where = call.path("integration", "integration_responses", index, "response_parameters", key)
        if target is None or source is None:
            call.did("response_parameters", f"{key} is no mapping; nothing is sent for it.", where, level="warning")
            continue
        values = value_of(source, call, headers, body, refusal)
        if any(values):
            found[target.name] = (",".join(values),)
            call.did("response_parameters", f"{target.name} is {_shown(values)}, from {text}.", where)
        else:
            call.did("response_parameters", f"{target.name} is not sent: {text} has no value.", where)
    return found


def _words(target: Parameter) -> str:
    kind = {"header": "The header", "querystring": "The query parameter", "path": "The path variable"}[target.location]
    return f"{kind} {target.name}"


def _shown(values: tuple[str, ...]) -> str:
    text = ", ".join(values)
    return f'"{text:.120}{"…" if len(text) > 120 else ""}"'


def value_of(source: Source, call: Call, headers: Values, body: bytes, refusal: Refusal) -> tuple[str, ...]:
    """The values of an expression; none, or an empty one, where it has no value."""
    match source:
        case Static(value=value):
            return (value,)
        case StageVariable(name=name):
            return (call.stage_variables.get(name, ""),)
        case Context(name=name):
            return (in_context(name, call.context),)
        case Body(json_path=path):
            return (_in_body(path, body, refusal),)
        case Parameter(location="path", name=name):
            return (call.path_parameters.get(name, ""),)
        case Parameter(location="querystring", name=name, multi_value=multiple):
            found = call.request.query.get(name, ())
        case Parameter(name=name, multi_value=multiple) if source.side == "integration.response":
            found = next((values for known, values in headers.items() if known.lower() == name.lower()), ())
        case Parameter(name=name, multi_value=multiple):
            found = headers.get(name, ())
    return found if multiple else found[-1:]


def in_context(name: str, context: Mapping[str, Any]) -> str:
    """The text of a variable of $context; empty where it has no value."""
    found: Any = context
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return _text(found)


def _in_body(path: str, body: bytes, refusal: Refusal) -> str:
    """A body as text, or what a JSONPath finds in it. Only what begins like JSON is read as JSON (recorded)."""
    text = body.decode("utf-8", "replace").strip() or "{}"
    document: Any = {}
    if text[0] in "{['\"":
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise refusal() from error
    if not path:
        return text
    try:
        return _text(compile_path(f"$.{path}").read(document, Budget()))
    except (PathNotFound, TemplateError):
        return ""


def _text(value: Any) -> str:
    budget = Budget()
    if isinstance(value, list | dict):
        return json_text(value, budget)
    return text_of(value, budget) or ""
