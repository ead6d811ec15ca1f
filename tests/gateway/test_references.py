"""Every option that reads references may hold one: no rule decides what nobody knows yet, and the template refers to it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from integrations.gateway.definition import (
    BACKENDS,
    Api,
    AwsService,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Mock,
    Raw,
    Route,
    parameters_of,
)
from integrations.gateway.findings import Severity
from integrations.gateway.formats import FORMATS
from integrations.gateway.formats.cloudformation import UNSUPPORTED
from integrations.gateway.formats.export import LOST
from integrations.gateway.grammar import Reference
from integrations.gateway.options import options_of
from integrations.gateway.rules import check
from tests.gateway.formats.test_formats import PARTS

OWNERS: tuple[Any, ...] = (*BACKENDS.values(), Integration, IntegrationResponse, Route, MethodResponse, Api, *PARTS)
FLAGS = {
    *("insecure_skip_verification", "api_key_required", "validate_request_body", "validate_request_parameters"),
    *("disable_execute_api_endpoint", "cache_cluster_enabled", "tracing_enabled", "data_trace_enabled", "metrics_enabled"),
    *("caching_enabled", "cache_data_encrypted"),
}


def referring(owner: Any, name: str) -> Any:
    """The option's example with a reference in the place of each of its texts or its one scalar."""
    example = options_of(owner)[name].example
    if isinstance(example, Mapping):
        return dict.fromkeys(example, "${Name}")
    if isinstance(example, tuple):
        return ("${Name}",) * len(example)
    return "${Name}" if options_of(owner)[name].text == "reference" else Reference("Name")


BACKEND: dict[Any, dict[str, Any]] = {
    Lambda: {"function": "orders"},
    Http: {"url": "https://books.example.com/", "proxy": False},
    AwsService: {"service": "sqs", "action": "SendMessage"},
    Mock: {},
    Raw: {"type": "HTTP", "http_method": "GET", "raw_uri": "https://books.example.com/"},
}


def around(owner: Any, **options: Any) -> Api:
    """A definition without an error, but for these options of one of its parts."""

    def part(kind: Any, **given: Any) -> Any:
        return kind(**given | (options if kind is owner else {}))

    kind = owner if owner in BACKEND else Http
    given = BACKEND[kind] | ({"action": None} if owner is AwsService and "path" in options else {})
    integration = part(Integration, backend=part(kind, **given), integration_responses=(part(IntegrationResponse),))
    scoped = {"authorization_type": "COGNITO_USER_POOLS", "authorizer": "abc123"}
    route = part(Route, integration=integration, responses=(part(MethodResponse),), **scoped)
    shared: dict[str, Any] = {}
    if owner in PARTS:
        name, base = PARTS[owner]
        shared[name] = (replace(base, **options),)
    return cast(Api, part(Api, name="books", routes=(route,), **shared))


CASES = [
    (owner, name)
    for owner in OWNERS
    for name, option in options_of(owner).items()
    if option.text == "reference" or option.kind == "number" or name in FLAGS
]
IDS = [f"{owner.__name__}.{name}" for owner, name in CASES]


@pytest.mark.parametrize(("owner", "name"), CASES, ids=IDS)
def test_a_reference_is_no_error(owner: Any, name: str) -> None:
    api = around(owner, **{name: referring(owner, name)})

    assert [finding for finding in check(api) if finding.severity is Severity.ERROR] == []
    assert [parameter.name for parameter in parameters_of(api)] == ["Name"]


@pytest.mark.parametrize(("owner", "name"), CASES, ids=IDS)
def test_cloudformation_refers_to_it(owner: Any, name: str) -> None:
    api = around(owner, **{name: referring(owner, name)})
    template = json.loads(FORMATS["cloudformation-json"].dump(api).text)

    assert list(template["Parameters"]) == ["Name"]
    assert references(template["Resources"]) == (name not in UNSUPPORTED)
    assert not literals(template["Resources"])


@pytest.mark.parametrize(("owner", "name"), CASES, ids=IDS)
def test_openapi_says_that_it_stands_as_it_is(owner: Any, name: str) -> None:
    api = around(owner, **{name: referring(owner, name)})
    export = FORMATS["openapi"].dump(api)

    assert "${Name}" not in export.text or any(finding.rule == LOST and name in finding.path for finding in export.findings)


PYTHON = [name for name, format in FORMATS.items() if format.lexer == "python"]


@pytest.mark.parametrize("target", PYTHON)
@pytest.mark.parametrize(("owner", "name"), CASES, ids=IDS)
def test_python_never_writes_it_as_text(target: str, owner: Any, name: str) -> None:
    api = around(owner, **{name: referring(owner, name)})

    assert "${Name}" not in FORMATS[target].dump(api).text


def references(node: Any) -> bool:
    """Whether a template refers to the parameter."""
    if isinstance(node, dict):
        if node.get("Ref") == "Name" or "${Name}" in str(node.get("Fn::Sub", "")):
            return True
        return any(map(references, node.values()))
    return isinstance(node, list) and any(map(references, node))


def literals(node: Any) -> list[str]:
    """The strings outside Fn::Sub in which the reference was left as text."""
    if isinstance(node, dict):
        return [text for key, inner in node.items() if key != "Fn::Sub" for text in literals(inner)]
    if isinstance(node, list):
        return [text for inner in node for text in literals(inner)]
    return [node] if isinstance(node, str) and "${Name}" in node else []
