"""What holds for every format: the same bytes, no option dropped in silence, no text that becomes structure."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.gateway.definition import (
    BACKENDS,
    Api,
    Authorizer,
    AwsService,
    Backend,
    Cors,
    GatewayResponse,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    MethodSettings,
    Model,
    Raw,
    RequestValidator,
    Route,
)
from integrations.gateway.formats import FORMATS
from integrations.gateway.formats.export import LOST, Export
from integrations.gateway.options import options_of

STAFF = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/staff/invocations"
PARTS: dict[type, tuple[str, Any]] = {
    Authorizer: (
        "authorizers",
        Authorizer(name="staff", type="REQUEST", uri=STAFF, identity_sources=("method.request.header.X",)),
    ),
    RequestValidator: ("request_validators", RequestValidator(name="checks")),
    GatewayResponse: ("gateway_responses", GatewayResponse(response_type="THROTTLED")),
    Cors: ("cors", Cors(allow_origins=("https://a.example",))),
    MethodSettings: ("method_settings", MethodSettings(path="/{id}", method="POST", caching_enabled=False)),
}
"""What an API has lists of → the list, and one to begin with."""
OWNERS: tuple[type, ...] = (Api, Route, Integration, IntegrationResponse, MethodResponse, Model, *PARTS, *BACKENDS.values())
OPTIONS = [(owner, name) for owner in OWNERS for name in options_of(owner) if (owner, name) != (Lambda, "http_method")]
"""All but the one whose only valid value is its default."""
MOUNT = (Api, Route, MethodResponse, Model, *PARTS)
"""What is around an integration; the snippet is the integration alone, and says so."""
HTTP = Http(url="https://books.example.com/v1")
PLAIN: dict[str, Backend] = {
    "lambda": Lambda(function="${Orders}"),
    "http": HTTP,
    "aws": AwsService(service="s3", path="books/a"),
    "raw": Raw(type="HTTP", http_method="GET", raw_uri="https://books.example.com/v1"),
}


def an_api(backend: Backend = HTTP, **options: Any) -> Api:
    """One route, with a path variable to suppress and a model to refer to."""
    answers = (IntegrationResponse(status_code="204"),)
    options = {"integration_responses": answers} | options
    integration = Integration(backend=backend, **options)
    return Api(name="books", routes=(Route(path="/{id}", integration=integration),), models=(Model(name="Book"),))


def route_of(api: Api, **options: Any) -> Api:
    return replace(api, routes=(replace(api.routes[0], **options),))


def with_option(owner: type, name: str) -> tuple[Api, Api]:
    """A definition without and with the example of an option."""
    example = {name: options_of(owner)[name].example}
    plain = an_api()
    if owner is Api:
        used = replace(plain, parameters=()) if name != "parameters" else route_of(plain, authorizer="${Orders}")
        return used, replace(used, **example)
    if owner in PARTS:
        part, base = PARTS[owner]
        if (owner, name) == (Authorizer, "type"):
            example = {"type": "TOKEN"}
        before: dict[str, Any] = {part: (base,)}
        after: dict[str, Any] = {part: (replace(base, **example),)}
        return replace(plain, **before), replace(plain, **after)
    if owner is Model:
        return plain, replace(plain, models=(replace(plain.models[0], **example),))
    if owner is Route:
        return plain, route_of(plain, **example)
    if owner is MethodResponse:
        answering = route_of(plain, responses=(MethodResponse(status_code="500"),))
        return answering, route_of(plain, responses=(replace(MethodResponse(status_code="500"), **example),))
    if owner is Integration:
        return plain, an_api(**example)
    if owner is IntegrationResponse:
        return plain, an_api(integration_responses=(replace(IntegrationResponse(status_code="204"), **example),))
    backend: Any = PLAIN.get(owner.kind, owner())  # type: ignore[attr-defined]
    if owner is AwsService and name.startswith("action"):
        backend = AwsService(service="sqs", action="ReceiveMessage")
    if name == "region":
        example = {"region": "us-east-1"}  # not the one that a judge takes the API to be in
    return an_api(backend), an_api(replace(backend, **example))


def said_to_be_lost(export: Export, owner: type) -> bool:
    """Whether a finding says that no part of this kind is in the file."""
    return owner in PARTS and any(finding.rule == LOST and finding.path == (PARTS[owner][0],) for finding in export.findings)


@pytest.mark.parametrize(
    ("target", "owner", "name"),
    [(target, *option) for target in FORMATS for option in OPTIONS if target != "cdk-snippet" or option[0] not in MOUNT],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_no_option_is_dropped_in_silence(target: str, owner: type, name: str) -> None:
    before, after = (FORMATS[target].dump(api) for api in with_option(owner, name))

    if name in FORMATS[target].unsupported:
        assert name in [finding.path[-1] for finding in after.findings]
    elif not said_to_be_lost(after, owner):
        assert after.text != before.text or {f.path for f in after.findings} - {f.path for f in before.findings}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_definition_gives_the_same_bytes(name: str) -> None:
    api = with_option(Api, "parameters")[1]

    assert FORMATS[name].dump(api) == FORMATS[name].dump(api)
