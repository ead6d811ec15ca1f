"""The definition: canonical JSON, references, what a route derives."""

import dataclasses

import pytest

from integrations.gateway.definition import (
    BACKENDS,
    Api,
    AwsService,
    DefinitionError,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Mock,
    Raw,
    Route,
    Template,
    digest,
    dumps,
    loads,
    parameters_of,
)
from integrations.gateway.grammar import Reference
from integrations.gateway.options import options_of


def an_api(integration: Integration, **route: object) -> Api:
    return Api(name="books", routes=(Route(integration=integration, **route),))  # type: ignore[arg-type]


def as_type(owner: type) -> type:
    return owner


CASES: list[tuple[type, str]] = [
    *((owner, name) for owner in map(as_type, BACKENDS.values()) for name in options_of(owner)),
    *((Integration, name) for name in options_of(Integration)),
    *((Route, name) for name in options_of(Route)),
    *((Api, name) for name in options_of(Api)),
]


def with_example(owner: type, name: str) -> Api:
    example = {name: options_of(owner)[name].example}
    if owner is Api:
        return Api(**example)
    if owner is Route:
        return an_api(Integration(backend=Mock()), **example)
    if owner is Integration:
        return an_api(Integration(backend=Mock(), **example))
    return an_api(Integration(backend=owner(**example)))


@pytest.mark.parametrize(("owner", "name"), CASES, ids=lambda part: getattr(part, "__name__", part))
def test_every_option_survives_canonical_json(owner: type, name: str) -> None:
    api = with_example(owner, name)
    text = dumps(api)

    assert loads(text) == api
    assert dumps(loads(text)) == text
    if (owner, name) != (Lambda, "http_method"):  # POST is the only valid value, and the default
        plain = Api() if owner is Api else an_api(Integration(backend=Mock()))
        plain = plain if owner in (Api, Route, Integration) else an_api(Integration(backend=owner()))
        assert digest(text) != digest(dumps(plain))


@pytest.mark.parametrize("text", ["é", "\ud800", "\x00", "\u2028", '"', "on", "1e3", "a\r\nb"], ids=ascii)
def test_any_text_survives_and_is_stored_as_ascii(text: str) -> None:
    api = an_api(Integration(backend=Mock(), request_templates={"application/json": Template(text)}))

    assert dumps(api).isascii()
    assert loads(dumps(api)) == api


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "This is not JSON"),
        ("[]", "A definition is a JSON object"),
        ("{}", "Schema None"),
        ('{"schema":1,"name":"a","name":"b"}', "stands twice"),
        ('{"schema":1,"colour":"red"}', "has no field 'colour'"),
        ('{"schema":1,"name":1}', "name: A text is wanted"),
        ('{"schema":1,"routes":[{"integration":{"backend":{"kind":"x"}}}]}', "Use one of lambda, http"),
        ('{"schema":1,"routes":[{"integration":{"backend":{"kind":"mock"},"timeout_ms":"5 s"}}]}', "A whole number"),
        ('{"schema":1,"routes":[{}]}', "'integration' is missing"),
        ("[" * 200_000, "nested too deeply"),
    ],
)
def test_what_is_no_definition_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        loads(text)


@pytest.mark.parametrize(
    ("backend", "proxy_type", "uri"),
    [
        (Mock(), "MOCK", ""),
        (Http(url="https://a.example/{id}"), "HTTP_PROXY", "https://a.example/{id}"),
        (Http(url="https://a.example", proxy=False), "HTTP", "https://a.example"),
        (
            Lambda(function="${Orders.Arn}"),
            "AWS_PROXY",
            "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Orders.Arn}/invocations",
        ),
        (
            Lambda(function="orders-${stageVariables.env}", region="eu-west-1", partition="aws", proxy=False),
            "AWS",
            "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:${AWS::Partition}:lambda:${AWS::Region}:"
            "${AWS::AccountId}:function:orders-${stageVariables.env}/invocations",
        ),
        (
            AwsService(service="sqs", action="SendMessage", action_parameters={"A b": "c&d"}),
            "AWS",
            "arn:${AWS::Partition}:apigateway:${AWS::Region}:sqs:action/SendMessage&A%20b=c%26d",
        ),
        (
            AwsService(service="s3", subdomain="books", path="{key}"),
            "AWS",
            "arn:${AWS::Partition}:apigateway:${AWS::Region}:books.s3:path/{key}",
        ),
        (Raw(type="NOPE", raw_uri="x"), "NOPE", "x"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_type_and_uri_of_a_backend(backend: object, proxy_type: str, uri: str) -> None:
    integration = Integration(backend=backend)  # type: ignore[arg-type]

    assert (integration.type, integration.uri) == (proxy_type, uri)


def test_a_route_derives_what_its_path_and_integration_imply() -> None:
    integration = Integration(
        backend=Http(url="https://a.example/{id}", proxy=False),
        request_parameters={
            "integration.request.path.id": "method.request.path.id",
            "integration.request.header.X": "method.request.multivalueheader.X-In",
        },
        cache_key_parameters=("method.request.querystring.page",),
        integration_responses=(IntegrationResponse(status_code="200", response_parameters={"method.response.header.E": "'1'"}),),
    )
    route = Route(path="/books/{id}", integration=integration)
    parameters = {
        "method.request.path.id": True,
        "method.request.header.X-In": False,
        "method.request.querystring.page": False,
    }
    responses = (MethodResponse(status_code="200", response_parameters={"method.response.header.E": False}),)

    assert route.request_parameters == parameters
    assert route.method_responses == responses
    assert route.with_effective(parameters, responses) == route


def test_only_the_difference_to_what_is_derived_is_stored() -> None:
    integration = Integration(backend=Mock(), integration_responses=(IntegrationResponse(status_code="200"),))
    route = Route(path="/{id}", integration=integration)
    wanted = {"method.request.header.A": True}
    changed = route.with_effective(wanted, (MethodResponse(status_code="404"),))

    assert changed == dataclasses.replace(
        route,
        declared=wanted,
        responses=(MethodResponse(status_code="404"),),
        suppressed=("method.request.path.id", "200"),
    )
    assert changed.request_parameters == wanted
    assert [response.status_code for response in changed.method_responses] == ["404"]


def test_parameters_are_the_declared_ones_and_then_what_is_referred_to() -> None:
    integration = Integration(
        backend=Lambda(function="${Orders.Arn}"),
        timeout_ms=Reference("Patience"),
        credentials_role="arn:${AWS::Partition}:iam::${Account}:role/x",
        request_templates={"a/b": Template("${velocity}"), "c/d": Template("${Table}", substituted=True)},
    )

    assert [(found.name, found.kind) for found in parameters_of(an_api(integration))] == [
        ("Orders.Arn", "function"),
        ("Table", "text"),
        ("Account", "text"),
        ("Patience", "number"),
    ]
