"""The definition: canonical JSON, references, what a route derives."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.gateway.definition import (
    BACKENDS,
    UPGRADES,
    Api,
    AwsService,
    Cors,
    DefinitionError,
    DeploymentParameter,
    GatewayResponse,
    Http,
    Integration,
    IntegrationResponse,
    Intrinsic,
    Lambda,
    MethodResponse,
    Mock,
    Raw,
    Route,
    Template,
    bind,
    digest,
    dumps,
    effective,
    loads,
    parameters_of,
    with_defaults,
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
    return with_value(owner, name, options_of(owner)[name].example)


def with_value(owner: type, name: str, value: Any) -> Api:
    if owner is Api:
        return Api(**{name: value})
    if owner is Route:
        return an_api(Integration(backend=Mock()), **{name: value})
    if owner is Integration:
        return an_api(Integration(backend=Mock(), **{name: value}))
    return an_api(Integration(backend=owner(**{name: value})))


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
        ('{"schema":1,"name":"a","name":"b"}', "^The key 'name' stands twice"),
        (
            '{"schema":1,"routes":[{"integration":{"backend":{"kind":"mock","kind":"raw"}}}]}',
            "^routes.0..integration.backend: The key 'ki",
        ),
        ('{"schema":1,"stage_variables":{"a":"1","a":"2"}}', "^stage_variables: The key 'a' stands twice"),
        ('{"schema":1,"parameters":[{"name":"A","origin":{"a":[{"b":1,"b":2}]}}]}', "^parameters.0..origin: The key 'b' stands"),
        ('{"schema":1,"parameters":[{"name":"A","origin":NaN}]}', "^parameters.0..origin: This is no JSON value"),
        (
            f'{{"schema":1,"parameters":[{{"name":"A","origin":{"[" * 101}{"]" * 101}}}]}}',
            "^parameters.0..origin: Values up to 100",
        ),
        ('{"schema":1,"name":NaN}', "^name: A text is wanted"),
        ('{"schema":true}', "Schema True"),
        ('{"schema":1.0}', "Schema 1.0"),
        (f'{{"schema":{"9" * 4000}}}', "^schema: Schema 9{40} is"),
        (f'{{"schema":{"9" * 5000}}}', "This is not JSON"),
        (f'{{"schema":1,"name":{"[" * 500}{"]" * 500}}}', "^name: A text is wanted"),
        (" " * 8_000_001, "longer than 8,000,000"),
        (f'{{"schema":1,"name":"{"x" * 1_100_001}"}}', "^name: A text of up to 1,100,000"),
        (f'{{"schema":1,"routes":[{"1," * 2_000}1]}}', "^routes: A list of up to 2,000"),
        ('{"schema":1,"colour":"red"}', "has no field 'colour'"),
        ('{"schema":1,"name":1}', "name: A text is wanted"),
        ('{"schema":1,"routes":[{"integration":{"backend":{"kind":"x"}}}]}', "Use one of lambda, http"),
        ('{"schema":1,"routes":[{"integration":{"backend":{"kind":"mock"},"timeout_ms":"5 s"}}]}', "A whole number or one"),
        (
            '{"schema":1,"routes":[{"integration":{"backend":{"kind":"mock"},"timeout_ms":true}}]}',
            "timeout_ms: A whole number is",
        ),
        ('{"schema":1,"routes":[{"integration":{"backend":{"kind":"mock"},"timeout_ms":5.0}}]}', "timeout_ms: A whole number is"),
        (
            '{"schema":1,"routes":[{"integration":{"backend":{"kind":"mock"},"timeout_ms":1e999}}]}',
            "timeout_ms: A whole number is",
        ),
        (
            f'{{"schema":1,"routes":[{{"integration":{{"backend":{{"kind":"mock"}},"timeout_ms":{2**53 + 1}}}}}]}}',
            "of up to 9,007,",
        ),
        ('{"schema":1,"routes":[{"integration":{"backend":{"kind":"mock"}},"api_key_required":"yes"}]}', "true or false or one"),
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


STATUSES = st.sampled_from(("200", "404", "500"))
HEADERS = st.dictionaries(st.sampled_from([f"method.response.header.{name}" for name in "ABC"]), st.booleans())
REQUEST = [f"method.request.{where}" for where in ("path.id", "header.A", "querystring.page", "header.B")]
MODELS = st.dictionaries(st.just("application/json"), st.just("Book"))


@given(
    path=st.sampled_from(("/books", "/books/{id}")),
    mapped=st.dictionaries(
        st.sampled_from(("integration.request.header.X", "integration.request.path.id")), st.sampled_from(REQUEST)
    ),
    answers=st.lists(
        st.tuples(STATUSES, st.dictionaries(HEADERS.map(lambda found: next(iter(found), "x")), st.just("'*'"))), max_size=3
    ),
    wanted=st.dictionaries(st.sampled_from(REQUEST), st.booleans()),
    responses=st.dictionaries(STATUSES, st.tuples(HEADERS, MODELS)),
)
def test_exactly_what_is_wanted_is_in_effect_and_is_stored_in_one_way(
    path: str,
    mapped: dict[str, str],
    answers: list[tuple[str, dict[str, str]]],
    wanted: dict[str, bool],
    responses: dict[str, tuple[dict[str, bool], dict[str, str]]],
) -> None:
    own = tuple(IntegrationResponse(status_code=status, response_parameters=headers) for status, headers in answers)
    integration = Integration(backend=Mock(), request_parameters=mapped, integration_responses=own)
    methods = tuple(
        MethodResponse(status_code=status, response_parameters=headers, response_models=models)
        for status, (headers, models) in responses.items()
    )
    route = Route(path=path, integration=integration).with_effective(wanted, methods)

    assert route.request_parameters == wanted
    assert {one.status_code: one for one in route.method_responses} == {one.status_code: one for one in methods}
    again = route.with_effective(route.request_parameters, route.method_responses)
    assert dumps(Api(routes=(again,))) == dumps(Api(routes=(route,)))
    assert loads(dumps(Api(routes=(route,)))).routes == (route,)


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


INTRINSICS = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
).map(Intrinsic.of)
TEXTS = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    ("${Name}", "${!Name}", "${AWS::Region}", "\ud800", "\r\n")
)
SPECIAL: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(-(2**53), 2**53),
    float: st.floats(0, 2**53) | st.integers(0, 2**53),
    Reference: st.sampled_from(("Name", "Stack.Outputs.Name", "AWS::AccountId")).map(Reference),
    Template: st.builds(Template, TEXTS, st.booleans()),
    Intrinsic: INTRINSICS,
}


def any_value(wanted: Any) -> st.SearchStrategy[Any]:
    """Values of a declared type, right or wrong for AWS: a definition holds both."""
    if isinstance(wanted, typing.TypeAliasType):
        wanted = wanted.__value__
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted in SPECIAL:
        return SPECIAL[wanted]
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is types.UnionType:
        return st.one_of(*map(any_value, arguments))
    if origin is tuple:
        return st.lists(any_value(arguments[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(TEXTS, any_value(arguments[1]), max_size=2)
    if dataclasses.is_dataclass(wanted):
        assert isinstance(wanted, type)
        hints = typing.get_type_hints(wanted)
        return st.builds(wanted, **{field.name: any_value(hints[field.name]) for field in dataclasses.fields(wanted)})
    return st.from_type(wanted)


APIS = any_value(Api)


@given(APIS)
def test_canonical_json_holds_every_definition(api: Api) -> None:
    text = dumps(api)

    assert text.isascii()
    assert loads(text) == api
    assert dumps(loads(text)) == text
    assert loads(dumps(api, indent=2)) == api


@given(APIS)
def test_written_out_defaults_are_written_out_once(api: Api) -> None:
    assert with_defaults(with_defaults(api)) == with_defaults(api)


DEFAULTS = [(owner, name) for owner, name in CASES if options_of(owner)[name].aws_default is not None]


@pytest.mark.parametrize(("owner", "name"), DEFAULTS, ids=lambda part: getattr(part, "__name__", part))
def test_a_default_written_out_is_kept_and_equals_the_unset_one(owner: type, name: str) -> None:
    option = options_of(owner)[name]
    unset, written, other = (with_value(owner, name, value) for value in (None, option.aws_default, option.example))

    assert digest(dumps(unset)) != digest(dumps(written))
    assert with_defaults(unset) == with_defaults(written)
    assert with_defaults(unset) != with_defaults(other)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"passthrough_behavior": None}, {"passthrough_behavior": "WHEN_NO_MATCH"}),
        ({"timeout_ms": Reference("Patience")}, {"timeout_ms": Reference("Patience")}),
        ({"cache_namespace": None}, {"cache_namespace": None}),
        (
            {"integration_responses": (IntegrationResponse(),)},
            {"integration_responses": (IntegrationResponse(selection_pattern=""),)},
        ),
    ],
)
def test_defaults_are_api_gateways_own(options: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = with_defaults(Integration(backend=Mock(), **options))

    assert {name: getattr(found, name) for name in wanted} == wanted
    assert found == with_defaults(Integration(backend=Mock(), **wanted))


def test_an_origin_is_kept_as_it_stood() -> None:
    origin = {"Fn::If": ["IsProd", {"Fn::GetAtt": "Orders.Arn"}, {"Ref": "AWS::NoValue"}]}
    api = Api(parameters=(DeploymentParameter(name="If", kind="function", origin=Intrinsic.of(origin)),))

    assert json.loads(dumps(api))["parameters"] == [{"name": "If", "kind": "function", "description": "", "origin": origin}]
    assert loads(dumps(api)) == api


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
BOMB: list[Any] = []
for _ in range(10):
    BOMB = [BOMB] * 10


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "no JSON value"),
        ({"a": {1, 2}}, "no JSON value"),
        (ENDLESS, "up to 100 levels"),
        (BOMB, "up to 100 levels"),
        (None, "A JSON value of up to"),
        ("x" * 1_100_000, "A JSON value of up to"),
    ],
    ids=["NaN", "a set", "endless", "bomb", "null", "long"],
)
def test_what_is_no_json_is_no_origin(value: object, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        Intrinsic.of(value)


def test_an_older_schema_is_read_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(UPGRADES, -1, lambda value: {"title": value["headline"]})
    monkeypatch.setitem(UPGRADES, 0, lambda value: {"name": value["title"]})

    assert loads('{"schema":-1,"headline":"books"}') == Api(name="books")


# --- CORS ------------------------------------------------------------------------------------------

BOOKS = Route(path="/books/{id}", integration=Integration(backend=Mock()))


def test_an_api_without_cors_is_in_effect_as_it_is() -> None:
    api = Api(routes=(BOOKS,))

    assert effective(api) is api


def test_cors_makes_an_options_method_for_each_path_and_headers_on_errors() -> None:
    listing = dataclasses.replace(BOOKS, path="/books", method="OPTIONS")
    every = Cors(allow_origins=("https://a.example",), allow_methods=("GET",), allow_headers=("X-A",), max_age_seconds=60)
    own = Cors(path="/status", allow_origins=("*",), expose_headers=("ETag",))
    declared = GatewayResponse(response_type="THROTTLED", response_parameters={"gatewayresponse.header.Retry-After": "'1'"})
    api = Api(routes=(BOOKS, listing), cors=(every, own), gateway_responses=(declared,))
    made = effective(api)

    assert made.cors == ()
    assert made.routes[:2] == (BOOKS, listing)
    assert [(route.method, route.path) for route in made.routes[2:]] == [("OPTIONS", "/books/{id}"), ("OPTIONS", "/status")]
    assert made.routes[2].integration.integration_responses[0].response_parameters == {
        "method.response.header.Access-Control-Allow-Headers": "'X-A'",
        "method.response.header.Access-Control-Allow-Origin": "'https://a.example'",
        "method.response.header.Vary": "'Origin'",
        "method.response.header.Access-Control-Allow-Methods": "'GET'",
        "method.response.header.Access-Control-Max-Age": "'60'",
    }
    assert {response.response_type: dict(response.response_parameters) for response in made.gateway_responses} == {
        "THROTTLED": {
            "gatewayresponse.header.Access-Control-Allow-Origin": "'https://a.example'",
            "gatewayresponse.header.Retry-After": "'1'",
        },
        "DEFAULT_4XX": {"gatewayresponse.header.Access-Control-Allow-Origin": "'https://a.example'"},
        "DEFAULT_5XX": {"gatewayresponse.header.Access-Control-Allow-Origin": "'https://a.example'"},
    }
    assert effective(api) is made


def test_errors_of_the_gateway_carry_no_header_where_that_is_off() -> None:
    assert effective(Api(routes=(BOOKS,), cors=(Cors(gateway_responses=False),))).gateway_responses == ()


def test_a_document_takes_values_as_json_does() -> None:
    api = Api(policy='{"Statement": [{"Resource": "execute-api:/${Stage}/*"}]}')

    assert [found.name for found in parameters_of(api)] == ["Stage"]
    assert json.loads(bind(api, {"Stage": 'a"\\n'}).policy or "")["Statement"] == [{"Resource": 'execute-api:/a"\\n/*'}]
